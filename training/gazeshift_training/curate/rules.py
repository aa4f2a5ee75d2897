"""The rules that make a pair fit for training, and a count of what each of them removed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from gazeshift_training.instances import Instance


@dataclass(frozen=True)
class ClutterRules:
    """CoCoClutter's rules."""

    fewest_annotations: int = 3
    """A photo with fewer objects is no clutter."""
    area: tuple[float, float] = (0.03, 0.40)
    """Smallest and largest part of the picture."""
    largest_saliency: float = 0.7
    """Mean of the min-max attention map inside the mask; above it the object already stands out."""
    least_saliency: float = 0.0
    """Below it there is nothing to take away; for training the divert direction."""
    fewest_survivors: int = 2
    """A photo with fewer masks left has nothing to shift attention from or to."""
    seed: int = 0
    """Decides which mask of a training photo is kept; validation keeps all."""


@dataclass
class RuleReport:
    """How many photos and masks each rule removed."""

    title: str
    """What the rules were for."""
    photos: int = 0
    """Photos before the first rule."""
    masks: int = 0
    """Masks before the first rule."""
    dropped_photos: Counter[str] = field(default_factory=Counter)
    """Rule to photos removed."""
    dropped_masks: Counter[str] = field(default_factory=Counter)
    """Rule to masks removed."""

    def start(self, photos: int, masks: int) -> None:
        """Add to what there was at first."""
        self.photos += photos
        self.masks += masks

    def drop(self, rule: str, photos: int, masks: int) -> None:
        """Count what a rule removed; a rule that removed nothing is shown too."""
        self.dropped_photos[rule] += photos
        self.dropped_masks[rule] += masks

    def lines(self) -> list[str]:
        """Return a table for people: what each rule removed, and what remained after it."""
        photos, masks = self.photos, self.masks
        lines = [f"{self.title}: {photos} photos, {masks} masks"]
        for rule, count in self.dropped_masks.items():
            photos -= self.dropped_photos[rule]
            masks -= count
            lines.append(
                f"  {rule}: removed {self.dropped_photos[rule]} photos, {count} masks; "
                f"{photos} photos, {masks} masks left"
            )
        return lines


@dataclass(frozen=True)
class CuratedPair:
    """A photo and mask that passed every rule."""

    instance: Instance
    """Which object."""
    saliency: float
    """Mean of the min-max attention map inside its mask, 0-1."""


def curate(
    instances: Iterable[Instance],
    split: str,
    saliency_of: Callable[[Sequence[Instance]], Sequence[float]],
    rules: ClutterRules | None = None,
) -> tuple[list[CuratedPair], RuleReport]:
    """Apply the rules to one split.

    Parameters
    ----------
    instances
        The whole table.
    split
        `train` or `val`.
    saliency_of
        Mean of the min-max attention map inside each of several masks of one photo.
    rules
        Limits; by default the paper's.

    Returns
    -------
    tuple
        The pairs, photos in alphabetical order, and what each rule removed.
    """
    rules = rules or ClutterRules()
    report = RuleReport(split)
    photos: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        if instance.split == split:
            photos[instance.photo].append(instance)
    report.start(len(photos), sum(map(len, photos.values())))
    groups = {
        photo: group for photo, group in photos.items() if len(group) >= rules.fewest_annotations
    }
    _count(report, f"fewer than {rules.fewest_annotations} objects in the photo", photos, groups)
    low, high = rules.area
    sized = _filtered(groups, lambda instance: low <= instance.area <= high)
    _count(report, f"area outside {low:.0%} to {high:.0%}", groups, sized)
    saliency = {
        photo: dict(zip((one.number for one in group), saliency_of(group), strict=True))
        for photo, group in tqdm(sized.items(), split, unit="photo", disable=None)
    }
    unseen = _filtered(sized, lambda one: saliency[one.photo][one.number] <= rules.largest_saliency)
    _count(report, f"saliency above {rules.largest_saliency:g}", sized, unseen)
    if rules.least_saliency > 0.0:
        seen = _filtered(
            unseen, lambda one: saliency[one.photo][one.number] >= rules.least_saliency
        )
        _count(report, f"saliency below {rules.least_saliency:g}", unseen, seen)
        unseen = seen
    clutter = {p: group for p, group in unseen.items() if len(group) >= rules.fewest_survivors}
    _count(report, f"fewer than {rules.fewest_survivors} masks left", unseen, clutter)
    chosen = clutter
    if split == "train":
        generator = np.random.default_rng(rules.seed)
        chosen = {
            photo: [clutter[photo][int(generator.integers(len(clutter[photo])))]]
            for photo in sorted(clutter)
        }
        _count(report, "one mask per photo, at random", clutter, chosen)
    pairs = [
        CuratedPair(one, saliency[photo][one.number])
        for photo in sorted(chosen)
        for one in chosen[photo]
    ]
    return pairs, report


Groups = dict[str, list[Instance]]


def _filtered(groups: Groups, keep: Callable[[Instance], bool]) -> Groups:
    kept = {photo: [one for one in group if keep(one)] for photo, group in groups.items()}
    return {photo: group for photo, group in kept.items() if group}


def _count(report: RuleReport, rule: str, before: Groups, after: Groups) -> None:
    masks = sum(map(len, before.values())) - sum(map(len, after.values()))
    report.drop(rule, len(before) - len(after), masks)
