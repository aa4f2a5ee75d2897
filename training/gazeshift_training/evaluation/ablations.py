"""Networks that `gazeshift-train ablate` trained, as methods of the evaluation."""

from __future__ import annotations

import hashlib
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gazeshift.edit import DIRECTIONS, Direction, Edit, RegionParameters
from gazeshift.errors import ParamError
from gazeshift_training.ablation.results import Finished, read_finished
from gazeshift_training.ablation.variants import VARIANTS
from gazeshift_training.baselines.method import Dial, Method, dial_of
from gazeshift_training.redirector.network import STYLE_SIZE
from gazeshift_training.redirector.ranges import scale_edit
from gazeshift_training.redirector.rendering import values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

FIRST_PLACE = 60
"""Place of the first ablation in the table."""


def ablation_methods(folder: Path) -> list[Method]:
    """Return a method for every variant whose training and calibration have finished.

    Parameters
    ----------
    folder
        What `gazeshift-train ablate --run` wrote.

    Raises
    ------
    ParamError
        If no variant has finished.
    """
    methods: list[Method] = []
    for place, variant in enumerate(VARIANTS):
        run = folder / variant.id
        finished = read_finished(run)
        if finished is None:
            continue
        weights = hashlib.sha256((run / "checkpoint.pt").read_bytes()).hexdigest()[:12]
        methods.append(
            Method(
                id=f"ablation-{variant.id}",
                label=f"{variant.label} ({finished.step} steps)",
                help=f"A network trained briefly for comparison: {variant.label}.",
                prepare=partial(_prepare, run),
                kind="ablation",
                on_subset=True,
                has_dial=False,
                stamp=f"weights {weights} at {finished.gains[0]:g}, {finished.gains[1]:g}",
                order=FIRST_PLACE + place,
            )
        )
    if not methods:
        raise ParamError(
            f"{folder.name} holds no finished ablation.",
            hint="Run `gazeshift-train ablate` first.",
        )
    return methods


def edit_of(vector: Tensor, operators: Sequence[str], direction: Direction) -> Edit:
    """Turn both regions' numbers (2 n) into an edit; n is 35, or more with further operators."""
    regions: list[RegionParameters] = []
    for half in vector.reshape(2, 1, -1):
        values = values_of(half, operators)
        regions.append(
            RegionParameters(
                {
                    id_: {name: number[0].tolist() for name, number in values[id_].items()}
                    for id_ in operators
                }
            )
        )
    foreground, background = regions
    return Edit(foreground, background, direction=direction)


@cache
def _opened(run: Path) -> Finished:
    finished = read_finished(run)
    assert finished is not None  # noqa: S101  (it made a method)
    return finished


@torch.no_grad()
def _prepare(run: Path, pair: Pair, direction: Direction, tools: Tools) -> Dial:
    finished = _opened(run)
    design = finished.network.design
    rgb = torch.from_numpy(pair.rgb).permute(2, 0, 1)[None]
    mask = torch.from_numpy(pair.mask)[None, None]
    predicted = finished.network(rgb, mask, torch.zeros(1, STYLE_SIZE))
    place = DIRECTIONS.index(direction)
    vector = scale_edit(predicted[place], finished.gains[place], design.ids)
    return dial_of(edit_of(vector[0], design.operators, direction), pair, design.operators)
