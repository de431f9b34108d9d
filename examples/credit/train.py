"""Trains the credit model and writes every committed file of this folder.

    python train.py            train and write
    python train.py --check    train again and compare with the files here, byte for byte; exit 1 if one differs
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import export
from make_dataset import FEATURES, make_dataset, to_real
from network import Training, area_under_curve, pre_activations, probability, train, worst_case

HERE = Path(__file__).parent
# Rows of the data set: to fit, to calibrate the fixed point with, to judge.
FIT, CALIBRATE, JUDGE = slice(0, 16_000), slice(16_000, 16_512), slice(20_000, 24_000)
# The lender's policy: lend at this probability of repaying or more.
POLICY = 0.75

# Invented people, in natural units, in the order of FEATURES.
APPLICANTS = {
    "alice": [72_000, 10_000, 84, 36, 0.24, 0.22, 0, 0, 6, 120, 6_500, 18_000],
    "bob": [31_000, 15_000, 7, 24, 0.58, 0.91, 3, 4, 5, 2, 9_200, 350],
    "carol": [48_000, 12_000, 30, 31, 0.39, 0.54, 0, 1, 5, 36, 8_100, 1_700],
    "dave": [44_000, 12_000, 28, 29, 0.39, 0.56, 0, 1, 6, 36, 8_400, 1_900],
}


def standardisation(real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation per feature, to three digits, so that no machine's last bit shows."""
    return tuple(np.array([float(f"{v:.3g}") for v in stat]) for stat in (real.mean(axis=0), real.std(axis=0)))


def pretty(document: object) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()


def input_data(rows: list[list[float]]) -> bytes:
    """EZKL's input format, a row per line; EZKL reads floats, so 72000 is written 72000.0."""
    body = ",\n".join("  " + json.dumps([float(value) for value in row]) for row in rows)
    return f'{{"input_data": [\n{body}\n]}}\n'.encode()


def schema() -> bytes:
    head = '{\n  "version": 1,\n  "name": "credit-applicant",\n  "rounding": "half_away_from_zero",\n  "features": [\n'
    features = [
        {"name": f.name, "unit": f.unit, "decimals": f.decimals, "min": f.minimum, "max": f.maximum} for f in FEATURES
    ]
    return (head + ",\n".join("    " + json.dumps(f) for f in features) + "\n  ]\n}\n").encode()


def expected(layers: list, rows: dict[str, list[float]]) -> bytes:
    """What a float runtime answers; `tolerance` is how far a float32 runtime may be from it."""
    logit, chance = export.exact_answers(layers, np.array(list(rows.values()), dtype=np.float64))
    answers = {
        name: {"logit": round(float(z), 6), "probability": round(float(p), 6), "approved": bool(p >= POLICY)}
        for name, z, p in zip(rows, logit, chance)
    }
    return pretty({"policy_threshold": POLICY, "tolerance": 1e-5, "applicants": answers})


def report(layers: list, inputs: np.ndarray, repaid: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """To stderr: how good the model is, and how wide its worst case."""
    pre = pre_activations(layers, inputs)
    score = probability(pre[-1][:, 0])
    for name, rows in (("fit", FIT), ("judge", JUDGE)):
        print(f"AUC {name:6s} {area_under_curve(score[rows], repaid[rows]):.4f}", file=sys.stderr)
    lend = score[JUDGE] >= POLICY
    shares = lend.mean(), repaid[JUDGE][lend].mean(), repaid[JUDGE][~lend].mean()
    print("lent to {:.1%}, of whom {:.1%} repay; of the refused {:.1%} would".format(*shares), file=sys.stderr)
    for number, (values, (bottom, top), layer) in enumerate(zip(pre, worst_case(layers, low, high), layers), start=1):
        worst, seen = max(-bottom.min(), top.max()), np.abs(values).max()
        used = np.count_nonzero(layer.weight) / layer.weight.size
        print(
            f"layer {number}: worst case [{bottom.min():.2f}, {top.max():.2f}], seen [{values.min():.2f}, "
            f"{values.max():.2f}], ratio {worst / seen:.2f}, largest weight {np.abs(layer.weight).max():.3f}, "
            f"non-zero {used:.0%}",
            file=sys.stderr,
        )


def make_files() -> dict[str, bytes]:
    """Trains and returns path -> content of every generated file."""
    integers, repaid = make_dataset()
    real = to_real(integers)
    mean, scale = standardisation(real[FIT])
    inputs = (real - mean) / scale
    layers = train(inputs[FIT], repaid[FIT].astype(np.float64), Training())
    bounds = to_real(np.array([[f.minimum for f in FEATURES], [f.maximum for f in FEATURES]]))
    report(layers, inputs, repaid, *((bounds - mean) / scale))

    folded = export.to_natural_units(layers, mean, scale)
    spread = np.abs(folded[0].weight[folded[0].weight != 0])
    print(f"first layer in natural units: |w| from {spread.min():.1e} to {spread.max():.1e}", file=sys.stderr)
    model = export.to_onnx(folded)
    off = np.abs(export.runtime_answers(model, real[CALIBRATE]) - export.exact_answers(folded, real[CALIBRATE])[1])
    print(f"onnxruntime against float64: at most {off.max():.1e}", file=sys.stderr)
    if off.max() > 1e-5:
        raise SystemExit("the ONNX file and the trained network disagree")

    files = {
        "credit_mlp.onnx": model,
        "credit_schema.json": schema(),
        "calibration.json": input_data(real[CALIBRATE].tolist()),
        "applicant_list.json": input_data([APPLICANTS["alice"]]),
        "expected.json": expected(folded, APPLICANTS),
    }
    for name, row in APPLICANTS.items():
        named = {f.name: value for f, value in zip(FEATURES, row, strict=True)}
        files[f"applicants/{name}.json"] = pretty({"features": named})
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the files here instead of writing them")
    check = parser.parse_args().check
    differing = 0
    for name, content in make_files().items():
        path = HERE / name
        if check:
            same = path.is_file() and path.read_bytes() == content
            differing += not same
            print(f"{'same' if same else 'DIFFERS'}  {name}")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            print(f"wrote  {name}  {len(content)} bytes")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
