"""How a study begins: its database is filled with the pictures, or is found to hold this very study."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterable

from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from zoo.errors import InputError
from zoo.study import database
from zoo.study.database import pictures, sources
from zoo.study.pictures import Kind, Picture
from zoo.study.store import FORMAT, Study

INSERTED = 100  # pictures at once


def create(engine: Engine, settings: dict, make_pictures: Callable[[], Iterable[Picture]]) -> Study:
    """Begins a study, or goes on with the one that the database holds, which must have the same settings.

    Args:
        engine: the database's engine.
        settings: JSON: "protocol", "models" and whatever else distinguishes this study from others.
        make_pictures: called only if the study is new.

    Raises:
        InputError: the database holds another study, or something else; or as `make_pictures`.
    """
    settings = json.loads(json.dumps({"format": FORMAT, **settings}))
    if database.study_row(engine) is not None:
        return _same(Study(engine), settings)
    made = list(make_pictures())
    kinds = {picture.source: None for picture in made}
    try:
        database.tables.create_all(engine)
    except SQLAlchemyError:  # another process was making the same tables
        database.tables.create_all(engine)
    with contextlib.suppress(IntegrityError), engine.begin() as connection:  # another process was first
        study = {"id": 1, "settings": json.dumps(settings), "secret": secrets.token_hex(32), "created": time.time()}
        connection.execute(insert(database.study).values(study))
        for source in kinds:
            kind = source if source in (*Kind,) else Kind.MODEL
            values = {"name": source, "kind": kind}
            kinds[source] = connection.execute(insert(sources).values(values)).inserted_primary_key[0]
        rows = [
            {"source_id": kinds[picture.source], "seed": picture.seed, "label": picture.label, "png": picture.png}
            for picture in made
        ]
        for first in range(0, len(rows), INSERTED):
            connection.execute(insert(pictures), rows[first : first + INSERTED])
    return _same(Study(engine), settings)


def _same(study: Study, settings: dict) -> Study:
    for name, value in settings.items():
        if study.settings.get(name) != value:
            raise InputError(
                f"{study.engine.url.database} holds a study of other {name}; give another --database. "
                f"Received: {_brief(value)}. There: {_brief(study.settings.get(name))}"
            )
    return study


def _brief(value: object) -> str:
    """A setting on one line: named things by their names, a long list by its two ends."""
    if isinstance(value, dict):
        return f"{value.get('name')}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return ", ".join(f"{_brief(item)} version {item.get('version')}" for item in value)
    if isinstance(value, list) and len(value) > 8:
        return f"{len(value)} from {value[0]} to {value[-1]}"
    return str(value)
