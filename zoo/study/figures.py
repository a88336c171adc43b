"""The pictures of a report: shares against exposure, as the LAPGAN paper draws them, and rows of the study's images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.files import replacing
from zoo.images import grid, write_png
from zoo.study.analysis import Point, Sensitivity
from zoo.study.pictures import Kind, decoded
from zoo.study.protocol import MEASURES, Protocol, Published

COLOURS = ("#1f77b4", "#d95f02", "#1b9e77", "#7570b3", "#a6761d", "#666666")
REAL_COLOUR = "#c1121f"
MARKERS = "osD^vP"


def draw(path: Path, protocol: Protocol, points: Sequence[Point], sensitivities: Sequence[Sensitivity]) -> None:
    """Draws the share taken for real, with its intervals and the published levels; where levels of right answers are
    published, draws right answers too.

    Args:
        path: the path of the PNG.
        protocol: the study's protocol.
        points: as `analysis.curve` gives them.
        sensitivities: as `analysis.sensitivities` gives them.

    Raises:
        InputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    taken, right = ([level for level in protocol.published if level.measure == measure] for measure in MEASURES)
    overall = [found for found in sensitivities if found.exposure_ms is None]
    second = bool(right and overall)
    figure = Figure(figsize=(12 if second else 8, 5.2), dpi=120, layout="tight")
    axes = figure.subplots(1, 1 + second, squeeze=False)[0]
    _draw_taken(axes[0], protocol, points)
    _draw_levels(axes[0], taken)
    axes[0].set_ylabel("taken for real, %")
    if second:
        for place, found in enumerate(overall):
            _bar(axes[1], place, found.right, found.right_interval, _colour(1 + place), "o")
        _name_places(axes[1], [found.model for found in overall])
        _draw_levels(axes[1], right)
        axes[1].axhline(50, color="#999", linewidth=0.8)
        axes[1].set_ylabel("right answers, %")
    for one in axes:
        one.set_ylim(-3, 103)
        one.grid(axis="y", alpha=0.3)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")


def _draw_taken(axes, protocol: Protocol, points: Sequence[Point]) -> None:
    sources = list(dict.fromkeys(point.source for point in points))
    for place, source in enumerate(sources):
        mine = [point for point in points if point.source == source and point.count.n]
        if not protocol.exposures_ms:
            for point in mine:
                _bar(axes, place, point.count.share, point.interval, _colour(place), MARKERS[place % len(MARKERS)])
            continue
        x = np.array([point.exposure_ms for point in mine]) * 1.012 ** (place - (len(sources) - 1) / 2)  # side by side
        shares = 100 * np.array([point.count.share for point in mine])
        limits = 100 * np.array([point.interval for point in mine]).reshape(-1, 2).T
        errors = np.abs(limits - shares)
        band = 100 * np.array([point.band for point in mine]).reshape(-1, 2)
        axes.fill_between(x, *band.T, color=_colour(place), alpha=0.08, linewidth=0)
        axes.errorbar(
            x, shares, errors, color=_colour(place), marker=MARKERS[place % len(MARKERS)], markersize=4,
            linewidth=1.4, elinewidth=0.9, capsize=2, label="real images" if source == Kind.REAL else source,
        )  # fmt: skip
    if protocol.exposures_ms:
        axes.set_xscale("log")
        axes.set_xticks(protocol.exposures_ms, [f"{ms:g}" for ms in protocol.exposures_ms], rotation=45)
        axes.minorticks_off()
        axes.set_xlabel("exposure, ms")
        axes.legend(fontsize=8, loc="best")
    else:
        _name_places(axes, ["real images" if source == Kind.REAL else source for source in sources])


def _bar(axes, place: int, share: float, interval: tuple[float, float], colour: str, marker: str) -> None:
    errors = [[100 * (share - interval[0])], [100 * (interval[1] - share)]]
    axes.errorbar([place], [100 * share], errors, color=colour, marker=marker, markersize=6, capsize=4)


def _name_places(axes, names: Sequence[str]) -> None:
    axes.set_xticks(range(len(names)), names, rotation=15)
    axes.set_xlim(-0.6, len(names) - 0.4)


def _draw_levels(axes, levels: Sequence[Published]) -> None:
    for level in levels:
        axes.axhline(100 * level.share, color="#555", linestyle=":", linewidth=1)
        axes.annotate(
            f"published: {level.name}, {100 * level.share:g} %",
            xy=(1, 100 * level.share),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=7,
            color="#444",
        )


def _colour(place: int) -> str:
    return REAL_COLOUR if place == 0 else COLOURS[(place - 1) % len(COLOURS)]


def montage(path: Path, pngs: Sequence[bytes]) -> None:
    """Writes pictures of one shape side by side, small ones enlarged.

    Raises:
        InputError: the file cannot be written.
    """
    write_png(path, grid(np.stack([decoded(png) for png in pngs]) / 255, columns=len(pngs)))


def percent(share: float) -> str:
    """A share as the report writes it; a dash where there is none."""
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"
