"""How different ten random styles look, and how equal their effect is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from gazeshift.attention import attention_share
from gazeshift.edit import DIRECTIONS, Direction, Edit
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift.predict import render_proxy
from gazeshift_training.metrics.averages import nan_mean
from gazeshift_training.metrics.share import ratio_of_means

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel
    from gazeshift.predict import Redirector
    from gazeshift_training.evaluation.pairs import PairSource

STYLES = tuple(range(1, 11))
"""Numbers that draw the styles; 0 would be the default style."""


@dataclass(frozen=True)
class StyleFigures:
    """Random styles of one direction, averaged over photos."""

    direction: Direction
    """Which way."""
    photos: int
    """Photos that were looked at, each with all styles."""
    distance: float
    """Mean difference of a parameter between two styles, as a part of its hard range."""
    difference_codes: float
    """Mean difference of a channel between the pictures of two styles, in 8-bit codes."""
    spread: float
    """Standard deviation of the share after over the styles, as a part of its mean."""
    default_ratio: float
    """Ratio of mean shares of the default style."""
    ratio: float
    """Ratio of mean shares over all styles."""
    smallest_ratio: float
    """Ratio of mean shares of the style with the smallest one."""
    largest_ratio: float
    """Ratio of mean shares of the style with the largest one."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dict(vars(self))


def hard_spans() -> NDArray[np.float64]:
    """Return the width of every number's hard range for both regions, shape (70,)."""
    region = [
        parameter.hard[1] - parameter.hard[0]
        for id_ in DEFAULT_CHAIN
        for parameter in OPERATORS[id_].spec.parameters
        for _ in range(parameter.count)
    ]
    return np.array(2 * region)


def numbers_of(edit: Edit) -> NDArray[np.float64]:
    """Return both regions' numbers, shape (70,)."""
    return np.array([*edit.foreground.to_vector(), *edit.background.to_vector()])


def mean_pairwise(rows: Sequence[NDArray[Any]]) -> float:
    """Average the mean absolute difference over all pairs of rows."""
    return nan_mean(float(np.abs(a - b).mean()) for a, b in combinations(rows, 2))


def measure_styles(
    redirector: Redirector, judge: AttentionModel, sources: Sequence[PairSource]
) -> list[StyleFigures]:
    """Predict every photo in every style, at dial 1.

    Parameters
    ----------
    redirector
        The model; one without styles gives nothing to measure.
    judge
        Measures the shares.
    sources
        The photos, at least one.

    Returns
    -------
    list of StyleFigures
        One per direction; empty for a model without styles.
    """
    if not redirector.has_styles:
        return []
    distances: dict[Direction, list[float]] = {name: [] for name in DIRECTIONS}
    differences: dict[Direction, list[float]] = {name: [] for name in DIRECTIONS}
    shares: dict[Direction, list[list[float]]] = {name: [] for name in DIRECTIONS}
    before: list[float] = []
    spans = hard_spans()
    for source in tqdm(sources, "styles", unit="photo", disable=None):
        pair = source.load()
        before.append(judge.share(pair.rgb, pair.mask))
        predicted = [
            redirector.predict_proxy(pair.proxy, style, measure=False) for style in (0, *STYLES)
        ]
        for direction in DIRECTIONS:
            edits = [both.attract if direction == "attract" else both.divert for both in predicted]
            pictures = [render_proxy(pair.proxy, edit) for edit in edits]
            distances[direction].append(
                mean_pairwise([numbers_of(edit) / spans for edit in edits[1:]])
            )
            differences[direction].append(255.0 * mean_pairwise(pictures[1:]))
            shares[direction].append(
                [attention_share(judge.map(picture), pair.mask) for picture in pictures]
            )
    figures: list[StyleFigures] = []
    for direction in DIRECTIONS:
        after = np.array(shares[direction])
        styled = after[:, 1:]
        ratios = [ratio_of_means(before, column.tolist()) for column in styled.T]
        figures.append(
            StyleFigures(
                direction,
                len(before),
                nan_mean(distances[direction]),
                nan_mean(differences[direction]),
                nan_mean((styled.std(1) / styled.mean(1)).tolist()),
                ratio_of_means(before, after[:, 0].tolist()),
                nan_mean(ratios),
                min(ratios),
                max(ratios),
            )
        )
    return figures


def style_lines(figures: Sequence[StyleFigures]) -> list[str]:
    """Return the figures as a Markdown table."""
    lines = [
        "| direction | photos | parameter distance, % of the hard range | picture difference, "
        "8-bit codes | share spread, % | ratio, default style | all ten | lowest | highest |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.direction} | {row.photos} | {100 * row.distance:.2f} "
        f"| {row.difference_codes:.2f} | {100 * row.spread:.1f} | {row.default_ratio:.3f} "
        f"| {row.ratio:.3f} | {row.smallest_ratio:.3f} | {row.largest_ratio:.3f} |"
        for row in figures
    ]
    return lines
