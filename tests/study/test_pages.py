"""Nothing tells real from generated before the answer, and nobody does what is not theirs to do."""

import dataclasses
import io
import re

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import event, func, select
from starlette.testclient import TestClient
from studies import SMALL, an_answer, new_study

from zoo.study.database import answers, pictures, sources, trials
from zoo.study.pages import LARGEST_BODY, application
from zoo.study.pictures import Kind


class Browser(TestClient):
    """A browser of its own, with what a page gives its script."""

    def __init__(self, study, **settings):
        super().__init__(application(study), follow_redirects=False, **settings)

    def begin(self):
        page = self.get("/").text
        self.token = re.search(r'name="token" value="(\w+)"', page)[1]
        assert self.post("/consent", data={"token": self.token}).headers["location"] == "/trials"
        return self

    def script(self, path, json):
        return self.post(path, json=json, headers={"x-token": self.token})

    def where(self):
        return self.script("/trial", {}).json()["trial"]

    def answer(self, token, taken_for_real=True):
        return self.script("/answer", an_answer(token, taken_for_real)._asdict())


@pytest.fixture
def browser(study):
    return Browser(study).begin()


def kinds(study):
    """The kind of each trial's source, by the trial's token."""
    with study.reading.begin() as connection:
        chosen = select(trials.c.token, sources.c.kind).select_from(trials).join(pictures).join(sources)
        return dict(connection.execute(chosen).all())


def count(study):
    with study.reading.begin() as connection:
        return connection.scalar(select(func.count()).select_from(answers))


def test_whatever_arrives_before_the_answer_is_alike_for_every_source(study):
    seen, pixels = {}, {}
    statements = []
    event.listen(study.engine, "before_cursor_execute", lambda c, k, statement, *rest: statements.append(statement))
    for _ in range(4):
        browser = Browser(study).begin()
        while trial := browser.where():
            kind = kinds(study)[trial["token"]]
            statements.clear()
            reply = browser.get(f"/pictures/{trial['token']}")
            queries = tuple(statements)
            image = Image.open(io.BytesIO(reply.content))
            chunks = re.findall(rb"IHDR|IDAT|IEND|tEXt|zTXt|iTXt|tIME|eXIf|gAMA|pHYs|iCCP|PLTE", reply.content)
            facts = (
                reply.status_code,
                len(reply.content),
                tuple(sorted((name, value) for name, value in reply.headers.items() if name != "date")),
                (image.mode, image.size, image.format, tuple(image.info)),
                tuple(chunks),
                len(trial["token"]),
                tuple(trial),
                queries,
            )
            seen.setdefault(kind, set()).add(facts)
            pixels.setdefault(kind, []).append(np.asarray(image))
            reply = browser.answer(trial["token"])
            assert set(reply.json()) == {"right", "trial"}
            assert reply.json()["right"] is None
    assert set(seen) == {Kind.REAL, Kind.MODEL, Kind.CHECK}
    assert len(set.union(*seen.values())) == 1
    assert np.std(pixels[Kind.REAL]) > 0


def test_pages_and_scripts_name_no_source(study, browser):
    texts = [browser.get(path).text for path in ("/", "/trials", "/static/study.js", "/static/study.css")]
    texts.append(str(browser.where()))
    assert not [text for text in texts if re.search("azure|beta|made up", text)]


def test_pages_need_no_other_host(browser):
    for path in ("/", "/trials", "/static/study.js", "/static/study.css"):
        assert not re.search(r"(src|href|url|fetch)\W{1,3}(https?:)?//", browser.get(path).text)
    policy = browser.get("/trials").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe" not in policy


def test_a_page_without_its_cookie_begins_anew(study):
    stranger = Browser(study)
    assert stranger.get("/trials").headers["location"] == "/"
    for path in ("/trial", "/answer"):
        assert stranger.post(path, json={}).status_code == 403
    assert stranger.get("/pictures/" + "x" * 32).status_code == 403


def test_a_request_without_the_page_s_token_changes_nothing(study, browser):
    trial = browser.where()
    browser.get(f"/pictures/{trial['token']}")
    given = an_answer(trial["token"])._asdict()
    for headers in ({}, {"x-token": ""}, {"x-token": "0" * 64}, {"x-token": study.token_for("another")}):
        assert browser.post("/answer", json=given, headers=headers).status_code == 403
        assert browser.post("/trial", json={}, headers=headers).status_code == 403
    for data in ({}, {"token": "x"}, {"token": "ü"}):
        assert browser.post("/consent", data=data).status_code == 403
        assert browser.post("/again", data=data).status_code == 403
    assert count(study) == 0
    assert browser.answer(trial["token"]).status_code == 200


def test_no_page_changes_anything_when_it_is_read(browser):
    for path in ("/consent", "/again", "/trial", "/answer"):
        assert browser.get(path).status_code == 405


def test_the_cookie_is_long_random_and_out_of_a_script_s_reach(study):
    headers = [Browser(study).get("/").headers["set-cookie"] for _ in range(2)]
    keys = {re.match(r"study=([\w-]{43});", header)[1] for header in headers}
    assert len(keys) == 2
    assert all("HttpOnly" in header and "SameSite=lax" in header for header in headers)
    assert "Secure" not in headers[0]
    assert "Secure" in Browser(study, base_url="https://example.org").get("/").headers["set-cookie"]


def test_a_trial_is_shown_once_and_answered_once(study, browser):
    trial = browser.where()
    assert browser.answer(trial["token"]).status_code == 409  # not shown
    assert browser.get(f"/pictures/{trial['token']}").status_code == 200
    assert browser.get(f"/pictures/{trial['token']}").status_code == 410
    assert browser.answer(trial["token"]).status_code == 200
    assert browser.answer(trial["token"], False).status_code == 409
    assert count(study) == 1


def test_a_stranger_reaches_nobody_s_trial(study, browser):
    trial = browser.where()
    stranger = Browser(study).begin()
    assert stranger.get(f"/pictures/{trial['token']}").status_code == 404
    browser.get(f"/pictures/{trial['token']}")
    assert stranger.answer(trial["token"]).status_code == 404
    later = next(token for token in kinds(study) if token != trial["token"])
    assert browser.get(f"/pictures/{later}").status_code == 404
    assert count(study) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 4000,
        b'{"token": 1, "taken_for_real": true, "achieved_ms": 1, "frame_ms": 1, "reaction_ms": 1}',
        b'{"token": "x", "taken_for_real": 1, "achieved_ms": 1, "frame_ms": 1, "reaction_ms": 1}',
        b'{"token": "x", "taken_for_real": true, "achieved_ms": NaN, "frame_ms": 1, "reaction_ms": 1}',
        b'{"token": "x", "taken_for_real": true, "achieved_ms": -1, "frame_ms": 1, "reaction_ms": 1}',
        b'{"token": "x", "taken_for_real": true, "achieved_ms": 1, "frame_ms": true, "reaction_ms": 1}',
        b'{"token": "x", "taken_for_real": true, "achieved_ms": 1, "frame_ms": 1, "reaction_ms": 1e300}',
        b'{"token": "x", "taken_for_real": true, "achieved_ms": 1, "frame_ms": 1, "reaction_ms": 1, "kind": "real"}',
    ],
)
def test_what_is_no_answer_is_refused(browser, body):
    headers = {"x-token": browser.token, "content-type": "application/json"}
    reply = browser.post("/answer", content=body, headers=headers)
    assert reply.status_code == 400
    assert reply.json() == {"error": "This is not an answer."}


def test_a_long_body_is_refused(browser):
    reply = browser.post("/answer", content=b"x" * (LARGEST_BODY + 1), headers={"x-token": browser.token})
    assert reply.status_code == 413


def test_a_reload_goes_on_where_the_subject_was(browser):
    for _ in range(3):
        trial = browser.where()
        browser.get(f"/pictures/{trial['token']}")
        browser.answer(trial["token"])
    page = browser.get("/trials").text
    assert "3 of 22" in page
    assert "Welcome back" in page
    assert browser.where()["number"] == 4
    assert browser.get("/").headers["location"] == "/trials"


def test_the_last_page_offers_one_session_more(study, browser):
    while trial := browser.where():
        browser.get(f"/pictures/{trial['token']}")
        browser.answer(trial["token"])
    page = browser.get("/trials").text
    assert "Thank you" in page
    assert "Once more" in page
    assert browser.post("/again", data={"token": browser.token}).status_code == 303
    assert "0 of 22" in browser.get("/trials").text


def test_consent_that_was_cut_short_is_made_good(study):
    browser = Browser(study)
    browser.get("/")
    study.consent(browser.cookies["study"])  # and then the server was stopped
    assert browser.get("/trials").headers["location"] == "/trials"
    assert "0 of 22" in browser.get("/trials").text


def test_feedback_comes_after_the_answer_and_is_true(with_feedback):
    browser = Browser(with_feedback).begin()
    while trial := browser.where():
        kind = kinds(with_feedback)[trial["token"]]
        assert trial["exposure_ms"] is None
        browser.get(f"/pictures/{trial['token']}")
        assert browser.answer(trial["token"], True).json()["right"] is (kind == Kind.REAL)


def test_examples_are_real_and_in_no_trial(study, browser):
    page = Browser(study).get("/").text
    addresses = re.findall(r'src="(/examples/\d+)"', page)
    examples = [browser.get(address) for address in addresses]
    assert [example.headers["content-type"] for example in examples] == ["image/png"] * SMALL.examples
    assert browser.get(f"/examples/{SMALL.examples}").status_code == 404
    assert browser.get("/examples/99999999999999999999999").status_code == 404
    shown = set()
    while trial := browser.where():
        shown.add(browser.get(f"/pictures/{trial['token']}").content)
        browser.answer(trial["token"])
    assert not shown & {example.content for example in examples}


def test_texts_of_a_protocol_are_no_markup(tmp_path):
    hostile = dataclasses.replace(SMALL, title="<script>1</script>", instructions="<b>\n\nSecond", consent="&")
    page = Browser(new_study(tmp_path / "s.sqlite", hostile)).get("/").text
    assert "<script>1" not in page
    assert "<p>&lt;b&gt;</p>" in page
    assert "<p>Second</p>" in page


def test_a_page_that_is_not_there(browser):
    reply = browser.get("/nothing")
    assert reply.status_code == 404
    assert "This did not work" in reply.text
    assert browser.get("/static/../pages.py").status_code == 404


def test_a_database_that_is_gone_is_said_to_be(study, browser):
    with study.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE trials RENAME TO elsewhere")
    reply = browser.script("/trial", {})
    assert reply.status_code == 503
    assert reply.json() == {"error": "the database cannot be reached"}
