"""Redirector networks as ONNX files: written, and compared with torch and the numpy decoder."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from gazeshift.decoder import apply_regions
from gazeshift.edit import Edit
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.redirector.network import STYLE_SIZE
from gazeshift_training.redirector.ranges import scale_edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gazeshift_training.redirector.networks import AnyRedirector

TASK = "redirector"
"""Value of the metadata key `gazeshift.task`."""
PROXY_LONG_SIDE = 448
"""Long side in pixels of the pictures the network expects."""
OPSET = 18
"""Operator-set version of the written files."""
HALVED_FROM = 20_000
"""Kernels with at least this many numbers are stored in half precision. They hold most of the
bytes; rounding the small ones, depthwise and early kernels, moves pixels twenty times as much."""
PARITY_LIMIT_CODES = 0.5
"""Largest accepted difference of a rendered pixel, in 8-bit codes."""


class Parity(NamedTuple):
    """Largest differences over all compared pairs."""

    parameters: float
    """Between torch's and onnxruntime's numbers, in operator units."""
    rendered_codes: float
    """Between pictures that the numpy decoder renders from either, in 8-bit codes."""
    decoder_codes: float
    """Between the numpy and the torch decoder on the same numbers, in 8-bit codes."""


LATENCY_LIMIT_MS = 15.0
"""What a prediction for one photo may take on one processor thread."""
LARGEST_BYTES = 20_000_000
"""Largest accepted file."""
_TIMED_RUNS = 20


class _Calibrated(nn.Module):
    """The network as it ships: both edits scaled along the dial."""

    def __init__(self, network: AnyRedirector, gains: tuple[float, float]) -> None:
        super().__init__()
        self.network, self.gains = network, gains

    def forward(self, image: Tensor, mask: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        predicted = self.network(image, mask, style)
        return (
            scale_edit(predicted.attract, self.gains[0]),
            scale_edit(predicted.divert, self.gains[1]),
        )


def export_redirector(
    network: AnyRedirector,
    path: Path,
    *,
    model_id: str,
    version: str,
    data: str,
    licence: str,
    revision: str,
    gains: tuple[float, float] = (1.0, 1.0),
    half_precision: bool = True,
) -> None:
    """Write a network as ONNX.

    Parameters
    ----------
    network
        What to write.
    path
        The ONNX file, written beside and renamed.
    model_id, version
        Identify the model.
    data, licence
        What it learnt from, and its licence.
    revision
        Git revision of the training code.
    gains
        Calibration of attract and divert: factors along the dial, baked into the file.
    half_precision
        Store large kernels as float16 and widen them when the model is loaded.

    Raises
    ------
    ValueError
        If the network was made for comparison: it applies the operators in another order than
        the decoder, or applies others.
    """
    operators = network.design.operators
    if operators != tuple(id_ for id_ in DEFAULT_CHAIN if id_ in operators):
        raise ValueError(f"A network that applies {list(operators)} cannot ship.")
    module = _Calibrated(network.eval(), gains).eval()
    example = (
        torch.rand(1, 3, 336, 448),
        torch.zeros(1, 1, 336, 448),
        torch.zeros(1, STYLE_SIZE),
    )
    height, width = torch.export.Dim("h", min=16), torch.export.Dim("w", min=16)
    sides = {2: height, 3: width}
    with warnings.catch_warnings():
        # The exporter warns about its own internals; the parity check judges the result.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            example,
            input_names=["image", "mask", "style"],
            output_names=["attract", "divert"],
            dynamic_shapes={"image": sides, "mask": sides, "style": None},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch gave no ONNX program.")
    model = program.model_proto
    if half_precision:
        _halve_weights(model)
    _strip_notes(model)
    helper.set_model_props(
        model,
        {
            "gazeshift.model_id": model_id,
            "gazeshift.version": version,
            "gazeshift.task": TASK,
            "gazeshift.operators": json.dumps(
                {id_: OPERATORS[id_].spec.version for id_ in DEFAULT_CHAIN}
            ),
            "gazeshift.proxy_long_side": str(PROXY_LONG_SIDE),
            "gazeshift.styles": str(STYLE_SIZE),
            "gazeshift.design": json.dumps(asdict(network.design), sort_keys=True),
            "gazeshift.gains": json.dumps({"attract": gains[0], "divert": gains[1]}),
            "gazeshift.data": data,
            "gazeshift.licence": licence,
            "gazeshift.git_revision": revision,
        },
    )
    onnx.checker.check_model(model, full_check=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model.SerializeToString())
    partial.replace(path)


def _halve_weights(model: Any) -> None:
    """Store large float32 initialisers as float16, with a cast in front of their users."""
    casts: list[Any] = []
    for initializer in model.graph.initializer:
        array = numpy_helper.to_array(initializer)
        # The scaling of the inputs spans too many magnitudes for half precision, and a parameter
        # behind the shared layers' and the heads' matrices is only as exact as they are.
        if array.dtype != np.float32 or array.ndim < 4 or array.size < HALVED_FROM:
            continue
        name = initializer.name
        stored = f"{name}.half"
        initializer.CopyFrom(numpy_helper.from_array(array.astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _strip_notes(model: Any) -> None:
    """Drop what the exporter wrote about the machine it ran on."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    for part in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def measure_parity(
    path: Path,
    network: AnyRedirector,
    pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]],
    gains: tuple[float, float] = (1.0, 1.0),
) -> Parity:
    """Compare torch, onnxruntime and the numpy decoder on photos.

    Parameters
    ----------
    path
        Exported file.
    network
        The torch module it was made from.
    pairs
        Pixels (H, W, 3), sRGB codes, and mask (H, W), 0-1.
    gains
        Calibration the file was written with.

    Returns
    -------
    Parity
        Largest differences; default and random styles take turns.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    module = _Calibrated(network.eval(), gains).eval()
    generator = np.random.default_rng(0)
    worst = [0.0, 0.0, 0.0]
    for turn, (codes, mask) in enumerate(pairs):
        rgb = codes.astype(np.float32) / np.float32(255)
        style = generator.normal(size=(1, STYLE_SIZE)).astype(np.float32) * (turn % 2)
        feeds = {
            "image": np.ascontiguousarray(rgb.transpose(2, 0, 1)[None]),
            "mask": mask[None, None],
            "style": style,
        }
        served = session.run(["attract", "divert"], feeds)
        with torch.no_grad():
            trained = module(*(torch.from_numpy(feed) for feed in feeds.values()))
        for ours, theirs in zip(served, trained, strict=True):
            expected = theirs.numpy()
            worst[0] = max(worst[0], float(np.abs(ours - expected).max()))
            pictures = [_rendered(rgb, mask, vector[0]) for vector in (ours, expected)]
            worst[1] = max(worst[1], 255.0 * float(np.abs(pictures[0] - pictures[1]).max()))
            again = _rendered(torch.from_numpy(rgb), torch.from_numpy(mask), ours[0])
            worst[2] = max(worst[2], 255.0 * float(np.abs(pictures[0] - again.numpy()).max()))
    return Parity(*worst)


def measure_latency_ms(path: Path, height: int = 336, width: int = PROXY_LONG_SIDE) -> float:
    """Time one prediction on one processor thread, as onnxruntime serves it.

    Parameters
    ----------
    path
        Exported file.
    height, width
        Size of the photo in pixels; by default a proxy of the usual 4:3.

    Returns
    -------
    float
        Median milliseconds of some runs, the first ones left out.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    mask = np.zeros((1, 1, height, width), np.float32)
    mask[..., height // 3 : height // 2, width // 3 : width // 2] = 1.0
    feeds = {
        "image": generator.random((1, 3, height, width), np.float32),
        "mask": mask,
        "style": np.zeros((1, STYLE_SIZE), np.float32),
    }
    taken: list[float] = []
    for _ in range(_TIMED_RUNS + 3):
        start = time.perf_counter()
        session.run(None, feeds)
        taken.append(1e3 * (time.perf_counter() - start))
    return float(np.median(taken[3:]))


def _rendered(rgb: Any, mask: Any, vector: NDArray[np.float32]) -> Any:
    edit = Edit.from_vector([float(number) for number in vector], direction="attract")
    return apply_regions(rgb, mask, edit.foreground, edit.background)
