"""Gives EZKL the model and the inputs in the form its users give it: real numbers around zero.

EZKL has one scale for all inputs and one for all weights, too coarse for a weight per dollar: in natural units its answers are
wrong by up to 0.49 of a probability, or its calibration finds no parameters. So what the model does to its input before the first
layer is done to the rows instead: the standardisation that the credit model holds in its first Gemm (x = z * scale + mean), and
the division of pixels by 255.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import numpy_helper


def as_its_users_give_it(model: onnx.ModelProto, rows: np.ndarray) -> tuple[onnx.ModelProto, Callable[[np.ndarray], np.ndarray]]:
    """The changed model, and what turns a row of the old one into a row of it."""
    if model.graph.node[0].op_type == "Div":
        return undivided(model)
    changed, mean, scale = standardised(model, rows)
    return changed, lambda values: (values - mean) / scale


def undivided(model: onnx.ModelProto) -> tuple[onnx.ModelProto, Callable[[np.ndarray], np.ndarray]]:
    """The model without its first node, a division of the input by a number."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    first, given = changed.graph.node[0], changed.graph.input[0].name
    divisor = float(next(numpy_helper.to_array(t) for t in changed.graph.initializer if t.name == first.input[1]))
    del changed.graph.node[0]
    for node in changed.graph.node:
        node.input[:] = [given if name == first.output[0] else name for name in node.input]
    return changed, lambda values: values / divisor


def standardised(model: onnx.ModelProto, rows: np.ndarray) -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    """Returns (model of z, mean, scale); the first node must be a Gemm on the input with fixed weights."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale == 0] = 1.0
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    gemm = changed.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in gemm.attribute}
    plain = attributes.get("alpha", 1.0) == 1.0 == attributes.get("beta", 1.0) and not attributes.get("transA", 0)
    if gemm.op_type != "Gemm" or gemm.input[0] != changed.graph.input[0].name or len(gemm.input) != 3 or not plain:
        raise SystemExit("the model's first node must be a Div by a number, or a Gemm on its input with alpha = beta = 1")
    tensors = {t.name: t for t in changed.graph.initializer}
    weight = numpy_helper.to_array(tensors[gemm.input[1]]).astype(np.float64)
    bias = numpy_helper.to_array(tensors[gemm.input[2]]).astype(np.float64)
    by_output = weight if attributes.get("transB", 0) else weight.T
    bias, by_output = bias + by_output @ mean, by_output * scale
    weight = by_output if attributes.get("transB", 0) else by_output.T
    for name, value in ((gemm.input[1], weight), (gemm.input[2], bias)):
        tensors[name].CopyFrom(numpy_helper.from_array(value.astype(np.float32), name))
    return changed, mean, scale
