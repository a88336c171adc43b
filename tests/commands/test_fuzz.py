"""Two hundred command lines, put together at random from a fixed seed, end with status 0 or 2, none in a traceback."""

import random
import shlex

import pytest

from zoo.commands.main import main

LINES, SEED = 200, 20
NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "1e12",
    "0.5",
    "x",
    "",
    "nan",
    "3000000000",
    "9" * 30,
    "0-3",
    "3-0",
    "1,5,9",
    "0-3000000000",
)
PATHS = (
    "",
    ".",
    "out",
    "~nobody/x",
    "/proc/x",
    "/dev/null",
    "a" * 300,
    "br[1]",
    "loop",
    "file",
    "toy.png",
    "no/such/folder/a.png",
    "a.gif",
)
NAMES = (
    "toy-digits",
    "toy-digit",
    "",
    ".",
    "/",
    "..",
    "card.json",
    "folder:",
    "-",
    "\u202e",
    "toy-digits/1",
    "n" * 300,
    "loop",
    "file",
)
DATA = (
    "digits",
    "ring",
    "folder:",
    "folder:.",
    "folder:~nobody/x",
    "folder:none",
    "mnis",
    "",
    "digits ",
    "grid",
    "folder:loop",
    f"folder:{'n' * 300}",
)
# Of each command: how many names it takes, and its flags with what their values are picked from.
COMMANDS = {
    "list": (0, {}),
    "show": (1, {}),
    "sample": (1, {"seeds": NUMBERS, "label": NUMBERS, "out": PATHS, "npz": PATHS, "trusted": None}),
    "interpolate": (1, {"seeds": NUMBERS, "steps": NUMBERS, "label": NUMBERS, "truncation": NUMBERS, "out": PATHS}),
    "evaluate": (1, {"data": DATA, "samples": NUMBERS, "scores": NAMES, "features": NAMES, "out": PATHS, "card": None}),
    "compare": (2, {"data": DATA, "samples": NUMBERS, "scores": NAMES, "image_size": NUMBERS}),
    "export": (1, {"out": PATHS, "to": ("tflite", "onnx", "x"), "checkpoint": NUMBERS, "precision": NAMES}),
    "new": (2, {}),
    "sweep": (1, {"seed": NUMBERS, "steps": NUMBERS}),
    "results": (0, {"root": PATHS, "check": None}),
    "serving": (2, {"out": PATHS}),
    "train": (1, {"all": PATHS, "jobs": NUMBERS}),
    "nonsense": (1, {}),
}


def lines():
    draw = random.Random(SEED)
    for _ in range(LINES):
        command = draw.choice(list(COMMANDS))
        count, flags = COMMANDS[command]
        words = [command, *(draw.choice(NAMES) for _ in range(count + draw.choice((0, 0, 0, -1, 1)) if count else 0))]
        for name in draw.sample(list(flags), draw.randint(0, len(flags))):
            words += [f"--{name}"] if flags[name] is None else [f"--{name}", draw.choice(flags[name])]
        yield words


@pytest.fixture(autouse=True)
def obstacles(workplace):
    (workplace / "loop").symlink_to("loop")
    (workplace / "file").touch()


@pytest.mark.parametrize("words", lines(), ids=lambda words: shlex.join(words)[:60])
def test_a_line_ends_in_good_order(words, capsys):
    try:
        status = main(words)
    except SystemExit as end:  # as argparse ends
        status = end.code
    error = capsys.readouterr().err
    assert status in (0, 2), error
    assert "Traceback" not in error
    assert status == 0 or error.strip(), "an error without a message"
