"""Studies with made-up pictures, small enough for a test."""

import asyncio
import contextlib
import itertools
import re
import subprocess
import sys

import httpx2
import numpy as np

from zoo.study import creation, database, protocol
from zoo.study.pictures import Kind, Picture, encoded
from zoo.study.store import Answer

SHAPE = (8, 8, 1)
SEEDS = list(range(30))

SMALL = protocol.Protocol(
    name="small",
    title="Real or generated?",
    instructions="Look.",
    consent="Agree.",
    trials=20,
    exposures_ms=(50, 200, 500),
    examples=2,
    checks=2,
)


def made_up(models=("azure", "beta"), seeds=SEEDS, examples=2, checks=2, shape=SHAPE):
    """A noise picture for each seed and source, and as many examples and checks as a session takes."""
    chance = np.random.default_rng(0)
    counts = {Kind.REAL: len(seeds), Kind.EXAMPLE: examples, Kind.CHECK: checks} | {
        model: len(seeds) for model in models
    }
    for source, count in counts.items():
        for seed in range(count):
            yield Picture(source, seed, -1, encoded(chance.integers(256, size=shape, dtype=np.uint8)))


def settings(chosen=SMALL, models=("azure", "beta")):
    return {
        "protocol": chosen.described(),
        "data": "made up",
        "image_shape": list(SHAPE),
        "models": [{"name": name, "version": "1", "files": {}} for name in models],
        "seeds": SEEDS,
    }


def new_study(url, chosen=SMALL, models=("azure", "beta"), **pictures):
    """A study in a new database, given by a path or a URL."""
    return creation.create(
        database.connect(str(url), must_exist=False),
        settings(chosen, models),
        lambda: made_up(models, examples=chosen.examples, checks=chosen.checks, **pictures),
    )


def an_answer(token, taken_for_real=True):
    return Answer(token, taken_for_real, achieved_ms=50.0, frame_ms=16.7, reaction_ms=700.0)


class Server:
    """Runs `serving.serve` on a database in a process of its own.

    Args:
        url: the URL of a database that holds a study.
        port: the port; 0 takes any that is free.
    """

    def __init__(self, url, port=0):
        program = (
            "import sys; from zoo.study import database, serving, store; "
            "serving.serve(store.Study(database.connect(sys.argv[1], must_exist=True)), '127.0.0.1', int(sys.argv[2]))"
        )
        command = [sys.executable, "-c", program, str(url), str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        self.port = int(self.address.rstrip("/").rpartition(":")[2] or 0)

    def kill(self):
        """Kills the server like `kill -9`."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.kill()


class Subject:
    """A simulated subject who takes part over HTTP like the script of the page, and records the acknowledged answers.

    Args:
        addresses: the addresses of one or several servers, which are asked in turn.
        taken_for_real: a function of a PNG that gives the answer.
    """

    def __init__(self, *addresses, taken_for_real):
        self.client = httpx2.AsyncClient(timeout=30)
        self.addresses = itertools.cycle(addresses)
        self.taken_for_real = taken_for_real
        self.acknowledged = {}  # token -> answer
        self.token = None

    async def ask(self, method, path, **request):
        """Repeats a request until a server answers."""
        while True:
            with contextlib.suppress(httpx2.TransportError):
                response = await self.client.request(method, next(self.addresses).rstrip("/") + path, **request)
                if response.status_code < 500:
                    return response
            await asyncio.sleep(0.1)

    async def begin(self):
        welcome = await self.ask("GET", "/")
        form = re.search(r'name="token" value="(\w+)"', welcome.text)[1]
        response = await self.ask("POST", "/consent", data={"token": form})
        assert response.status_code == 303
        self.headers = {"X-Token": form}

    async def where(self):
        return (await self.ask("POST", "/trial", json={}, headers=self.headers)).json()["trial"]

    async def answer_next(self):
        """Answers one trial; False if the session is over."""
        trial = await self.where()
        if trial is None:
            return False
        picture = await self.ask("GET", f"/pictures/{trial['token']}")
        if picture.status_code != 200:  # it was sent before the connection broke: the next trial has another picture
            return True
        given = an_answer(trial["token"], self.taken_for_real(picture.content))
        given = given._replace(achieved_ms=trial["exposure_ms"] or 1000.0)
        response = await self.ask("POST", "/answer", json=given._asdict(), headers=self.headers)
        assert response.status_code in (200, 409)  # 409: it was stored, but the reply was lost
        self.acknowledged[given.token] = given.taken_for_real
        return True

    async def again(self):
        await self.ask("POST", "/again", data={"token": self.headers["X-Token"]})
