"""Cost against model size: MLPs from 1k to 1M weights, and convolutions of growing images. Writes CSV and SVG.

    python bench/scaling.py --binary target/release/zkml-evm --work target/bench/scaling --out target/bench

Rows come in powers of two, so the cost climbs in steps around a line. A series ends early where a proof takes longer than
`--patience` seconds: the last size is then named on stderr.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import measure
import ours
from cases import FAST, Case
from models import Net, write_random

RUNS = 3
# Inputs, hidden and outputs of an MLP; the side of an image.
MLPS = (28, 50, 95, 168, 311, 542, 995)
IMAGES = (8, 12, 16, 24, 32, 48, 64)
COLORS = {"mlp": "#1b6ca8", "conv": "#c0392b"}


def mlp(side: int) -> tuple[Net, int]:
    net = Net(f"mlp_{side}", [1, side]).pixels().dense(side, side).relu().dense(side, 10)
    return net, side + side + 10


def conv(side: int) -> tuple[Net, int]:
    """Two layers of 4 filters and the mean of each channel."""
    net = Net(f"conv_{side}", [1, 1, side, side]).pixels().conv(1, 4, 3, pad=1).relu().conv(4, 4, 3, pad=1).relu()
    net.add("GlobalAveragePool", [net.at]).flatten().dense(4, 10)
    return net, 9 * side * side + 4 + 10


SERIES: dict[str, tuple[Callable[[int], tuple[Net, int]], tuple[int, ...]]] = {"mlp": (mlp, MLPS), "conv": (conv, IMAGES)}


def point(series: str, side: int, chosen: argparse.Namespace) -> dict[str, object]:
    net, activations = SERIES[series][0](side)
    weights = sum(math.prod(w.dims) for w in net.weights)
    folder = chosen.work / net.name
    write_random(folder / "model", net)
    runner = ours.Runner(chosen.binary.resolve(), Case(net.name, net.name, options=(*FAST, "--force", "--no-compile")), folder / "model", folder)
    runner.say(f"{weights} weights, {activations} activations")
    keys = runner.generate()
    first = runner.prove()
    # Long proofs vary little.
    prove = ours.median([first, *(runner.prove() for _ in range(RUNS - 1 if first["cpu_seconds"] < 5 else 0))])
    plan = json.loads((runner.artifacts / "manifest.json").read_text())["plan"]
    return {
        "series": series,
        "weights": weights,
        "activations": activations,
        "k": plan["shape"]["k"],
        "rows": plan["rows"],
        "columns": plan["advice"] + plan["fixed"],
        "keys_cpu_s": round(keys["cpu_seconds"], 3),
        "keys_peak_mb": round(keys["peak_rss_kib"] * 1024 / 1e6, 1),
        "prove_cpu_s": round(prove["cpu_seconds"], 3),
        "prove_peak_mb": round(prove["peak_rss_kib"] * 1024 / 1e6, 1),
    }


def size(row: dict) -> int:
    return row["weights"] + row["activations"]


def exponent(rows: list[dict]) -> float:
    """Of the power law that fits best: 1 is linear."""
    logs = [(math.log(size(row)), math.log(row["prove_cpu_s"])) for row in rows]
    mean_x, mean_y = (sum(values) / len(logs) for values in zip(*logs))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def svg(rows: list[dict]) -> str:
    width, height, left, bottom = 720, 480, 70, 50
    xs, ys = [math.log10(size(row)) for row in rows], [math.log10(row["prove_cpu_s"]) for row in rows]
    low_x, high_x, low_y, high_y = math.floor(min(xs)), math.ceil(max(xs)), math.floor(min(ys)), math.ceil(max(ys))

    def at(x: float, y: float) -> tuple[float, float]:
        across = left + (x - low_x) / (high_x - low_x) * (width - left - 20)
        return across, height - bottom - (y - low_y) / (high_y - low_y) * (height - bottom - 20)

    parts = []
    for x in range(low_x, high_x + 1):
        (across, down), (_, up) = at(x, low_y), at(x, high_y)
        parts.append(f'<path d="M{across:.1f} {down:.1f}V{up:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{across:.1f}" y="{down + 18:.1f}" text-anchor="middle">1e{x}</text>')
    for y in range(low_y, high_y + 1):
        (start, down), (end, _) = at(low_x, y), at(high_x, y)
        parts.append(f'<path d="M{start:.1f} {down:.1f}H{end:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{start - 8:.1f}" y="{down + 4:.1f}" text-anchor="end">{10.0**y:g}</text>')
    for number, (series, color) in enumerate(COLORS.items()):
        own = [row for row in rows if row["series"] == series]
        points = [at(math.log10(size(row)), math.log10(row["prove_cpu_s"])) for row in own]
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="{color}"/>')
        parts.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>' for x, y in points)
        legend = f"{series}: exponent {exponent(own):.2f}" if len(own) > 1 else series
        parts.append(f'<text x="{left + 20}" y="{40 + 18 * number}" fill="{color}">{legend}</text>')
    middle = (width + left) / 2
    parts.append(f'<text x="{middle}" y="{height - 10}" text-anchor="middle">weights + activations</text>')
    parts.append(f'<text x="16" y="{height / 2}" text-anchor="middle" transform="rotate(-90 16 {height / 2})">prove, CPU s</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="#333">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *parts, "</svg>"]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the folder of scaling.csv and scaling.svg")
    parser.add_argument("--patience", type=float, default=60, help="CPU seconds of a proof after which a series ends")
    chosen = parser.parse_args()
    rows = []
    for series, (_, sides) in SERIES.items():
        for side in sides:
            rows.append(point(series, side, chosen))
            if rows[-1]["prove_cpu_s"] > chosen.patience and side != sides[-1]:
                print(f"{series}: a proof takes longer than {chosen.patience:g} s; sizes beyond {side} are left out", file=sys.stderr)
                break
    chosen.out.mkdir(parents=True, exist_ok=True)
    with (chosen.out / "scaling.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (chosen.out / "scaling.svg").write_text(svg(rows))
    print((chosen.out / "scaling.csv").read_text(), end="")
    for series in SERIES:
        print(f"{series}: CPU seconds grow with the power {exponent([r for r in rows if r['series'] == series]):.2f} of weights + activations")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.Failed as failure:
        sys.exit(f"scaling: {failure}")
