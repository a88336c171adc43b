"""The card: its hashes, and how it is written and read."""

import os

import pytest
import saved_models

from zoo.artefacts.card import CARD, LARGEST, file_hashes, read_card
from zoo.errors import InputError
from zoo.files import write_json


def test_file_hashes_are_sha256_by_posix_path(tmp_path):
    (tmp_path / "3" / "variables").mkdir(parents=True)
    (tmp_path / "3" / "variables" / "a").write_bytes(b"abc")
    assert file_hashes(tmp_path / "3") == {
        "3/variables/a": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    }


def test_a_card_is_read_as_it_was_written(tmp_path):
    (tmp_path / "1").mkdir()
    card = saved_models.write_card(tmp_path, dataset="Äpfel")
    write_json(tmp_path / "card.json", card)
    assert read_card(tmp_path / "card.json") == card
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "card.json"]


def test_a_card_that_would_fill_the_memory_is_not_read(tmp_path):
    with (tmp_path / CARD).open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(InputError, match=f"at most {LARGEST:,} bytes"):
        read_card(tmp_path / CARD)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_a_card_that_is_nested_deeply_is_refused(tmp_path, text):
    (tmp_path / CARD).write_text(text)
    with pytest.raises(InputError, match="nested too deeply"):
        read_card(tmp_path / CARD)


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/x", "a/b", "a\\b", "..", ".", "", "a\x1b[2J", "a\nb"])
def test_a_name_is_not_a_path(tmp_path, name):
    (tmp_path / "1").mkdir()
    saved_models.write_card(tmp_path, name=name)
    with pytest.raises(InputError, match="name should be that of a folder, not a path"):
        read_card(tmp_path / CARD)


def test_a_card_is_a_file_of_its_own(tmp_path):
    (tmp_path / "1").mkdir()
    saved_models.write_card(tmp_path)
    (tmp_path / CARD).rename(tmp_path / "real.json")
    for make in (
        lambda card: card.symlink_to("real.json"),
        lambda card: card.symlink_to("missing"),
        lambda card: os.mkfifo(card),
        lambda card: card.mkdir(),
    ):
        make(tmp_path / CARD)
        with pytest.raises(InputError, match="cannot be read"):
            read_card(tmp_path / CARD)
        (tmp_path / CARD).rmdir() if (tmp_path / CARD).is_dir() else (tmp_path / CARD).unlink()
