"""`zoo study`: what its lines do, and what they say of a wrong one."""

import functools
import re
import signal
import subprocess
import sys
import urllib.request

import pytest
import saved_models
from studies import an_answer

from zoo.study import database, pictures, serving
from zoo.study.pictures import Kind
from zoo.study.store import Study

PROTOCOL = """
title = "Which?"
instructions = "Look."
consent = "Agree."
trials = 8
exposures_ms = [50, 100]
examples = 2
checks = 1
"""


@pytest.fixture
def model(workplace):
    """A model of the digits' shape in the current folder, and the protocol own.toml."""
    saved_models.save(
        workplace / "model" / "1", lambda seed, label: saved_models.uniform(seed, label, shape=(16, 16, 1))
    )
    saved_models.write_card(workplace / "model", data_shape=[16, 16, 1])
    (workplace / "own.toml").write_text(PROTOCOL)
    return "model"


@pytest.fixture
def served(monkeypatch):
    """The studies that were to be served, each with its host and port."""
    calls = []
    monkeypatch.setattr(serving, "serve", lambda *arguments: calls.append(arguments))
    return calls


SERVE = "study serve --models model --data digits --protocol own.toml --seeds 3-12"


def test_serve_begins_a_study_and_goes_on_with_it(run, model, served, monkeypatch):
    assert run(SERVE) == 0
    ((study, host, port),) = served
    assert (host, port) == ("127.0.0.1", 8000)
    assert study.tested == [Kind.REAL, "model"]
    assert study.settings["seeds"] == list(range(3, 13))
    with study.reading.begin() as connection:
        kept = connection.execute(database.pictures.select()).all()
    assert len(kept) == 10 + 10 + 2 + 1
    monkeypatch.setattr(pictures.Material, "pictures", None)  # they are not made again
    assert run(SERVE) == 0
    assert served[1][0].settings == study.settings


def test_serve_takes_a_class(run, model, served):
    assert run(f"{SERVE} --label 3 --host ::1 --port 0") == 0
    ((study, host, port),) = served
    assert (study.settings["label"], host, port) == (3, "::1", 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("study serve --models toy-digits --data digits", r"\[4, 4, 1\] of toy-digits and \[16, 16, 1\] of 'digits'"),
        (
            f"{SERVE} --models model,model",
            "--models should be models of different names, none of them real, example, check",
        ),
        (f"{SERVE} --models modle", "Unknown pretrained model: 'modle'"),
        (f"{SERVE} --data ring", "a study needs images"),
        (f"{SERVE} --data nothing", "Unknown dataset: 'nothing'"),
        (f"{SERVE} --protocol lapgam", "Unknown protocol"),
        (f"{SERVE} --seeds 0-2", r"--seeds should be 4 or more, all different: 8 trials of 2 sources. Received: 0-2"),
        (f"{SERVE} --seeds 0-3,0-3", "all different"),
        (f"{SERVE} --seeds x", "--seeds should look like"),
        (f"{SERVE} --seeds 0-199", "'digits' should have 203 images"),
        (f"{SERVE} --label eleven", "Unknown class of digits: 'eleven'"),
        (f"{SERVE} --database no/such/folder/x", "its folder does not exist"),
        (f"{SERVE} --database x://y", "URL of SQLAlchemy"),
        ("study report missing.sqlite", r"missing\.sqlite: no such database"),
        ("study export own.toml", "cannot be opened: file is not a database"),
        ("study plan 0.4 0.4", "cannot be told apart"),
        ("study plan 0.4 0.3 --models 0", "`models` must be a positive integer"),
    ],
)
def test_a_wrong_line_gives_one_clear_line(run, model, served, capsys, line, message):
    assert run(line) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert re.search(message, error)
    assert error.startswith("zoo: ")
    assert error.count("\n") == 1
    assert served == []


def test_serve_refuses_the_database_of_another_study(run, model, served, capsys):
    assert run(SERVE) == 0
    assert run(f"{SERVE} --seeds 0-9") == 2
    assert "study.sqlite holds a study of other seeds; give another --database" in capsys.readouterr().err


def test_the_first_answers_are_reported_and_exported(run, model, served, capsys, workplace):
    assert run(SERVE) == 0
    study = served[0][0]
    assert run("study report study.sqlite") == 2
    assert "no answers to report" in capsys.readouterr().err
    subject = study.consent("k")
    study.begin(subject)
    for _ in range(5):
        trial = study.next(subject)
        study.show(subject, trial.token)
        study.answer(subject, an_answer(trial.token))
    assert run("study report study.sqlite --out here/report") == 0
    assert (workplace / "here" / "report" / "index.html").is_file()
    assert run("study export study.sqlite") == 0
    assert capsys.readouterr().out.endswith("answers.csv: 5 answers\n")
    assert len((workplace / "answers.csv").read_text().splitlines()) == 6


def test_plan_says_how_many_answers(run, capsys):
    assert run("study plan 0.6 0.5 --models 1 --protocol improved_gan") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "answers to each model: 388"
    assert lines[1] == "subjects, of one session each: 13 (60 trials of 2 sources)"
    assert re.search(r"told the models apart: (79|80|81)\.\d %", lines[2])


@pytest.mark.parametrize("package", ["sqlalchemy", "starlette", "uvicorn"])
def test_without_its_packages_it_says_which_to_install(run, model, monkeypatch, capsys, package):
    for name in [name for name in sys.modules if name.partition(".")[0] == package or name.startswith("zoo.study")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    assert run(SERVE) == 2
    assert f"zoo study needs {package}: pip install 'gan-zoo[study]'" in capsys.readouterr().err


def test_the_program_serves_its_pages_until_it_is_interrupted(model):
    command = [sys.executable, "-m", "zoo.commands.main", *SERVE.split(), "--port", "0"]
    listen = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs do not
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=listen) as process:
        address = process.stdout.readline().strip()
        with urllib.request.urlopen(address) as page:
            assert "Which?" in page.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert Study(database.connect("study.sqlite", must_exist=True)).protocol.name == "own"
