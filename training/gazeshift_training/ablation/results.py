"""What a finished variant leaves in its folder: the averaged network and its calibration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gazeshift_training.recipe import fill_recipe
from gazeshift_training.redirector.network import RedirectorNetwork
from gazeshift_training.redirector.recipe import RedirectorRecipe

if TYPE_CHECKING:
    from pathlib import Path

    from gazeshift_training.redirector.calibrate import Effect

RESULT = "result.json"
"""Written last: a folder with this file is finished."""


class Finished(NamedTuple):
    """A variant that was trained and calibrated."""

    network: RedirectorNetwork
    """With the averaged weights."""
    gains: tuple[float, float]
    """Factors along the dial, attract and divert."""
    step: int
    """Steps it was trained for."""


def write_finished(run: Path, step: int, effects: tuple[Effect, Effect]) -> None:
    """Mark a run as finished, with the calibration that was found."""
    about = {
        "step": step,
        "gains": [effect.gain for effect in effects],
        "lpips": [round(effect.lpips, 5) for effect in effects],
    }
    partial = run / f"{RESULT}.partial"
    partial.write_text(json.dumps(about) + "\n", encoding="utf-8")
    partial.replace(run / RESULT)


def read_finished(run: Path) -> Finished | None:
    """Read a finished run; None if it has not finished."""
    if not (run / RESULT).exists():
        return None
    about: dict[str, Any] = json.loads((run / RESULT).read_text(encoding="utf-8"))
    state: dict[str, Any] = torch.load(run / "checkpoint.pt", weights_only=True)
    recipe = fill_recipe(RedirectorRecipe(), state["recipe"])
    network = RedirectorNetwork(recipe.design)
    network.load_state_dict(state["network"])
    attract, divert = about["gains"]
    return Finished(network.eval(), (attract, divert), about["step"])
