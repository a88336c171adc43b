"""Simulated subjects answer by their chances, and a planned study finds the difference as often as planned."""

from collections import Counter

import pytest

from zoo.errors import InputError
from zoo.study import protocol, simulation
from zoo.study.analysis import attention, counted

LAPGAN = protocol.load("lapgan")


def test_subjects_answer_by_their_chances_and_pass_the_checks():
    answers = simulation.answers(LAPGAN, {"real": 0.9, "model": 0.3}, subjects=50, seed=0)
    for source, chance in (("real", 0.9), ("model", 0.3)):
        count = counted(answer for answer in answers if answer.source == source)
        assert count.n == 50 * 66
        assert count.share == pytest.approx(chance, abs=0.03)
    assert all(subject.attentive and subject.checks == LAPGAN.checks for subject in attention(answers))
    cells = Counter((answer.subject, answer.source, answer.exposure_ms) for answer in answers if answer.kind != "check")
    assert set(cells.values()) == {6}
    assert simulation.answers(LAPGAN, {"real": 0.9, "model": 0.3}, 2, 0) == answers[: 2 * 136]


@pytest.mark.parametrize(("first", "second", "power"), [(0.4, 0.3, 0.8), (0.4, 0.1, 0.9), (0.5, 0.45, 0.5)])
def test_the_planned_number_of_answers_has_the_planned_power(first, second, power):
    each = simulation.answers_needed(first, second, power)
    assert simulation.power(first, second, each) == pytest.approx(power, abs=0.025)
    assert simulation.power(first, second, each // 2) < power - 0.1


def test_the_textbook_s_number():
    """Fleiss, Levin & Paik 2003, without their correction for continuity: 0.6 against 0.5 needs 388 each for 80 %."""
    assert simulation.answers_needed(0.6, 0.5, 0.8) == simulation.answers_needed(0.5, 0.6, 0.8) == 388


def test_equal_models_are_told_apart_at_the_level_alone():
    assert simulation.power(0.4, 0.4, 500) == pytest.approx(simulation.LEVEL, abs=0.015)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.4, 0.4, 0.8), "cannot be told apart"),
        ((0.4, 1.2, 0.8), "a share should lie between 0 and 1. Received: 1.2"),
        ((0.4, float("nan"), 0.8), "a share should lie"),
        ((0.4, 0.3, 1.0), "a power should lie"),
        ((0.4, 0.40001, 0.8), "more than 10,000,000 answers"),
    ],
)
def test_what_cannot_be_planned(arguments, message):
    with pytest.raises(InputError, match=message):
        simulation.answers_needed(*arguments)
