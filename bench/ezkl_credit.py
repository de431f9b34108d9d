"""Measures EZKL on an ONNX model and writes one JSON document to stdout; everything else goes to stderr.

    python bench/ezkl_credit.py --solc tools/solc --artifacts DIR [--out FILE]

Every stage runs in its own process, so CPU seconds and peak memory are that stage's alone. Modes: `private` (input private,
output public) and `hashed` (the input's Poseidon hash public as well), both with fixed weights and EZKL's defaults otherwise.
The SRS is generated locally; nothing needs a network. For gas, DIR receives per mode: `ezkl_<mode>.bytecode` (runtime code),
`ezkl_<mode>.initcode`, `ezkl_<mode>.calldata`, all in hex without 0x.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import measure
import solidity
from standardise import standardised

HERE = Path(__file__).resolve().parent
CREDIT = HERE.parent / "examples" / "credit"
STAGES = ("settings", "calibrate", "compile_circuit", "srs", "setup", "witness", "prove", "verify", "contract", "calldata")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=CREDIT / "credit_mlp.onnx")
    parser.add_argument("--calibration", type=Path, default=CREDIT / "calibration.json", help="one input per row")
    parser.add_argument("--input", type=Path, default=CREDIT / "applicant_list.json", help="the input to prove, one row")
    parser.add_argument("--solc", type=Path, default=HERE.parent / "tools" / "solc")
    parser.add_argument("--mode", choices=("private", "hashed", "both"), default="both")
    parser.add_argument(
        "--inputs",
        choices=("standardised", "natural"),
        default="standardised",
        help="in natural units EZKL loses the small weights, so its inputs are standardised (see standardise.py)",
    )
    parser.add_argument("--calibration-rows", type=int, default=20, help="as in EZKL's own examples; more rows give a larger k")
    parser.add_argument("--error-inputs", type=int, default=64)
    parser.add_argument("--artifacts", type=Path, required=True, help="where bytecode and calldata go")
    parser.add_argument("--out", type=Path, help="write the JSON here instead of to stdout")
    chosen = parser.parse_args()
    for needed in (chosen.model, chosen.calibration, chosen.input, chosen.solc):
        if not needed.is_file():
            parser.error(f"no such file: {needed}")
    return chosen


def read_rows(path: Path) -> np.ndarray:
    return np.array(json.loads(path.read_text())["input_data"], dtype=np.float64)


def write_rows(path: Path, rows: np.ndarray) -> None:
    """EZKL wants one list per input tensor; several samples of one tensor follow each other in that list."""
    path.write_text(json.dumps({"input_data": [rows.ravel().tolist()]}))


def float_answers(model: bytes, rows: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    shape = session.get_inputs()[0].shape
    return np.array([session.run(None, {name: row.astype(np.float32).reshape(shape)})[0].ravel() for row in rows])


def prepare(folder: Path, model: onnx.ModelProto, rows: dict[str, np.ndarray]) -> None:
    onnx.save(model, folder / "network.onnx")
    write_rows(folder / "calibration.json", rows["calibration"])
    write_rows(folder / "input.json", rows["input"])
    (folder / "errors").mkdir()
    for number, row in enumerate(rows["errors"]):
        write_rows(folder / "errors" / f"{number:04}.input.json", row)


def errors_against(folder: Path, truth: np.ndarray) -> dict[str, object]:
    """`refused` counts the inputs for which EZKL's witness generation gave no answer."""
    off = []
    for number, answer in enumerate(truth):
        path = folder / "errors" / f"{number:04}.witness.json"
        if path.is_file():
            said = json.loads(path.read_text())["pretty_elements"]["rescaled_outputs"][0]
            off.append(np.abs(np.array([float(v) for v in said]) - answer).max())
    return {
        "inputs": len(truth),
        "refused": len(truth) - len(off),
        "max": float(np.max(off)) if off else None,
        "mean": float(np.mean(off)) if off else None,
    }


def run_stage(stage: str, folder: Path, mode: str, environment: dict[str, str] | None) -> dict[str, float | int]:
    print(f"ezkl {mode}: {stage}", file=sys.stderr, flush=True)
    command = [sys.executable, str(HERE / "ezkl_stages.py"), stage, str(folder), mode]
    return measure.run(command, environment)


def leave_artifacts(target: Path, mode: str, folder: Path, solc: Path) -> dict[str, object]:
    creation, runtime = solidity.compile_verifier(solc, folder / "verifier.sol")
    calldata = (folder / "calldata.bin").read_bytes()
    for kind, content in (("bytecode", runtime), ("initcode", creation), ("calldata", calldata.hex())):
        (target / f"ezkl_{mode}.{kind}").write_text(content)
    return {
        "contract_bytes": len(runtime) // 2,
        "initcode_bytes": len(creation) // 2,
        "calldata_bytes": len(calldata),
        "files": {kind: f"ezkl_{mode}.{kind}" for kind in ("bytecode", "initcode", "calldata")},
    }


def run_mode(mode: str, model: onnx.ModelProto, rows: dict[str, np.ndarray], chosen: argparse.Namespace) -> dict[str, object]:
    # The keys are hundreds of megabytes; they go when the mode is done.
    with tempfile.TemporaryDirectory(prefix="ezkl_") as name:
        folder = Path(name)
        prepare(folder, model, rows)
        home = solidity.home_with_solc(folder, chosen.solc)
        stages = {s: run_stage(s, folder, mode, home if s == "contract" else None) for s in STAGES}
        error_cost = run_stage("errors", folder, mode, None)
        settings = json.loads((folder / "settings.json").read_text())
        proof = json.loads((folder / "proof.json").read_text())
        truth = float_answers(model.SerializeToString(), rows["errors"])
        return {
            "k": settings["run_args"]["logrows"],
            "input_scale_bits": settings["run_args"]["input_scale"],
            "stages": stages,
            "proof_bytes": len(proof["proof"]),
            "instances": sum(len(column) for column in proof["instances"]),
            "error": {**errors_against(folder, truth), "cpu_seconds": error_cost["cpu_seconds"]},
            **leave_artifacts(chosen.artifacts, mode, folder, chosen.solc),
        }


def main() -> int:
    chosen = arguments()
    model = onnx.load(chosen.model)
    all_rows, proven = read_rows(chosen.calibration), read_rows(chosen.input)[:1]
    if chosen.inputs == "standardised":
        model, mean, scale = standardised(model, all_rows)
        all_rows, proven = (all_rows - mean) / scale, (proven - mean) / scale
    calibration, rest = all_rows[: chosen.calibration_rows], all_rows[chosen.calibration_rows :]
    rows = {"calibration": calibration, "input": proven, "errors": rest[: chosen.error_inputs]}
    chosen.artifacts.mkdir(parents=True, exist_ok=True)
    modes = ("private", "hashed") if chosen.mode == "both" else (chosen.mode,)
    document = {
        "version": 1,
        "tool": "ezkl",
        "tool_version": importlib.metadata.version("ezkl"),
        "solc": solidity.version(chosen.solc),
        "model": chosen.model.name,
        "inputs": chosen.inputs,
        "calibration_rows": len(calibration),
        "modes": {mode: run_mode(mode, model, rows, chosen) for mode in modes},
    }
    text = json.dumps(document, indent=2) + "\n"
    if chosen.out:
        chosen.out.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.Failed as failure:
        sys.exit(f"ezkl_credit: {failure}")
