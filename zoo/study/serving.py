"""Serves a study's pages: one process, which may stop at any moment and share its database with others."""

from __future__ import annotations

import errno
import socket

import uvicorn

from zoo.errors import InputError
from zoo.study.pages import application
from zoo.study.store import Study

BACKLOG = 2048  # connections that wait to be accepted


def serve(study: Study, host: str, port: int) -> None:
    """Serves until a signal ends it; prints the address first.

    Args:
        study: the study to serve.
        host: the address to listen on, "127.0.0.1" for this machine alone.
        port: 0 for any that is free.

    Raises:
        InputError: the server cannot listen on the address.
    """
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    print(f"http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)
    config = uvicorn.Config(
        application(study), log_level="warning", server_header=False, access_log=False, backlog=BACKLOG
    )
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise InputError(f"--port should lie in [0, 65535]. Received: {port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"--port: {port} of {host} is in use. Give another, or 0 for any that is free.") from error
        raise InputError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
    return listening
