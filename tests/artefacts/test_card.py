"""The card: its hashes, and how it is written and read."""

import saved_models

from zoo.artefacts.card import file_hashes, read_card
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
