"""An empty cache for every test, and real data that fill it."""

import pytest
from scored import DIGITS, Blocks

from zoo.evaluation import RealData


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "scores"


@pytest.fixture
def real():
    return RealData(DIGITS, Blocks())
