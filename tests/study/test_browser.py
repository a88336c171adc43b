"""Whole sessions in real Chromium: by mouse, by keyboard, interrupted, on a phone, two at once."""

import contextlib
import dataclasses
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy import select
from studies import SMALL, Server, new_study

from zoo.study import analysis, protocol, records
from zoo.study.database import trials

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
SHORT = dataclasses.replace(SMALL, trials=6, exposures_ms=(50, 100), checks=0)
LAPGAN = dataclasses.replace(protocol.load("lapgan"), trials=22, checks=2, examples=8)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="chromium or chromedriver is not installed"),
]


class Person:
    """Someone at a browser of their own, on the page at an address."""

    def __init__(self, address):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1100,900"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.address = address
        self.driver.get(address)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def consent(self):
        self.find("form button").click()
        self.wait(lambda: self.find("#start").is_displayed())
        return self

    def start(self):
        self.find("#start").click()
        return self

    def wait(self, condition, seconds=30):
        WebDriverWait(self.driver, seconds, poll_frequency=0.02).until(lambda driver: condition())

    def asked(self):
        """Whether an answer is waited for: True, or False on the last page."""
        done = "return !document.getElementById('study') && document.readyState === 'complete'"
        ready = "return document.getElementById('real')?.getAttribute('aria-disabled') === 'false'"
        self.wait(lambda: self.driver.execute_script(ready) or self.driver.execute_script(done))
        return not self.driver.execute_script(done)

    def answer_all(self, answer, limit=1000):
        """Answers until the session ends or `limit` is reached, and returns how many were answered."""
        for number in range(limit):
            if not self.asked():
                return number
            answer(number)
            self.wait(lambda: not self.driver.execute_script(
                "return document.getElementById('real')?.getAttribute('aria-disabled') === 'false'"))  # fmt: skip
        return limit

    def click(self, number):
        self.find("#real" if number % 3 else "#generated").click()

    def press(self, number):
        self.find("body").send_keys("rG"[number % 2])

    def status(self):
        return self.find("#status").text

    def mistakes(self):
        """What the console holds, but for what a server that was killed leaves there."""
        return [entry for entry in self.driver.get_log("browser") if "ERR_CONNECTION" not in entry["message"]]

    def phone(self):
        metrics = {"width": 390, "height": 844, "deviceScaleFactor": 3, "mobile": True}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        self.driver.refresh()


@pytest.fixture
def people():
    """Opens browsers, and closes them."""
    with contextlib.ExitStack() as open_browsers:

        def person(address):
            one = Person(address)
            open_browsers.callback(one.driver.quit)
            return one

        yield person


@pytest.fixture
def short(tmp_path):
    """A study of six trials, and its server."""
    study = new_study(tmp_path / "s.sqlite", SHORT)
    with Server(tmp_path / "s.sqlite") as server:
        yield study, server


def test_a_session_by_mouse_keeps_its_exposures_and_survives_a_reload(tmp_path, people):
    study = new_study(tmp_path / "s.sqlite", LAPGAN, models=("azure",))
    with Server(tmp_path / "s.sqlite") as server:
        person = people(server.address)
        assert len(person.driver.find_elements(By.CSS_SELECTOR, ".examples img")) == LAPGAN.examples
        person.consent().start()
        assert person.answer_all(person.click, limit=10) == 10
        person.asked()
        person.driver.refresh()  # while a picture waits for its answer
        assert "Welcome back" in person.status()
        assert person.find("#count").text == "10 of 24"
        person.driver.get(server.address)  # and by the first page
        assert person.find("#count").text == "10 of 24"
        person.start()
        assert person.answer_all(person.click) == 14
        assert "Thank you" in person.find("h1").text
        assert person.mistakes() == []
    found = records.read(study)
    assert len(found) == 24
    assert sum(record.restarts for record in found) == 1
    within = analysis.within_a_frame(found)
    assert within.n == 24
    assert within.share >= 0.95
    assert all(10 < record.frame_ms < 34 for record in found)
    assert all(record.reaction_ms >= record.achieved_ms for record in found)


def test_a_session_by_keyboard_alone(short, people):
    study, server = short
    person = people(server.address)
    active = lambda: person.driver.switch_to.active_element  # noqa: E731
    person.find("body").send_keys(Keys.TAB)
    assert active().text == "I agree, begin"
    active().send_keys(Keys.ENTER)
    person.wait(lambda: active().get_attribute("id") == "start")
    active().send_keys(Keys.SPACE)
    assert person.answer_all(person.press, limit=4) == 4
    person.asked()
    active().send_keys(Keys.TAB)
    assert active().get_attribute("id") == "real"
    person.answer_all(lambda number: active().send_keys(Keys.ENTER), limit=1)
    person.asked()
    active().send_keys(Keys.TAB)  # the focus stayed
    assert active().get_attribute("id") == "generated"
    assert person.answer_all(lambda number: active().send_keys(Keys.SPACE)) == 1
    assert [record.taken_for_real for record in records.read(study)] == [True, False, True, False, True, False]
    assert person.mistakes() == []


def test_a_screen_reader_hears_what_is_asked(short, people):
    person = people(short[1].address).consent()
    named = lambda: {  # noqa: E731
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in person.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        if not node["ignored"]
    }
    assert {("button", "Start"), ("progressbar", "Pictures answered"), ("heading", SHORT.title)} <= named()
    person.start().asked()
    assert {("button", "Real R"), ("button", "Generated G"), ("image", "Where the pictures are shown")} <= named()
    status = person.find("#status")
    assert status.get_attribute("role") == "status"
    assert status.text == "Real or generated?"
    assert person.find("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_pages_fit_the_screen(short, people, size, tmp_path):
    person = people(short[1].address)
    if size == "phone":
        person.phone()
    inside = """
        const box = document.querySelector(arguments[0]).getBoundingClientRect();
        return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight && box.width > 40
    """
    fits = "return document.documentElement.scrollWidth <= innerWidth"
    assert person.driver.execute_script(fits)
    person.consent()
    assert all(person.driver.execute_script(inside, selector) for selector in ("#start", "#stage", "#progress"))
    person.start().asked()
    for selector in ("#real", "#generated", "#stage", "#progress", "#count", "#status"):
        assert person.driver.execute_script(inside, selector), selector
    assert person.driver.execute_script(fits)
    for selector in ("#real", "#generated"):
        assert person.find(selector).size["height"] >= 44  # a finger's width in CSS pixels
    assert person.mistakes() == []
    person.driver.save_screenshot(str(tmp_path / f"{size}.png"))


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_picture_is_shown_pixel_by_pixel(tmp_path, people, size):
    slow = dataclasses.replace(SHORT, exposures_ms=(1500,), trials=2)
    new_study(tmp_path / "s.sqlite", slow, models=("azure",)).engine.dispose()
    with Server(tmp_path / "s.sqlite") as server:
        person = people(server.address)
        if size == "phone":
            person.phone()
        person.consent().start()
        read = """
            const stage = document.getElementById("stage");
            const data = stage.getContext("2d").getImageData(0, 0, stage.width, stage.height).data;
            return [stage.width, stage.height, stage.getBoundingClientRect().width * devicePixelRatio,
                    Array.from(data.filter((_, index) => index % 4 === 0))];
        """
        drawn = []

        def shown():
            drawn[:] = person.driver.execute_script(read)
            return len(set(drawn[3])) > 10

        person.wait(shown)
        width, height, on_screen, pixels = drawn
        pixels = np.array(pixels).reshape(height, width)
        factor = width // 8
        assert on_screen == pytest.approx(width, abs=0.01)
        np.testing.assert_array_equal(pixels, pixels[::factor, ::factor].repeat(factor, 0).repeat(factor, 1))
        assert len(np.unique(pixels[::factor, ::factor])) > 40  # 64 random levels


def test_a_phone_that_is_turned_shows_the_next_picture_at_its_new_size(short, people):
    person = people(short[1].address)
    person.phone()
    person.consent().start().asked()
    tall = person.find("#stage").size["height"]
    turned = {"width": 844, "height": 390, "deviceScaleFactor": 3, "mobile": True}
    person.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", turned)
    assert person.answer_all(person.press, limit=1) == 1
    person.asked()
    assert person.find("#stage").size["height"] < tall
    bottom = "return document.getElementById('real').getBoundingClientRect().bottom <= innerHeight"
    assert person.driver.execute_script(bottom)


def test_two_subjects_at_once(short, people):
    study, server = short
    both = [people(server.address), people(server.address)]
    with ThreadPoolExecutor() as pool:
        counts = list(pool.map(lambda person: person.consent().start().answer_all(person.press), both))
    assert counts == [6, 6]
    found = records.read(study)
    assert len(found) == 12
    assert len({record.subject for record in found}) == 2


def test_the_page_waits_for_a_server_that_was_killed(tmp_path, people):
    study = new_study(tmp_path / "s.sqlite", SHORT)
    server = Server(tmp_path / "s.sqlite")
    try:
        person = people(server.address).consent().start()
        assert person.answer_all(person.press, limit=2) == 2
        person.asked()
        server.kill()
        person.press(2)
        person.wait(lambda: "cannot be reached" in person.status())
        server = Server(tmp_path / "s.sqlite", server.port)
        assert person.answer_all(person.press) == 3
        assert person.mistakes() == []
    finally:
        server.kill()
    assert [record.taken_for_real for record in records.read(study)] == [True, False, True, True, False, True]


def test_a_picture_that_nobody_could_see_is_replaced(short, people):
    study, server = short
    person = people(server.address).consent()
    hide = """
        Object.defineProperty(document, "hidden", { value: arguments[0], configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    """
    person.start()
    person.wait(lambda: "Picture 1" in person.status())
    person.driver.execute_script(hide, True)
    time.sleep(1)
    assert person.find("#real").get_attribute("aria-disabled") == "true"
    person.driver.execute_script(hide, False)
    assert person.answer_all(person.press) == 6
    with study.reading.begin() as connection:
        assert connection.scalars(select(trials.c.restarts).order_by(trials.c.position)).all() == [1, 0, 0, 0, 0, 0]


def test_a_second_window_of_one_session_takes_over(short, people):
    study, server = short
    person = people(server.address).consent().start()
    person.asked()
    first = person.driver.current_window_handle
    person.driver.switch_to.new_window("tab")
    person.driver.get(server.address)
    person.start()
    assert person.answer_all(person.press, limit=2) == 2
    person.asked()
    person.driver.close()
    person.driver.switch_to.window(first)
    person.press(0)  # to a picture that was replaced long ago: the server says where the session stands
    assert person.answer_all(person.press) in (4, 5)
    assert len(records.read(study)) == 6


def test_a_screen_slower_than_the_shortest_exposure_is_refused(short, people):
    person = people(short[1].address).consent()
    person.driver.execute_script(
        "window.requestAnimationFrame = (call) => setTimeout(() => call(performance.now()), 100);"
    )
    person.start()
    person.wait(lambda: "Please use another screen" in person.status())
    assert "some pictures are shown for 50 ms" in person.status()


def test_the_truth_is_told_where_the_protocol_says_so(tmp_path, people):
    told = dataclasses.replace(SHORT, exposures_ms=(), feedback=True, trials=4)
    study = new_study(tmp_path / "s.sqlite", told, models=("azure",))
    with Server(tmp_path / "s.sqlite") as server:
        person = people(server.address).consent().start()
        heard = []

        def answer(number):
            person.press(0)
            person.wait(lambda: "it was" in person.status())
            heard.append(person.status())

        assert person.answer_all(answer) == 4
    said = {"real": "Right: it was real.", "model": "Wrong: it was generated."}
    found = records.read(study)
    assert heard == [said[record.kind] for record in found]
    assert all(record.achieved_ms == record.reaction_ms > 0 for record in found)
