"""What is written about a study's answers says what the database holds."""

import csv

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest
from sqlalchemy import select
from studies import an_answer, new_study

from zoo.errors import InputError
from zoo.study import records, report
from zoo.study.database import pictures, sources, trials


def take_part(study, key, chances, seed=0):
    """A session of a subject who takes pictures for real with a chance for each source."""
    chosen = select(trials.c.token, sources.c.name).select_from(trials).join(pictures).join(sources)
    subject = study.consent(key)
    study.begin(subject)
    with study.reading.begin() as connection:
        source_of = dict(connection.execute(chosen).all())
    chance = np.random.default_rng(seed)
    while trial := study.next(subject):
        study.show(subject, trial.token)
        study.answer(subject, an_answer(trial.token, bool(chance.random() < chances[source_of[trial.token]])))


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def answered(study):
    careful = {"real": 1.0, "azure": 0.5, "beta": 0.0, "check": 0.0}
    for number in range(4):
        take_part(study, f"subject {number}", careful, number)
    take_part(study, "careless", dict.fromkeys(careful, 1.0))
    return study


def test_records_are_the_answers(answered):
    found = records.read(answered)
    assert len(found) == 5 * 22
    assert [record.position for record in found] == list(range(1, 23)) * 5
    assert {record.source: record.kind for record in found} == {
        "real": "real", "azure": "model", "beta": "model", "check": "check",
    }  # fmt: skip
    for record in found:
        assert record.right == (record.taken_for_real == (record.source == "real"))
        assert record.shown <= record.answered


def test_the_export_holds_every_answer(answered, tmp_path):
    found = records.read(answered)
    records.export(found, tmp_path / "answers.csv")
    rows = read_csv(tmp_path / "answers.csv")
    assert [int(row["picture"]) for row in rows] == [record.picture for record in found]
    assert [bool(int(row["taken_for_real"])) for row in rows] == [record.taken_for_real for record in found]
    assert all(row["answered"].endswith("+00:00") and row["right"] in "01" for row in rows)
    with pytest.raises(InputError, match="Cannot write"):
        records.export(found, tmp_path / "missing" / "answers.csv")


def test_a_report_has_a_page_a_figure_tables_and_pictures(answered, tmp_path):
    paths = report.write(answered, tmp_path / "report", attentive_only=False)
    assert {path.name for path in paths} == {path.name for path in (tmp_path / "report").iterdir()}
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    for text in ("110 answers by 5 subjects", "2 of 2", "not attentive", "azure"):
        assert text in page
    with Image.open(tmp_path / "report" / "figure.png") as figure:
        assert figure.size[0] >= 800
    curve = read_csv(tmp_path / "report" / "curve.csv")
    assert len(curve) == 9
    for row in curve:
        assert float(row["band_low"]) <= float(row["low"]) <= float(row["share"]) <= float(row["high"])
        assert float(row["share"]) == pytest.approx(int(row["taken_for_real"]) / int(row["answers"]))
        assert row["source"] != "real" or float(row["share"]) == 1
    assert sum(int(row["answers"]) for row in curve) == 5 * 20
    overall = {row["model"]: row for row in read_csv(tmp_path / "report" / "sensitivity.csv") if not row["exposure_ms"]}
    assert float(overall["beta"]["d_prime"]) > float(overall["azure"]["d_prime"]) > 0
    assert len(read_csv(tmp_path / "report" / "subjects.csv")) == 5


def test_pictures_are_named_by_their_seeds_those_most_surely_taken_for_real_first(answered, tmp_path):
    """Two of three answers say more than one of one: the lower end of Wilson's interval decides."""
    report.write(answered, tmp_path, attentive_only=False)
    rows = [row for row in read_csv(tmp_path / "pictures.csv") if row["source"] == "azure"]
    counts = [binomtest(int(row["taken_for_real"]), int(row["answers"])) for row in rows]
    lows = [count.proportion_ci(method="wilson").low for count in counts]
    assert lows == sorted(lows, reverse=True)
    assert lows[0] > lows[-1]
    assert sum(int(row["answers"]) for row in rows) in range(5 * 6, 5 * 7 + 1)
    assert len({row["seed"] for row in rows}) == len(rows)


def test_subjects_who_failed_the_checks_can_be_left_out(answered, tmp_path):
    report.write(answered, tmp_path, attentive_only=True)
    assert "88 answers by 4 subjects, only those who passed" in (tmp_path / "index.html").read_text(encoding="utf-8")
    beta = [row for row in read_csv(tmp_path / "curve.csv") if row["source"] == "beta"]
    assert {row["taken_for_real"] for row in beta} == {"0"}
    assert len(read_csv(tmp_path / "subjects.csv")) == 5


def test_a_report_without_a_limit_of_time(with_feedback, tmp_path):
    take_part(with_feedback, "one", {"real": 1.0, "azure": 0.5, "beta": 0.0, "check": 0.0})
    report.write(with_feedback, tmp_path, attentive_only=False)
    assert [row["exposure_ms"] for row in read_csv(tmp_path / "curve.csv")] == [""] * 3
    assert "within one frame" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_no_answers_no_report(study, tmp_path):
    with pytest.raises(InputError, match=r"study\.sqlite: no answers to report"):
        report.write(study, tmp_path / "report", attentive_only=False)
    assert not (tmp_path / "report").exists()


def test_names_are_no_markup(tmp_path):
    hostile = new_study(tmp_path / "s.sqlite", models=("<script>1</script>",))
    take_part(hostile, "one", {"real": 1.0, "<script>1</script>": 0.5, "check": 0.0})
    report.write(hostile, tmp_path / "report", attentive_only=False)
    assert "<script>" not in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
