"""Facts about this machine that cards, score files and benchmarks state."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None


def describe() -> str:
    """This machine in words: cores, processor, accelerators."""
    import tensorflow as tf

    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), processor)
    gpus = [
        tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    count = cores()
    return ", ".join([f"{count} {'core' if count == 1 else 'cores'} of {processor}", *gpus])


def cores() -> int:
    """How many cores this process may use; on macOS and Windows, which do not tell, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory() -> int | None:
    """The most memory that this process has held at once, in MiB; None on Windows, which does not tell."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))  # macOS counts in bytes, Linux in KiB
