"""Attention networks as ONNX files, written and read back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from gazeshift_training.attention.network import (
    GRID,
    MAP_STRIDE,
    SMOOTHING_SIDE,
    AttentionDesign,
    AttentionNetwork,
    LevelReader,
    ParallelDecoder,
    PyramidDecoder,
)
from gazeshift_training.attention.onnx_graph import GraphWriter
from gazeshift_training.backbone import EfficientNetLite, InvertedResidual, SameConv2d

if TYPE_CHECKING:
    from numpy.typing import NDArray

TASK = "attention"
"""Value of the metadata key `gazeshift.task`."""
PREFIX = "gazeshift."
"""Stands before every metadata key; the first files went without."""
PROXY_LONG_SIDE = 448
"""Long side in pixels of the pictures the network expects, as in training."""
PARITY_LIMIT = 1e-4
"""Largest accepted difference between torch and onnxruntime, as a part of the map's maximum."""


def export_attention(
    network: AttentionNetwork,
    path: Path,
    *,
    model_id: str,
    version: str,
    data: str,
    licence: str,
    revision: str,
) -> None:
    """Write a network as ONNX: `image` (1, 3, h, w) to `attention` (1, 1, h', w').

    Parameters
    ----------
    network
        What to write; convolution weights are stored in half precision.
    path
        The ONNX file, written beside and renamed.
    model_id, version
        Identify the model.
    data, licence
        What it learnt from, and its licence.
    revision
        Git revision of the training code.
    """
    writer = GraphWriter()
    result = _write_network(writer, network)
    metadata = {
        "gazeshift.model_id": model_id,
        "gazeshift.version": version,
        "gazeshift.task": TASK,
        "gazeshift.proxy_long_side": str(PROXY_LONG_SIDE),
        "gazeshift.data": data,
        "gazeshift.licence": licence,
        "gazeshift.git_revision": revision,
        "gazeshift.design": json.dumps(asdict(network.design), sort_keys=True),
    }
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "h", "w"])]
    output = helper.make_tensor_value_info("attention", TensorProto.FLOAT, [1, 1, "map_h", "map_w"])
    model = writer.model(model_id, inputs, result, output, metadata)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model.SerializeToString())
    partial.replace(path)


def _write_network(writer: GraphWriter, network: AttentionNetwork) -> str:
    size = _write_working_size(writer, network.design.working_area)
    levels = _write_backbone(writer, network.backbone, writer.resize("image", size))
    if isinstance(network.decoder, PyramidDecoder):
        logits = _write_pyramid(writer, network.decoder, levels)
    else:
        logits = _write_parallel(writer, cast(ParallelDecoder, network.decoder), levels)
    cells = writer.add("Div", [size, writer.constant([MAP_STRIDE, MAP_STRIDE], np.int64)])
    margin = SMOOTHING_SIDE // 2
    pads = writer.constant([0, 0, margin, margin, 0, 0, margin, margin], np.int64)
    padded = writer.add("Pad", [writer.resize(logits, cells), pads], mode="edge")
    smooth = writer.add("Conv", [padded, writer.parameter("smoothing", network.smoothing)])
    bias = writer.resize(writer.parameter("centre_bias", network.centre_bias), cells)
    biased = writer.add("Add", [smooth, bias])
    flat = writer.add("Softmax", [writer.add("Flatten", [biased], axis=1)], axis=1)
    return writer.add("Reshape", [flat, writer.add("Shape", [biased])])


def _write_working_size(writer: GraphWriter, area: int) -> str:
    """Write `network.working_size` in double precision, as Python computes it."""
    given = writer.add("Cast", [writer.spatial_size("image")], to=TensorProto.DOUBLE)
    pixels = writer.add("ReduceProd", [given], axes=[0], keepdims=1)
    wanted = writer.constant([float(area)], np.float64)
    scale = writer.add("Sqrt", [writer.add("Div", [wanted, pixels])])
    grid = writer.constant([float(GRID)], np.float64)
    steps = writer.add("Round", [writer.add("Div", [writer.add("Mul", [given, scale]), grid])])
    steps = writer.add("Max", [steps, writer.constant([2.0], np.float64)])
    return writer.add("Cast", [writer.add("Mul", [steps, grid])], to=TensorProto.INT64)


def _write_backbone(writer: GraphWriter, backbone: EfficientNetLite, rgb: str) -> list[str]:
    codes = writer.add("Mul", [rgb, writer.constant(255.0)])
    centred = writer.add("Sub", [codes, writer.constant(127.0)])
    centred = writer.add("Div", [centred, writer.constant(128.0)])
    features = writer.relu6(writer.convolution("backbone.stem", backbone.stem, centred))
    levels: list[str] = []
    for index, module in enumerate(backbone.blocks):
        block, name = cast(InvertedResidual, module), f"backbone.blocks.{index}"
        inner = features
        if block.expand is not None:
            inner = writer.relu6(writer.convolution(f"{name}.expand", block.expand, inner))
        inner = writer.relu6(writer.convolution(f"{name}.depthwise", block.depthwise, inner))
        inner = writer.convolution(f"{name}.project", block.project, inner)
        features = writer.add("Add", [features, inner]) if block.residual else inner
        if index in backbone.level_ends:
            levels.append(features)
    return levels


def _relu_convolution(writer: GraphWriter, name: str, module: SameConv2d, features: str) -> str:
    return writer.add("Relu", [writer.convolution(name, module, features)])


def _write_pyramid(writer: GraphWriter, decoder: PyramidDecoder, levels: list[str]) -> str:
    joined = _relu_convolution(writer, "decoder.coarse", decoder.coarse, levels[2])
    for name, module, features in (
        ("decoder.middle", decoder.middle, levels[1]),
        ("decoder.fine", decoder.fine, levels[0]),
    ):
        larger = writer.resize(joined, writer.spatial_size(features))
        joined = _relu_convolution(
            writer, name, module, writer.add("Concat", [larger, features], axis=1)
        )
    return writer.convolution("decoder.logit", decoder.logit, joined)


def _write_parallel(writer: GraphWriter, decoder: ParallelDecoder, levels: list[str]) -> str:
    total = ""
    for index, (module, features) in enumerate(zip(decoder.readers, levels, strict=True)):
        reader, name = cast(LevelReader, module), f"decoder.readers.{index}"
        mixed = _relu_convolution(writer, f"{name}.mix", reader.mix, features)
        around = _relu_convolution(writer, f"{name}.around", reader.around, mixed)
        further = _relu_convolution(writer, f"{name}.further", reader.further, around)
        summed = writer.add("Add", [mixed, further])
        remixed = _relu_convolution(writer, f"{name}.remix", reader.remix, summed)
        logits = writer.convolution(f"{name}.logit", reader.logit, remixed)
        if total:
            enlarged = writer.resize(logits, writer.spatial_size(levels[0]))
            total = writer.add("Add", [total, enlarged])
        else:
            total = logits
    return total


def read_exported(path: Path | str) -> tuple[AttentionDesign, dict[str, Tensor]]:
    """Read design and weights out of an exported file.

    Parameters
    ----------
    path
        ONNX file written by `export_attention`.

    Returns
    -------
    tuple
        The design, and a state dict in float32 for `AttentionNetwork`.

    Raises
    ------
    ValueError
        If the file is no attention network of this project.
    """
    model = onnx.load(str(path))
    metadata = {entry.key.removeprefix(PREFIX): entry.value for entry in model.metadata_props}
    if metadata.get("task") != TASK or "design" not in metadata:
        raise ValueError(f"{Path(path).name} is no attention network of GazeShift.")
    design = AttentionDesign(**json.loads(metadata["design"]))
    state: dict[str, Tensor] = {}
    for initializer in model.graph.initializer:
        if not initializer.name.startswith("constant_"):
            values = np.array(numpy_helper.to_array(initializer), dtype=np.float32)
            state[initializer.name] = torch.from_numpy(values)
    return design, state


def measure_parity(
    path: Path, network: AttentionNetwork, pictures: list[NDArray[np.uint8]]
) -> float:
    """Compare torch with onnxruntime.

    Parameters
    ----------
    path
        Exported file.
    network
        The torch module, in evaluation mode.
    pictures
        Each of shape (H, W, 3), sRGB codes.

    Returns
    -------
    float
        Largest difference over all maps, each as a part of its map's maximum.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for codes in pictures:
        rgb = np.ascontiguousarray(codes.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        served = session.run(None, {"image": rgb})[0]
        with torch.no_grad():
            trained = network(torch.from_numpy(rgb)).numpy()
        worst = max(worst, float(np.abs(served - trained).max() / trained.max()))
    return worst
