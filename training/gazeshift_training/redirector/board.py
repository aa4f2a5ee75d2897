"""TensorBoard beside the log: figures, and pictures before and after. Optional."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from gazeshift_training.redirector.held_out import Shown

MISSING = (
    "TensorBoard is not installed (pip install tensorboard); the figures are in log.jsonl alone."
)
"""Said once where it is missing."""


class Board:
    """Writes event files for TensorBoard.

    Parameters
    ----------
    folder
        Folder of the run.
    step
        Where the run stands; what an interrupted run wrote beyond is hidden.

    Raises
    ------
    ImportError
        If tensorboard is not installed.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        writer: Any = SummaryWriter
        self._writer = writer(str(folder), purge_step=step + 1)

    def figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Write the figures of a step; `held_` ones into a group of their own."""
        for name, value in figures.items():
            group, _, rest = name.partition("held_")
            tag = f"held out/{rest}" if not group and rest else f"training/{name}"
            self._writer.add_scalar(tag, value, step)

    def pictures(self, step: int, shown: Iterable[Shown]) -> None:
        """Write pictures, before on the left and after on the right."""
        for one in shown:
            pair = torch.cat((one.before, one.after), 2).clamp(0.0, 1.0)
            self._writer.add_image(one.name, pair, step)

    def close(self) -> None:
        """Write what is pending."""
        self._writer.close()


def open_board(folder: Path, step: int) -> Board | None:
    """Open the board of a run; None where tensorboard is not installed."""
    try:
        return Board(folder, step)
    except ImportError:
        return None
