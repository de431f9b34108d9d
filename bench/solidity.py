"""EZKL and the Solidity compiler: where EZKL looks for it, and the bytecode that EZKL would deploy."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

# EZKL asks svm for exactly this version and downloads it if it is missing; it never looks on PATH.
EZKL_SOLC = "0.8.20"
# What EZKL's own `deploy_evm` uses unless told otherwise.
EZKL_OPTIMIZER_RUNS = 1


def home_with_solc(folder: Path, solc: Path) -> dict[str, str]:
    """An environment whose HOME holds svm's folder with `solc` in it, under the version that EZKL asks for.

    The compiler behind the name may be newer (EZKL's contracts say `^0.8.0`); EZKL uses it here for the ABI only.
    """
    place = folder / ".svm" / EZKL_SOLC / f"solc-{EZKL_SOLC}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(solc.resolve())
    return {**os.environ, "HOME": str(folder)}


def version(solc: Path) -> str:
    said = subprocess.run([solc, "--version"], capture_output=True, text=True, check=True).stdout
    return said.strip().splitlines()[-1].removeprefix("Version: ")


def compile_verifier(solc: Path, source: Path) -> tuple[str, str]:
    """Returns (creation code, runtime code) in hex without 0x."""
    request = {
        "language": "Solidity",
        "sources": {"verifier.sol": {"content": source.read_text()}},
        "settings": {
            "optimizer": {"enabled": True, "runs": EZKL_OPTIMIZER_RUNS},
            "outputSelection": {"*": {"*": ["evm.bytecode.object", "evm.deployedBytecode.object"]}},
        },
    }
    done = subprocess.run([solc, "--standard-json"], input=json.dumps(request), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    for problem in answer.get("errors", []):
        if problem["severity"] == "error":
            raise SystemExit(f"solc refuses EZKL's contract: {problem['formattedMessage']}")
    evm = answer["contracts"]["verifier.sol"]["Halo2Verifier"]["evm"]
    return evm["bytecode"]["object"], evm["deployedBytecode"]["object"]
