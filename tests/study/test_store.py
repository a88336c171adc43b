"""What must happen once happens once, whoever asks in whatever order."""

import dataclasses
from collections import Counter

import pytest
from sqlalchemy import func, select
from studies import SMALL, an_answer, new_study

from zoo.errors import InputError
from zoo.study import creation, database
from zoo.study.database import answers, pictures, sources, subjects, trials
from zoo.study.pictures import Kind
from zoo.study.store import RefusedError, Study


def rows(study, chosen):
    with study.reading.begin() as connection:
        return connection.execute(chosen).all()


def begun(study, key="k"):
    subject = study.consent(key)
    study.begin(subject)
    return subject


def answered(study, subject, taken_for_real=True):
    """Answers a whole session and returns the numbers of its trials."""
    numbers = []
    while trial := study.next(subject):
        study.show(subject, trial.token)
        study.answer(subject, an_answer(trial.token, taken_for_real))
        numbers.append(trial.number)
    return numbers


def planned(study):
    return rows(
        study,
        select(sources.c.name, trials.c.exposure_ms, trials.c.picture_id)
        .join(pictures, trials.c.picture_id == pictures.c.id)
        .join(sources, pictures.c.source_id == sources.c.id),
    )


def test_a_session_goes_from_consent_to_its_last_answer(study):
    assert study.subject("k") is None
    subject = begun(study)
    assert study.subject("k") == subject
    assert study.progress(subject) == (0, 22)
    assert answered(study, subject) == list(range(1, 23))
    assert study.progress(subject) == (22, 22)
    assert study.next(subject) is None


def test_sources_and_exposures_are_even_and_no_picture_comes_twice(study):
    subject = begun(study)
    answered(study, subject)
    study.begin(subject)
    shown = [row for row in planned(study) if row.name != Kind.CHECK]
    for of in ("name", "exposure_ms"):
        counts = Counter(getattr(row, of) for row in shown)
        assert len(counts) == 3
        assert max(counts.values()) - min(counts.values()) <= 1
    assert len(shown) == len({row.picture_id for row in shown}) == 40
    assert [row.exposure_ms for row in planned(study) if row.name == Kind.CHECK] == [500] * 4


def test_the_order_says_nothing(tmp_path):
    """Over many subjects, each place of the session is held by each source about equally often."""
    study = new_study(tmp_path / "s.sqlite", dataclasses.replace(SMALL, trials=6, checks=0))
    for number in range(150):
        begun(study, str(number))
    counts = Counter(
        rows(study, select(trials.c.position, sources.c.name).select_from(trials).join(pictures).join(sources))
    )
    assert len(counts) == 18
    assert all(25 <= count <= 80 for count in counts.values())  # 50 are expected: 5 standard deviations


def test_who_consents_twice_at_once_is_one_subject_with_one_session(study):
    assert begun(study) == begun(study)
    assert rows(study, select(func.count()).select_from(subjects)) == [(1,)]
    assert study.progress(study.subject("k")) == (0, 22)


def test_a_picture_is_shown_once(study):
    subject = begun(study)
    trial = study.next(subject)
    assert study.show(subject, trial.token).startswith(b"\x89PNG")
    with pytest.raises(RefusedError, match="has been shown"):
        study.show(subject, trial.token)


def test_who_leaves_while_a_picture_is_shown_gets_another_of_the_same_kind(study):
    subject = begun(study)
    first = study.next(subject)
    assert study.next(subject) == first  # not shown yet: the same
    before = planned(study)[0]
    study.show(subject, first.token)
    second = study.next(subject)
    after = planned(study)[0]
    assert (second.number, second.exposure_ms) == (first.number, first.exposure_ms)
    assert second.token != first.token
    assert after.name == before.name
    assert after.picture_id != before.picture_id
    with pytest.raises(RefusedError, match="no such trial"):
        study.answer(subject, an_answer(first.token))
    study.show(subject, second.token)
    study.answer(subject, an_answer(second.token))
    assert rows(study, select(trials.c.restarts).where(trials.c.position == 1)) == [(1,)]


def test_a_trial_is_answered_once_and_the_first_answer_stays(study):
    subject = begun(study)
    trial = study.next(subject)
    with pytest.raises(RefusedError, match="not been shown"):
        study.answer(subject, an_answer(trial.token))
    study.show(subject, trial.token)
    study.answer(subject, an_answer(trial.token, True))
    with pytest.raises(RefusedError, match="has been answered") as refusal:
        study.answer(subject, an_answer(trial.token, False))
    assert refusal.value.status == 409
    assert rows(study, select(answers.c.taken_for_real)) == [(True,)]


def test_nobody_reaches_a_later_trial_or_that_of_another(study):
    subject, other = begun(study), begun(study, "other")
    trial = study.next(subject)
    later = rows(study, select(trials.c.token).where(trials.c.position == 2))[0].token
    for who, token in ((subject, later), (other, trial.token), (subject, "x" * 32), (subject, "ü")):
        with pytest.raises(RefusedError):
            study.show(who, token)
        with pytest.raises(RefusedError):
            study.answer(who, an_answer(token))
    assert rows(study, select(answers)) == []


def test_only_a_protocol_with_feedback_tells_the_truth(study, with_feedback):
    for one, told in ((study, {None}), (with_feedback, {True, False})):
        subject, seen = begun(one), set()
        while trial := one.next(subject):
            one.show(subject, trial.token)
            seen.add(one.answer(subject, an_answer(trial.token)))
        assert seen == told
    right = select(sources.c.kind).select_from(trials).join(pictures).join(sources)
    assert rows(with_feedback, right).count((Kind.REAL,)) in (6, 7)


def test_a_subject_may_go_on_while_there_are_unseen_pictures(study):
    subject = begun(study)
    for session in range(4):  # 20 trials of 3 sources with 30 pictures each
        assert study.can_begin(subject) is (session < 3)
        answered(study, subject)
        if session < 3:
            study.begin(subject)
    assert not study.can_begin(subject)
    with pytest.raises(RefusedError, match="all pictures"):
        study.begin(subject)
    assert begun(study, "another")


def test_a_study_is_found_again_and_another_is_refused(tmp_path, study):
    path = tmp_path / "study.sqlite"
    again = new_study(path)
    assert again.token_for("k") == study.token_for("k") != study.token_for("j")
    assert again.settings == study.settings
    with pytest.raises(InputError, match=r"study\.sqlite holds a study of other models; .* Received: .*gamma"):
        new_study(path, models=("azure", "gamma"))
    with pytest.raises(InputError, match="study of other protocol"):
        new_study(path, dataclasses.replace(SMALL, trials=22))


def test_the_keys_of_subjects_are_not_in_the_database(tmp_path, study):
    begun(study, "the key of a subject")
    study.engine.dispose()
    assert all(b"the key of" not in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no study"),
        (b"no database, but long enough to be read as the head of one." * 20, "not a database"),
    ],
)
def test_what_is_no_study_is_refused(tmp_path, content, message):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        Study(database.connect(str(path), must_exist=True))
    assert "\n" not in str(error.value)


def test_a_database_of_something_else_is_refused(tmp_path):
    engine = database.connect(str(tmp_path / "other"), must_exist=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE study (name TEXT)")
    with pytest.raises(InputError, match="holds no study"):
        creation.create(engine, {}, list)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("missing.sqlite", "no such database"),
        ("no/folder/x.sqlite", "folder does not exist"),
        ("sqlite://", "outlives its process"),
        ("oracle9://x", "URL of SQLAlchemy"),
        ("mysql+asyncmy://x/y", "needs the Python package|cannot be opened"),
        ("postgresql+psycopg://nobody:secret@127.0.0.1:9/x", r"nobody:\*\*\*@127.0.0.1:9/x cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_opened(tmp_path, monkeypatch, url, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        database.connect(url, must_exist=url == "missing.sqlite")
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
