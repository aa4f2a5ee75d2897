"""HAG-like: walk intensity and opponent colours along the sign of a saliency gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gazeshift.edit import Direction
from gazeshift_training.baselines.method import Dial, FloatImage, Method
from gazeshift_training.baselines.opponent_saliency import (
    from_opponents,
    opponent_saliency,
    to_opponents,
)

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

STEPS = 8
"""Puts mean LPIPS near that of the original method in the paper's Table 1b, 0.074."""
STEP = (1.5 / 255, 1.0 / 255, 1.0 / 255)
"""Change per step of intensity, red-green and blue-yellow."""


def walk(rgb: FloatImage, mask: FloatImage, direction: Direction, steps: int = STEPS) -> FloatImage:
    """Raise bottom-up saliency inside the mask and lower it outside (`divert`: the reverse).

    Parameters
    ----------
    rgb
        Shape (H, W, 3), encoded, 0-1.
    mask
        Shape (H, W), 0-1.
    direction
        Which way.
    steps
        Number of steps.

    Returns
    -------
    NDArray
        Shape of `rgb`, 0-1.
    """
    sign = 1.0 if direction == "attract" else -1.0
    region = torch.from_numpy(np.ascontiguousarray(mask))[None, None]
    wish = sign * (2.0 * region - 1.0)
    size = torch.tensor(STEP)[None, :, None, None]
    planes = to_opponents(torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None])
    for _ in range(steps):
        planes = planes.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad((opponent_saliency(planes) * wish).sum(), planes)
        moved = from_opponents(planes.detach() + size * gradient.sign())
        planes = to_opponents(moved.clamp(0.0, 1.0))
    walked: FloatImage = from_opponents(planes.detach())[0].permute(1, 2, 0).clamp(0, 1).numpy()
    return walked


def prepare_gradient_steps(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Walk once; the dial mixes the result with the photo, or goes beyond it."""
    walked = walk(pair.rgb, pair.mask, direction)

    def render(strength: float) -> FloatImage:
        if strength == 0.0:
            return pair.rgb
        mixed = pair.rgb + np.float32(strength) * (walked - pair.rgb)
        return np.asarray(np.clip(mixed, 0.0, 1.0), np.float32)

    return render


METHOD = Method(
    id="hag",
    label="HAG-like",
    help="Steps of intensity and opponent colour along the sign of the gradient of a bottom-up "
    "saliency, up inside the mask and down outside (after Hagiwara et al. 2011).",
    prepare=prepare_gradient_steps,
    order=33,
    version=2,
)
