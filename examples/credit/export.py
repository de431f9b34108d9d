"""Writes the trained network as ONNX, in natural units, and says what the file must answer."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from network import Layer, pre_activations, probability

OPSET = 13
IR_VERSION = 8


def to_natural_units(layers: list[Layer], mean: np.ndarray, scale: np.ndarray) -> list[Layer]:
    """Folds z = (x - mean) / scale into the first layer, then rounds every number to float32 as the file holds it."""
    first = layers[0]
    folded = Layer(first.weight / scale, first.bias - first.weight @ (mean / scale))
    return [Layer(la.weight.astype(np.float32), la.bias.astype(np.float32)) for la in [folded, *layers[1:]]]


def to_onnx(layers: list[Layer]) -> bytes:
    """Gemm, Relu, ..., Gemm, Sigmoid; `applicant` float32 [1, 12] to `probability` float32 [1, 1]."""
    nodes, weights, value = [], [], "applicant"
    for number, layer in enumerate(layers, start=1):
        name = f"dense{number}"
        weights += [
            numpy_helper.from_array(layer.weight, f"{name}.weight"),
            numpy_helper.from_array(layer.bias, f"{name}.bias"),
        ]
        result = "logit" if number == len(layers) else f"{name}.out"
        nodes.append(
            helper.make_node("Gemm", [value, f"{name}.weight", f"{name}.bias"], [result], name=name, transB=1)
        )
        if number < len(layers):
            value = f"relu{number}.out"
            nodes.append(helper.make_node("Relu", [result], [value], name=f"relu{number}"))
    nodes.append(helper.make_node("Sigmoid", ["logit"], ["probability"], name="sigmoid"))
    graph = helper.make_graph(
        nodes,
        "credit_mlp",
        [helper.make_tensor_value_info("applicant", TensorProto.FLOAT, [1, layers[0].weight.shape[1]])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [1, 1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="examples/credit")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def exact_answers(layers: list[Layer], inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(logit, probability) of the float32 weights, computed in float64, so that they do not depend on a runtime."""
    wide = [Layer(la.weight.astype(np.float64), la.bias.astype(np.float64)) for la in layers]
    logit = pre_activations(wide, inputs)[-1][:, 0]
    return logit, probability(logit)


def runtime_answers(model: bytes, inputs: np.ndarray) -> np.ndarray:
    """Probabilities by onnxruntime, one row at a time as the static shape asks."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rows = inputs.astype(np.float32)[:, None, :]
    return np.array([session.run(None, {"applicant": row})[0].item() for row in rows])
