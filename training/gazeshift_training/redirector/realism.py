"""A network that says whether an edit looks plausible, and the made-up edits that teach it."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS, vector_size
from gazeshift_training.redirector.network import RedirectorDesign, RedirectorNetwork
from gazeshift_training.redirector.ranges import centre_slopes

if TYPE_CHECKING:
    from pathlib import Path

PLAUSIBLE_PART = 0.15
"""Part of each parameter's way to its hard limit that a plausible edit stays within."""
EXTREME_PART = (0.5, 1.0)
"""The same for an implausible edit: at least, and at most."""
PLAUSIBLE_COUNT, EXTREME_COUNT = (1, 2), (2, 4)
"""Fewest and most operators of either kind of edit."""


@dataclass(frozen=True)
class RealismDesign:
    """All that is needed to build a realism network before its weights are known."""

    backbone: str = "efficientnet_lite0"
    """Name out of `gazeshift_training.backbone.VARIANTS`."""
    working_side: int = 224
    """Side of the square the photo is resized to, a multiple of 32."""
    trunk: int = 128
    """Width of the layers behind the features."""


class RealismNetwork(nn.Module):
    """Judge an edited photo, with the mask but without the photo as it was.

    It sees as the redirector does: pretrained features and plain statistics, averaged inside the
    mask, outside it and everywhere.

    Parameters
    ----------
    design
        What to build.

    References
    ----------
    Miangoleh et al. (2023), Realistic saliency guided image enhancement: a network pretrained on
    plausible against implausible edits, then frozen. Our network, ranges and loss differ.
    """

    def __init__(self, design: RealismDesign | None = None) -> None:
        super().__init__()
        self.design = design or RealismDesign()
        eyes = RedirectorDesign(
            backbone=self.design.backbone,
            working_side=self.design.working_side,
            trunk=self.design.trunk,
            head=1,
        )
        self.eyes = RedirectorNetwork(eyes)
        # Only its trunk looks; what would predict edits is taken out.
        self.eyes.heads = nn.ModuleDict()
        self.verdict = nn.Sequential(nn.SiLU(), nn.Linear(self.design.trunk, 1))

    def logits(self, rgb: Tensor, mask: Tensor) -> Tensor:
        """Return the log odds (B,) that an edit is plausible."""
        found: Tensor = self.verdict(self.eyes.trunk(rgb, mask))
        return found[:, 0]

    def forward(self, rgb: Tensor, mask: Tensor) -> Tensor:
        """Say how plausible edits look.

        Parameters
        ----------
        rgb
            Shape (B, 3, H, W), sRGB 0-1; gradients pass through.
        mask
            Shape (B, 1, H, W), 0-1.

        Returns
        -------
        Tensor
            Shape (B,), 0 for implausible to 1 for plausible.
        """
        return self.logits(rgb, mask).sigmoid()


def draw_edit(generator: np.random.Generator, *, plausible: bool) -> NDArray[np.float32]:
    """Draw a made-up edit: the mask, the rest, or both are changed by a few operators.

    Parameters
    ----------
    generator
        Source of chance.
    plausible
        1-2 operators within 15 % of their way to the limits, or 2-4 operators at 50-100 %.

    Returns
    -------
    ndarray
        Shape (70,), operator units.
    """
    regions = [(True, False), (False, True), (True, True)][int(generator.integers(3))]
    parts = [_draw_region(generator, plausible if chosen else None) for chosen in regions]
    return np.concatenate(parts)


def _draw_region(generator: np.random.Generator, plausible: bool | None) -> NDArray[np.float32]:
    """Draw one region's numbers (35,); None leaves it as it is."""
    chosen: set[str] = set()
    if plausible is not None:
        fewest, most = PLAUSIBLE_COUNT if plausible else EXTREME_COUNT
        count = int(generator.integers(fewest, most + 1))
        chosen = {str(id_) for id_ in generator.permutation(list(DEFAULT_CHAIN))[:count]}
    pieces: list[NDArray[np.float32]] = []
    for id_ in DEFAULT_CHAIN:
        for parameter in OPERATORS[id_].spec.parameters:
            values = np.full(parameter.count, parameter.identity, np.float64)
            if id_ in chosen:
                low, high = parameter.hard
                sign = generator.choice([-1.0, 1.0], parameter.count)
                part = generator.uniform(*((0.0, PLAUSIBLE_PART) if plausible else EXTREME_PART))
                limit = np.where(sign > 0, high, low)
                values = parameter.identity + part * (limit - parameter.identity)
                if parameter.is_relative:
                    slopes = torch.from_numpy(values)[None]
                    values = centre_slopes(slopes, low, high)[0].numpy()
            pieces.append(values.astype(np.float32))
    numbers = np.concatenate(pieces)
    if numbers.shape != (vector_size(),):
        raise ValueError("An edit has another size than the operators ask for.")
    return numbers


def save_realism(network: RealismNetwork, path: Path, about: dict[str, Any]) -> None:
    """Write a realism network with its design, beside and renamed."""
    state = {"design": asdict(network.design), "about": about, "network": network.state_dict()}
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_realism(path: Path) -> RealismNetwork:
    """Read a realism network, frozen.

    Raises
    ------
    ValueError
        If the file is no realism network.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        network = RealismNetwork(RealismDesign(**state["design"]))
        network.load_state_dict(state["network"])
    except (KeyError, TypeError, RuntimeError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is no realism network: {error}") from error
    return network.requires_grad_(False).eval()
