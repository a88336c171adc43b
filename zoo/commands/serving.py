"""`zoo serving config|warmup|check|promote|rollback`: TensorFlow Serving for any set of models."""

from __future__ import annotations

import argparse
import contextlib
import itertools
from pathlib import Path

from zoo import console
from zoo.artefacts.catalogue import find, load, pretrained
from zoo.commands.arguments import stated_path
from zoo.commands.tables import print_table

HELP = "serve trained models with TensorFlow Serving: its files, and a check of a running server"
EXAMPLE = "zoo serving config cgan-mnist dcgan-fashion_mnist --out serving"


def add_flags(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(metavar="ACTION", required=True)

    config = actions.add_parser("config", help="verify models, and write the files that start their server")
    config.add_argument("models", nargs="+", metavar="NAME", help="names from `zoo list`, or paths of artefacts")
    config.add_argument("--out", required=True, type=stated_path, help="folder for the files")
    config.add_argument("--root", help="where the server finds the models, such as /models (default: where they are)")
    config.set_defaults(action=write_config)

    warmup = actions.add_parser("warmup", help="write the requests that a server warms up with, and add them to cards")
    warmup.add_argument("models", nargs="+", metavar="NAME", help="names from `zoo list`, or paths of artefacts")
    warmup.set_defaults(action=write_warmups)

    check = actions.add_parser("check", help="compare a running server with the SavedModels here")
    check.add_argument("urls", nargs="+", metavar="URL", help="http://host:8501 for REST, host:8500 for gRPC")
    check.add_argument("--models", nargs="+", default=[], metavar="NAME", help="default: those that the server has")
    check.add_argument("--timeout", type=float, default=30.0, help="seconds to wait for an answer (default: 30)")
    check.set_defaults(action=check_server)

    for name, text in (
        ("promote", "make a version the stable one (default: the highest)"),
        ("rollback", "make an earlier version the stable one again (default: the one before)"),
    ):
        move = actions.add_parser(name, help=text)
        move.add_argument("model", metavar="NAME", help="the model's name on the server")
        move.add_argument(
            "--config", required=True, type=stated_path, help="the folder that `zoo serving config` wrote"
        )
        move.add_argument("--version", type=int, help="the version's number")
        move.set_defaults(action=move_label, move=name)


def run(arguments: argparse.Namespace) -> None:
    console.import_tensorflow()
    arguments.action(arguments)


def write_config(arguments: argparse.Namespace) -> None:
    from zoo.serving import configuration

    for path in configuration.write(arguments.out, configuration.verified(arguments.models, arguments.root)):
        print(path)


def write_warmups(arguments: argparse.Namespace) -> None:
    from zoo.serving.warmup import add_warmup

    for path in [add_warmup(*find(name)) for name in arguments.models]:
        print(path)


def check_server(arguments: argparse.Namespace) -> None:
    from zoo.serving import Client
    from zoo.serving.check import check, local_names

    rows = []
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(url, timeout=arguments.timeout)) for url in arguments.urls]
        asked = [local_names(client, arguments.models, list(pretrained())) for client in clients]
        for name in dict.fromkeys(itertools.chain(*asked)):  # loading a model takes a second, so once for all servers
            model = load(name)
            served = model.card.get("name", Path(name).name)
            for client, names in zip(clients, asked, strict=True):
                if name in names:
                    found = check(client, served, model)
                    numbers = (str(found.version), str(found.signatures), f"{found.difference:.1e}")
                    rows.append((client.url, served, *numbers))
    rows.sort(key=lambda row: arguments.urls.index(row[0]))
    print_table([("SERVER", "MODEL", "VERSION", "SIGNATURES", "DIFFERENCE"), *rows])


def move_label(arguments: argparse.Namespace) -> None:
    from zoo.serving import labels

    before, now = getattr(labels, arguments.move)(arguments.config, arguments.model, arguments.version)
    print(f"{arguments.model}: stable is version {now}, was {before}")
