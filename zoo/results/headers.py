"""The numbers in the headers of recipes: what `Ours` and `Time` say about models that have a record."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Sequence

from zoo.results.numbers import numbers, samples, spread, time, training_seeds
from zoo.results.records import Record, mean_score, seeds_of, trainings

WIDTH = 120
INDENT = 11  # columns before the text of an entry
ENTRY = r"^{name} +(?:.*\n(?: {{11}}.*\n)*)"
# The scores that a header states, in this order, after those that the recipe itself measured; of a record without any
# of them, its first `SAID` scores. Means over several seeds are stated for the first `SAID` alone.
ORDER = ("parzen_log_likelihood", "frechet_distance", "inception_score", "precision_recall")
SAID = 4


def with_scores(source: str, records: Sequence[Record]) -> str:
    """The source of a recipe, its header brought up to date with its records; unchanged if there are none.

    Args:
        source: the recipe's source.
        records: the records of models that the recipe made.
    """
    scored = [record for record in records if record.scores]
    if not scored:
        return source
    trained = trainings(scored)
    several = len(trained) > 1
    source = _replaced(source, "Ours", ". ".join(_said(runs, several) for runs in trained))
    timed = [record for record, *_ in trained if record.facts.get("seconds")]
    return _replaced(source, "Time", "; ".join(_named(r, several) + time(r.facts) for r in timed)) if timed else source


def _replaced(source: str, name: str, text: str) -> str:
    wrapped = textwrap.fill(
        text,
        WIDTH,
        initial_indent=name.ljust(INDENT),
        subsequent_indent=" " * INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    head, quotes, rest = source.partition('\n"""\n')
    head = re.sub(ENTRY.format(name=name), lambda _: f"{wrapped}\n", f"{head}\n", count=1, flags=re.MULTILINE)
    return head.removesuffix("\n") + quotes + rest


def _named(record: Record, several: bool) -> str:
    return f"{record.name}: " if several else ""


def _said(runs: Sequence[Record], several: bool) -> str:
    """The scores of a training in words: of its first run, how many samples they are from, and the mean over all."""
    record = runs[0]
    of_samples = [score for score in record.scores if score.get("n_fake")]
    ordered = [score for function in ORDER for score in of_samples if score.get("function") == function]
    by_recipe = [score for score in of_samples if "function" not in score]
    stated = by_recipe + ordered if ordered else of_samples[:SAID]
    parts = []
    for counted, scores in itertools.groupby(stated, samples):
        parts += [f"{score['score']} {numbers(score)}" for score in scores]
        parts[-1] += f" ({counted})"
    for score in record.scores:
        if not score.get("n_fake"):
            rows = f" ({score['n_real']:,} rows of {score['reference']})" if score.get("n_real") else ""
            parts.append(f"{score['score']} {numbers(score)}{rows}")
    seeds = next(filter(None, map(training_seeds, record.scores)), "")
    between = "; " if seeds else ", "
    said = _named(record, several) + between.join(parts) + (f" ({seeds})" if seeds else "")
    if len(runs) > 1:
        means = filter(None, (mean_score(runs, score["score"]) for score in stated[:SAID]))
        listed = ", ".join(f"{mean['score']} {spread(mean)}" for mean in means)
        said += f". Mean over the training seeds {seeds_of(runs)}: {listed or 'not scored alike'}"
    return said
