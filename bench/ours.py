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

    def measured(self, *arguments: str) -> Cost:
        return measure.run([str(self.binary), "--quiet", *arguments])

    def answer(self, *arguments: str) -> dict:
        done = subprocess.run([self.binary, "--json", "--quiet", *arguments], stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)["result"]

    def generate(self) -> Cost:
        source = ("--schema", f"{self.model}/schema.json", "--calibration", f"{self.model}/errors.json")
        statement = ("--input", self.case.input, "--output", self.case.output)
        return self.measured(
            "gen-verifier", f"{self.model}/model.onnx", *source, *statement, *self.case.options, "--out", str(self.artifacts)
        )

    def prove(self) -> Cost:
        secret = ()
        if self.case.input == "committed":
            (self.folder / "salt").write_text(SALT)
            secret = ("--salt-file", str(self.folder / "salt"))
        given = ("--artifacts", str(self.artifacts), "--input", f"{self.model}/input.json", "--context", CONTEXT)
        return self.measured("prove", *given, *secret, *self.case.statement, "--out", str(self.proof))

    def all(self) -> dict[str, object]:
        self.say("keys and contract")
        keys = self.generate()
        self.say(f"proof, {self.case.runs} times")
        proofs = [self.prove() for _ in range(self.case.runs)]
        self.say("key loading, verification, gas")
        loading = median([self.measured("inspect", str(self.artifacts), "--keys") for _ in range(min(self.case.runs, 3))])
        starting = median([self.measured("--version") for _ in range(3)])
        verifying = self.measured("verify", "--artifacts", str(self.artifacts), "--proof", str(self.proof))
        manifest = json.loads((self.artifacts / "manifest.json").read_text())
        report = json.loads((self.artifacts / "report.json").read_text())
        shown = self.answer("inspect", str(self.artifacts), "--candidates")
        proof = json.loads(self.proof.read_text())
        return {
            "k": manifest["plan"]["shape"]["k"],
            "rows": manifest["plan"]["rows"],
            "advice": manifest["plan"]["advice"],
            "fixed": manifest["plan"]["fixed"],
            "stages": {"generate": keys, "prove": median(proofs), "start": starting, "load": loading, "verify": verifying},
            "proof_bytes": manifest["proofBytes"],
            "contract_bytes": manifest["contract"]["runtimeSize"],
            "error": report.get("probability_error") or report["score_error"],
            "predicted": next(c for c in shown["candidates"] if all(c[key] == manifest["plan"][key] for key in manifest["plan"])),
            "gas": self.answer("gas", str(self.artifacts))["gas"],
            "creation": json.loads((self.artifacts / "InferenceVerifier.json").read_text())["bytecode"]["object"],
            "call": {"signature": "verifyProof(uint256[],bytes)", "arguments": [proof["publicInputs"], proof["proof"]]},
        }

    def say(self, what: str) -> None:
        print(f"{self.case.name}: {what}", file=sys.stderr, flush=True)
