"""Kills runs of recipes by SIGKILL at random moments, resumes them, and compares the results with an unbroken run's.

    python tests/kills.py [--kills 30] [--seed 0] [dcgan_digits lapgan_fashion_mnist ali_fashion_mnist]

Each run is killed at a moment drawn uniformly from the time that the unbroken run took, set-up and export included, and
is started again until it ends. Then the next run begins in a new workdir, until the requested number of kills is
reached. Every weight, slot and counter of the last checkpoint and every logged loss must be the same, bit for bit, and
the artefact must be complete. The networks are small and the steps few, since only the places where a kill can strike
matter.
"""

import argparse
import multiprocessing
import os
import random
import runpy
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SHORT = ("--steps=8", "--checkpoint_every=2", "--batch_size=8", "--deterministic")
RECIPES = {  # with the flags that make them small
    "dcgan_digits": ("--filters=4", "--latent_size=8"),
    "lapgan_fashion_mnist": ("--data=digits", "--filters=2", "--units=16", "--latent_size=8"),
    "ali_fashion_mnist": ("--data=digits", "--filters=4", "--latent_size=8"),
}
SECONDS = 600  # that a run may take at most


def final(workdir):
    """The path of the last checkpoint, and every variable in it by name, except for the time that the run took."""
    import tensorflow as tf

    latest = tf.train.latest_checkpoint(Path(workdir) / "checkpoints")
    reader = tf.train.load_checkpoint(latest)
    own = ("seconds", "save_counter", "_")  # variables of the checkpoint itself
    names = [name for name in reader.get_variable_to_shape_map() if not name.startswith(own)]
    return Path(latest), {name: reader.get_tensor(name) for name in names}


def assert_same_end(first, second):
    """Asserts that two workdirs hold the same last checkpoint, bit for bit."""
    (first_path, first_values), (second_path, second_values) = final(first), final(second)
    assert first_path.name == second_path.name
    assert first_values.keys() == second_values.keys()
    assert sum("optimizer" in name for name in first_values) > 10
    for name, value in first_values.items():
        np.testing.assert_array_equal(value, second_values[name], err_msg=name)


def kill_and_compare(recipe, kills, seed, folder, say=print):
    """Runs a recipe unbroken, then with `kills` kills; raises an `AssertionError` that says what differs."""
    # Each run has its own process, but TensorFlow is imported only once for all of them.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tensorflow", "zoo.recipe.run", "zoo.callbacks", "zoo.evaluation"])
    moments = random.Random(seed)
    flags = [*RECIPES[recipe], *SHORT]

    def start(workdir):
        process = processes.Process(target=_train, args=(recipe, [*flags, f"--workdir={workdir}"], f"{workdir}.log"))
        process.start()
        return process

    def end(workdir, seconds):
        """The seconds that a run took to its end; None if it was killed before that."""
        began = time.monotonic()
        process = start(workdir)
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            return None
        assert process.exitcode == 0, Path(f"{workdir}.log").read_text(encoding="utf-8")
        return time.monotonic() - began

    whole = folder / "whole"
    _warm_up(processes)
    took = end(whole, SECONDS)
    done, rounds = 0, 0
    while done < kills:
        workdir = folder / f"broken-{rounds}"
        rounds += 1
        before = done
        while (ended := end(workdir, moments.uniform(0, took) if done < kills else SECONDS)) is None:
            done += 1
            at = max((int(path.stem.split("-")[1]) for path in workdir.glob("checkpoints/*.index")), default=0)
            say(f"{recipe}: kill {done} of {kills}, its newest checkpoint that of step {at}")
        if done == before:  # another unbroken run, which may have had more of the machine to itself
            took = min(took, ended)
        assert_same_end(whole, workdir)
        _assert_same_files(whole, workdir)
    say(f"{recipe}: {done} kills of {rounds} runs, each ended as the unbroken one")


def _assert_same_files(whole, workdir):
    from zoo.artefacts.catalogue import find

    for name in ("metrics.jsonl", *(path.relative_to(whole) for path in whole.glob("samples/*"))):
        assert (whole / name).read_bytes() == (workdir / name).read_bytes(), name
    assert {path.relative_to(whole) for path in whole.rglob("*") if "events" not in path.parts} == {
        path.relative_to(workdir) for path in workdir.rglob("*") if "events" not in path.parts
    }
    (artefact,) = workdir.glob("*/card.json")
    assert find(artefact.parent)[1]["steps"] == find(whole / artefact.parent.name)[1]["steps"]


def _warm_up(processes):
    """Starts the fork server, which imports TensorFlow, so that no run waits for the import."""
    process = processes.Process(target=os.getpid)
    process.start()
    process.join()


def _train(recipe, flags, log):
    from zoo import files

    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    script = str(files.folder("recipes") / f"{recipe}.py")
    sys.argv = [script, *flags]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(RECIPES)} (default: each)")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in arguments.recipes or RECIPES:
        with tempfile.TemporaryDirectory() as directory:
            kill_and_compare(name, arguments.kills, arguments.seed, Path(directory))
