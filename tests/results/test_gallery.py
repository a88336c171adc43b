"""The gallery: every model with samples has its article, and a browser shows every picture without a complaint."""

import html.parser
import shutil
from pathlib import Path

import pytest

import zoo
from zoo.results.gallery import gallery
from zoo.results.records import Record, read_records

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


class Page(html.parser.HTMLParser):
    """The `src` and `href` of a page's elements, and the names of its articles."""

    def __init__(self, text):
        super().__init__()
        self.links, self.articles = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [
            attributes[name] for name in ("src", "href") if not attributes.get(name, "data:").startswith("data:")
        ]
        self.articles += [attributes["id"]] if tag == "article" else []


def test_every_generative_model_that_ships_has_an_article_whose_files_exist():
    page = Page(gallery(read_records(ROOT), ROOT))
    assert page.articles == [name for name, card in zoo.pretrained().items() if card["model"] != "Classifier"]
    assert [link for link in page.links if not (ROOT / "docs" / link).is_file()] == []


def test_what_a_card_says_is_text_and_no_markup(tmp_path):
    (tmp_path / "pretrained" / "toy").mkdir(parents=True)
    (tmp_path / "pretrained" / "toy" / "samples.png").touch()
    facts = {"command": "<script>$x</script>", "parameters": {"generator": 1200}, "model": "A & B"}
    text = gallery([Record("toy", facts, [{"score": "a < b", "value": 0.5}], shipped=True)], tmp_path)
    assert "&lt;script&gt;$x&lt;/script&gt;" in text
    assert "A &amp; B" in text
    assert "<td>a &lt; b</td>" in text


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="chromium or chromedriver is not installed")
@pytest.mark.parametrize(("width", "columns"), [(1280, 3), (500, 1)])
def test_a_browser_shows_every_picture(width, columns):
    from selenium import webdriver
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        driver.get((ROOT / "docs" / "gallery.html").as_uri())
        driver.execute_script("for (const image of document.images) image.loading = 'eager'")
        WebDriverWait(driver, 30).until(
            lambda driver: driver.execute_script(
                "return [...document.images].every(image => image.complete && image.naturalWidth > 0)"
            )
        )
        lefts = driver.execute_script("return [...document.images].map(image => image.getBoundingClientRect().left)")
        assert len(set(lefts)) == columns
        assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        assert driver.get_log("browser") == []
    finally:
        driver.quit()
