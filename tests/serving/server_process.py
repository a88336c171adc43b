"""A model server in a process of its own: the real one if it is installed, otherwise the test double."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import zygote

from zoo.serving import Client

HERE = Path(__file__).parent
REAL = shutil.which("tensorflow_model_server")
# The test double as a program for `python -c`, which `zygote` starts without delay.
DOUBLE = f"import sys; sys.path.insert(0, '{HERE}'); del sys.argv[1:3]; import double; double.main()"
POLL = 1  # seconds between looks at the folders and at models.config


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A model server in a process of its own, started from the files in a folder.

    Args:
        folder: the folder that `zoo serving config` wrote.
        scratch: a folder for the server's output, and for the script that stands in for the real program.
    """

    def __init__(self, folder, scratch):
        self.folder, self.scratch = folder, scratch
        self.grpc, self.rest = free_port(), free_port()
        self.urls = {"grpc": f"127.0.0.1:{self.grpc}", "rest": f"http://127.0.0.1:{self.rest}"}
        self.process = None

    def start(self, wait=True):
        command = ["sh", self.folder / "serve.sh", f"--port={self.grpc}", f"--rest_api_port={self.rest}"]
        command += [f"--file_system_poll_wait_seconds={POLL}", f"--model_config_file_poll_wait_seconds={POLL}"]
        command += ["--rest_api_enable_cors_support=true"]
        environment = dict(os.environ)
        if not REAL:
            program = self.scratch / "bin" / "tensorflow_model_server"
            program.parent.mkdir(exist_ok=True)
            program.write_text(f'#!/bin/sh\nexec "{zygote.programs() / "python"}" -c "{DOUBLE}" "$@"\n')
            program.chmod(0o755)
            environment["PATH"] = f"{program.parent}{os.pathsep}{environment['PATH']}"
        with (self.scratch / "server.log").open("a") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        if wait:
            self.wait()
        return self

    def wait(self, seconds=600):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as connection:
                if connection.connect_ex(("127.0.0.1", self.rest)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError(f"no server: {(self.scratch / 'server.log').read_text()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def client(self, way="grpc", **settings):
        return Client(self.urls[way], **settings)
