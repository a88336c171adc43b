"""What a study knows and does, each step in one transaction: subjects begin, are shown pictures, and answer.

A trial goes one way: planned, shown, answered. Its picture is sent once; whoever leaves while a picture is shown later
finds another of the same source, for the same exposure. Any number of processes may share the database: what must
happen once is guarded there, by a lock for each subject and by unique keys; processes remember nothing between steps.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from zoo.errors import InputError
from zoo.study import balance, database, protocol
from zoo.study.database import answers, pictures, sessions, sources, subjects, trials
from zoo.study.pictures import Kind

FORMAT = 1
LARGEST_SEED = 2**62


class RefusedError(Exception):
    """A step that this session may not take, with the HTTP status that says so."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Trial(NamedTuple):
    """What a subject's browser may know of its next trial."""

    number: int
    trials: int
    token: str
    exposure_ms: float | None


class Answer(NamedTuple):
    """An answer as it arrives: durations in milliseconds, as `database.answers` has them."""

    token: str
    taken_for_real: bool
    achieved_ms: float
    frame_ms: float
    reaction_ms: float


class Study:
    """One study in its database.

    Args:
        engine: the database's engine.

    Attributes:
        settings: what the study was begun with: protocol, data, models, seeds, label.
        protocol: its `Protocol`.

    Raises:
        InputError: the database holds no study, or one of another format.
    """

    def __init__(self, engine: Engine):
        self.engine = engine
        self.reading = engine.execution_options(read_only=True)
        row = database.study_row(engine)
        if row is None:
            raise InputError(f"{engine.url.database}: holds no study.")
        self.settings = json.loads(row.settings)
        if self.settings.get("format") != FORMAT:
            raise InputError(
                f"{engine.url.database}: expected a study of format {FORMAT}. Received: {self.settings.get('format')}"
            )
        self.protocol = protocol.described_by(self.settings["protocol"])
        self._secret = bytes.fromhex(row.secret)
        with self.reading.begin() as connection:
            kinds = connection.execute(select(sources.c.name, sources.c.kind).order_by(sources.c.id)).all()
        self.tested = [name for name, kind in kinds if kind in (Kind.REAL, Kind.MODEL)]

    # Tokens against forged requests, and the examples.

    def token_for(self, key: str) -> str:
        """The token that a form must carry for the holder of this key."""
        return hmac.new(self._secret, key.encode(), hashlib.sha256).hexdigest()

    def example(self, number: int) -> bytes:
        """The PNG of one of the protocol's examples, counted from 0."""
        chosen = select(pictures.c.png).join(sources).where(sources.c.kind == Kind.EXAMPLE).order_by(pictures.c.id)
        with self.reading.begin() as connection:
            return connection.scalar(chosen.offset(number).limit(1))

    # Subjects and sessions.

    def subject(self, key: str) -> int | None:
        """The number of the subject with this key, if it has consented."""
        with self.reading.begin() as connection:
            return connection.scalar(select(subjects.c.id).where(subjects.c.key_hash == _hash(key)))

    def consent(self, key: str) -> int:
        """The subject with this key, who is made if there is none."""
        with contextlib.suppress(IntegrityError), self.engine.begin() as connection:  # two clicks on one button
            connection.execute(
                insert(subjects).values(
                    name=f"subject-{secrets.token_hex(4)}",
                    key_hash=_hash(key),
                    seed=secrets.randbelow(LARGEST_SEED),
                    consented=time.time(),
                )
            )
        return self.subject(key)

    def begin(self, subject: int) -> None:
        """Plans a session, unless one is open.

        Raises:
            RefusedError: the subject has seen too many of the pictures for another session.
        """
        with self._turn(subject) as connection:
            if self._current(connection, subject) is None:
                self._plan(connection, subject)

    def can_begin(self, subject: int) -> bool:
        """Whether there are enough pictures for another session that this subject has not seen."""
        with self.reading.begin() as connection:
            try:
                self._unseen(connection, subject, self._wanted(connection, subject)[1])
            except RefusedError:
                return False
        return True

    def progress(self, subject: int) -> tuple[int, int]:
        """How many trials of the subject's last session are answered, and how many it has."""
        last = select(func.max(sessions.c.id)).where(sessions.c.subject_id == subject).scalar_subquery()
        counted = select(func.count(answers.c.trial_id), func.count(trials.c.id)).select_from(trials)
        with self.reading.begin() as connection:
            row = connection.execute(
                counted.outerjoin(answers, answers.c.trial_id == trials.c.id).where(trials.c.session_id == last)
            ).one()
        return row[0], row[1]

    # Trials.

    def next(self, subject: int) -> Trial | None:
        """The open session's next trial; None if all are answered.

        A picture that was sent already, but not answered, is replaced.
        """
        with self._turn(subject) as connection:
            row = self._current(connection, subject)
            if row is None:
                return None
            token = row.token
            if row.shown is not None:
                token = secrets.token_urlsafe(24)
                fresh = {"token": token, "shown": None, "restarts": row.restarts + 1}
                fresh["picture_id"] = self._replacement(connection, subject, row.picture_id)
                connection.execute(update(trials).where(trials.c.id == row.id).values(fresh))
            total = connection.scalar(select(func.count()).where(trials.c.session_id == row.session_id))
            return Trial(row.position, total, token, row.exposure_ms)

    def show(self, subject: int, token: str) -> bytes:
        """The PNG of the next trial, once.

        Raises:
            RefusedError: another token than that trial's, or a picture that was sent before.
        """
        with self._turn(subject) as connection:
            row = self._current(connection, subject)
            if row is None or not secrets.compare_digest(row.token.encode(), token.encode()):
                raise RefusedError(404, "no picture of this trial")
            if row.shown is not None:
                raise RefusedError(410, "this picture has been shown")
            connection.execute(update(trials).where(trials.c.id == row.id).values(shown=time.time()))
            return connection.scalar(select(pictures.c.png).where(pictures.c.id == row.picture_id))

    def answer(self, subject: int, answer: Answer) -> bool | None:
        """Takes the answer to the trial that is shown.

        Returns:
            Whether it is right, if the protocol tells its subjects; else None.

        Raises:
            RefusedError: no such trial of this subject's, one that was not shown, or one that was answered.
        """
        chosen = (
            select(trials.c.id, trials.c.shown, answers.c.trial_id, sources.c.kind)
            .join(sessions, trials.c.session_id == sessions.c.id)
            .join(pictures, trials.c.picture_id == pictures.c.id)
            .join(sources, pictures.c.source_id == sources.c.id)
            .outerjoin(answers, answers.c.trial_id == trials.c.id)
            .where(sessions.c.subject_id == subject, trials.c.token == answer.token)
        )
        with self._turn(subject) as connection:
            row = connection.execute(chosen).first()
            if row is None:
                raise RefusedError(404, "no such trial")
            if row.trial_id is not None:
                raise RefusedError(409, "this trial has been answered")
            if row.shown is None:
                raise RefusedError(409, "this trial has not been shown")
            values = answer._asdict() | {"trial_id": row.id, "answered": time.time()}
            del values["token"]
            connection.execute(insert(answers).values(values))
        if not self.protocol.feedback:
            return None
        return answer.taken_for_real == (row.kind == Kind.REAL)

    @contextlib.contextmanager
    def _turn(self, subject: int) -> Iterator[Connection]:
        """A transaction during which no other step of this subject happens, in this process or another."""
        with self.engine.begin() as connection:
            connection.execute(select(subjects.c.id).where(subjects.c.id == subject).with_for_update())
            yield connection

    def _current(self, connection: Connection, subject: int):
        """The first trial without an answer."""
        return connection.execute(
            select(trials)
            .join(sessions, trials.c.session_id == sessions.c.id)
            .where(sessions.c.subject_id == subject, ~select(answers).where(answers.c.trial_id == trials.c.id).exists())
            .order_by(sessions.c.number, trials.c.position)
            .limit(1)
        ).first()

    # Plans.

    def _plan(self, connection: Connection, subject: int) -> None:
        number, wanted = self._wanted(connection, subject)
        chosen = self._unseen(connection, subject, wanted)
        planned = list(zip(chosen, (exposure for _, exposure in wanted), strict=True))
        secrets.SystemRandom().shuffle(planned)
        values = {"subject_id": subject, "number": number, "started": time.time()}
        session = connection.execute(insert(sessions).values(values)).inserted_primary_key[0]
        connection.execute(
            insert(trials),
            [
                {
                    "session_id": session,
                    "position": position,
                    "picture_id": picture,
                    "exposure_ms": exposure,
                    "token": secrets.token_urlsafe(24),
                }
                for position, (picture, exposure) in enumerate(planned, start=1)
            ],
        )

    def _wanted(self, connection: Connection, subject: int) -> tuple[int, list[tuple[str, float | None]]]:
        """The number of the subject's next session, and the name of the source and the exposure of each trial."""
        seed = connection.scalar(select(subjects.c.seed).where(subjects.c.id == subject))
        number = 1 + connection.scalar(select(func.count()).where(sessions.c.subject_id == subject))
        exposures = self.protocol.exposures_ms or (None,)
        count = self.protocol.trials
        cells = balance.cells(seed, (number - 1) * count, count, len(self.tested), len(exposures))
        wanted = [(self.tested[source], exposures[exposure]) for source, exposure in cells]
        return number, wanted + [(Kind.CHECK, exposures[-1])] * self.protocol.checks

    def _unseen(self, connection: Connection, subject: int, wanted: list[tuple[str, float | None]]) -> list[int]:
        """A random picture for each of the wanted trials, none of them seen before except those of the checks."""
        rows = connection.execute(
            select(pictures.c.id, sources.c.name)
            .join(sources)
            .where((sources.c.kind == Kind.CHECK) | pictures.c.id.not_in(self._seen(subject)))
        ).all()
        secrets.SystemRandom().shuffle(rows)
        by_source: dict[str, list[int]] = {}
        for picture, source in rows:
            by_source.setdefault(source, []).append(picture)
        try:
            return [by_source[source].pop() for source, _ in wanted]
        except (KeyError, IndexError):
            raise RefusedError(409, "you have seen all pictures") from None

    def _replacement(self, connection: Connection, subject: int, picture: int) -> int:
        """Another picture of the same source, an unseen one if there is any."""
        source = select(pictures.c.source_id).where(pictures.c.id == picture).scalar_subquery()
        others = select(pictures.c.id).where(pictures.c.source_id == source, pictures.c.id != picture)
        unseen = connection.scalars(others.where(pictures.c.id.not_in(self._seen(subject)))).all()
        return secrets.choice(unseen or connection.scalars(others).all() or [picture])

    @staticmethod
    def _seen(subject: int):
        return select(trials.c.picture_id).join(sessions).where(sessions.c.subject_id == subject)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
