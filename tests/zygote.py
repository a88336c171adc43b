"""The `zoo` command without its start of several seconds: each call forks one process that has imported everything.

As usual, each call is a process with its own working folder, environment, output and exit status; only the resource
limits of a shell do not reach it. The test starts a small script in its place, which passes the arguments and signals
on to the fork and ends with the status of the fork.
"""

import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

IMPORTED = (
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "sklearn.datasets",
    "zoo.artefacts.export",
    "zoo.callbacks",
    "zoo.commands.main",
    "zoo.data",
    "zoo.evaluation",
    "zoo.priors",
    "zoo.recipe.run",
    "zoo.restoring",
)

CLIENT = """#!{python} -IS
import json, os, signal, socket, sys

connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
call = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(connection, [len(call).to_bytes(8, "big")], [0, 1, 2])
connection.sendall(call)
fork = int.from_bytes(connection.recv(8), "big")
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(fork, number))
status = connection.recv(8)
sys.exit(int.from_bytes(status, "big") if status else "The fork ended without a status.")
"""


@functools.cache
def programs():
    """A folder with `zoo`, and with `python` for `python -c PROGRAM`; the process behind them ends with this one."""
    folder = tempfile.TemporaryDirectory(prefix="zoo-")
    address = f"{folder.name}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = subprocess.Popen(
            [sys.executable, __file__, str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
    for name in ("zoo", "python"):
        program = Path(folder.name, name)
        program.write_text(CLIENT.format(python=sys.executable, address=address))
        program.chmod(0o755)
    programs.kept = folder, process
    return Path(folder.name)


def serve(listener):
    """Forks for each call until stdin ends; in a fork, returns its status."""
    importlib.import_module("zoo.console").import_tensorflow()
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if not os.fork():
            listener.close()
            return answer(connection)
        connection.close()
    return 0


def answer(connection):
    """Runs a call and reports how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, descriptors, *_ = socket.recv_fds(connection, 8, 3)
    call = b""
    while len(call) < int.from_bytes(length, "big"):
        call += connection.recv(2**20)
    sys.argv, folder, environment = json.loads(call)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    connection.sendall(os.getpid().to_bytes(8, "big"))
    threading.Thread(target=die_with, args=(connection,), daemon=True).start()
    try:
        status = run()
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    sys.stdout.flush()
    connection.sendall((status or 0).to_bytes(8, "big"))
    return status


def run():
    if Path(sys.argv[0]).name == "zoo":
        from zoo.commands.main import main
        from zoo.recipe import many

        many.PROGRAM = (sys.argv[0], "train")  # so that these runs are forks, too
        return main()
    sys.path.insert(0, "")
    exec(compile(sys.argv[2], "<string>", "exec"), {"__name__": "__main__"})
    return 0


def die_with(connection):
    """Ends this process as soon as the script that started it is gone."""
    if not connection.recv(1):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
