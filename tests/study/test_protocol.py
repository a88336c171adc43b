"""A protocol is read from a small file, and one that cannot be run is refused with one line."""

import pytest

from zoo.errors import InputError
from zoo.study import protocol

OWN = """
title = "Which are real?"
instructions = "Look."
consent = "Agree."
trials = 10
exposures_ms = [100, 200.5]
"""


def load(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return protocol.load(str(path))


def test_lapgan_is_as_the_paper_has_it():
    lapgan = protocol.load("lapgan")
    assert len(lapgan.exposures_ms) == 11
    assert (lapgan.exposures_ms[0], lapgan.exposures_ms[-1]) == (50, 2000)
    assert lapgan.examples > 0
    assert lapgan.feedback is False
    assert {(level.name, level.measure, level.share) for level in lapgan.published} == {
        ("real", "taken_for_real", 0.9),
        ("CC-LAPGAN", "taken_for_real", 0.4),
        ("LAPGAN", "taken_for_real", 0.3),
        ("GAN", "taken_for_real", 0.1),
    }


def test_improved_gan_is_as_the_paper_has_it():
    improved = protocol.load("improved_gan")
    assert improved.exposures_ms == ()
    assert improved.feedback is True
    assert {(level.name, level.measure, level.share) for level in improved.published} == {
        ("MNIST", "right", 0.524),
        ("CIFAR-10", "right", 0.787),
    }


@pytest.mark.parametrize("name", protocol.names())
def test_trials_are_shared_out_evenly_over_one_to_three_models(name):
    chosen = protocol.load(name)
    for sources in (2, 3, 4):
        assert chosen.trials % (sources * max(1, len(chosen.exposures_ms))) == 0


def test_an_own_file(tmp_path):
    own = load(tmp_path, OWN)
    assert (own.name, own.trials, own.exposures_ms, own.checks) == ("own", 10, (100, 200.5), 0)
    assert protocol.described_by(own.described()) == own


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = ", r"own\.toml: not TOML"),
        (OWN + "colour = 1", "Unknown field of protocol own: 'colour'"),
        (OWN.replace("trials", "trails"), "Unknown field of protocol own: 'trails'. Did you mean trials"),
        (OWN.replace("trials = 10", ""), "protocol own: trials is missing"),
        (OWN.replace("= 10", "= 0"), r"trials should be a whole number from 1 to 10,000. Received: 0"),
        (OWN.replace("trials = 10", "trials = true"), "Received: True"),
        (OWN.replace('"Look."', '""'), "instructions should be some text. Received: ''"),
        (OWN.replace("[100, ", "[5, "), r"each from 16.7 ms, a frame .* Received: \[5, 200.5\]"),
        (OWN.replace("200.5", "200.5, 100"), "ascending order"),
        (OWN.replace("200.5", "nan"), "exposures_ms should be"),
        (OWN.replace("200.5", "inf"), "to 60,000 ms"),
        (OWN.replace("200.5", '"long"'), "numbers of milliseconds"),
        (OWN.replace("[100, 200.5]", "100"), "exposures_ms should be a list. Received: 100"),
        (OWN + "checks = -1", "checks should be"),
        (OWN + "examples = 1.5", "examples should be"),
        (OWN + 'feedback = "yes"', "feedback should be true or false"),
        (OWN + "published_note = 1", "published_note should be a text"),
        (OWN + "published = 1", "published should hold a name"),
        (OWN + '[[published]]\nname = "x"\nmeasure = "right"\nshare = 2', "from 0 to 1"),
        (OWN + '[[published]]\nname = "x"\nmeasure = "wrong"\nshare = 0.2', "taken_for_real or right"),
    ],
)
def test_what_is_no_protocol(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as error:
        load(tmp_path, text)
    assert "\n" not in str(error.value)


def test_a_file_or_a_name_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"Unknown protocol: 'lapgam'\. Did you mean lapgan"):
        protocol.load("lapgam")
    with pytest.raises(InputError, match=r"missing\.toml: cannot be read: No such file"):
        protocol.load(str(tmp_path / "missing.toml"))
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe4"')
    with pytest.raises(InputError, match=r"latin\.toml: cannot be read"):
        protocol.load(str(tmp_path / "latin.toml"))
