"""What the model under test costs: the time of one prediction, and its size on disk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gazeshift.predict import STYLE_SIZE
from gazeshift.proxy import PROXY_LONG_SIDE

TIMED_RUNS = 15
_WARMING_RUNS = 3


@dataclass(frozen=True)
class EncoderFigures:
    """The cost of a redirector."""

    milliseconds: float
    """Processor time of one prediction on one thread, the median of some."""
    height_px: int
    """Height of the photo that was predicted for."""
    width_px: int
    """Its width."""
    size_bytes: int
    """Size of the file."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dict(vars(self))


def measure_encoder(
    path: Path, height_px: int = PROXY_LONG_SIDE * 3 // 4, width_px: int = PROXY_LONG_SIDE
) -> EncoderFigures:
    """Time predictions on one thread, as onnxruntime serves them.

    Processor time is taken, not the clock: with one thread they are the same on an idle machine,
    and other work on the machine does not count.

    Parameters
    ----------
    path
        The redirector (ONNX).
    height_px, width_px
        Size of the photo; by default a proxy of the usual 4:3.

    Returns
    -------
    EncoderFigures
        Its time and size.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # With a single thread the session computes in the calling one, whose time is taken.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    mask = np.zeros((1, 1, height_px, width_px), np.float32)
    mask[..., height_px // 3 : height_px // 2, width_px // 3 : width_px // 2] = 1.0
    feeds = {
        "image": np.random.default_rng(0).random((1, 3, height_px, width_px), np.float32),
        "mask": mask,
        "style": np.zeros((1, STYLE_SIZE), np.float32),
    }
    taken: list[float] = []
    for _ in range(_WARMING_RUNS + TIMED_RUNS):
        start = time.thread_time()
        session.run(None, feeds)
        taken.append(1e3 * (time.thread_time() - start))
    median = float(np.median(taken[_WARMING_RUNS:]))
    return EncoderFigures(median, height_px, width_px, path.stat().st_size)
