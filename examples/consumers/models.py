"""The models of the worked consumers: small, and made so that what they compute can be read off their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8


@dataclass(frozen=True)
class Feature:
    """One input: real value = integer / 10^decimals, and the integer lies between min and max."""

    name: str
    unit: str
    decimals: int
    min: int
    max: int


@dataclass(frozen=True)
class Example:
    """A model, the form of its inputs, how to draw one of them, and the one that the stored proofs are about."""

    name: str
    features: list[Feature]
    model: ModelProto
    draw: Callable[[np.random.Generator], np.ndarray]
    sample: list[float]


def tensor(name: str, values: object) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)


def indices(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def dense(name: str, source: str, output: str, weight: object, bias: object) -> tuple[NodeProto, list[TensorProto]]:
    """output = weight @ source + bias."""
    inputs = [source, f"{name}.weight", f"{name}.bias"]
    stored = [tensor(inputs[1], weight), tensor(inputs[2], bias)]
    return helper.make_node("Gemm", inputs, [output], name=name, transB=1), stored


def graph(nodes: list[NodeProto], inputs: int, outputs: int, weights: list[TensorProto]) -> ModelProto:
    """From `x`, float32 [1, inputs], to `y`, float32 [1, outputs]."""
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, size]) for n, size in (("x", inputs), ("y", outputs))]
    made = helper.make_graph(nodes, "example", ends[:1], ends[1:], weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="zkml-evm examples")
    model.ir_version = IR_VERSION
    return model


def uniform(features: list[Feature]) -> Callable[[np.random.Generator], np.ndarray]:
    """Any integers that the schema admits, as real values."""
    lo, hi = np.array([f.min for f in features]), np.array([f.max for f in features])
    scale = 10.0 ** np.array([f.decimals for f in features])
    return lambda rng: rng.integers(lo, hi + 1) / scale


def age(_: np.random.Generator) -> Example:
    """Age in days on the day of the attestation. The document's other fields are committed to with it, and weigh nothing.

    Whoever was born before 1950 is entered as born on its first day: the difference of two days then takes 15 bits, and the
    program of integers computes it exactly."""
    features = [
        Feature("birth_day", "days since 1950-01-01", 0, 0, 32_767),
        Feature("attested_day", "days since 1950-01-01", 0, 25_567, 32_767),
        Feature("country", "ISO 3166-1 number", 0, 0, 999),
        Feature("document_high", "first six digits", 0, 0, 999_999),
        Feature("document_low", "last six digits", 0, 0, 999_999),
    ]
    fc, weights = dense("age", "x", "y", [[-1, 1, 0, 0, 0]], [0])
    return Example("age", features, graph([fc], 5, 1, weights), uniform(features), [14_610, 28_138, 276, 123_456, 789_012])


def diagnosis(rng: np.random.Generator) -> Example:
    """The nearest of four mean scans: the largest of mean . x - |mean|^2 / 2. Each kind of scan is bright in one quadrant."""
    side, classes = 6, 4
    features = [Feature(f"pixel{i}", "", 0, 0, 255) for i in range(side * side)]
    row, column = np.indices((side, side)).reshape(2, -1) // (side // 2)
    bright = np.stack([(2 * row + column) == kind for kind in range(classes)])

    def scan(rng: np.random.Generator, kind: int) -> np.ndarray:
        return np.clip(np.where(bright[kind], 150, 60) + rng.normal(0, 25, side * side), 0, 255).round()

    means = np.stack([np.mean([scan(rng, kind) for _ in range(64)], axis=0) for kind in range(classes)]).round() / 256
    fc, weights = dense("centroids", "x", "y", means, -128 * (means**2).sum(axis=1))
    model = graph([fc], side * side, classes, weights)
    sample = scan(np.random.default_rng(1), 2).tolist()
    return Example("diagnosis", features, model, lambda rng: scan(rng, int(rng.integers(classes))), sample)


def opponent(_: np.random.Generator) -> Example:
    """Noughts and crosses with rules as weights: win, else block, else the middle, a corner, an edge; never a taken cell.

    A cell is 1 for the player, -1 for the model, 0 if free. For each line and each of its cells two hidden units see
    whether the other two are both the model's (worth 64) or both the player's (worth 16); two more see a taken cell."""
    features = [Feature(f"cell{i}", "", 0, -1, 1) for i in range(9)]
    lines = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
    units: list[tuple[list[int], int, int, int, int]] = []  # cells, their weight, bias, the cell it speaks for, its worth
    for line in lines:
        for cell in line:
            others = [c for c in line if c != cell]
            units += [(others, -1, -1, cell, 64), (others, 1, -1, cell, 16)]
    for cell in range(9):
        units += [([cell], 1, 0, cell, -256), ([cell], -1, 0, cell, -256)]
    first, second = np.zeros((len(units), 9)), np.zeros((9, len(units)))
    for unit, (cells, weight, _bias, cell, worth) in enumerate(units):
        first[unit, cells], second[cell, unit] = weight, worth
    taste = [3, 2, 3, 2, 4, 2, 3, 2, 3]
    see, w1 = dense("see", "x", "h", first, [bias for _, _, bias, _, _ in units])
    judge, w2 = dense("judge", "r", "y", second, taste)
    nodes = [see, helper.make_node("Relu", ["h"], ["r"], name="relu"), judge]
    board = [1, 0, 0, 0, -1, 0, 0, 0, 1]
    return Example("opponent", features, graph(nodes, 9, 9, w1 + w2), uniform(features), board)


def biometric(rng: np.random.Generator) -> Example:
    """Minus the squared distance of probe and template under a metric: -|W (probe - template)|^2."""
    size = 8
    features = [Feature(f"{what}{i}", "", 3, -1_000, 1_000) for what in ("probe", "template") for i in range(size)]
    metric = (np.eye(size) + rng.normal(0, 0.1, (size, size))).round(3)
    fc, w1 = dense("metric", "d", "z", metric, np.zeros(size))
    total, w2 = dense("total", "s", "y", -np.ones((1, size)), [0])
    nodes = [
        helper.make_node("Slice", ["x", "from0", "to_half", "axis"], ["p"], name="probe"),
        helper.make_node("Slice", ["x", "to_half", "to_end", "axis"], ["t"], name="template"),
        helper.make_node("Sub", ["p", "t"], ["d"], name="difference"),
        fc,
        helper.make_node("Mul", ["z", "z"], ["s"], name="square"),
        total,
    ]
    where = [indices("from0", 0), indices("to_half", size), indices("to_end", 2 * size), indices("axis", 1)]

    def draw(rng: np.random.Generator) -> np.ndarray:
        template = rng.uniform(-0.9, 0.9, size)
        return np.concatenate([template + rng.normal(0, 0.02, size), template]).clip(-1, 1).round(3)

    sample = draw(np.random.default_rng(1)).tolist()
    return Example("biometric", features, graph(nodes, 2 * size, 1, w1 + w2 + where), draw, sample)


def provenance(rng: np.random.Generator) -> Example:
    """A generator: a seed of eight numbers becomes a picture of nine, through sixteen hidden ones."""
    features = [Feature(f"seed{i}", "", 0, 0, 255) for i in range(8)]
    paint, w1 = dense("paint", "x", "h", rng.integers(-64, 65, (16, 8)) / 256, rng.integers(-16, 17, 16))
    mix, w2 = dense("mix", "r", "y", rng.integers(-64, 65, (9, 16)) / 128, rng.integers(0, 65, 9))
    nodes = [paint, helper.make_node("Relu", ["h"], ["r"], name="relu"), mix]
    seed = [3, 141, 59, 26, 53, 58, 97, 93]
    return Example("provenance", features, graph(nodes, 8, 9, w1 + w2), uniform(features), seed)


def membership(_: np.random.Generator) -> Example:
    """A score of points: an eighth for each visit up to 200, one a month, three a purchase up to 40, minus five a report."""
    features = [
        Feature("visits", "in a year", 0, 0, 1_000),
        Feature("months", "since the first visit", 0, 0, 240),
        Feature("purchases", "in a year", 0, 0, 1_000),
        Feature("reports", "by other members", 0, 0, 100),
    ]
    # Beyond its cap a unit is taken back by the one after it.
    parts = [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    count, w1 = dense("count", "x", "h", parts, [0, -200, 0, -40, 0, 0])
    score, w2 = dense("score", "r", "y", [[0.125, -0.125, 3, -3, 1, -5]], [0])
    nodes = [count, helper.make_node("Relu", ["h"], ["r"], name="relu"), score]
    return Example("membership", features, graph(nodes, 4, 1, w1 + w2), uniform(features), [120, 30, 12, 1])


EXAMPLES = [age, diagnosis, opponent, biometric, provenance, membership]
