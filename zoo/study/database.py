"""The database of a study: its tables, and how one is opened, on SQLite by default or by any URL of SQLAlchemy."""

from __future__ import annotations

import os

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from zoo.errors import InputError, first_line
from zoo.files import expanded

BUSY_SECONDS = 30  # how long a statement waits for another to finish before it fails
CONNECTIONS = 20  # of one process; further requests wait for one
LARGEST_PICTURE = 2**24 - 1  # bytes, the limit of a MEDIUMBLOB

tables = MetaData()

# The one row with number 1 makes the database that of a study.
study = Table(
    "study",
    tables,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("settings", Text, nullable=False),  # JSON, as `store.Study` reads it
    Column("secret", String(64), nullable=False),  # what the pages' tokens against forgery are derived from
    Column("created", Double, nullable=False),  # here and below: seconds since 1970, UTC
)

sources = Table(
    "sources",
    tables,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # a value of `pictures.Kind`
)

pictures = Table(
    "pictures",
    tables,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("sources.id"), nullable=False, index=True),
    Column("seed", BigInteger, nullable=False),  # a model's; of a picture from the data, its row in the test split
    Column("label", Integer, nullable=False),  # as asked of the model, or as the data have it
    Column("png", LargeBinary(LARGEST_PICTURE), nullable=False),
)

subjects = Table(
    "subjects",
    tables,
    Column("id", Integer, primary_key=True),
    Column("name", String(32), nullable=False, unique=True),  # random
    Column("key_hash", String(64), nullable=False, unique=True),  # sha256 of the cookie, which itself is not kept
    Column("seed", BigInteger, nullable=False),  # of the sequence of sources and exposures
    Column("consented", Double, nullable=False),
)

sessions = Table(
    "sessions",
    tables,
    Column("id", Integer, primary_key=True),
    Column("subject_id", ForeignKey("subjects.id"), nullable=False),
    Column("number", Integer, nullable=False),  # of this subject, from 1
    Column("started", Double, nullable=False),
    UniqueConstraint("subject_id", "number"),
)

trials = Table(
    "trials",
    tables,
    Column("id", Integer, primary_key=True),
    Column("session_id", ForeignKey("sessions.id"), nullable=False),
    Column("position", Integer, nullable=False),  # from 1
    Column("picture_id", ForeignKey("pictures.id"), nullable=False),
    Column("exposure_ms", Double),  # null: until it is answered
    Column("token", String(64), nullable=False, unique=True),  # the picture's address
    Column("shown", Double),  # when the picture was sent, which happens once
    Column("restarts", Integer, nullable=False, default=0),  # pictures before this one that were sent and left
    UniqueConstraint("session_id", "position"),
)

# The primary key admits one answer to a trial, whoever sends a second and whichever process receives it.
answers = Table(
    "answers",
    tables,
    Column("trial_id", ForeignKey("trials.id"), primary_key=True, autoincrement=False),
    Column("taken_for_real", Boolean, nullable=False),
    Column("achieved_ms", Double, nullable=False),  # from the frame that showed the picture to the one that hid it
    Column("frame_ms", Double, nullable=False),  # of the subject's screen
    Column("reaction_ms", Double, nullable=False),  # from the frame that showed the picture
    Column("answered", Double, nullable=False),
)


def connect(database: str, must_exist: bool) -> Engine:
    """Opens a database.

    Args:
        database: the path of an SQLite file, or a URL of SQLAlchemy, such as "postgresql+psycopg://user@host/name".
        must_exist: refuse an SQLite file that does not exist.

    Raises:
        InputError: it cannot be reached, or is not a database.
    """
    try:
        is_url = "://" in database
        url = make_url(database) if is_url else URL.create("sqlite", database=database and str(expanded(database)))
        on_sqlite = url.get_backend_name() == "sqlite"
        if on_sqlite:
            _require_file(url.database, must_exist)
        # SQLite writes one transaction at a time: waiting for the one connection is fairer than its polling for a lock.
        engine = create_engine(
            url,
            pool_size=1 if on_sqlite else CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"timeout": BUSY_SECONDS} if on_sqlite else {},
        )
        if on_sqlite:
            _prepare_sqlite(engine)
        engine.connect().close()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"--database should be a file or a URL of SQLAlchemy: {first_line(error)}") from error
    except ModuleNotFoundError as error:
        raise InputError(f"the database {url.drivername} needs the Python package {error.name}.") from error
    except SQLAlchemyError as error:
        raise InputError(f"the database {_shown(database)} cannot be opened: {reason(error)}") from error
    return engine


def study_row(engine: Engine):
    """The row that makes the database that of a study; None if there is none."""
    try:
        if not inspect(engine).has_table("study"):
            return None
        with engine.begin() as connection:
            return connection.execute(select(study)).first()
    except SQLAlchemyError as error:
        raise InputError(f"{engine.url.database}: holds no study: {reason(error)}") from error


def reason(error: SQLAlchemyError) -> str:
    """What the database itself said, on one line."""
    return first_line(getattr(error, "orig", None) or error)


def _shown(database: str) -> str:
    """The database without its password."""
    return make_url(database).render_as_string() if "://" in database else database


def _require_file(path: str | None, must_exist: bool) -> None:
    if not path or path == ":memory:":
        raise InputError("an SQLite database should be a file, which outlives its process. Received: one in memory")
    if must_exist and not os.path.isfile(path):
        raise InputError(f"{path}: no such database.")
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise InputError(f"{path}: its folder does not exist.")


def _prepare_sqlite(engine: Engine) -> None:
    """Readers do not wait for the writer; a transaction that will write waits for its turn when it begins."""

    @event.listens_for(engine, "connect")
    def connected(connection, record):
        connection.isolation_level = None  # the driver begins no transaction of its own
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # an answer that was acknowledged survives a power cut
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection):
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
