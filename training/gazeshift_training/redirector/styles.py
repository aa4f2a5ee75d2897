"""Reads the style back from an edit, which keeps styles different from each other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gazeshift.operators import vector_size
from gazeshift_training.redirector.network import STYLE_SIZE
from gazeshift_training.redirector.ranges import Bounding
from gazeshift_training.redirector.rendering import KNOTS, curves_of

LOOK_KNOTS = 9
"""Places along the tones at which a look is taken."""
VISIBLE_CURVE = 0.02
"""Just visible difference of a curve: five codes of 255."""
VISIBLE_SHARPENING = 0.1
"""Just visible difference of the sharpening's amount."""
SEEN = ("numbers", "look")
"""What styles can be read back from."""


class StyleReader(nn.Module):
    """Four layers of 256 and one of 10, as in the paper, on what is seen and the direction.

    Parameters
    ----------
    bounding
        The network's ranges.
    seen
        `numbers`: the 70 parameters, as in the paper. `look`: by how many just visible steps the
        curves and the sharpening of both regions differ from those of the default style. Photos
        differ more from each other than styles do, so only the difference can be read.

    Raises
    ------
    ValueError
        If `seen` is something else.
    """

    def __init__(self, bounding: Bounding, seen: str = "numbers") -> None:
        super().__init__()
        self.sees_look = seen == "look"
        # Every parameter is seen as a part of its range.
        self.identity: Tensor
        self.span: Tensor
        self.register_buffer("identity", bounding.identity.repeat(2))
        self.register_buffer("span", bounding.span.repeat(2))
        layers: list[nn.Module] = []
        inputs = seen_size(seen) if self.sees_look else len(self.identity)
        inputs += 1
        for _ in range(4):
            layers += [nn.Linear(inputs, 256), nn.LeakyReLU(0.2)]
            inputs = 256
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, STYLE_SIZE))

    def forward(
        self,
        vector: Tensor,
        direction: Tensor,
        default: Tensor | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        """Guess the style (B, 10) of edits.

        Parameters
        ----------
        vector
            Shape (B, 70), the edits' parameters.
        direction
            Shape (B,), 1 or -1.
        default
            Shape (B, 70), the same photos' edits in the default style, where looks are read.
        noise
            Shape (B, `seen_size`), hides differences that are too small to see.
        """
        if self.sees_look:
            if default is None:
                raise ValueError("A look can only be read beside the default style's.")
            seen = look_of(vector) - look_of(default)
            seen = seen if noise is None else seen + noise
        else:
            noisy = vector if noise is None else vector + self.span * noise
            seen = 4.0 * (noisy - self.identity) / self.span
        guess: Tensor = self.layers(torch.cat((seen, direction[:, None]), 1))
        return guess


def seen_size(seen: str) -> int:
    """Return how many numbers a style is read back from.

    Raises
    ------
    ValueError
        If there is no such way of seeing.
    """
    if seen not in SEEN:
        raise ValueError(f"A style is read back from one of {', '.join(SEEN)}, not {seen!r}.")
    return 2 * (3 * LOOK_KNOTS + 1) if seen == "look" else 2 * vector_size()


def look_of(vector: Tensor) -> Tensor:
    """Describe what edits (B, 70) do to tones and detail: (B, 56), in just visible steps."""
    half = vector.shape[1] // 2
    step = (KNOTS - 1) // (LOOK_KNOTS - 1)
    parts: list[Tensor] = []
    for region in (vector[:, :half], vector[:, half:]):
        parts += [
            curves_of(region)[:, :, ::step].flatten(1) / VISIBLE_CURVE,
            region[:, :1] / VISIBLE_SHARPENING,
        ]
    return torch.cat(parts, 1)
