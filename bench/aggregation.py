"""What an aggregated proof costs as their number grows: CPU seconds, memory and gas, measured where it fits and computed beyond.

    python bench/aggregation.py --binary target/release/zkml-evm --work target/bench/aggregation --out target/bench

Proofs are of the credit model (`--objective gas`), aggregates of the default objective. What was measured stands in `points.json` of the work folder, and a
later run goes on from there: `--measure 8` adds one size. Sizes that were not measured are computed: rows grow linearly with the slots, the
circuit has the smallest k that they fit in, and twice the rows are twice the work and twice the memory.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import measure

SIZES = (1, 2, 4, 8, 16, 32, 64)
BATCHES = (4, 16, 64)
STACK = 16
EXAMPLE = Path("examples/credit")
COLORS = {"aggregate": "#1b6ca8", "batch in one circuit": "#2e8b57", "one by one": "#c0392b"}


class Runner:
    def __init__(self, binary: Path, work: Path) -> None:
        self.binary, self.work = binary.resolve(), work
        work.mkdir(parents=True, exist_ok=True)
        self.points: dict[str, dict] = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    @property
    def kept(self) -> Path:
        return self.work / "points.json"

    def keep(self, name: str, point: dict) -> None:
        self.points[name] = point
        self.kept.write_text(json.dumps(self.points, indent=1) + "\n")

    def run(self, *arguments: object) -> dict:
        return measure.run([str(self.binary), "--json", *map(str, arguments)])

    def ask(self, *arguments: object) -> dict:
        said = subprocess.run([self.binary, "--json", *map(str, arguments)], stdout=subprocess.PIPE, check=True, text=True).stdout
        return json.loads(said)["result"]

    def model(self, name: str, *more: object) -> Path:
        out = self.work / name
        if not out.exists():
            files = ["--calibration", EXAMPLE / "calibration.json", "--schema", EXAMPLE / "credit_schema.json"]
            self.run("gen-verifier", EXAMPLE / "credit_mlp.onnx", *files, "--objective", "gas", "--out", out, *more)
        return out

    def proofs(self, count: int) -> list[Path]:
        model, made = self.model("model"), []
        for number in range(1, count + 1):
            out, salt = self.work / f"proof{number}.json", self.work / f"salt{number}"
            if not out.exists():
                salt.write_text(f"0x{number:064x}")
                bound = ["--context", f"0x{number:064x}", "--salt-file", salt, "--probability", "0.75", "--for", "aggregation"]
                self.run("prove", "--artifacts", model, "--input", EXAMPLE / "applicants/alice.json", *bound, "--out", out)
            made.append(out)
        return made

    def aggregate(self, slots: int) -> None:
        """One size, by itself: another process's work does not count."""
        folder = self.work / f"aggregate{slots}"
        keys = self.run("gen-verifier", self.model("model"), "--aggregate", slots, "--out", folder, "--force")
        proofs = self.proofs(slots)
        cost = self.run("aggregate", *proofs, "--artifacts", folder, "--out", self.work / f"aggregate{slots}.json")
        manifest = json.loads((folder / "manifest.json").read_text())
        self.keep(f"aggregate{slots}", {
            "slots": slots, "rows": manifest["rows"], "k": manifest["widths"]["k"],
            "keys_cpu_s": keys["cpu_seconds"], "keys_peak_gb": round(keys["peak_rss_kib"] * 1024 / 1e9, 2),
            "cpu_s": cost["cpu_seconds"], "peak_gb": round(cost["peak_rss_kib"] * 1024 / 1e9, 2),
            "gas": self.ask("gas", folder)["gas"]["total"],
        })  # fmt: skip

    def others(self) -> None:
        """One proof by itself, and batches of one prover in one circuit."""
        self.keep("batch1", {"slots": 1, "gas": self.ask("gas", self.model("model"))["gas"]["total"]})
        for items in BATCHES:
            batch = self.model(f"batch{items}", "--batch", items)
            self.keep(f"batch{items}", {"slots": items, "gas": self.ask("gas", batch)["gas"]["total"]})

    def of(self, kind: str) -> list[dict]:
        return sorted((point for name, point in self.points.items() if name.startswith(kind)), key=lambda point: point["slots"])


def line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Least squares: intercept and slope."""
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    return mean_y - slope * mean_x, slope


def complete(measured: list[dict]) -> list[dict]:
    """The measured sizes, and the others computed from them."""
    at_zero, by_slot = line([(point["slots"], point["rows"]) for point in measured])
    # One slot and two have one k; from there on both grow.
    gas_at_zero, gas_by_slot = line([(point["slots"], point["gas"]) for point in measured if point["slots"] > 1])
    largest = measured[-1]
    done = {point["slots"]: {**point, "how": "measured"} for point in measured}
    for slots in SIZES:
        if slots in done:
            continue
        rows = round(at_zero + by_slot * slots)
        k = math.ceil(math.log2(rows * STACK))
        factor = 2.0 ** (k - largest["k"])
        done[slots] = {
            "slots": slots, "rows": rows, "k": k, "cpu_s": round(largest["cpu_s"] * factor, 1),
            "peak_gb": round(largest["peak_gb"] * factor, 2), "gas": round(gas_at_zero + gas_by_slot * slots), "how": "computed",
        }  # fmt: skip
    return [done[slots] for slots in sorted(done)]


def report(rows: list[dict], others: list[dict]) -> str:
    single = next(point["gas"] for point in others if point["slots"] == 1)
    intercept, slope = line([(point["slots"], point["gas"]) for point in others])
    lines = [
        "| proofs N | | rows | k | CPU s | CPU s per proof | peak GB | verification | per proof | of one by one | a batch of N, per proof |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        slots, gas = row["slots"], row["gas"]
        batch = next((point["gas"] for point in others if point["slots"] == slots), intercept + slope * slots)
        lines.append(
            f"| {slots} | {row['how']} | {row['rows']:,} | {row['k']} | {row['cpu_s']:.0f} | {row['cpu_s'] / slots:.1f} | {row['peak_gb']:.1f} | "
            f"{gas:,} | {gas / slots:,.0f} | {gas / slots / single:.0%} | {batch / slots:,.0f} |"
        )
    cheaper = next((row["slots"] for row in rows if row["gas"] < single * row["slots"]), None)
    return "\n".join([*lines, "", f"One proof by itself: {single:,} gas. Aggregates take less from {cheaper} proofs on."]) + "\n"


def svg(rows: list[dict], others: list[dict]) -> str:
    """Gas of verification for each proof; hollow points are computed."""
    width, height, left, bottom = 720, 460, 80, 50
    single = next(point["gas"] for point in others if point["slots"] == 1)
    series = {
        "aggregate": [(row["slots"], row["gas"] / row["slots"], row["how"] == "measured") for row in rows],
        "batch in one circuit": [(point["slots"], point["gas"] / point["slots"], True) for point in others],
        "one by one": [(row["slots"], single, True) for row in rows],
    }
    low, high = 3, math.log10(1_000_000)
    most = math.log2(max(SIZES))

    def at(slots: int, gas: float) -> tuple[float, float]:
        across = left + math.log2(slots) / most * (width - left - 30)
        return across, height - bottom - (math.log10(gas) - low) / (high - low) * (height - bottom - 20)

    parts = []
    for slots in SIZES:
        across, down = at(slots, 10**low)
        parts.append(f'<path d="M{across:.1f} {down:.1f}V20" stroke="#ddd"/>')
        parts.append(f'<text x="{across:.1f}" y="{down + 18:.1f}" text-anchor="middle">{slots}</text>')
    for power in range(low, math.ceil(high) + 1):
        start, down = at(1, 10.0**power)
        parts.append(f'<path d="M{start:.1f} {down:.1f}H{width - 30}" stroke="#ddd"/>')
        parts.append(f'<text x="{start - 8:.1f}" y="{down + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for number, (name, points) in enumerate(series.items()):
        color, places = COLORS[name], [(*at(slots, gas), filled) for slots, gas, filled in points]
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)}" fill="none" stroke="{color}"/>')
        fills = ((x, y, color if filled else "#fff") for x, y, filled in places)
        parts.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{color}"/>' for x, y, fill in fills)
        parts.append(f'<text x="{left + 20}" y="{height - bottom - 60 + 18 * number}" fill="{color}">{name}</text>')
    parts.append(f'<text x="{(width + left) / 2}" y="{height - 10}" text-anchor="middle">proofs</text>')
    parts.append(f'<text x="16" y="{height / 2}" text-anchor="middle" transform="rotate(-90 16 {height / 2})">gas of verification for each proof</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="#333">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *parts, "</svg>"]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the folder of aggregation.csv, aggregation.md and aggregation.svg")
    parser.add_argument("--measure", type=int, nargs="*", default=[1, 2, 4, 8], help="sizes to measure now; 16 takes 5 GB and ten minutes")
    chosen = parser.parse_args()
    runner = Runner(chosen.binary, chosen.work)
    for slots in chosen.measure:
        print(f"{slots} slots", file=sys.stderr)
        runner.aggregate(slots)
    if sum(point["slots"] > 1 for point in runner.of("aggregate")) < 2:
        parser.error("nothing can be computed from fewer than two measured sizes above 1: measure more with --measure")
    if not runner.of("batch"):
        runner.others()
    rows, others = complete(runner.of("aggregate")), runner.of("batch")
    chosen.out.mkdir(parents=True, exist_ok=True)
    with (chosen.out / "aggregation.csv").open("w", newline="") as file:
        columns = ["slots", "how", "rows", "k", "keys_cpu_s", "keys_peak_gb", "cpu_s", "peak_gb", "gas"]
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (chosen.out / "aggregation.svg").write_text(svg(rows, others))
    (chosen.out / "aggregation.md").write_text(report(rows, others))
    print(report(rows, others), end="")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.Failed as failure:
        sys.exit(f"aggregation: {failure}")
