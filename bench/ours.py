"""This project, as its users run it: whole processes of the command line, from files to files."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import measure
from cases import Case

CONTEXT = "0x" + "00" * 31 + "2a"
SALT = "0x" + "00" * 31 + "63"
# cpu_seconds, wall_seconds, peak_rss_kib.
Cost = dict[str, float]


def median(costs: list[Cost]) -> Cost:
    return {key: statistics.median(cost[key] for cost in costs) for key in costs[0]}


class Runner:
    """One case in one folder."""

    def __init__(self, binary: Path, case: Case, model: Path, folder: Path) -> None:
        self.binary, self.case, self.model, self.folder = binary, case, model, folder
        self.artifacts, self.proof = folder / "artifacts", folder / "proof.json"
        self.weights = folder / "weights.json"

    def measured(self, *arguments: str) -> Cost:
        said = self.folder / "said.json"
        cost = measure.run([str(self.binary), "--json", "--quiet", *arguments], said=str(said))
        return {**cost, **self.stages(json.loads(said.read_text())["result"])}

    @staticmethod
    def stages(result: dict) -> Cost:
        """What the run says of its own stages: reading, witness, proof, check."""
        return {f"stage: {stage['name']}": stage["cpuSeconds"] for stage in result.get("stages", [])}

    def answer(self, *arguments: str) -> dict:
        done = subprocess.run([self.binary, "--json", "--quiet", *arguments], stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)["result"]

    def generate(self) -> Cost:
        source = ("--schema", f"{self.model}/schema.json", "--calibration", f"{self.model}/errors.json")
        statement = ("--input", self.case.input, "--output", self.case.output, "--batch", str(self.case.items))
        if self.case.private_weights:
            # Never overwritten: an earlier run's would be refused.
            self.weights.unlink(missing_ok=True)
            statement += ("--weights", "private", "--weights-out", str(self.weights))
        return self.measured(
            "gen-verifier", f"{self.model}/model.onnx", *source, *statement, *self.case.options, "--out", str(self.artifacts)
        )

    def prove(self) -> Cost:
        secret = ()
        if self.case.input == "committed":
            (self.folder / "salt").write_text(SALT)
            secret = ("--salt-file", str(self.folder / "salt"))
        if self.case.private_weights:
            secret += ("--weights", str(self.weights))
        given = ("--artifacts", str(self.artifacts), *self.inputs(), "--context", CONTEXT)
        return self.measured("prove", *given, *secret, *self.case.statement, "--out", str(self.proof))

    def inputs(self) -> tuple[str, str]:
        """The input, or the first rows of the model's samples."""
        if self.case.items == 1:
            return ("--input", f"{self.model}/input.json")
        rows = json.loads(Path(f"{self.model}/errors.json").read_text())["input_data"][: self.case.items]
        (self.folder / "inputs.json").write_text(json.dumps({"input_data": rows}))
        return ("--inputs", str(self.folder / "inputs.json"))

    def all(self) -> dict[str, object]:
        self.say("keys and contract")
        keys = self.generate()
        self.say(f"proof, {self.case.runs} times")
        proofs = [self.prove() for _ in range(self.case.runs)]
        self.say("verification, gas")
        verifying = self.measured("verify", "--artifacts", str(self.artifacts), "--proof", str(self.proof))
        manifest = json.loads((self.artifacts / "manifest.json").read_text())
        report = json.loads((self.artifacts / "report.json").read_text())
        shown = self.answer("inspect", str(self.artifacts), "--candidates", "--gas", "0")
        proof = json.loads(self.proof.read_text())
        return {
            "k": manifest["plan"]["shape"]["k"],
            "rows": manifest["plan"]["rows"],
            "advice": manifest["plan"]["advice"],
            "fixed": manifest["plan"]["fixed"],
            "stages": {"generate": keys, "prove": median(proofs), "verify": verifying},
            "proof_bytes": manifest["proofBytes"],
            "contract_bytes": manifest["contract"]["runtimeSize"],
            "error": report.get("probability_error") or report["score_error"],
            "predicted": next(candidate for candidate in shown["candidates"] if candidate["chosen"]),
            "gas": self.answer("gas", str(self.artifacts))["gas"],
            "creation": json.loads((self.artifacts / "InferenceVerifier.json").read_text())["bytecode"]["object"],
            "call": {"signature": "verifyProof(uint256[],bytes)", "arguments": [proof["publicInputs"], proof["proof"]]},
        }

    def say(self, what: str) -> None:
        print(f"{self.case.name}: {what}", file=sys.stderr, flush=True)
