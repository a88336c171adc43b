"""Numbers as documents print them."""

from __future__ import annotations

from collections.abc import Mapping

FORMATS = {
    "inception_score": ".2f",
    "frechet_distance": ".3f",
    "kernel_distance": ".4f",
    "precision_recall": ".3f",
    "mode_coverage": ".3f",
}
SHARES = ("accuracy", "right class")  # words in the titles of scores that are shares of rows


def number(score: Mapping[str, object], field: str = "value") -> str:
    """A value of a record, such as "1.245", "9,944" or "99.44 %"; "-" where there is none."""
    value = score.get(field)
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    value = float(value)  # an infinite one is a string
    if any(word in str(score["score"]) for word in SHARES):
        return f"{value:.2%}".replace("%", " %")
    return format(value, FORMATS.get(str(score.get("function")), ".4g"))


def numbers(score: Mapping[str, object]) -> str:
    """A value, or the values of all training seeds: "8, 8, 7"."""
    values = score.get("values", [score.get("value")])
    return ", ".join(number({**score, "value": value}) for value in values)


def training_seeds(score: Mapping[str, object]) -> str:
    """The seeds that a score's values belong to: "training seeds 0, 1, 2"; empty for one value."""
    seeds = score.get("training_seeds")
    return f"training seeds {', '.join(map(str, seeds))}" if seeds else ""


def spread(score: Mapping[str, object]) -> str:
    """A value with its spread, if it has one: "5.94 ± 0.096"; or the values of several training seeds."""
    if "values" in score:
        return numbers(score)
    spreads = [f" ± {score[name]:.2g}" for name in ("std", "stderr") if name in score]
    return number(score) + "".join(spreads)


def samples(score: Mapping[str, object]) -> str:
    """How many samples a score is from: "10,000 samples, rounded to 8 bits"; for vectors, without the rounding."""
    count = f"{score['n_fake']:,} samples"
    if score.get("rounding"):
        return f"{count}, rounded to {score['rounding']}"
    return f"{count}, not rounded" if score.get("features") else count


def protocol(score: Mapping[str, object]) -> str:
    """What a value depends on, in words: "10,000 samples, rounded to 8 bits; 54,000 rows of fashion_mnist train"."""
    parts = []
    if score.get("n_fake"):
        parts.append(samples(score))
    if score.get("n_real"):
        parts.append(f"{score['n_real']:,} rows of {score['reference']}")
    found = {name: score[name] for name in ("sigma", "pairs", "scales") if name in score}
    settings = [
        f"{name.replace('_', ' ')} {number({'score': name, 'value': value}) if isinstance(value, float) else value}"
        for name, value in {**(score.get("settings") or {}), **found}.items()
        if not _is_long(value)
    ]
    return "; ".join(filter(None, [*parts, *settings, training_seeds(score)]))


def _is_long(value: object) -> bool:
    return isinstance(value, list | dict)


def time(facts: Mapping[str, object]) -> str:
    """How long a training took, and where: "2,283 s on 2 cores of AMD EPYC"."""
    if not facts.get("seconds"):
        return "-"
    return f"{facts['seconds']:,.0f} s" + (f" on {facts['machine']}" if facts.get("machine") else "")
