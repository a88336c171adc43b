"""`zoo study serve|report|export|plan`: would people take a model's samples for real?"""

from __future__ import annotations

import argparse

from zoo import console, data
from zoo.commands.flags import add_data
from zoo.commands.sample import parse_seeds
from zoo.errors import InputError

HELP = "ask people whether they take samples for real: serve the pages, report the answers"
EXAMPLE = "zoo study serve --models dcgan-fashion_mnist,lapgan-fashion_mnist --data fashion_mnist"

DATABASE = "study.sqlite"


def add_flags(command: argparse.ArgumentParser) -> None:
    subparsers = command.add_subparsers(metavar="ACTION", required=True)
    for name, (add, action, text) in ACTIONS.items():
        subparser = subparsers.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        add(subparser)
        subparser.set_defaults(action=action)


def run(arguments: argparse.Namespace) -> None:
    try:
        arguments.action(arguments)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] not in ("jinja2", "sqlalchemy", "starlette", "uvicorn"):
            raise
        raise InputError(f"zoo study needs {error.name}: pip install 'gan-zoo[study]'.") from error


def add_serve_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--models", required=True, metavar="NAME[,NAME]", help="names from `zoo list`, or paths of SavedModels"
    )
    add_data(command)
    command.add_argument(
        "--protocol", default="lapgan", help="lapgan, improved_gan, or a .toml file (default: %(default)s)"
    )
    _add_database(command, "--database", default=DATABASE)
    command.add_argument(
        "--seeds", default="0-149", help="of each model's pictures; as many real ones are taken (default: %(default)s)"
    )
    command.add_argument("--label", help="class of all pictures, by name or number (default: all classes)")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    command.add_argument("--port", type=int, default=8000, help="0 is any that is free (default: %(default)s)")


def serve(arguments: argparse.Namespace) -> None:
    from zoo.study import creation, database, pictures, protocol, serving

    chosen = protocol.load(arguments.protocol)
    seeds = parse_seeds(arguments.seeds)
    paths = arguments.models.split(",")
    models = pictures.described(paths)
    each = -(-chosen.trials // (1 + len(models)))
    if len(set(seeds)) < max(each, len(seeds)):
        raise InputError(
            f"--seeds should be {each} or more, all different: {chosen.trials} trials of {1 + len(models)} sources. "
            f"Received: {arguments.seeds}"
        )
    dataset = data.load(arguments.data, arguments.data_dir, arguments.image_size, arguments.skip_corrupt)
    material = pictures.Material(
        dataset,
        {model["name"]: path for model, path in zip(models, paths, strict=True)},
        seeds,
        arguments.label,
    )

    def make() -> list[pictures.Picture]:
        console.import_tensorflow()
        return list(material.pictures(chosen.examples, chosen.checks))

    study = creation.create(
        database.connect(arguments.database, must_exist=False),
        {
            "protocol": chosen.described(),
            "data": dataset.name,
            "data_fingerprint": dataset.fingerprint,
            "image_shape": dataset.data_shape,
            "models": models,
            "seeds": seeds.tolist(),
            "label": material.label,
        },
        make,
    )
    serving.serve(study, arguments.host, arguments.port)


def _add_database(command: argparse.ArgumentParser, name: str, **settings: object) -> None:
    command.add_argument(
        name, help="an SQLite file, or a URL of SQLAlchemy such as postgresql+psycopg://user@host/name", **settings
    )


ACTIONS = {
    "serve": (add_serve_flags, serve, "serve the pages of a study, or go on serving it"),
}
