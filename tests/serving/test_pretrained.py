"""Every trained model that ships passes `zoo serving check`, over both transports.

`ZOO_SERVING_URL` names servers that run already, their addresses parted by spaces, to be checked instead.
"""

import os

import pytest

import zoo
from zoo.commands.main import main

pytestmark = pytest.mark.slow

NAMES = list(zoo.pretrained())
SERVERS = 4  # each with some of the models, so that the processes of the tests share them


@pytest.mark.parametrize("names", [NAMES[first::SERVERS] for first in range(SERVERS)], ids=", ".join)
@pytest.mark.usefixtures("optimized_graphs")
def test_every_shipped_model_passes_the_check(start, capsys, names):
    urls = os.environ.get("ZOO_SERVING_URL", "").split() or list(start(names).urls.values())
    assert main(["serving", "check", *urls, "--models", *names]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [[url, name] for url in urls for name in names]
