"""EZKL's pipeline, one stage to a process: `python ezkl_stages.py STAGE FOLDER MODE` with every file in FOLDER.

Each stage calls EZKL's public Python functions, with their defaults but for what `tuned.json` says. `peer.py` runs and measures them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import ezkl

# Names as EZKL spells them; output public and weights fixed are its other two settings here.
VISIBILITY = {"private": "private", "hashed": "hashed/public"}


class Files:
    """Where each stage reads and writes."""

    def __init__(self, folder: Path) -> None:
        self.model = str(folder / "network.onnx")
        self.calibration = str(folder / "calibration.json")
        self.input = str(folder / "input.json")
        self.tuned = str(folder / "tuned.json")
        self.settings = str(folder / "settings.json")
        self.compiled = str(folder / "network.ezkl")
        self.srs = str(folder / "kzg.srs")
        self.vk = str(folder / "vk.key")
        self.pk = str(folder / "pk.key")
        self.witness = str(folder / "witness.json")
        self.proof = str(folder / "proof.json")
        self.solidity = str(folder / "verifier.sol")
        self.abi = str(folder / "verifier.abi.json")
        self.calldata = str(folder / "calldata.bin")
        self.errors = folder / "errors"


def settings(files: Files, mode: str) -> None:
    args = ezkl.PyRunArgs()
    args.input_visibility = VISIBILITY[mode]
    args.output_visibility = "public"
    args.param_visibility = "fixed"
    for name, value in json.loads(Path(files.tuned).read_text()).items():
        setattr(args, name, tuple(value) if isinstance(value, list) else value)
    require(ezkl.gen_settings(files.model, files.settings, py_run_args=args))


def calibrate(files: Files, _mode: str) -> None:
    require(ezkl.calibrate_settings(files.calibration, files.model, files.settings))


def compile_circuit(files: Files, _mode: str) -> None:
    require(ezkl.compile_circuit(files.model, files.compiled, files.settings))


def srs(files: Files, _mode: str) -> None:
    ezkl.gen_srs(files.srs, json.loads(Path(files.settings).read_text())["run_args"]["logrows"])


def setup(files: Files, _mode: str) -> None:
    require(ezkl.setup(files.compiled, files.vk, files.pk, files.srs))


def witness(files: Files, _mode: str) -> None:
    ezkl.gen_witness(files.input, files.compiled, files.witness)


def prove(files: Files, _mode: str) -> None:
    ezkl.prove(files.witness, files.compiled, files.pk, files.proof, files.srs)


def verify(files: Files, _mode: str) -> None:
    require(ezkl.verify(files.proof, files.settings, files.vk, files.srs))


def contract(files: Files, _mode: str) -> None:
    async def render() -> object:
        # The one call here that EZKL runs on its event loop, since it may look for a compiler on the network.
        return await ezkl.create_evm_verifier(files.vk, files.settings, files.solidity, files.abi, files.srs)

    require(asyncio.run(render()))


def calldata(files: Files, _mode: str) -> None:
    ezkl.encode_evm_calldata(files.proof, files.calldata)


def errors(files: Files, _mode: str) -> None:
    """Witness generation for every input of the folder; what EZKL refuses gets no answer."""
    for path in sorted(files.errors.glob("*.input.json")):
        answer = path.with_name(path.name.replace(".input.", ".witness."))
        try:
            ezkl.gen_witness(str(path), files.compiled, str(answer))
        except RuntimeError as refusal:
            print(f"{path.name}: {refusal}", file=sys.stderr)


STAGES = {
    stage.__name__: stage
    for stage in (settings, calibrate, compile_circuit, srs, setup, witness, prove, verify, contract, calldata, errors)
}


def require(done: object) -> None:
    if done is False:
        raise SystemExit("EZKL answered False")


if __name__ == "__main__":
    STAGES[sys.argv[1]](Files(Path(sys.argv[2])), sys.argv[3])
    sys.stdout.flush()
    sys.stderr.flush()
    # EZKL's worker threads outlive its awaited call and crash the interpreter as it shuts down; its files are complete by then.
    os._exit(0)
