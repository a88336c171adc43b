"""Studies on SQLite."""

import dataclasses

import pytest
from studies import SMALL, new_study


@pytest.fixture
def study(tmp_path):
    return new_study(tmp_path / "study.sqlite")


@pytest.fixture
def with_feedback(tmp_path):
    return new_study(tmp_path / "feedback.sqlite", dataclasses.replace(SMALL, feedback=True, exposures_ms=()))
