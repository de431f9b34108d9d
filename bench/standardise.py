"""Gives EZKL the model and the inputs in the form its users give it: standardised features.

EZKL has one scale for all inputs and one for all weights, too coarse for a weight per dollar: in natural units its answers are
wrong by up to 0.49 of a probability, or its calibration finds no parameters. So the standardisation that the committed model holds
in its first Gemm is taken out again: x = z * scale + mean.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper


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
        raise SystemExit("the model's first node must be a Gemm on its input with alpha = beta = 1; try --inputs natural")
    tensors = {t.name: t for t in changed.graph.initializer}
    weight = numpy_helper.to_array(tensors[gemm.input[1]]).astype(np.float64)
    bias = numpy_helper.to_array(tensors[gemm.input[2]]).astype(np.float64)
    by_output = weight if attributes.get("transB", 0) else weight.T
    bias, by_output = bias + by_output @ mean, by_output * scale
    weight = by_output if attributes.get("transB", 0) else by_output.T
    for name, value in ((gemm.input[1], weight), (gemm.input[2], bias)):
        tensors[name].CopyFrom(numpy_helper.from_array(value.astype(np.float32), name))
    return changed, mean, scale
