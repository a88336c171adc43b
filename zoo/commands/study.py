"""`zoo study serve|report|export|plan`: would people take a model's samples for real?"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from zoo import console, data
from zoo.commands.arguments import stated_path
from zoo.commands.flags import add_data
from zoo.commands.sample import parse_seeds
from zoo.errors import InputError, require_positive

if TYPE_CHECKING:
    from zoo.study.store import Study

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
        package = error.name.partition(".")[0]
        if package not in ("jinja2", "sqlalchemy", "starlette", "uvicorn"):
            raise
        raise InputError(f"zoo study needs {package}: pip install 'gan-zoo[study]'.") from error


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
        "--seeds", default="0-149", help="of each model's pictures; equally many are real (default: %(default)s)"
    )
    command.add_argument("--label", help="class of all pictures, by name or number (default: all classes)")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    command.add_argument("--port", type=int, default=8000, help="0 for any that is free (default: %(default)s)")


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


def add_report_flags(command: argparse.ArgumentParser) -> None:
    _add_database(command, "database")
    command.add_argument(
        "--out", type=stated_path, default="report", help="folder for the report (default: %(default)s)"
    )
    command.add_argument("--attentive", action="store_true", help="leave out the subjects who failed their checks")


def report(arguments: argparse.Namespace) -> None:
    from zoo.study import report

    for path in report.write(_study(arguments.database), arguments.out, arguments.attentive):
        print(path)


def add_export_flags(command: argparse.ArgumentParser) -> None:
    _add_database(command, "database")
    command.add_argument("--out", type=stated_path, default="answers.csv", help="file to write (default: %(default)s)")


def export(arguments: argparse.Namespace) -> None:
    from zoo.study import records

    found = records.read(_study(arguments.database))
    records.export(found, arguments.out)
    print(f"{arguments.out}: {len(found)} answers")


def add_plan_flags(command: argparse.ArgumentParser) -> None:
    for name, which in (("first", "one model"), ("second", "another")):
        command.add_argument(name, type=float, help=f"share of {which}'s pictures taken for real, such as 0.4")
    command.add_argument(
        "--power", type=float, default=0.8, help="chance of finding the difference (default: %(default)s)"
    )
    command.add_argument("--protocol", default="lapgan", help="as for `zoo study serve` (default: %(default)s)")
    command.add_argument("--models", type=int, default=2, help="how many are compared (default: %(default)s)")


def plan(arguments: argparse.Namespace) -> None:
    from zoo.study import protocol, simulation

    require_positive(models=arguments.models)
    chosen = protocol.load(arguments.protocol)
    each = simulation.answers_needed(arguments.first, arguments.second, arguments.power)
    found = simulation.power(arguments.first, arguments.second, each)
    subjects = math.ceil(each * (1 + arguments.models) / chosen.trials)
    print(f"answers to each model: {each:,}")
    print(f"subjects, of one session each: {subjects:,} ({chosen.trials} trials of {1 + arguments.models} sources)")
    print(f"simulated studies of that size that told the models apart: {100 * found:.1f} %")
    print("(a two-sided test at 5 %, of answers that are independent of each other)")


def _study(database: str) -> Study:
    from zoo.study.database import connect
    from zoo.study.store import Study

    return Study(connect(database, must_exist=True))


def _add_database(command: argparse.ArgumentParser, name: str, **settings: object) -> None:
    command.add_argument(
        name, help="an SQLite file, or a URL of SQLAlchemy such as postgresql+psycopg://user@host/name", **settings
    )


ACTIONS = {
    "serve": (add_serve_flags, serve, "serve the pages of a study, or go on serving it"),
    "report": (add_report_flags, report, "write a page, a figure and tables of the answers"),
    "export": (add_export_flags, export, "write all answers as CSV"),
    "plan": (add_plan_flags, plan, "say how many answers tell two models apart"),
}
