"""Writes the benchmark models: ONNX file, feature schema, rows to calibrate and to compare on, and one input each.

    python bench/models.py FOLDER [NAME ...]

The weights of all but the credit example are random (He's scaling, seeded): what a proof costs does not depend on them, and what it says is checked against
onnxruntime by the importer's own second reading. Pixels are integers 0..255 and divided by 255 inside the model.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

SEED = 20_261_121
CREDIT = Path(__file__).resolve().parent.parent / "examples" / "credit"


class Net:
    """A model under construction: each method adds a layer and moves on to its result."""

    def __init__(self, name: str, shape: list[int]) -> None:
        self.rng = np.random.default_rng(SEED ^ zlib.crc32(name.encode()))
        self.name, self.shape, self.at, self.outputs = name, shape, "x", 0
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def stored(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def random(self, *shape: int) -> str:
        inputs = int(np.prod(shape[1:]))
        return self.stored(self.rng.normal(0, (2 / inputs) ** 0.5, size=shape))

    def add(self, op: str, inputs: list[str], **attributes: object) -> "Net":
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{op.lower()}{len(self.nodes)}", **attributes))
        self.at = output
        return self

    def pixels(self) -> "Net":
        return self.add("Div", [self.at, self.stored(np.array(255.0))])

    def dense(self, inputs: int, outputs: int) -> "Net":
        bias, self.outputs = self.stored(self.rng.normal(0, 0.05, size=outputs)), outputs
        return self.add("Gemm", [self.at, self.random(outputs, inputs), bias], transB=1)

    def conv(self, inputs: int, outputs: int, kernel: int, stride: int = 1, pad: int = 0, group: int = 1) -> "Net":
        weights = self.random(outputs, inputs // group, kernel, kernel)
        bias = self.stored(self.rng.normal(0, 0.05, size=outputs))
        sizes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4, "group": group}
        return self.add("Conv", [self.at, weights, bias], **sizes)

    def relu(self) -> "Net":
        return self.add("Relu", [self.at])

    def pool(self, op: str = "MaxPool") -> "Net":
        return self.add(op, [self.at], kernel_shape=[2, 2], strides=[2, 2])

    def flatten(self) -> "Net":
        return self.add("Flatten", [self.at])

    def model(self) -> ModelProto:
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)
        made = helper.make_tensor_value_info(self.at, TensorProto.FLOAT, [1, self.outputs])
        graph = helper.make_graph(self.nodes, self.name, [given], [made], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="zkml-evm bench")
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model


def logistic(name: str) -> Net:
    """30 features, one logit."""
    return Net(name, [1, 30]).pixels().dense(30, 1)


def mlp(name: str) -> Net:
    """784-128-10, 101,770 parameters."""
    return Net(name, [1, 784]).pixels().dense(784, 128).relu().dense(128, 10)


def mnist_cnn(name: str) -> Net:
    """28x28, 5x5x4 and 5x5x8 with stride 2, fully connected 10."""
    net = Net(name, [1, 1, 28, 28]).pixels().conv(1, 4, 5, 2).relu().conv(4, 8, 5, 2).relu()
    return net.flatten().dense(128, 10)


def lenet5(name: str) -> Net:
    """LeNet-5 on 28x28 with a pad of 2, with Relu and MaxPool."""
    net = Net(name, [1, 1, 28, 28]).pixels().conv(1, 6, 5, pad=2).relu().pool().conv(6, 16, 5).relu().pool().flatten()
    return net.dense(400, 120).relu().dense(120, 84).relu().dense(84, 10)


def depthwise(name: str) -> Net:
    """A MobileNet block on 16x16x3: 3x3 with stride 2 to 8 channels, depthwise 3x3, pointwise to 16, mean, fully connected 10."""
    net = Net(name, [1, 3, 16, 16]).pixels().conv(3, 8, 3, 2, 1).relu().conv(8, 8, 3, pad=1, group=8).relu().conv(8, 16, 1).relu()
    return net.add("GlobalAveragePool", [net.at]).flatten().dense(16, 10)


def resnet(name: str) -> Net:
    """A residual net for 32x32 images: three stages of three blocks with 16, 32 and 64 channels. Its file is larger than 1 MB."""
    net = Net(name, [1, 3, 32, 32]).pixels().conv(3, 16, 3, pad=1).relu()
    channels = 16
    for block in range(9):
        outputs = [16, 16, 16, 32, 32, 32, 64, 64, 64][block]
        stride = 2 if outputs > channels else 1
        before = net.at
        net.conv(channels, outputs, 3, stride, 1).relu().conv(outputs, outputs, 3, pad=1)
        main = net.at
        if stride > 1:
            net.at = before
            net.conv(channels, outputs, 1, stride)
            before = net.at
        net.add("Add", [main, before]).relu()
        channels = outputs
    return net.add("GlobalAveragePool", [net.at]).flatten().dense(64, 10)


MODELS: dict[str, Callable[[str], Net]] = {
    make.__name__: make for make in (logistic, mlp, mnist_cnn, lenet5, depthwise, resnet)
}


# Rows of each kind; a net whose float reference takes seconds for a row gets fewer to be compared on.
CALIBRATION, ERRORS, FEW = 20, 64, 8


def save(target: Path, model: ModelProto, schema: dict, rows: list, proven: list) -> None:
    """`calibration.json` is for EZKL; errors are measured on the rows of `errors.json`, which neither side has seen before."""
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    (target / "schema.json").write_text(json.dumps(schema))
    parts = {"calibration": rows[:CALIBRATION], "errors": rows[CALIBRATION:], "input": proven}
    for name, part in parts.items():
        (target / f"{name}.json").write_text(json.dumps({"input_data": part}))


def write_random(target: Path, net: Net) -> None:
    model, count = net.model(), int(np.prod(net.shape))
    features = [{"name": f"p{i}", "unit": "", "decimals": 0, "min": 0, "max": 255} for i in range(count)]
    schema = {"version": 1, "name": net.name, "features": features}
    errors = ERRORS if count < 2_000 else FEW
    rows = net.rng.integers(0, 256, size=(CALIBRATION + errors, count)).tolist()
    save(target, model, schema, rows, rows[:1])
    parameters = sum(int(np.prod(w.dims)) for w in net.weights)
    print(f"{net.name}: {parameters} parameters, {len(model.SerializeToString())} bytes", file=sys.stderr)


def write_credit(target: Path, logit: bool) -> None:
    """The example's model with its real rows; `logit` cuts it before its Sigmoid."""
    model = onnx.load(CREDIT / "credit_mlp.onnx")
    if logit:
        last = model.graph.node.pop()
        if last.op_type != "Sigmoid":
            raise SystemExit("the credit model does not end in a Sigmoid")
        model.graph.output[0].name = last.input[0]
    rows = json.loads((CREDIT / "calibration.json").read_text())["input_data"][: CALIBRATION + ERRORS]
    proven = json.loads((CREDIT / "applicant_list.json").read_text())["input_data"]
    save(target, model, json.loads((CREDIT / "credit_schema.json").read_text()), rows, proven)


def write(folder: Path, name: str) -> None:
    if name in ("credit", "credit_logit"):
        write_credit(folder / name, logit=name == "credit_logit")
    else:
        write_random(folder / name, MODELS[name](name))


def main() -> None:
    for name in sys.argv[2:] or ["credit", "credit_logit", *MODELS]:
        write(Path(sys.argv[1]), name)


if __name__ == "__main__":
    main()
