"""Peak memory of training with the zoo's loop and with a bare loop on the same networks, each in its own process.

    python benchmarks/memory.py [--model DCGAN] [--steps 200]

The zoo trains with the callbacks that log, draw samples and save checkpoints. `growth_mib` is the memory that the
second half of the steps adds.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import common

VARIANTS = ("plain TensorFlow", "zoo")


def child(variant, name, steps):
    import psutil
    import step_time

    from zoo import callbacks

    def resident():
        return psutil.Process().memory_info().rss / 2**20

    model = common.build(name)
    data = common.batches(common.BATCH_SIZE * model.minibatch_count)
    held = []
    if variant == "zoo":
        with tempfile.TemporaryDirectory() as workdir:
            watchers = [
                callbacks.MetricsLog(workdir),
                callbacks.SampleGrid(Path(workdir, "samples")),
                callbacks.Checkpoint(Path(workdir, "checkpoints")),
            ]
            for _half in range(2):
                model.fit(
                    data,
                    steps_per_epoch=max(steps // 10, 1),
                    epochs=5,
                    callbacks=watchers,
                    verbose=0,
                    shuffle=False,
                    initial_epoch=0,
                )
                held.append(resident())
    else:
        step, fed = step_time.bare_loop(model), iter(data)
        for _half in range(2):
            for _ in range(steps // 2):
                float(step(next(fed))["generator_loss"])
            held.append(resident())
    from zoo import machine

    print(json.dumps({"peak_mib": float(machine.peak_memory()), "growth_mib": held[1] - held[0]}))


def main():
    command = common.parser(__doc__, model="DCGAN", steps=200)
    command.add_argument("--child", choices=VARIANTS, help="measure in this process; used by the benchmark itself")
    arguments = command.parse_args()
    if arguments.child:
        child(arguments.child, arguments.model, arguments.steps)
        return
    rows = []
    for variant in VARIANTS:
        line = [
            sys.executable,
            __file__,
            f"--model={arguments.model}",
            f"--steps={arguments.steps}",
            "--child",
            variant,
        ]
        finished = subprocess.run(line, check=True, capture_output=True, text=True)
        rows.append({"variant": variant, **json.loads(finished.stdout.splitlines()[-1])})
    for row in rows:
        row["peak_ratio"] = row["peak_mib"] / rows[0]["peak_mib"]
    common.report("memory", arguments, rows)


if __name__ == "__main__":
    main()
