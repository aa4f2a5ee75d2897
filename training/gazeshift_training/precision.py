"""Mixed precision on graphics processors; on the processor everything stays as it is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_TYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision:
    """The number format of the networks in a training step.

    Rendering, colour figures and losses always stay in float32.

    Parameters
    ----------
    kind
        `float32`, `bfloat16` or `float16`. The last scales the loss, so that small gradients
        survive.
    device
        Where training runs; only CUDA devices leave float32.

    Raises
    ------
    ValueError
        If the format is not known.
    """

    def __init__(self, kind: str, device: torch.device) -> None:
        if kind not in _TYPES:
            raise ValueError(f"The precision must be one of {sorted(_TYPES)}, not {kind!r}.")
        self.device = device
        self.type = _TYPES[kind] if device.type == "cuda" else None
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.type is torch.float16)

    def context(self) -> Any:
        """Return the context in which networks run."""
        enabled = self.type is not None
        return torch.autocast(self.device.type, self.type or torch.bfloat16, enabled=enabled)

    def distance_context(self) -> Any:
        """Return the context of LPIPS: short numbers change it by less than a per cent."""
        return torch.autocast(self.device.type, self.type or torch.bfloat16)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of `loss`, scaled where the format needs it."""
        scaled: Any = self.scaler.scale(loss)
        scaled.backward()

    def step(self, optimizer: torch.optim.Optimizer, network: Any, limit: float) -> None:
        """Limit the length of the gradient of `network` (0: no limit) and take a step."""
        self.scaler.unscale_(optimizer)
        if limit:
            torch.nn.utils.clip_grad_norm_(network.parameters(), limit)
        self.scaler.step(optimizer)
        self.scaler.update()
