#!/bin/bash
# Trains a recipe on two nodes: sbatch docs/distributed/slurm.sh dcgan_digits --workdir /shared/runs/two
#SBATCH --job-name=gan-zoo
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
# With GPUs, the same number on each node: #SBATCH --gpus-per-node=4
set -euo pipefail

port=29500
workers=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s/.*/\"&:$port\"/" | paste -sd ,)
export workers

# `exec` lets signals reach the trainer itself; a requeued job continues from the last checkpoint.
srun --kill-on-bad-exit=1 bash -c '
  export TF_CONFIG="{\"cluster\": {\"worker\": [$workers]}, \"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
  exec zoo train "$@"
' zoo "$@" &
trap "kill -TERM $!" TERM
wait $!
