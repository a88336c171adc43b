"""Many runs of recipes, each in a process and a workdir of its own: those of a list, or of a sweep over settings."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
import os
import re
import shlex
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from zoo import machine
from zoo.artefacts.card import CARD, read_card
from zoo.errors import InputError, SignalError, TrainingError, printable, require_positive
from zoo.files import make_folder, read_rows, write_json
from zoo.recipe import catalogue, workdir

RECORD = "runs.json"
PROGRAM = (sys.executable, "-m", "zoo.commands.main", "train")
PAUSE = 0.2  # seconds between two looks at the processes
MOST = 1000  # runs of one sweep
LONGEST_NAME = 150  # of a run, in bytes; file systems take 255, and a log adds an ending
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
SEVERAL = re.compile(rf"{NUMBER}(,{NUMBER})+")
RANGE = re.compile(r"(\d+)-(\d+)")


class Planned(NamedTuple):
    """A run to be made.

    Attributes:
        name: of its workdir, and of its log next to that.
        recipe: as `zoo train` takes it.
        flags: the rest of its command line, without `--workdir`.
        values: of the settings that distinguish it from the other runs of a sweep.
    """

    name: str
    recipe: str
    flags: tuple[str, ...]
    values: dict[str, str]

    @property
    def command(self) -> str:
        return shlex.join(["zoo", "train", self.recipe, *self.flags])


def read_list(path: Path) -> list[Planned]:
    """The runs of a text file: one on each line, a recipe and its flags. Empty lines and `# comments` are skipped.

    Raises:
        InputError: the file cannot be read, has no run or the same run twice; or a line does not begin with a recipe,
            has an open quotation mark, or names a folder that each run gets to itself.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    plan = []
    for number, line in enumerate(lines, start=1):
        try:
            words = shlex.split(line, comments=True)
            if not words:
                continue
            recipe, *flags = words
            catalogue.find(recipe)
            _require_own_folders(flags)
        except ValueError as error:  # `InputError` is one
            raise InputError(f"{path}, line {number}: {error}") from error
        plan.append(Planned(_name([Path(recipe).stem, *flags]), recipe, tuple(flags), {}))
    if not plan:
        raise InputError(f"{path}: expected a recipe and its flags on each line. Received: no such line")
    names = [planned.name for planned in plan]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError(f"{path}: each run should be listed once. Received: {', '.join(sorted(twice))} twice")
    return plan


def _require_own_folders(flags):
    for flag in flags:
        name = flag.lstrip("-").partition("=")[0]
        if name in ("workdir", "export_dir"):
            raise InputError(f"each of several runs gets its own workdir, which holds its artefact. Received: --{name}")


def sweep(recipe: str, flags: Sequence[str]) -> list[Planned]:
    """The runs of all combinations of the settings for which a command line gives several values.

    Args:
        recipe: as `zoo train` takes it.
        flags: its command line, where several numbers, such as `1e-4,2e-4`, may take the place of one, and a range,
            such as `0-4`, that of a whole number.

    Raises:
        InputError: there is no such recipe, no flag has several values, there are more than `MOST` combinations, or a
            flag names a folder that each run gets to itself.
    """
    catalogue.find(recipe)
    _require_own_folders(flags)
    fixed, varied = [], {}
    words = list(flags)
    while words:
        word = words.pop(0)
        name, is_joined, value = word.partition("=")
        has_next = not is_joined and words and not words[0].startswith("--")
        if has_next:  # a switch such as --smoke has no value
            value = words.pop(0)
        values = _values(value)
        if len(values) > 1:
            varied[name.lstrip("-")] = values
        else:
            fixed += [word, value] if has_next else [word]
    combinations = 1
    for values in varied.values():
        combinations *= len(values)
    if not varied or combinations > MOST:
        raise InputError(
            "A sweep takes a flag of several values, such as --seed 0-4 or --learning_rate 1e-4,2e-4, "
            f"and makes at most {MOST} runs. Received: {f'{combinations} runs' if varied else 'no such flag'}"
        )
    plan = []
    for combination in itertools.product(*varied.values()):
        chosen = dict(zip(varied, combination, strict=True))
        stated = [word for name, value in chosen.items() for word in (f"--{name}", value)]
        plan.append(Planned(_name([f"{k}={v}" for k, v in chosen.items()]), recipe, (*fixed, *stated), chosen))
    return plan


def _values(text: str) -> Sequence[str]:
    if ends := RANGE.fullmatch(text):
        first, last = map(int, ends.groups())
        return [str(number) for number in range(first, min(last, first + MOST) + 1)]
    return list(dict.fromkeys(text.split(","))) if SEVERAL.fullmatch(text) else [text]


def _name(words: Sequence[str]) -> str:
    """Words as the name of a folder; a name that is too long ends in its hash, so that names stay different."""
    name = re.sub(r"[^\w=.+-]+", "_", "-".join(word.lstrip("-") for word in words))
    if len(name.encode()) <= LONGEST_NAME:
        return name
    kept = name.encode()[: LONGEST_NAME - 17].decode(errors="ignore")
    return f"{kept}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def run_all(plan: Sequence[Planned], root: Path, jobs: int = 1) -> list[dict]:
    """Makes the runs that are not done yet; one that was interrupted goes on from its last checkpoint.

    `root` gets a workdir and a log for each run, and `runs.json`: what each run was, and what came out of it. A signal
    stops the runs in good order. A run that fails does not keep the others from being made.

    Args:
        plan: the runs.
        root: the folder of all runs.
        jobs: how many runs are made at once; the cores are divided among them.

    Returns:
        The records of the plan's runs, as `runs.json` has them.

    Raises:
        InputError: `root` cannot be written to, another process makes runs in it, or `jobs` is below 1.
        TrainingError: some runs failed; all others are done.
        SignalError: a signal ended the runs.
    """
    require_positive(jobs=jobs)
    make_folder(root)
    with contextlib.closing(workdir.lock(root)), _forwarding_signals(root):
        records = _read_records(root)
        waiting = [planned for planned in plan if not _is_done(records.get(planned.name), planned, root)]
        print(f"{len(plan)} runs in {root}, {len(plan) - len(waiting)} of them done", flush=True)
        for planned, started, status in _processes(waiting, root, jobs):
            records[planned.name] = record = _record(planned, root, status)
            write_json(root / RECORD, records)
            reason = "" if record["status"] == "done" else f": {_last_words(_log(root, planned.name))}"
            print(f"{planned.name}: {record['status']} after {time.monotonic() - started:.0f} s{reason}", flush=True)
    if failed := [planned.name for planned in plan if records[planned.name]["status"] != "done"]:
        raise TrainingError(f"{len(failed)} of {len(plan)} runs failed: {', '.join(failed)}. Their logs are in {root}.")
    return [records[planned.name] for planned in plan]


def _read_records(root: Path) -> dict[str, dict]:
    path = root / RECORD
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: expected the record of runs: {error}.") from error


def _is_done(record: Mapping | None, planned: Planned, root: Path) -> bool:
    is_same = record is not None and (record["status"], record["command"]) == ("done", planned.command)
    return is_same and _artefact(root / planned.name) is not None


def _processes(waiting: Sequence[Planned], root: Path, jobs: int) -> Iterator[tuple[Planned, float, int]]:
    """Yields each run as it ends, with the time at which it began and its exit status."""
    waiting, running, held = list(waiting), {}, set()

    def is_held(planned):
        """Whether a process is still at this run that survived when an earlier `run_all` was killed."""
        is_locked = workdir.is_locked(root / planned.name)
        if is_locked and planned.name not in held:
            held.add(planned.name)
            print(f"{planned.name}: waits for a process that is at work in it already", flush=True)
        return is_locked

    threads = str(max(1, machine.cores() // jobs))
    environment = os.environ | {"TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": threads}
    try:
        while waiting or running:
            free = (planned for planned in list(waiting) if not is_held(planned))
            for planned in itertools.islice(free, jobs - len(running)):
                waiting.remove(planned)
                command = [*PROGRAM, planned.recipe, *planned.flags, "--workdir", str(root / planned.name)]
                print(f"{planned.name}: {planned.command}", flush=True)
                with _log(root, planned.name).open("ab") as log:
                    process = subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        env=environment if jobs > 1 else None,
                        start_new_session=True,  # a Ctrl-C reaches them only through `_processes`
                    )
                running[process] = planned, time.monotonic()
            for process in [process for process in running if process.poll() is not None]:
                yield *running.pop(process), process.returncode
            time.sleep(PAUSE)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


@contextlib.contextmanager
def _forwarding_signals(root: Path):
    def stop(number, frame):
        raise SignalError(
            f"{signal.Signals(number).name} stopped the runs in {root}, which hold their last steps. "
            "The same command goes on from there.",
            number,
        )

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log(root: Path, name: str) -> Path:
    return root / f"{name}.log"


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return printable(next((line for line in reversed(lines) if line.strip()), "no output"))


def _artefact(directory: Path) -> Path | None:
    return next((path.parent for path in sorted(directory.glob(f"*/{CARD}"))), None)


def _record(planned: Planned, root: Path, status: int) -> dict:
    """What a run was and what came out of it."""
    directory = root / planned.name
    record = {"command": planned.command, "values": planned.values, "status": "failed"}
    artefact = _artefact(directory)
    if status or artefact is None:
        return record
    card = read_card(artefact / CARD)
    return record | {
        "status": "done",
        "artefact": artefact.relative_to(root).as_posix(),
        **{name: card.get(name) for name in ("model", "dataset", "steps", "seconds", "machine", "settings")},
        "scores": _scores(directory, card),
    }


def _scores(directory: Path, card: Mapping) -> dict[str, float]:
    """The scores on the card and the last ones of `--score_every`; without any, the last losses."""
    scores = {record["score"]: float(record["value"]) for record in card["scores"]}
    scores |= _last_row(directory / "scores.jsonl")
    return scores or _last_row(directory / "metrics.jsonl")


def _last_row(path: Path) -> dict[str, float]:
    return {name: value for row in read_rows(path)[-1:] for name, value in row.items() if name != "step"}


def summary(records: Sequence[Mapping]) -> list[dict]:
    """The mean and the standard deviation of each score over the seeds of each combination of settings.

    Args:
        records: from `run_all`.

    Returns:
        For each combination: `settings`, `runs` (how many there are) and `scores`, from the name to `mean` and `std`,
        the sample standard deviation: None for a single run, NaN if a score is infinite.
    """
    groups = {}
    for record in records:
        scores = {name: float(value) for name, value in record["scores"].items()}  # "inf" in JSON is a string
        settings = {name: value for name, value in record["values"].items() if name != "seed"}
        groups.setdefault(tuple(settings.items()), []).append(scores)
    return [
        {
            "settings": dict(settings),
            "runs": len(runs),
            "scores": {name: _spread([run[name] for run in runs]) for name in runs[0]},
        }
        for settings, runs in groups.items()
    ]


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    if not all(map(math.isfinite, values)):
        return {"mean": sum(values), "std": math.nan}
    return {"mean": statistics.fmean(values), "std": statistics.stdev(values) if len(values) > 1 else None}
