"""Studies on SQLite, and databases of a PostgreSQL server that is started for them."""

import contextlib
import dataclasses
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError
from studies import SMALL, new_study


@pytest.fixture
def study(tmp_path):
    return new_study(tmp_path / "study.sqlite")


@pytest.fixture
def with_feedback(tmp_path):
    return new_study(tmp_path / "feedback.sqlite", dataclasses.replace(SMALL, feedback=True, exposures_ms=()))


@pytest.fixture(scope="session")
def postgresql_server():
    """The URL of a PostgreSQL server that belongs to the tests, without the name of a database."""
    programs = {name: find_program(name) for name in ("initdb", "postgres")}
    if None in programs.values():
        pytest.skip("PostgreSQL is not installed")
    # The server refuses to run as root, and the account that it runs as may not be able to reach pytest's folders.
    account = {"user": "postgres" if "postgres" in accounts() else "nobody"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="gan-zoo-postgresql-"))
    if account:
        shutil.chown(folder, account["user"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    command = [programs["initdb"], "-D", data, "-A", "trust", "-U", "study", "--no-sync"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, **account)
    command = [programs["postgres"], "-D", data, "-k", folder, "-p", str(port), "-h", "127.0.0.1"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **account)
    url = f"postgresql+psycopg://study@127.0.0.1:{port}"
    try:
        for _ in range(100):
            with contextlib.suppress(SQLAlchemyError):
                sqlalchemy.create_engine(f"{url}/postgres").connect().close()
                break
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        shutil.rmtree(folder)


@pytest.fixture
def postgresql(postgresql_server):
    """The URL of an empty database."""
    name = f"test_{secrets.token_hex(4)}"
    engine = sqlalchemy.create_engine(f"{postgresql_server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{postgresql_server}/{name}"


def find_program(name):
    """A program on the path, or in the folder where Debian keeps the programs of PostgreSQL."""
    return shutil.which(name) or next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)


def accounts():
    return {account.pw_name for account in pwd.getpwall()}
