"""Documents that follow from cards and score files: the checkout's own, and those of a small one made up."""

import json
import shutil
from pathlib import Path

import pytest

from zoo import results
from zoo.commands.main import main
from zoo.errors import InputError
from zoo.results.headers import with_scores
from zoo.results.numbers import number, protocol, spread
from zoo.results.records import Record, mean_score

ROOT = Path(__file__).parents[2]
SCORE = {
    "score": "Fréchet classifier distance",
    "function": "frechet_distance",
    "value": 1.23456,
    "settings": {},
    "rounding": "8 bits",
    "features": "classifier-digits",
    "reference": "digits train",
    "n_real": 1437,
    "n_fake": 1000,
    "floor": 0.01,
}
CARD = {
    "name": "toy-digits",
    "model": "DCGAN",
    "dataset": "digits",
    "version": 1,
    "data_shape": [16, 16, 1],
    "num_classes": None,
    "class_names": None,
    "parameters": {"generator": 1200, "discriminator": 34},
    "scores": [SCORE],
    "files": {"1/saved_model.pb": "ab"},
    "command": "zoo train toy_digits --steps=5",
    "steps": 5000,
    "seconds": 61.5,
    "machine": "2 cores of a machine",
}
TABLES = {
    "renamed_recipes": {"old_digits": "toy_digits"},
    "tables": {
        "all": {
            "where": {"dataset": "digits"},
            "columns": ["model", "Fréchet classifier distance", "parameters", "differences"],
            "sort": "Fréchet classifier distance",
            "floors": True,
            "differences": {"toy-digits": "a toy"},
        }
    },
}
PUBLISHED = {
    "recipe": "toy_digits",
    "score": "Fréchet classifier distance",
    "published": "0.9",
    "source": "A. Author 2014",
    "protocol": "1,000 samples",
    "differences": "fewer filters",
}
RECIPE = '''"""A toy.

Paper      none
Ours       not scored yet
Command    zoo train toy_digits
Time       not measured yet

More words.
"""

Ours = "not scored yet"
'''


@pytest.fixture
def checkout(tmp_path):
    for folder in ("docs", "pretrained/toy-digits", "recipes", "scores"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "pretrained" / "toy-digits" / "card.json").write_text(json.dumps(CARD))
    (tmp_path / "scores" / "tables.json").write_text(json.dumps(TABLES))
    (tmp_path / "scores" / "published.json").write_text(json.dumps({"published": [PUBLISHED]}))
    (tmp_path / "recipes" / "toy_digits.py").write_text(RECIPE)
    (tmp_path / "README.md").write_text("# Toy\n\n<!-- table: all -->\nold\n<!-- end of table -->\n\nafter\n")
    return tmp_path


def add_scores(checkout, name, **changes):
    artefact = {"name": name, "model": "GAN", "command": "zoo train old_digits", "parameters": {"generator": 7}}
    contents = {"artefact": artefact, "dataset": "digits", "scores": [SCORE | {"value": 0.5}]} | changes
    (checkout / "scores" / name).mkdir()
    (checkout / "scores" / name / "scores.json").write_text(json.dumps(contents))


def test_the_documents_of_this_checkout_are_those_of_its_cards_and_score_files():
    assert results.out_of_date(ROOT) == []


def test_what_is_written_once_is_not_written_again(checkout, capsys):
    assert main(["results", "--root", str(checkout), "--check"]) == 2
    assert "RESULTS.md" in capsys.readouterr().err
    assert main(["results", "--root", str(checkout)]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert names == ["RESULTS.md", "README.md", "gallery.html", "toy_digits.py"]
    before = {path: path.read_bytes() for path in results.documents(checkout)}
    assert main(["results", "--root", str(checkout)]) == 0
    assert main(["results", "--root", str(checkout), "--check"]) == 0
    assert capsys.readouterr() == ("", "")
    assert before == {path: path.read_bytes() for path in before}


def test_a_table_states_scores_parameters_and_differences(checkout):
    results.write(checkout)
    assert (checkout / "README.md").read_text() == (
        "# Toy\n\n<!-- table: all -->\n\n"
        "| model | Fréchet classifier distance | parameters | differences |\n"
        "| --- | --- | --- | --- |\n"
        "| `toy-digits` | 1.235 | 1,200 generator, 34 discriminator | a toy |\n"
        "| floor of `digits` | 0.010 | - | - |\n\n"
        "<!-- end of table -->\n\nafter\n"
    )


def test_a_header_says_what_the_card_says_and_no_more_is_touched(checkout):
    results.write(checkout)
    assert (checkout / "recipes" / "toy_digits.py").read_text() == RECIPE.replace(
        "Ours       not scored yet",
        "Ours       Fréchet classifier distance 1.235 (1,000 samples, rounded to 8 bits)",
    ).replace("Time       not measured yet", "Time       62 s on 2 cores of a machine")


def state_differences(checkout, **differences):
    tables = json.loads(json.dumps(TABLES))
    tables["tables"]["all"]["differences"] |= differences
    (checkout / "scores" / "tables.json").write_text(json.dumps(tables))


def test_a_table_of_differences_has_the_models_alone_that_it_names(checkout):
    add_scores(checkout, "second")
    results.write(checkout)
    assert "`second`" not in (checkout / "README.md").read_text()
    state_differences(checkout, third="none")
    with pytest.raises(InputError, match=r"differences of models that exist\. Received: third"):
        results.write(checkout)


def test_a_new_score_file_joins_every_document(checkout):
    add_scores(checkout, "second", note="an older protocol")
    state_differences(checkout, second="none")
    results.write(checkout)
    readme = (checkout / "README.md").read_text()
    assert readme.index("| `second` \\* | 0.500 | 7 generator | none |") < readme.index("| `toy-digits`")
    assert "\n\\* an older protocol\n" in readme
    header = (checkout / "recipes" / "toy_digits.py").read_text()
    assert "second: Fréchet classifier distance 0.500 (1,000 samples" in header
    assert "toy-digits: Fréchet" in header
    assert "### second\n\n- class: `GAN`" in (checkout / "RESULTS.md").read_text()


@pytest.fixture
def three_seeds(checkout):
    """The toy's training with the seeds 0, 2 and 1, of which the first run ships, and another training with seed 1."""
    (checkout / "pretrained" / "toy-digits" / "card.json").write_text(json.dumps(CARD | {"seed": 0}))
    for name, seed, value, steps in (("a", 2, 1.0, 5), ("b", 1, 2.0, 5), ("longer", 1, 9.0, 6)):
        command = f"zoo train toy_digits --seed={seed} --steps={steps} --workdir=runs/{name} --checkpoint_every={value}"
        add_scores(
            checkout,
            name,
            artefact={"name": name, "model": "DCGAN", "command": command, "seed": seed},
            scores=[SCORE | {"value": value}],
        )
    return checkout


def test_a_table_of_trainings_states_means_over_their_seeds(three_seeds):
    tables = json.loads(json.dumps(TABLES))
    tables["tables"]["all"] |= {
        "columns": ["recipe", "Fréchet classifier distance", "training seeds", "differences"],
        "differences": {"toy-digits": "none", "longer": "longer"},
        "floors": False,
    }
    (three_seeds / "scores" / "tables.json").write_text(json.dumps(tables))
    results.write(three_seeds)
    lines = (three_seeds / "README.md").read_text().splitlines()
    # 1.23456, 2 and 1 have the mean 1.41152 and the sample standard deviation 0.52309.
    assert lines[6:9] == [
        "| `toy_digits` | 1.412 ± 0.52 | 0, 1, 2 | none |",
        "| `toy_digits` | 9.000 | 1 | longer |",
        "",
    ]


def test_the_mean_of_an_infinite_score_is_infinite():
    divergence = {"score": "reverse KL (nats)", "function": "mode_coverage"}
    runs = [Record("toy-ring", {}, [divergence | {"value": value}], shipped=False) for value in ("inf", 1.0)]
    assert spread(mean_score(runs, "reverse KL (nats)")) == "inf ± nan"


@pytest.mark.parametrize("other", [[], [SCORE | {"n_fake": 500}], [SCORE | {"features": "classifier-mnist"}]])
def test_there_is_no_mean_of_runs_that_were_not_scored_alike(other):
    runs = [Record("toy-0", {}, [SCORE], shipped=False), Record("toy-1", {}, other, shipped=False)]
    assert mean_score(runs, SCORE["score"]) is None
    assert mean_score(runs[:1], SCORE["score"]) == SCORE


def test_a_header_states_the_first_seed_and_the_mean_over_all(three_seeds):
    results.write(three_seeds)
    header = (three_seeds / "recipes" / "toy_digits.py").read_text().replace("\n           ", " ")
    assert (
        "toy-digits: Fréchet classifier distance 1.235 (1,000 samples, rounded to 8 bits). Mean over the training "
        "seeds 0, 1, 2: Fréchet classifier distance 1.412 ± 0.52. longer: Fréchet classifier distance 9.000 " in header
    )
    assert "b: " not in header


def test_a_published_value_stands_beside_ours(checkout):
    results.write(checkout)
    (line,) = [line for line in (checkout / "RESULTS.md").read_text().splitlines() if "A. Author" in line]
    assert line == (
        "| `toy_digits` | Fréchet classifier distance | 0.9 | A. Author 2014 | 1,000 samples | 1.235 (1,000 samples, "
        "rounded to 8 bits; 1,437 rows of digits train) | fewer filters |"
    )


@pytest.mark.parametrize(("note", "lines"), [(None, []), ("Recall is low: why.", ["- note: Recall is low: why."])])
def test_the_note_of_a_card_stands_with_its_scores(checkout, note, lines):
    (checkout / "pretrained" / "toy-digits" / "card.json").write_text(json.dumps(CARD | {"note": note}))
    results.write(checkout)
    found = (checkout / "RESULTS.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in found if line.startswith("- note")] == lines


def test_a_score_file_of_a_shipped_model_adds_what_its_card_lacks(checkout):
    more = {"score": "precision", "function": "precision_recall", "value": 0.5, "n_fake": 1000}
    add_scores(checkout, "toy-digits", artefact={"name": "toy-digits", "files": CARD["files"]}, scores=[SCORE, more])
    (record,) = results.read_records(checkout)
    assert record.shipped
    assert [score["score"] for score in record.scores] == ["Fréchet classifier distance", "precision"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"artefact": {"name": "toy-digits", "files": CARD["files"]}}, "is 0.5 there and 1.23456 in the card"),
        ({"artefact": {"name": "toy-digits", "files": {}}}, "scores of other files than those of toy-digits"),
    ],
)
def test_a_card_and_a_score_file_that_disagree(checkout, changes, message):
    add_scores(checkout, "toy-digits", **changes)
    with pytest.raises(InputError, match=message):
        results.documents(checkout)


@pytest.mark.parametrize(
    ("path", "contents", "message"),
    [
        ("scores/tables.json", "{", "tables.json: not JSON"),
        ("scores/tables.json", "[]", "tables.json: expected an object with renamed_recipes, tables"),
        (
            "scores/published.json",
            '{"published": [{}]}',
            "lacks differences, protocol, published, recipe, score, source",
        ),
        ("README.md", "<!-- table: al -->\n<!-- end of table -->", "Unknown table: 'al'. Did you mean all?"),
    ],
)
def test_a_damaged_file_is_said_and_nothing_is_written(checkout, path, contents, message):
    (checkout / path).write_text(contents)
    with pytest.raises(InputError) as error:
        results.write(checkout)
    assert message in str(error.value)
    assert not (checkout / "RESULTS.md").exists()


def test_outside_a_checkout(tmp_path, capsys):
    assert main(["results", "--root", str(tmp_path)]) == 2
    assert "zoo results works in a checkout of the zoo. Received: " in capsys.readouterr().err
    shutil.copy(ROOT / "README.md", tmp_path)
    with pytest.raises(InputError, match="without docs"):
        results.documents(tmp_path)


@pytest.mark.parametrize(
    ("score", "printed"),
    [
        ({"score": "test errors", "value": 1234}, "1,234"),
        ({"score": "test accuracy", "value": 0.8681}, "86.81 %"),
        ({"score": "classifier score", "function": "inception_score", "value": 5.934}, "5.93"),
        ({"score": "reverse KL (nats)", "function": "mode_coverage", "value": "inf"}, "inf"),
        ({"score": "x", "value": None}, "-"),
    ],
)
def test_numbers(score, printed):
    assert number(score) == printed


def test_a_protocol_in_words():
    assert protocol(SCORE | {"settings": {"k": 5, "sigmas": [0.1]}, "rounding": None}) == (
        "1,000 samples, not rounded; 1,437 rows of digits train; k 5"
    )


def test_test_errors_stand_with_their_split():
    errors = {"score": "test errors", "value": 712, "n_real": 10_000, "reference": "mnist test", "n_fake": None}
    record = Record("toy-mnist", {}, [SCORE, errors], shipped=True)
    assert "test errors 712 (10,000 rows of mnist test)" in with_scores(RECIPE, [record]).replace("\n           ", " ")


def test_what_the_recipe_measured_comes_first_with_its_own_count_of_samples():
    distance = {"score": "earth mover's distance", "value": 0.25, "n_fake": 500}
    parzen = {"score": "nats", "function": "parzen_log_likelihood", "value": -2.0293, "n_fake": 10_000}
    header = with_scores(RECIPE, [Record("toy-swiss_roll", {}, [parzen, distance], shipped=False)])
    assert "Ours       earth mover's distance 0.25 (500 samples), nats -2.029 (10,000 samples)\n" in header


def test_values_of_several_training_seeds_stand_beside_each_other():
    modes = {"score": "modes", "function": "mode_coverage", "value": 7.5, "n_fake": 2500}
    several = Record("toy-ring", {}, [modes | {"values": [8, 7], "training_seeds": [0, 1]}], shipped=False)
    assert "Ours       modes 8, 7 (2,500 samples) (training seeds 0, 1)\n" in with_scores(RECIPE, [several])
    assert protocol(several.scores[0]) == "2,500 samples; training seeds 0, 1"
