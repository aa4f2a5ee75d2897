"""A small ONNX graph writer for the operations the attention networks use.

Writing the graph by hand keeps three promises that a generic exporter does not: initialisers
carry the module's parameter names, so that the file can be read back into the module; weights
are stored in half precision; height and width stay free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from gazeshift_training.backbone import SameConv2d

OPSET = 17
"""Operator-set version of the written files."""
IR_VERSION = 9
"""File-format version; old enough for every supported onnxruntime."""


class GraphWriter:
    """Collects nodes and initialisers.

    Parameters
    ----------
    half_precision
        Store convolution weights as float16 and widen them when the model is loaded.
    """

    def __init__(self, half_precision: bool = True) -> None:
        self.half_precision = half_precision
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self._count = 0

    def add(self, operation: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Append a node and return the name of its one output."""
        self._count += 1
        output = f"{operation.lower()}_{self._count}"
        self.nodes.append(
            helper.make_node(operation, list(inputs), [output], name=output, **attributes)
        )
        return output

    def constant(self, values: Any, kind: type = np.float32) -> str:
        """Store a constant and return its name; equal constants are stored once."""
        array: np.ndarray[Any, Any] = np.asarray(values, kind)
        name = f"constant_{array.dtype}_{'x'.join(map(str, array.shape))}_{array.tobytes().hex()}"
        self.initializers.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def parameter(self, name: str, value: Tensor) -> str:
        """Store a module's parameter under its own name; return the name of its float32 value."""
        array = value.detach().contiguous().numpy().astype(np.float32)
        if self.half_precision and array.ndim == 4 and array.size > 256:
            self.initializers[name] = numpy_helper.from_array(array.astype(np.float16), name)
            return self.add("Cast", [name], to=TensorProto.FLOAT)
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def convolution(self, name: str, module: SameConv2d, features: str) -> str:
        """Append a convolution with the parameters `name.weight` and `name.bias`."""
        if module.bias is None:
            raise ValueError(f"The convolution {name} has no bias.")
        inputs = [
            features,
            self.parameter(f"{name}.weight", module.weight),
            self.parameter(f"{name}.bias", module.bias),
        ]
        return self.add(
            "Conv",
            inputs,
            kernel_shape=list(module.kernel_size),
            strides=list(module.stride),
            pads=[module.before, module.before, module.after, module.after],
            group=module.groups,
        )

    def relu6(self, features: str) -> str:
        """Append a clip to 0-6."""
        return self.add("Clip", [features, self.constant(0.0), self.constant(6.0)])

    def spatial_size(self, features: str) -> str:
        """Append the height and width of a (B, C, H, W) value, as a (2,) value."""
        shape = self.add("Shape", [features])
        return self.add(
            "Slice", [shape, self.constant([2], np.int64), self.constant([4], np.int64)]
        )

    def resize(self, features: str, size: str) -> str:
        """Append a bilinear resize of (B, C, H, W) to the (2,) value `size`."""
        shape = self.add("Shape", [features])
        start, middle = self.constant([0], np.int64), self.constant([2], np.int64)
        front = self.add("Slice", [shape, start, middle])
        sizes = self.add("Concat", [front, size], axis=0)
        return self.add(
            "Resize",
            [features, "", "", sizes],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )

    def model(
        self,
        name: str,
        inputs: list[Any],
        result: str,
        output: Any,
        metadata: dict[str, str],
    ) -> onnx.ModelProto:
        """Finish: name the result as `output` says, add metadata, check the whole."""
        self.nodes.append(helper.make_node("Identity", [result], [output.name], name="result"))
        graph = helper.make_graph(
            self.nodes, name, inputs, [output], list(self.initializers.values())
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="gazeshift-train",
        )
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model
