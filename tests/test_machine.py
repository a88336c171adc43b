"""Facts of this machine, also on systems that do not state all of them."""

import os
import re
import subprocess
import sys

from zoo import machine


def test_cores_and_memory_are_those_of_this_process():
    assert 1 <= machine.cores() <= os.cpu_count()
    assert 50 < machine.peak_memory() < 2**20
    assert re.match(rf"{machine.cores()} cores? of ", machine.describe())


def test_a_system_without_affinities_counts_all_cores(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert machine.describe().startswith("7 cores of ")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.cores() == 1
    assert machine.describe().startswith("1 core of ")


def test_macos_counts_memory_in_bytes(monkeypatch):
    usage = type("Usage", (), {"ru_maxrss": 3 * 2**20})
    monkeypatch.setattr(machine.resource, "getrusage", lambda who: usage)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert machine.peak_memory() == 3
    monkeypatch.setattr(sys, "platform", "linux")
    assert machine.peak_memory() == 3 * 2**10


COMMANDS = (
    "list",
    "train dcgan_digits --help",
    "train gan_ring --smoke --batch_size=8",
    "sample runs/gan_ring/gan-ring --seeds=0-3",
    "evaluate runs/gan_ring/gan-ring --data=ring --samples=100",
)


def test_commands_run_on_a_system_without_resource_and_affinities(tmp_path):
    code = """
import os, sys
del os.sched_getaffinity
sys.modules["resource"] = None
from zoo import machine
from zoo.commands.main import main
assert machine.peak_memory() is None
sys.exit(main(sys.argv[1:]))
"""
    for command in COMMANDS:
        line = [sys.executable, "-c", code, *command.split()]
        finished = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
        assert finished.returncode == 0, finished.stderr
