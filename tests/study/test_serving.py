"""A server in a process of its own: where it listens, and that no answer is lost when it is killed."""

import asyncio
import itertools
import random
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from sqlalchemy import func, select
from studies import SEEDS, SMALL, Server, Subject, an_answer, new_study

from zoo.errors import InputError
from zoo.study import serving
from zoo.study.database import answers, pictures, sessions, sources, subjects, trials
from zoo.study.pictures import Kind

SUBJECTS = 50
MANY = list(range(400))  # pictures of a source, for sessions one after another
THINKING = 0.05  # seconds, on average


def rows(study, chosen):
    with study.reading.begin() as connection:
        return connection.execute(chosen).all()


async def take_part(addresses, until, finish=False):
    """A subject who takes session after session, with pauses, and answers by the looks of the picture."""
    subject = Subject(*addresses, taken_for_real=lambda png: sum(png) % 2 == 0)
    await subject.begin()
    while time.monotonic() < until or finish:
        if not await subject.answer_next():
            if finish:
                break
            await subject.again()
        await asyncio.sleep(random.expovariate(1 / THINKING))
    await subject.client.aclose()
    return subject


def check(study, took_part, models):
    """Every acknowledged answer is there once, as it was given, to a picture that was shown; the counts are even."""
    acknowledged = {}
    for subject in took_part:
        acknowledged |= subject.acknowledged
    assert sum(len(subject.acknowledged) for subject in took_part) == len(acknowledged)
    stored = rows(study, select(trials.c.token, answers.c.taken_for_real, pictures.c.png).join(answers).join(pictures))
    assert {token: taken for token, taken, _ in stored} == acknowledged
    assert all(taken == (sum(png) % 2 == 0) for _, taken, png in stored)  # each to its own picture
    assert rows(study, select(trials.c.id).join(answers).where(trials.c.shown.is_(None))) == []
    assert len(rows(study, select(subjects.c.id))) == len(took_part)

    # The answered trials of a session come first, none is left out; all sessions but the last are whole.
    progress = {}
    for subject, session, position, answered in rows(
        study,
        select(sessions.c.subject_id, sessions.c.number, trials.c.position, answers.c.trial_id)
        .select_from(sessions)
        .join(trials)
        .outerjoin(answers)
        .order_by(sessions.c.subject_id, sessions.c.number, trials.c.position),
    ):
        progress.setdefault(subject, []).append(answered is not None)
        assert 1 <= position <= SMALL.trials + SMALL.checks
        assert session >= 1
    for answered in progress.values():
        assert answered == sorted(answered, reverse=True)

    planned = rows(
        study,
        select(sessions.c.subject_id, sources.c.name, trials.c.exposure_ms)
        .select_from(trials)
        .join(sessions)
        .join(pictures)
        .join(sources)
        .where(sources.c.kind != Kind.CHECK),
    )
    for subject in progress:
        mine = [(source, exposure) for who, source, exposure in planned if who == subject]
        cells = Counter(mine)
        for counts in (Counter(s for s, _ in mine), Counter(e for _, e in mine), cells):
            assert max(counts.values()) - min(counts.values()) <= 1
        assert len(cells) == (1 + len(models)) * len(SMALL.exposures_ms)
    return len(stored)


def test_it_listens_on_this_machine_alone(tmp_path):
    new_study(tmp_path / "s.sqlite").engine.dispose()
    with Server(tmp_path / "s.sqlite") as server:
        assert server.address == f"http://127.0.0.1:{server.port}/"
        listening = [c.laddr.ip for c in psutil.Process(server.process.pid).net_connections() if c.status == "LISTEN"]
        assert listening == ["127.0.0.1"]


def test_a_port_in_use_is_named(study):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"--port: {port} of 127\.0\.0\.1 is in use"):
            serving.serve(study, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 70_000, r"--port should lie in \[0, 65535\]. Received: 70000"),
        ("no.such.host.invalid", 0, r"Cannot listen on no\.such\.host\.invalid:0"),
        ("192.0.2.1", 0, r"Cannot listen on 192\.0\.2\.1:0"),
    ],
)
def test_an_address_that_cannot_be_had(study, host, port, message):
    with pytest.raises(InputError, match=message) as error:
        serving.serve(study, host, port)
    assert "\n" not in str(error.value)


def test_a_session_goes_on_after_kill_9(tmp_path):
    study = new_study(tmp_path / "s.sqlite")

    async def interrupted():
        server = Server(tmp_path / "s.sqlite")
        try:
            subject = Subject(server.address, taken_for_real=lambda png: sum(png) % 2 == 0)
            await subject.begin()
            for number in itertools.count(1):
                if not await subject.answer_next():
                    break
                if number in (3, 9):
                    server.kill()
                    server = Server(tmp_path / "s.sqlite", server.port)
            await subject.client.aclose()
            return subject
        finally:
            server.kill()

    subject = asyncio.run(interrupted())
    assert check(study, [subject], ("azure", "beta")) == 22


@pytest.mark.slow
def test_fifty_subjects_at_once_lose_nothing_when_the_server_is_killed(tmp_path, soak_seconds):
    study = new_study(tmp_path / "s.sqlite", seeds=MANY)

    async def crowd():
        server = Server(tmp_path / "s.sqlite")
        try:
            until = time.monotonic() + soak_seconds
            everyone = [asyncio.create_task(take_part([server.address], until)) for _ in range(SUBJECTS)]
            for _ in range(2):
                await asyncio.sleep(soak_seconds / 3)
                server.kill()
                server = await asyncio.to_thread(Server, tmp_path / "s.sqlite", server.port)
            return await asyncio.gather(*everyone)
        finally:
            server.kill()

    assert check(study, asyncio.run(crowd()), ("azure", "beta")) > SUBJECTS


@pytest.mark.slow
def test_two_servers_share_one_postgresql(postgresql):
    study = new_study(postgresql)

    async def crowd():
        servers = [Server(postgresql), Server(postgresql)]
        try:
            addresses = [server.address for server in servers]
            everyone = [asyncio.create_task(take_part(addresses, 0, finish=True)) for _ in range(12)]
            await asyncio.sleep(3)
            servers[0].kill()
            servers[0] = await asyncio.to_thread(Server, postgresql, servers[0].port)
            return await asyncio.gather(*everyone)
        finally:
            for server in servers:
                server.kill()

    assert check(study, asyncio.run(crowd()), ("azure", "beta")) == 12 * 22
    assert rows(study, select(func.count()).select_from(sessions)) == [(12,)]


@pytest.mark.slow
def test_servers_that_start_at_once_begin_one_study(postgresql, tmp_path):
    for database in (postgresql, tmp_path / "s.sqlite"):
        with ThreadPoolExecutor() as pool:
            studies = list(pool.map(lambda _: new_study(database), range(4)))  # noqa: B023, done within the turn
        assert len({study.token_for("k") for study in studies}) == 1
        assert rows(studies[0], select(func.count()).select_from(pictures)) == [(3 * len(SEEDS) + 4,)]


@pytest.mark.slow
def test_what_happens_once_happens_once_when_two_processes_are_asked_at_once(postgresql):
    study = new_study(postgresql)

    async def race():
        with Server(postgresql) as one, Server(postgresql) as other:
            subject = Subject(one.address, other.address, taken_for_real=lambda png: True)
            await subject.begin()

            async def at_once(*requests):
                replies = [subject.ask(*request[:2], headers=subject.headers, **request[2]) for request in requests]
                return [reply.status_code for reply in await asyncio.gather(*replies)]

            await at_once(*[("POST", "/consent", {"data": {"token": subject.headers["X-Token"]}})] * 4)
            taken = []
            while trial := await subject.where():
                shown = await at_once(*[("GET", f"/pictures/{trial['token']}", {})] * 4)
                assert sorted(shown) == [200, 410, 410, 410]
                given = [an_answer(trial["token"], taken_for_real)._asdict() for taken_for_real in (True, False) * 2]
                where = ("POST", "/trial", {"json": {}})  # which may replace the picture before it is answered
                *replies, _ = await at_once(*(("POST", "/answer", {"json": one}) for one in given), where)
                assert sorted(replies) in ([200, 409, 409, 409], [404] * 4)
                taken.append(replies.count(200))
            return sum(taken)

    assert asyncio.run(race()) == 22
    for table, expected in ((answers, 22), (subjects, 1), (sessions, 1)):
        assert rows(study, select(func.count()).select_from(table)) == [(expected,)]
