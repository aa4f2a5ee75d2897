"""One process among several that train together, and the device it works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

Shared = TypeVar("Shared")


@dataclass(frozen=True)
class World:
    """Where this process stands; the default is a process on its own, on the processor."""

    rank: int = 0
    """Number of this process, from 0."""
    size: int = 1
    """How many processes train together."""
    local_rank: int = 0
    """Number of this process on its machine."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    """Where tensors live."""

    @property
    def leads(self) -> bool:
        """Whether this process writes the log, the checkpoints and the pictures."""
        return self.rank == 0

    @property
    def part(self) -> slice:
        """The rows of a step's batch that belong to this process."""
        return slice(self.rank, None, self.size)

    def total(self, values: Tensor) -> Tensor:
        """Add `values` up over all processes."""
        if self.size > 1:
            values = values.detach().clone()
            distributed.all_reduce(values)
        return values

    def share(self, thing: Shared) -> Shared:
        """Return the leading process's `thing`, to all."""
        if self.size == 1:
            return thing
        held: list[Any] = [thing]
        distributed.broadcast_object_list(held, src=0)
        shared: Shared = held[0]
        return shared

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            distributed.barrier()

    def wrap(self, module: nn.Module) -> nn.Module:
        """Make the gradients of `module` averages over all processes."""
        if self.size == 1:
            return module
        return nn.parallel.DistributedDataParallel(
            module,
            device_ids=[self.device.index] if self.device.type == "cuda" else None,
            broadcast_buffers=False,
        )


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises
    ------
    ValueError
        If the device is not known, or not on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"There is no device named {name!r}.") from error
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise ValueError("This machine, or this build of torch, offers no CUDA device.")
        device = torch.device("cuda", local_rank if device.index is None else device.index)
    elif device.type != "cpu":
        raise ValueError(f"The device must be auto, cpu or cuda, not {name!r}.")
    return device


@contextmanager
def open_world(device: str = "auto") -> Iterator[World]:
    """Join the processes that `torchrun` started; without it, work alone.

    Parameters
    ----------
    device
        `auto`, `cpu`, `cuda` or `cuda:N`. Each process of a machine takes its own CUDA device.

    Raises
    ------
    ValueError
        If the device cannot be had.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = choose_device(device, local_rank)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    if size == 1:
        yield World(device=chosen)
        return
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield World(rank, size, local_rank, chosen)
    finally:
        distributed.destroy_process_group()
