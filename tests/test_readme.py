"""README and guides do what they say: each section's commands and programs run, in order, in an empty folder."""

import contextlib
import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zygote
from PIL import Image

import zoo
from zoo import recipe
from zoo.commands.main import COMMANDS, build_parser, main
from zoo.recipe.catalogue import recipes

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", *(f"docs/{name}.md" for name in ("training", "scores", "own", "export")))
OTHERS = {  # what needs a server, browsers or several machines, and the tests of it
    "docs/distributed.md": "test_distributed_docs.py",
    "docs/serving.md": "serving/test_docs.py",
    "docs/study.md": "study/test_docs.py",
}
TEXT = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^#{1,3} (?=[A-Z])", TEXT, flags=re.MULTILINE) if part}
BLOCK = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)

# What is appended to a line to make it short; of a flag given twice, the last counts. Other lines run as they are.
SHORTER = {
    r"\bzoo train \w+\b(?! --help)": "--steps=4 --checkpoint_every=2",
    r"\bzoo train .* --steps 6000$": "--steps=6",
    r"\bzoo sweep ": "--seed=0-1 --steps=4 --checkpoint_every=2 --score_every=4",
}
BY_CI = re.compile(r"pip |pytest")  # the lines that .ci/run runs instead
LIMIT = 300  # seconds for one program


def programs(section):
    """(language, text) of a section's blocks, continued lines joined; neighbours of one language are one program."""
    blocks = [block for block in BLOCK.findall(section) if block[0] != "text"]
    for language, group in itertools.groupby(blocks, key=lambda block: block[0]):
        yield language, "".join(text for _, text in group).replace("\\\n", "")


def shell_lines(section):
    for language, text in programs(section):
        if language == "sh":
            yield from text.splitlines()


def shortened(line):
    command, ampersand, _ = line.partition(" &")
    flags = [flags for pattern, flags in SHORTER.items() if re.search(pattern, command)]
    return " ".join([command, *flags]) + ampersand


def run(command, folder):
    """Runs a command with the `zoo` of `zygote` and this environment's own programs, and everything that it starts."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    environment["PATH"] = os.pathsep.join(
        [str(zygote.programs()), str(Path(sys.executable).parent), environment["PATH"]]
    )
    with (folder / "output.txt").open("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            status = f"none after {LIMIT} s"
        finally:
            with contextlib.suppress(ProcessLookupError):  # also what the command left in the background
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        assert status == 0, f"exit status {status} of {command[-1]}\n{output.read()}"


@pytest.fixture
def folder(tmp_path):
    """An empty folder but for what a reader has: ten photographs, one of them damaged."""
    (tmp_path / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(256, size=(10, 40, 48, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / "photos" / f"{number}.jpg")
    (tmp_path / "photos" / "0.jpg").write_bytes(b"\xff\xd8")
    return tmp_path


@pytest.mark.parametrize("title", [title for title, section in SECTIONS.items() if BLOCK.search(section)])
def test_section(title, folder):
    for language, text in programs(SECTIONS[title]):
        if language == "sh":
            text = "\n".join(shortened(line) for line in text.splitlines() if not BY_CI.match(line))
            run(["bash", "-euo", "pipefail", "-c", text], folder)
        else:
            assert language == "python"
            run([zygote.programs() / "python", "-c", text], folder)


def test_ci_runs_the_lines_that_install_and_test():
    lines = {line for section in SECTIONS.values() for line in shell_lines(section) if BY_CI.match(line)}
    assert lines == {"pip install -e .", "pip install -e '.[test]'", "pytest"}
    assert lines <= set((ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines())


def test_ci_tries_the_oldest_and_the_newest_python_that_setup_promises():
    setup, ci = ((ROOT / name).read_text(encoding="utf-8") for name in ("setup.py", ".ci/run"))
    oldest, above = map(int, re.search(r'python_requires=">=3\.(\d+),<3\.(\d+)"', setup).groups())
    assert f"for python in python3.{oldest} python3.{above - 1}; do" in ci


def test_no_two_sections_have_one_title():
    assert len(SECTIONS) == len(re.findall(r"^#{1,3} (?=[A-Z])", TEXT, flags=re.MULTILINE))


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 220


def test_every_page_is_read_by_a_test():
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert pages == {*PAGES[1:], *OTHERS}
    for page, test in OTHERS.items():
        assert Path(page).name in (ROOT / "tests" / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*PAGES, *OTHERS, "CONTRIBUTING.md"])
def test_every_command_within_a_sentence_is_one(page):
    sentences = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for line in re.findall(r"`zoo (\w+[^`]*)`", sentences):
        words = shlex.split(line)
        assert words[0] in COMMANDS
        if re.search(r"[A-Z-]", line):  # else it names a command, and states no line
            build_parser(words[:1]).parse_args(words)


def test_citation_and_changes_are_of_this_version():
    version = re.search(r'version="(.*?)"', (ROOT / "setup.py").read_text(encoding="utf-8"))[1]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*PAGES, "CONTRIBUTING.md"])
def test_links_lead_somewhere(name):
    page = ROOT / name
    links = re.findall(r"\]\((?!http)([^)]+)\)", page.read_text(encoding="utf-8"))
    assert links
    for place, _, heading in (link.partition("#") for link in links):
        target = page.parent / place if place else page
        assert target.exists(), place
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE) if heading else []
        assert not heading or heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in headings}


def test_the_tree_names_what_there_is():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    names = re.findall(r"^( *)([\w.]+/?)  ", text.partition("```text\n")[2].partition("```")[0], flags=re.MULTILINE)
    inside = {name for indent, name in names if indent}
    assert [name for indent, name in names if not (ROOT / ("zoo" if indent else "") / name).exists()] == []
    assert {path.name for path in (ROOT / "zoo").glob("*.py")} <= inside


def test_every_model_recipe_and_artefact_is_in_the_table():
    for name in (*zoo.MODELS, *recipes(), *zoo.pretrained()):
        assert f"`{name}`" in SECTIONS["Models"] + SECTIONS["The classifiers"]


def test_every_trained_model_in_the_table_ships():
    rows = re.findall(r"^\| \[.* \| (.*) \|$", SECTIONS["Models"], re.MULTILINE)
    names = {name for row in rows for name in re.findall("`(.*?)`", row)}
    assert names
    assert names <= set(zoo.pretrained())


def test_every_flag_exists(capsys):
    for command in ("sample", "interpolate", "evaluate", "compare", "export", "sweep", "train"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
    helps = capsys.readouterr().out + recipe.define_flags("digits", 1, 1, 1).get_help()
    known = {
        prefix + name for no, name in re.findall(r"--(\[no\])?(\w+)", helps) for prefix in ("", "no" if no else "")
    }
    mentioned = set(re.findall(r"`--(\w+)", TEXT))
    assert mentioned
    assert mentioned <= known
