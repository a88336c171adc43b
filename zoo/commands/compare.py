"""`zoo compare NAME NAME ... --data D`: scores of models side by side, battles, and the curves of runs together."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

from zoo import console, evaluation, images, metrics
from zoo.commands.flags import SOURCES, add_protocol, read_protocol
from zoo.commands.sample import check_output
from zoo.commands.tables import print_scores, print_table
from zoo.errors import InputError
from zoo.files import expanded, read_rows
from zoo.recipe.workdir import is_workdir

HELP = "score trained models side by side, let them judge each other, and draw the curves of runs together"
EXAMPLE = "zoo compare runs/gan_mnist runs/cgan_mnist --data mnist"
INTERVAL, NO_DIFFERENCE = "95 % INTERVAL", "no difference"


def add_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("models", nargs="+", metavar="NAME", help=f"two or more, each {SOURCES}")
    add_protocol(command, needs_data=False)
    command.add_argument(
        "--out", default="curves.png", help="picture of the curves of workdirs, .png (default: curves.png)"
    )


def run(arguments: argparse.Namespace) -> None:
    names = arguments.models
    if len(set(names)) < max(2, len(names)):
        raise InputError(f"zoo compare takes two or more different models. Received: {' '.join(names)}")
    workdirs = [name for name in names if is_workdir(expanded(name))]
    if not arguments.data and (others := [name for name in names if name not in workdirs]):
        raise InputError(
            f"Scores need --data; without it zoo compare draws workdirs of runs. Received: {', '.join(others)}"
        )
    if workdirs:
        check_output(arguments.out, ".png")
        draw_curves(workdirs, arguments.out)
    if arguments.data:
        print_comparison(arguments)


def draw_curves(workdirs: Iterable[str], out: str) -> None:
    """Writes one picture of all that the runs logged, and prints the last row of each run's scores.

    Raises:
        InputError: a run has logged nothing, or the picture cannot be written.
    """
    runs = {name: logged(expanded(name)) for name in workdirs}
    images.write_png(out, images.panels(runs))
    last = {name: row for name in runs for row in read_rows(expanded(name) / "scores.jsonl")[-1:]}
    if columns := list({column: None for row in last.values() for column in row}):
        shown = {
            name: [f"{row[column]:.4g}" if column in row else "-" for column in columns] for name, row in last.items()
        }
        print_table([("RUN", *columns), *((name, *cells) for name, cells in shown.items())])
    print(f"{out}: the curves of {', '.join(runs)}")


def logged(workdir: Path) -> dict[str, list[tuple[int, float]]]:
    """The steps and values of all losses, scores and metrics of a run, by their names.

    Raises:
        InputError: the run has logged none.
    """
    curves = {}
    for path in sorted(workdir.glob("[!.]*.jsonl")):
        for row in read_rows(path):
            step = row.pop("step")
            for name, value in row.items():
                curves.setdefault(name, []).append((step, value))
    if not curves:
        raise InputError(f"{workdir}: the run has logged nothing yet.")
    return curves


def print_comparison(arguments: argparse.Namespace) -> None:
    """Prints the scores, which of their differences exceed chance, and the battles."""
    console.import_tensorflow()
    models, (real, scores, samples) = read_protocol(arguments, arguments.models)
    of_samples = [name for name in scores if name != evaluation.TEST_ERRORS]
    reports = {name: evaluation.evaluate(model.sample, real, of_samples, samples) for name, model in models.items()}
    if evaluation.TEST_ERRORS in scores:
        for name, model in models.items():
            reports[name].records.append(evaluation.test_errors(model, real.dataset))
    print_scores(reports)
    found = evaluation.differences(real, of_samples, {name: report.rows for name, report in reports.items()})
    if found:
        print()
        print_differences(found)
    print()
    print_battles(evaluation.battles(models, real.dataset))
    print()
    print(
        "intervals: 95 %, by the bootstrap over the samples of these models; `zoo sweep` shows how far models of other "
        "seeds differ"
    )


def print_differences(differences: Iterable[evaluation.Difference]) -> None:
    rows = [
        (
            one.score,
            f"{one.first} - {one.second}",
            f"{one.difference:.4g}",
            f"{one.low:.4g} to {one.high:.4g}",
            one.winner or NO_DIFFERENCE,
        )
        for one in differences
    ]
    print_table([("SCORE", "MODELS", "DIFFERENCE", INTERVAL, "BETTER"), *rows])


def print_battles(battles: Iterable[evaluation.Battle]) -> None:
    rows = [(f"{one.first} - {one.second}", *numbers(one.result), winner(one)) for one in battles]
    print_table([("BATTLE (GAM)", "R_TEST", "R_SAMPLE", INTERVAL, "WINNER"), *rows])


def numbers(result: Mapping | None) -> tuple[str, str, str]:
    """The ratios of a battle and the interval of the second, as a table shows them."""
    if result is None:
        return "-", "-", "-"
    low, high = result["r_sample_interval"]
    return f"{result['r_test']:.3f}", f"{result['r_sample']:.3f}", f"{low:.3f} to {high:.3f}"


def winner(battle: evaluation.Battle) -> str:
    """The name of the model that won, or why none did."""
    if battle.result is None:
        return f"- ({battle.reason})"
    if abs(battle.result["r_test"] - 1) > metrics.TOLERANCE:
        return f"- (R_TEST is not within {metrics.TOLERANCE} of 1: one judge is worse on test images)"
    return {"first": battle.first, "second": battle.second}.get(battle.result["winner"], NO_DIFFERENCE)
