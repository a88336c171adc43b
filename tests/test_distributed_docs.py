"""What docs/distributed.md says of several processes, done with two of them on this machine."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import zygote

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "distributed.md").read_text(encoding="utf-8")
FILES = ROOT / "docs" / "distributed"


def started(command, **environment):
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path, **environment}, capture_output=True, text=True, timeout=300
    )


def launched(count, *command):
    return started([sys.executable, str(FILES / "workers.py"), str(count), *command])


def test_files_that_the_page_names_are_there():
    linked = set(re.findall(r"\]\((distributed/\S+)\)", PAGE))
    assert linked == {f"distributed/{path.name}" for path in FILES.iterdir() if path.is_file()}


def test_two_workers_train_a_recipe_and_one_writes(tmp_path):
    finished = launched(2, zygote.programs() / "zoo", "train", "gan_ring", "--smoke", f"--workdir={tmp_path / 'run'}")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("on 2 x CPU") == 1
    assert [path.name for path in (tmp_path / "run" / "gan-ring").iterdir() if path.is_dir()] == ["1"]


SHOW = "import json, os; print(os.environ['TF_CONFIG'], len(os.sched_getaffinity(0)))"


def test_each_worker_is_told_all_addresses_and_its_own_number():
    finished = launched(2, sys.executable, "-c", SHOW)
    config = json.JSONDecoder().raw_decode(finished.stdout)[0]
    assert config["task"] == {"type": "worker", "index": 0}
    assert len(set(config["cluster"]["worker"])) == 2


def test_a_worker_that_fails_ends_the_others_and_is_heard():
    # The first worker sleeps for longer than `started` waits.
    code = "import os, sys, time; time.sleep(999) if '\"index\": 0' in os.environ['TF_CONFIG'] else sys.exit('no disk')"
    finished = launched(2, sys.executable, "-c", code)
    assert finished.returncode == 1
    assert finished.stderr == "worker 1:\nno disk\n"


@pytest.mark.parametrize("arguments", [[], ["two", "zoo"], ["0", "zoo"], ["2"]], ids=str)
def test_the_launcher_says_how_it_is_used(arguments):
    finished = started([sys.executable, str(FILES / "workers.py"), *arguments])
    assert (finished.returncode, finished.stderr.split()[0]) == (2, "usage:")


def test_the_slurm_script_tells_each_task_its_place(tmp_path):
    programs = {
        "scontrol": "#!/bin/bash\nprintf 'node%s\\n' 1 2\n",
        "srun": '#!/bin/bash\nshift\nSLURM_PROCID=1 "$@"\n',
        "zoo": '#!/bin/bash\necho "$TF_CONFIG"; echo "$@"\n',
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    script = ["bash", str(FILES / "slurm.sh"), "gan_ring", "--data", "two words"]
    finished = started(script, PATH=path, SLURM_JOB_NODELIST="node[1-2]")
    assert finished.returncode == 0, finished.stderr
    config, command = finished.stdout.splitlines()
    assert json.loads(config) == {
        "cluster": {"worker": ["node1:29500", "node2:29500"]},
        "task": {"type": "worker", "index": 1},
    }
    assert command == "train gan_ring --data two words"


def test_the_kubernetes_manifest_starts_workers_of_one_command():
    job = json.loads((FILES / "tfjob.json").read_text(encoding="utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "TFJob")
    worker = job["spec"]["tfReplicaSpecs"]["Worker"]
    (container,) = worker["template"]["spec"]["containers"]
    assert worker["replicas"] == 2
    assert container["name"] == "tensorflow"  # the operator sets TF_CONFIG in no other
    shared = container["volumeMounts"][0]["mountPath"]
    assert all(f"={shared}/" in flag for flag in container["args"])
