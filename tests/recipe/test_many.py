"""Lists and sweeps: what is planned, skipped, resumed and recorded. A small program stands for `zoo train`."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from zoo.errors import InputError, TrainingError
from zoo.recipe import many, workdir

# Called like `zoo train RECIPE FLAG ... --workdir W`: writes a card and two rows of scores, and counts its starts.
PROGRAM = """
import json, pathlib, sys
flags = dict(zip(sys.argv[2::2], sys.argv[3::2]))
workdir = pathlib.Path(flags["--workdir"])
workdir.mkdir(parents=True, exist_ok=True)
with (workdir / "starts").open("a") as file:
    file.write("x")
if flags.get("--seed") == "13":
    print("zoo: Seed 13 is unlucky.")
    sys.exit(2)
artefact = workdir / "toy-digits"
artefact.mkdir(exist_ok=True)
card = dict(name="toy", model="GAN", dataset="digits", version=1, data_shape=[1], num_classes=None, class_names=None,
            parameters={}, scores=[], files={}, seconds=1.5, settings={}, steps=4)
(artefact / "card.json").write_text(json.dumps(card))
rows = [{"step": 2, "distance": 99.0}, {"step": 4, "distance": float(flags["--seed"]) * float(flags.get("--rate", 1))}]
(workdir / "scores.jsonl").write_text("".join(json.dumps(row) + "\\n" for row in rows))
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    monkeypatch.setattr(many, "PROGRAM", (sys.executable, str(script)))
    return script


def starts(root, name):
    return len((root / name / "starts").read_text())


def test_a_sweep_is_every_combination_of_the_flags_with_several_values():
    plan = many.sweep("gan_ring", ["--seed", "0-2", "--steps", "40", "--rate=1e-4,2e-4", "--smoke", "--data=ring"])
    assert [planned.name for planned in plan[:3]] == ["seed=0-rate=1e-4", "seed=0-rate=2e-4", "seed=1-rate=1e-4"]
    assert len(plan) == 6
    expected = ("--steps", "40", "--smoke", "--data=ring", "--seed", "2", "--rate", "2e-4")
    assert sorted(plan[-1].flags) == sorted(expected)
    assert plan[-1].values == {"seed": "2", "rate": "2e-4"}


def test_a_switch_of_a_sweep_takes_no_value():
    plan = many.sweep("gan_ring", ["--smoke", "--seed", "0-1", "--nojit_compile", "--rate", "1e-4,2e-4"])
    assert len(plan) == 4
    assert plan[0].flags[:2] == ("--smoke", "--nojit_compile")


def test_a_sweep_gives_each_run_a_folder_of_its_own():
    with pytest.raises(InputError, match="Received: --export_dir"):
        many.sweep("gan_ring", ["--seed", "0-1", "--export_dir", "out"])


@pytest.mark.parametrize("flags", [[], ["--seed", "3"], ["--data", "folder:a,b"], ["--seed", "0-5000"]])
def test_a_sweep_without_several_values_or_with_too_many_is_refused(flags):
    with pytest.raises(InputError, match="A sweep takes a flag of several values"):
        many.sweep("gan_ring", flags)


def test_a_value_that_stands_twice_is_run_once():
    assert [planned.name for planned in many.sweep("gan_ring", ["--seed=1,2,1"])] == ["seed=1", "seed=2"]
    with pytest.raises(InputError, match="A sweep takes a flag of several values"):
        many.sweep("gan_ring", ["--seed=1,1"])


def test_names_of_many_settings_differ_and_are_no_longer_than_a_file_system_allows():
    long = [f"--setting_{number}=1,2" for number in range(9)]
    names = [planned.name for planned in many.sweep("gan_ring", [*long, f"--data={'é' * 200}"])]
    assert len(set(names)) == 2**9
    assert max(len(f"{name}.log".encode()) for name in names) < 255


def test_a_list_has_a_run_on_each_line(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("# all of them\n\ngan_ring --seed 1  # once\ngan_grid --data 'a b'\n")
    first, second = many.read_list(path)
    assert (first.recipe, first.flags, first.name) == ("gan_ring", ("--seed", "1"), "gan_ring-seed-1")
    assert (second.flags, second.name) == (("--data", "a b"), "gan_grid-data-a_b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a recipe and its flags on each line"),
        ("gan_rin", "line 1: Unknown recipe: 'gan_rin'. Did you mean gan_ring"),
        ("\ngan_ring --workdir here", "line 2: each of several runs gets its own workdir.* Received: --workdir"),
        ("gan_ring --export_dir=here", "line 1: each of several runs gets its own workdir.* Received: --export_dir"),
        ("gan_ring 'a", "line 1: No closing quotation"),
        ("gan_ring\ngan_ring", "gan_ring twice"),
    ],
)
def test_a_list_that_cannot_be_run_says_why(tmp_path, text, message):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        many.read_list(path)
    with pytest.raises(InputError, match=r"none\.txt: cannot be read: No such file"):
        many.read_list(tmp_path / "none.txt")


@pytest.mark.parametrize("jobs", [1, 2])
def test_runs_are_recorded_and_made_once(tmp_path, program, jobs):
    root = tmp_path / "runs"
    plan = many.sweep("gan_ring", ["--seed", "1,3"])
    records = many.run_all(plan, root, jobs)
    assert [record["scores"] for record in records] == [{"distance": 1.0}, {"distance": 3.0}]
    assert records[0]["command"] == "zoo train gan_ring --seed 1"
    assert records[0]["artefact"] == "seed=1/toy-digits"
    assert sorted(json.loads((root / "runs.json").read_text())) == ["seed=1", "seed=3"]
    assert many.run_all(plan, root, jobs) == records
    assert [starts(root, "seed=1"), starts(root, "seed=3")] == [1, 1]
    (root / "seed=3/toy-digits/card.json").unlink()
    many.run_all(plan, root, jobs)
    assert [starts(root, "seed=1"), starts(root, "seed=3")] == [1, 2]


def test_a_run_that_fails_keeps_no_other_from_being_made(tmp_path, program, capsys):
    plan = many.sweep("gan_ring", ["--seed", "13-14"])
    with pytest.raises(TrainingError, match="1 of 2 runs failed: seed=13"):
        many.run_all(plan, tmp_path / "runs")
    assert "seed=13: failed after" in (out := capsys.readouterr().out)
    assert "zoo: Seed 13 is unlucky." in out
    records = json.loads((tmp_path / "runs/runs.json").read_text())
    assert [records[name]["status"] for name in ("seed=13", "seed=14")] == ["failed", "done"]


def test_the_summary_is_over_the_seeds(tmp_path, program):
    plan = many.sweep("gan_ring", ["--seed", "1-3", "--rate", "1,10"])
    once, tenfold = many.summary(many.run_all(plan, tmp_path / "runs"))
    assert once == {"settings": {"rate": "1"}, "runs": 3, "scores": {"distance": {"mean": 2.0, "std": 1.0}}}
    assert tenfold["scores"] == {"distance": {"mean": 20.0, "std": 10.0}}
    assert many.summary([{"values": {}, "scores": {"x": 1.0}}])[0]["scores"] == {"x": {"mean": 1.0, "std": None}}
    infinite = many.summary([{"values": {}, "scores": {"x": x}} for x in (1.0, "inf")])[0]["scores"]["x"]
    assert (infinite["mean"], str(infinite["std"])) == (math.inf, "nan")


def test_a_signal_stops_the_runs_and_their_processes(tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)\n")
    main = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from zoo.console import run_command
        from zoo.recipe import many, workdir
        many.PROGRAM = (sys.executable, {str(slow)!r})
        sys.exit(run_command(lambda: many.run_all(many.sweep("gan_ring", ["--seed", "0-1"]), Path("runs"))))
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", main],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    while not (tmp_path / "started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    message = process.communicate(timeout=20)[1]
    assert process.returncode == 128 + signal.SIGTERM
    assert "SIGTERM stopped the runs in runs" in message
    assert subprocess.run(["pgrep", "-f", str(slow)], check=False).returncode == 1


def test_a_process_that_outlived_a_killed_sweep_is_waited_for(tmp_path, program, capsys):
    root = tmp_path / "runs"
    (root / "seed=0").mkdir(parents=True)
    held = workdir.lock(root / "seed=0")
    timer = threading.Timer(1, held.close)
    timer.start()
    plan = many.sweep("gan_ring", ["--seed", "0-1"])
    records = many.run_all(plan, root)
    timer.join()
    assert [record["status"] for record in records] == ["done", "done"]
    lines = [line.split(" after ")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines.index("seed=0: waits for a process that is at work in it already") < lines.index("seed=1: done")
    assert lines.index("seed=1: done") < lines.index("seed=0: done")


def test_two_do_not_share_a_folder(tmp_path, program):
    root = tmp_path / "runs"
    root.mkdir()
    with many.workdir.lock(root), pytest.raises(InputError, match="Another run is at work in"):
        many.run_all(many.sweep("gan_ring", ["--seed", "0-1"]), root)
    with pytest.raises(InputError, match="`jobs` must be a positive integer"):
        many.run_all(many.sweep("gan_ring", ["--seed", "0-1"]), root, jobs=0)
