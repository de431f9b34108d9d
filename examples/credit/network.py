"""The 12-32-16-1 network: training by Adam in numpy, and the worst case of its pre-activations.

Training is in float64 and ends on a grid (`GRID`), so that the last-bit differences between CPUs and BLAS builds do not
reach the exported file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WIDTHS = (12, 32, 16, 1)
# Weights of the standardised network are multiples of this.
GRID = 2.0**-12


@dataclass
class Layer:
    """y = W x + b; W is [out, in], b is [out]."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Training:
    """What was chosen by hand. The two decays keep worst-case intervals narrow, which the circuit pays for."""

    seed: int = 7
    epochs: int = 40
    batch: int = 256
    rate: float = 2e-3
    l2: float = 2e-2
    l1: float = 1e-1


def initial_layers(rng: np.random.Generator) -> list[Layer]:
    """He initialisation."""
    return [
        Layer(rng.normal(size=(out, into)) * np.sqrt(2 / into), np.zeros(out))
        for into, out in zip(WIDTHS, WIDTHS[1:])
    ]


def pre_activations(layers: list[Layer], inputs: np.ndarray) -> list[np.ndarray]:
    """The value of each layer before its activation, [n, width] each; the last one is the logit."""
    values, x = [], inputs
    for layer in layers:
        values.append(x @ layer.weight.T + layer.bias)
        x = np.maximum(values[-1], 0)
    return values


def probability(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


def gradients(layers: list[Layer], inputs: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Of the mean binary cross entropy: [dW1, db1, dW2, db2, ...]."""
    values = pre_activations(layers, inputs)
    delta = (probability(values[-1]) - labels[:, None]) / len(labels)
    found: list[np.ndarray] = []
    for index in reversed(range(len(layers))):
        x = np.maximum(values[index - 1], 0) if index else inputs
        found[:0] = [delta.T @ x, delta.sum(axis=0)]
        if index:
            delta = (delta @ layers[index].weight) * (values[index - 1] > 0)
    return found


class Adam:
    """Adam with decoupled L2 and L1 decay on weights (not on biases)."""

    def __init__(self, layers: list[Layer], training: Training) -> None:
        self.training = training
        self.parameters = [p for layer in layers for p in (layer.weight, layer.bias)]
        self.mean = [np.zeros_like(p) for p in self.parameters]
        self.square = [np.zeros_like(p) for p in self.parameters]
        self.count = 0

    def step(self, found: list[np.ndarray], rate: float) -> None:
        self.count += 1
        for p, g, mean, square in zip(self.parameters, found, self.mean, self.square):
            mean += 0.1 * (g - mean)
            square += 0.001 * (g * g - square)
            update = mean / (1 - 0.9**self.count) / (np.sqrt(square / (1 - 0.999**self.count)) + 1e-8)
            p -= rate * update
            if p.ndim == 2:
                p -= rate * self.training.l2 * p
                shrink = rate * self.training.l1
                p -= np.clip(p, -shrink, shrink)


def train(inputs: np.ndarray, labels: np.ndarray, training: Training) -> list[Layer]:
    """Trains on standardised inputs [n, 12] and labels [n] in {0, 1}; the rate falls linearly to zero."""
    rng = np.random.default_rng(training.seed)
    layers = initial_layers(rng)
    adam = Adam(layers, training)
    steps = training.epochs * (len(inputs) // training.batch)
    for _ in range(training.epochs):
        order = rng.permutation(len(inputs))
        for start in range(0, len(inputs) - training.batch + 1, training.batch):
            rows = order[start : start + training.batch]
            adam.step(gradients(layers, inputs[rows], labels[rows]), training.rate * (1 - adam.count / steps))
    return [Layer(np.round(la.weight / GRID) * GRID, np.round(la.bias / GRID) * GRID) for la in layers]


def worst_case(layers: list[Layer], low: np.ndarray, high: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Interval of every pre-activation when each input runs over [low, high] independently."""
    intervals = []
    for layer in layers:
        up, down = np.maximum(layer.weight, 0), np.minimum(layer.weight, 0)
        bottom = up @ low + down @ high + layer.bias
        top = up @ high + down @ low + layer.bias
        intervals.append((bottom, top))
        low, high = np.maximum(bottom, 0), np.maximum(top, 0)
    return intervals


def area_under_curve(score: np.ndarray, labels: np.ndarray) -> float:
    """The chance that a repaid loan scores above a defaulted one; ties count half."""
    _, rank_of, counts = np.unique(score, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    rank = (upper - (counts - 1) / 2)[rank_of]
    good = int(labels.sum())
    return float((rank[labels].sum() - good * (good + 1) / 2) / (good * (len(labels) - good)))
