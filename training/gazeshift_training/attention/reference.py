"""What an attention network is held against: a centre prior, other people, and known edits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gazeshift_training.attention.batches import as_tensor
from gazeshift_training.attention.edits import LOCAL_EDITS, LocalEdit, edit_region
from gazeshift_training.attention.edits import is_applicable as edit_is_applicable
from gazeshift_training.attention.evaluate import mean_scores, score_map
from gazeshift_training.fixations import PhotoFixations, blur_counts, count_fixations

FloatMap = NDArray[np.float32]

EDIT_STRENGTH = 0.5
"""Strength of the edits that a network's direction is measured with: half way to the strongest."""


def fit_centre_prior(photos: Iterable[PhotoFixations]) -> Callable[[int, int], FloatMap]:
    """Fit one Gaussian to all fixations of many photos.

    Parameters
    ----------
    photos
        Training photos.

    Returns
    -------
    Callable
        Maps (height, width) to the prior of that size, which sums to 1.
    """
    points = np.concatenate([entry.points for entry in photos]).astype(np.float64)
    mean, deviation = points.mean(axis=0), points.std(axis=0)

    def prior(height: int, width: int) -> FloatMap:
        x = ((np.arange(width) + 0.5) / width - mean[0]) / deviation[0]
        y = ((np.arange(height) + 0.5) / height - mean[1]) / deviation[1]
        values = np.exp(-0.5 * (x[None, :] ** 2 + y[:, None] ** 2))
        return np.asarray(values / values.sum(), np.float32)

    return prior


def human_ceiling(
    photos: Iterable[tuple[int, int, PhotoFixations]], seed: int = 0
) -> dict[str, float]:
    """Score one half of the observers as a predictor of the other half, both ways.

    Parameters
    ----------
    photos
        Height and width in pixels, and the fixations, of each photo.
    seed
        Decides the halves.

    Returns
    -------
    dict
        As `score_map`. Half the people make a noisier map than all of them, so a network may
        pass this mark in CC without knowing more than people do.
    """
    generator = np.random.default_rng(seed)
    scores: list[dict[str, float]] = []
    for height, width, entry in photos:
        people = generator.permutation(np.unique(entry.observers))
        chosen = np.isin(entry.observers, people[: len(people) // 2])
        for half in (chosen, ~chosen):
            counts = count_fixations(entry.points[half], height, width)
            scores.append(score_map(blur_counts(counts), entry.points[~half]))
    return mean_scores(scores)


@dataclass(frozen=True)
class EditCase:
    """A photo and the region whose attention share is watched."""

    codes: NDArray[np.uint8]
    """Shape (H, W, 3), sRGB codes."""
    mask: NDArray[np.bool_]
    """Shape (H, W)."""


def direction_accuracy(
    share: Callable[[FloatMap, FloatMap], float], cases: Sequence[EditCase]
) -> dict[str, dict[str, float]]:
    """Measure how often a network's attention share moves the way an edit must move it.

    Each edit of `LOCAL_EDITS` is made inside the region, and once more outside it, where it must
    act the other way round.

    Parameters
    ----------
    share
        Maps (rgb (H, W, 3) 0-1, mask (H, W) 0-1) to the attention share inside the mask.
    cases
        Photos with regions.

    Returns
    -------
    dict
        Edit id, such as `darken inside`, to `right` (part of the photos, 0-1), `log_change`
        (mean change of the log share, signed so that the right way is positive) and `photos`.
    """
    table: dict[str, dict[str, float]] = {}
    changes: dict[str, list[float]] = {}
    for case in cases:
        rgb = as_tensor(case.codes)
        region = torch.from_numpy(case.mask).float()[None]
        plain = region[0].numpy()
        before = max(share(_planes_last(rgb), plain), 1e-6)
        for edit in LOCAL_EDITS:
            for place, mask, sign in (("inside", region, 1), ("outside", 1.0 - region, -1)):
                values = changes.setdefault(f"{edit.name} {place}", [])
                if edit_is_applicable(rgb, mask, edit, EDIT_STRENGTH):
                    edited = edit_region(rgb, mask, edit, EDIT_STRENGTH)
                    after = max(share(_planes_last(edited), plain), 1e-6)
                    values.append(sign * edit.direction * float(np.log(after / before)))
    for name, values in changes.items():
        moved = np.asarray(values)
        if len(moved):
            table[name] = {
                "right": float((moved > 0).mean()),
                "log_change": float(moved.mean()),
                "photos": float(len(moved)),
            }
    return table


def edit_names() -> list[str]:
    """List the edit ids in the order tables show them."""
    edits: tuple[LocalEdit, ...] = LOCAL_EDITS
    return [f"{edit.name} {place}" for edit in edits for place in ("inside", "outside")]


def _planes_last(rgb: torch.Tensor) -> FloatMap:
    return np.asarray(rgb.permute(1, 2, 0).numpy(), np.float32)
