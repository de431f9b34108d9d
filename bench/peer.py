"""EZKL on one model: every stage a process of its own, with EZKL's defaults or an expert's settings."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import measure
import solidity
from cases import Live
from standardise import as_its_users_give_it

HERE = Path(__file__).resolve().parent
SOLC = HERE.parent / "tools" / "solc"
VERSION = importlib.metadata.version("ezkl")
# As in EZKL's own examples; more rows give a larger k.
CALIBRATION_ROWS = 20
STAGES = ("settings", "calibrate", "compile_circuit", "srs", "setup", "witness", "prove", "verify", "contract", "calldata")


def read_rows(path: Path) -> np.ndarray:
    return np.array(json.loads(path.read_text())["input_data"], dtype=np.float64)


def write_rows(path: Path, rows: np.ndarray) -> None:
    """EZKL wants one list per input tensor; several samples of one tensor follow each other in that list."""
    path.write_text(json.dumps({"input_data": [rows.ravel().tolist()]}))


def float_answers(model: bytes, rows: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name, shape = session.get_inputs()[0].name, session.get_inputs()[0].shape
    return np.array([session.run(None, {name: row.astype(np.float32).reshape(shape)})[0].ravel() for row in rows])


def errors(folder: Path, truth: np.ndarray) -> dict[str, object]:
    """`refused` counts the inputs for which EZKL's witness generation gave no answer."""
    off = []
    for number, answer in enumerate(truth):
        path = folder / "errors" / f"{number:04}.witness.json"
        if path.is_file():
            said = json.loads(path.read_text())["pretty_elements"]["rescaled_outputs"][0]
            off.append(np.abs(np.array([float(v) for v in said]) - answer).max())
    found = {"max": float(np.max(off)), "mean": float(np.mean(off))} if off else {"max": None, "mean": None}
    return {"inputs": len(truth), "refused": len(truth) - len(off), **found}


class Runner:
    """One model in one folder; the keys are hundreds of megabytes, so the folder should go when it is done."""

    def __init__(self, name: str, live: Live, source: Path, folder: Path) -> None:
        self.name, self.live, self.folder = name, live, folder
        rows = {kind: read_rows(source / f"{kind}.json") for kind in ("calibration", "errors", "input")}
        self.model, change = as_its_users_give_it(onnx.load(source / "model.onnx"), np.vstack([rows["calibration"], rows["errors"]]))
        self.rows = {kind: change(values) for kind, values in rows.items()}

    def prepare(self) -> None:
        onnx.save(self.model, self.folder / "network.onnx")
        (self.folder / "tuned.json").write_text(json.dumps(self.live.tuned or {}))
        write_rows(self.folder / "calibration.json", self.rows["calibration"][:CALIBRATION_ROWS])
        write_rows(self.folder / "input.json", self.rows["input"][:1])
        (self.folder / "errors").mkdir(parents=True)
        for number, row in enumerate(self.rows["errors"]):
            write_rows(self.folder / "errors" / f"{number:04}.input.json", row)

    def stage(self, stage: str) -> dict[str, float]:
        print(f"{self.name}: EZKL's {stage}", file=sys.stderr, flush=True)
        home = solidity.home_with_solc(self.folder, SOLC) if stage == "contract" else None
        return measure.run([sys.executable, str(HERE / "ezkl_stages.py"), stage, str(self.folder), self.live.mode], home)

    def all(self) -> dict[str, object]:
        self.prepare()
        stages = {stage: self.stage(stage) for stage in STAGES if stage != "calibrate" or not self.live.tuned}
        self.stage("errors")
        settings = json.loads((self.folder / "settings.json").read_text())
        creation, runtime = solidity.compile_verifier(SOLC, self.folder / "verifier.sol")
        truth = float_answers(self.model.SerializeToString(), self.rows["errors"])
        cost = {key: stages["witness"][key] + stages["prove"][key] for key in ("cpu_seconds", "wall_seconds")}
        return {
            "tool": f"EZKL {VERSION} {self.live.mode}{', hand-tuned' if self.live.tuned else ''}",
            "k": settings["run_args"]["logrows"],
            "stages": {**stages, "prove": {**cost, "peak_rss_kib": stages["prove"]["peak_rss_kib"]}},
            "proof_bytes": len(json.loads((self.folder / "proof.json").read_text())["proof"]),
            "contract_bytes": len(runtime) // 2,
            "error": errors(self.folder, truth),
            "creation": "0x" + creation,
            "calldata": "0x" + (self.folder / "calldata.bin").read_bytes().hex(),
        }
