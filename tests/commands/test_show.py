"""`zoo show`"""

import pytest
import saved_models
from tensorflow.core.protobuf import saved_model_pb2


def test_show(run, capsys, installation):
    assert run("show toy-digits") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [f"path {installation / 'pretrained' / 'toy-digits' / '1'}", "name toy-digits"]
    assert "scores classifier score 7.5" in lines
    assert "parameters generator 1200, discriminator 34" in lines
    assert "data_shape 4, 4, 1" in lines
    assert "files 4, as hashed in the card" in lines
    assert lines[-2:] == [
        "SIGNATURE INPUTS OUTPUTS",
        "serving_default label int32 [n], seed int64 [n] samples float32 [n, 4, 4, 1]",
    ]


def test_show_names_the_classes(run, capsys, workplace):
    saved_models.save(workplace / "shoes" / "1")
    saved_models.write_card(workplace / "shoes", num_classes=2, class_names=["Bag", "Sneaker"])
    assert run("show shoes") == 0
    assert "class_names Bag, Sneaker" in [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_show_a_saved_model_without_a_card(run, capsys, workplace):
    saved_models.save(workplace / "model")
    assert run("show model") == 0
    assert capsys.readouterr().out.split()[:3] == ["path", str(workplace / "model"), "SIGNATURE"]


def test_signatures_of_types_that_there_are_not(run, capsys, workplace):
    path = saved_models.save(workplace / "model") / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    saved.meta_graphs[0].signature_def["serving_default"].inputs["seed"].dtype = 999
    path.write_bytes(saved.SerializeToString())
    assert run("show model") == 2
    assert "model: its signatures cannot be read: Cannot convert" in capsys.readouterr().err


def test_signatures_that_a_card_states_are_not_read_from_the_graph(run, capsys, workplace):
    saved_models.save(workplace / "model" / "1")
    tensor = {"dtype": "float32", "shape": [None, 3]}
    stated = {"fly": {"inputs": {"wing": tensor}, "outputs": {"height": {"dtype": "string", "shape": None}}}}
    saved_models.write_card(workplace / "model", signatures=stated)
    assert run("show model") == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == [
        "fly",
        "wing",
        "float32",
        "[n,",
        "3]",
        "height",
        "string",
        "?",
    ]


@pytest.mark.parametrize("stated", ["x", {"a": 3}, [1], {"a": {"inputs": {"x": {}}, "outputs": {}}}])
def test_signatures_of_a_card_that_are_none(run, capsys, workplace, stated):
    saved_models.save(workplace / "model" / "1")
    saved_models.write_card(workplace / "model", signatures=stated)
    assert run("show model") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "model/1: its card states no signatures as the zoo writes them. Received: " in err


@pytest.mark.parametrize("name", ["n" * 300, "loop"])
def test_names_that_can_be_no_models(run, capsys, workplace, name):
    (workplace / "loop").symlink_to("loop")
    for line in (f"show {name}", f"export {name} --out x", f"evaluate toy-digits --data digits --features {name}"):
        assert run(line) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert run(f"export toy-digits --out {name}") == 2


def test_a_card_cannot_steer_the_terminal(run, capsys, workplace, installation):
    saved_models.save(workplace / "model" / "1")
    saved_models.write_card(workplace / "model", dataset="\x1b[2Jdigits")
    assert run("show model") == 0
    assert "\x1b" not in (shown := capsys.readouterr().out)
    assert "\\x1b[2Jdigits" in shown


def test_a_score_that_no_evaluation_wrote_is_shown_as_it_stands(run, capsys, workplace):
    saved_models.save(workplace / "model" / "1")
    saved_models.write_card(workplace / "model", scores=[{"score": "x", "value": [1, 2]}, "words", {"value": 3}])
    assert run("show model") == 0
    assert "scores score x, value 1, 2; words; value 3" in [
        " ".join(line.split()) for line in capsys.readouterr().out.splitlines()
    ]
