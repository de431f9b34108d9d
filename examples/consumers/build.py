"""Writes model, schema, calibration data and one input of the worked consumers, and of the project that `zkml-evm init` begins with.

    python build.py            write
    python build.py --check    make them again and compare byte for byte; exit 1 if one differs

Needs ../credit/requirements.txt. Seeded: the same bytes on every machine."""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx

from models import EXAMPLES, Example

HERE = Path(__file__).parent
TEMPLATE = HERE.parent.parent / "templates" / "consumer" / "model"
SEED = 20_260_103
ROWS = 32


def folder_of(name: str) -> Path:
    return TEMPLATE if name == "membership" else HERE / name


def files_of(example: Example, rng: np.random.Generator) -> dict[Path, bytes]:
    onnx.checker.check_model(example.model, full_check=True)
    schema = {
        "version": 1,
        "name": example.name,
        "rounding": "half_away_from_zero",
        "features": [asdict(feature) for feature in example.features],
    }
    rows = {"input_data": [[number(v) for v in example.draw(rng)] for _ in range(ROWS)]}
    sample = dict(zip((feature.name for feature in example.features), map(number, example.sample)))
    folder = folder_of(example.name)
    return {
        folder / "model.onnx": example.model.SerializeToString(deterministic=True),
        folder / "schema.json": lines(schema, "features"),
        folder / "calibration.json": lines(rows, "input_data"),
        folder / "input.json": (json.dumps({"features": sample}) + "\n").encode(),
    }


def number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def lines(document: dict[str, object], of: str) -> bytes:
    """JSON with one entry of the list `of` in each line."""
    entries = ",\n".join("    " + json.dumps(entry) for entry in document[of])
    head = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in document.items() if key != of)
    return f'{{\n{head}  "{of}": [\n{entries}\n  ]\n}}\n'.encode()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the files here instead of writing them")
    check = parser.parse_args().check
    files: dict[Path, bytes] = {}
    for make in EXAMPLES:
        # A seed for each, so that a new example leaves the others as they are.
        rng = np.random.default_rng(SEED ^ zlib.crc32(make.__name__.encode()))
        files |= files_of(make(rng), rng)
    if check:
        differing = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
        for path in differing:
            print(f"DIFFERS  {path.relative_to(HERE.parent.parent)}")
        print(f"{len(files) - len(differing)} of {len(files)} files are the same")
        return 1 if differing else 0
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print(f"wrote {len(files)} files, the largest of {max(map(len, files.values()))} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
