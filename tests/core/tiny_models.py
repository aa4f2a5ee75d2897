"""Tiny ONNX networks with known answers, for tests of everything that uses a network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS

OPSET = 17
IR_VERSION = 9
ATTENTION_CELL_PX = 8
ATTENTION_GAIN = 4.0


def operator_versions() -> dict[str, int]:
    return {id_: OPERATORS[id_].spec.version for id_ in DEFAULT_CHAIN}


def region_numbers(ev: float = 0.0, contrast: float = 0.0, sharpening: float = 0.0) -> list[float]:
    """The default chain's 35 numbers with straight curves."""
    return [sharpening, ev, contrast, *[1.0] * 32]


def write_attention(path: Path, *, gain: float = ATTENTION_GAIN, **names: str) -> Path:
    """Attention is the softmax of `gain` times the mean brightness of 8 × 8 pixels.

    So brightening a region always raises its share, and `brightness_attention` gives the map.
    """
    image, attention = names.get("image", "image"), names.get("attention", "attention")
    weights = np.array([0.25, 0.5, 0.25], np.float32).reshape(1, 3, 1, 1)
    nodes = [
        helper.make_node("Conv", [image, "weights"], ["grey"]),
        helper.make_node(
            "AveragePool",
            ["grey"],
            ["cells"],
            kernel_shape=[ATTENTION_CELL_PX] * 2,
            strides=[ATTENTION_CELL_PX] * 2,
        ),
        helper.make_node("Mul", ["cells", "gain"], ["scaled"]),
        helper.make_node("Flatten", ["scaled"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["soft"], axis=1),
        helper.make_node("Shape", ["scaled"], ["shape"]),
        helper.make_node("Reshape", ["soft", "shape"], [attention]),
    ]
    graph = helper.make_graph(
        nodes,
        "attention",
        [helper.make_tensor_value_info(image, TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info(attention, TensorProto.FLOAT, [1, 1, "rows", "columns"])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.float32(gain).reshape(()), "gain"),
        ],
    )
    return _save(path, graph, {"gazeshift.model_id": "tiny-attention", "gazeshift.version": "1"})


def brightness_attention(rgb: np.ndarray, gain: float = ATTENTION_GAIN) -> np.ndarray:
    """What `write_attention` computes, in numpy."""
    grey = rgb @ np.array([0.25, 0.5, 0.25], np.float32)
    rows, columns = (side // ATTENTION_CELL_PX for side in grey.shape)
    cells = grey[: rows * ATTENTION_CELL_PX, : columns * ATTENTION_CELL_PX]
    means = cells.reshape(rows, ATTENTION_CELL_PX, columns, ATTENTION_CELL_PX).mean(axis=(1, 3))
    weights = np.exp(gain * (means - means.max()))
    return (weights / weights.sum()).astype(np.float32)


def write_redirector(
    path: Path,
    *,
    attract: Sequence[float] | None = None,
    divert: Sequence[float] | None = None,
    mask_gain: float = 0.0,
    style_gain: float = 0.0,
    metadata: Mapping[str, str | None] | None = None,
    outputs: Sequence[str] = ("attract", "divert"),
) -> Path:
    """Attract and divert are fixed numbers.

    Parameters
    ----------
    path
        File to write.
    attract, divert
        70 numbers each; by default ±0.4 EV inside and ∓0.2 EV outside.
    mask_gain
        Added to the inside's exposure times the mean of the mask, so that an answer shows that
        the mask arrived.
    style_gain
        Added to the inside's exposure times the first number of the style.
    metadata
        Replaces entries; None removes one.
    outputs
        Names of the outputs.
    """
    attract = attract or [*region_numbers(ev=0.4), *region_numbers(ev=-0.2)]
    divert = divert or [*region_numbers(ev=-0.4), *region_numbers(ev=0.2)]
    inside_ev = np.zeros((1, 70), np.float32)
    inside_ev[0, 1] = 1.0
    first_style = np.zeros((10, 1), np.float32)
    first_style[0, 0] = style_gain
    nodes = [
        helper.make_node("ReduceMean", ["mask"], ["mask_mean4"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Flatten", ["mask_mean4"], ["mask_mean"]),
        helper.make_node("Mul", ["mask_mean", "mask_gain"], ["from_mask"]),
        helper.make_node("MatMul", ["style", "first_style"], ["from_style"]),
        # Reads the picture, so that its shape is checked, and adds nothing.
        helper.make_node("ReduceMean", ["image"], ["image_mean4"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Flatten", ["image_mean4"], ["image_mean"]),
        helper.make_node("Mul", ["image_mean", "zero"], ["from_image"]),
        helper.make_node("Add", ["from_mask", "from_style"], ["two"]),
        helper.make_node("Add", ["two", "from_image"], ["extra"]),
        helper.make_node("MatMul", ["extra", "inside_ev"], ["added"]),
        helper.make_node("Add", ["attract_numbers", "added"], [outputs[0]]),
        helper.make_node("Add", ["divert_numbers", "added"], [outputs[1]]),
    ]
    constants = {
        "mask_gain": np.full((1, 1), mask_gain, np.float32),
        "zero": np.zeros((1, 1), np.float32),
        "first_style": first_style,
        "inside_ev": inside_ev,
        "attract_numbers": np.asarray(attract, np.float32)[None],
        "divert_numbers": np.asarray(divert, np.float32)[None],
    }
    graph = helper.make_graph(
        nodes,
        "redirector",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "h", "w"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, "h", "w"]),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 10]),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, len(numbers)])
            for name, numbers in zip(outputs, (attract, divert), strict=True)
        ],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    entries: dict[str, str | None] = {
        "gazeshift.model_id": "tiny-redirector",
        "gazeshift.version": "1",
        "gazeshift.operators": json.dumps(operator_versions()),
        "gazeshift.proxy_long_side": "448",
        "gazeshift.styles": "1" if style_gain else "0",
        **(metadata or {}),
    }
    return _save(path, graph, {key: value for key, value in entries.items() if value is not None})


def write_models(folder: Path) -> Path:
    """Write both networks under the names the product looks for; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_attention(folder / "attention.onnx")
    write_redirector(folder / "redirector.onnx")
    return folder


def _save(path: Path, graph: onnx.GraphProto, metadata: Mapping[str, str]) -> Path:
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
