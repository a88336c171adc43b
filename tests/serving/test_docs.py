"""What docs/serving.md and its page say, done against a server."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.commands.main import build_parser

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "serving.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def local_pixels(models, seed, label):
    return np.rint(zoo.load(models["cgan"]).sample([seed], label)[0, ..., 0] * 255).astype(np.uint8)


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_curl_alone_draws_a_png(server, models, tmp_path):
    (line,) = (text for language, text in BLOCKS if language == "sh" and "curl" in text)
    line = line.replace("http://localhost:8501", server.urls["rest"]).replace("cgan-mnist", "cgan")
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line.replace('"label": [3]', '"label": [2]')], cwd=tmp_path, check=True
    )
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "three.png")), local_pixels(models, 7, 2))


def test_the_python_example_runs(server, models):
    (text,) = (text for language, text in BLOCKS if language == "python")
    text = text.replace("http://localhost:8501", server.urls["rest"]).replace("cgan-mnist", "cgan")
    found = {}
    exec(text.replace("labels=3", "labels=2").replace("[3] * 8", "[2] * 8"), found)
    assert found["images"].shape == (8, 8, 8, 1)
    assert found["scores"].shape == (8,)
    assert found["pngs"][0].startswith(b"\x89PNG")


def test_every_command_is_one():
    lines = re.findall(r"`?(zoo serving \w+[^`#\n]*)", TEXT)
    assert len(lines) >= 6
    for line in lines:
        build_parser(["serving"]).parse_args(line.split()[1:])


# Enough of a browser for the page's script; prints what the page shows after its button was pressed.
BROWSER = """
const [server, model, seed, label] = process.argv.slice(2);
const elements = { form: {}, "#error": {}, "#samples": {} };
elements.form.addEventListener = (_, press) => { elements.form.press = press; };
elements["#samples"].replaceChildren = (...images) => { elements.shown = images.map((image) => image.src); };
globalThis.document = { querySelector: (name) => elements[name] };
globalThis.FormData = class { *[Symbol.iterator]() { yield* Object.entries({ server, model, seed, label }); } };
globalThis.Image = class {};
SCRIPT
elements.form.press({ preventDefault() {} }).then(() =>
  console.log(JSON.stringify({ error: elements["#error"].textContent, shown: elements.shown ?? [] })));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
class TestPage:
    def press(self, server, folder, *fields):
        script = re.search(r"<script>(.*)</script>", (DOCS / "sample.html").read_text(encoding="utf-8"), re.DOTALL)[1]
        (folder / "page.mjs").write_text(BROWSER.replace("SCRIPT", script))
        command = ["node", folder / "page.mjs", server.urls["rest"], *map(str, fields)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def test_eight_seeds_are_drawn(self, server, models, tmp_path):
        found = self.press(server, tmp_path, "cgan", 5, 1)
        assert found["error"] == ""
        assert len(found["shown"]) == 8
        png = subprocess.run(["base64", "-d"], input=found["shown"][2].partition(",")[2].encode(), capture_output=True)
        (tmp_path / "drawn.png").write_bytes(png.stdout)
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "drawn.png")), local_pixels(models, 7, 1))

    def test_seeds_that_javascript_cannot_hold_are_left_out(self, server, tmp_path):
        assert len(self.press(server, tmp_path, "cgan", 2**53 - 2, -1)["shown"]) == 2

    @pytest.mark.parametrize(("model", "label", "message"), [("cgan", 9, "9 is no class of cgan"), ("cgam", 0, "cgam")])
    def test_errors_are_shown(self, server, tmp_path, model, label, message):
        found = self.press(server, tmp_path, model, 0, label)
        assert found["shown"] == []
        assert message in found["error"]
