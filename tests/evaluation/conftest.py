"""An empty cache for every test, and a reference that fills it."""

import pytest
from scored import DIGITS, Blocks

from zoo.evaluation import Reference


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "scores"


@pytest.fixture
def reference():
    return Reference(DIGITS, Blocks())
