"""Starts a command in several processes on this machine that train together.

    python docs/distributed/workers.py 2 zoo train dcgan_digits --workdir runs/two

Each process finds the addresses of all processes and its own number in TF_CONFIG. On Linux, each gets cores of its own.
The script shows the output of the first process, the only one that writes files; of another one it shows the last
lines if that process fails. When one process fails, the others are ended, and the exit status is that of the first
process that failed.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time


def free_ports(count):
    """Ports of this machine on which no process listens."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def start(command, index, addresses, output):
    """Starts one of the processes, on its share of the cores that this process may use."""
    config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    share = set(cores[index :: len(addresses)])
    return subprocess.Popen(
        command,
        env={**os.environ, "TF_CONFIG": json.dumps(config)},
        stdout=output,
        stderr=output and subprocess.STDOUT,
        preexec_fn=(lambda: os.sched_setaffinity(0, share)) if share else None,
    )


def main(arguments):
    if len(arguments) < 2 or not arguments[0].isdecimal() or int(arguments[0]) < 1:
        print("usage: python docs/distributed/workers.py NUMBER COMMAND [ARGUMENT ...]", file=sys.stderr)
        return 2
    count, command = int(arguments[0]), arguments[1:]
    addresses = [f"localhost:{port}" for port in free_ports(count)]
    with contextlib.ExitStack() as files:
        outputs = [None, *(files.enter_context(tempfile.TemporaryFile()) for _ in range(1, count))]
        return wait([start(command, index, addresses, output) for index, output in enumerate(outputs)], outputs)


def wait(processes, outputs):
    """Waits until all processes have ended or one has failed, ends the others, and returns the status."""
    try:
        while None in (statuses := [process.poll() for process in processes]) and not any(statuses):
            time.sleep(0.1)
        failed = [index for index, process in enumerate(processes) if process.returncode]
        if failed and outputs[failed[0]]:
            outputs[failed[0]].seek(0)
            lines = outputs[failed[0]].read().decode(errors="replace").splitlines()[-5:]
            print(f"worker {failed[0]}:", *lines, sep="\n", file=sys.stderr)
        return processes[failed[0]].returncode if failed else 0
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
