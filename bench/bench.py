"""Measures this project and EZKL on the models of cases.py, in one run on one machine, and prints them side by side.

    python bench/bench.py --binary target/release/zkml-evm --work target/bench [--out FILE] [--no-peer] [--only NAME ...]

The table goes to stdout, what it is doing to stderr. A limit that is missed is said and does not end the run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import chain
import measure
import models
import ours
import report
from cases import CASES, Case, Live


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True, help="the release build")
    parser.add_argument("--work", type=Path, required=True, help="where models and artifacts go")
    parser.add_argument("--out", type=Path, help="the figures as JSON")
    parser.add_argument("--no-peer", action="store_true", help="this project alone")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="cases whose name starts so")
    chosen = parser.parse_args()
    if not chosen.binary.is_file():
        parser.error(f"no such file: {chosen.binary}")
    return chosen


def peer_of(case: Case, model: Path) -> dict | None:
    # Imported late: it takes EZKL, which `--no-peer` does without.
    import peer

    with tempfile.TemporaryDirectory(prefix="ezkl_") as folder:
        return peer.Runner(case.name, case.peer, model, Path(folder)).all()


def measured(case: Case, chosen: argparse.Namespace) -> report.Result:
    folder, model = chosen.work / case.name.replace(" ", "_").replace(",", ""), chosen.work / "models" / case.model
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not (model / "model.onnx").is_file():
        models.write(chosen.work / "models", case.model)
    mine = ours.Runner(chosen.binary.resolve(), case, model, folder).all()
    live = isinstance(case.peer, Live) and not chosen.no_peer
    return report.Result(case, mine, peer_of(case, model) if live else None)


def add_gas(results: list[report.Result]) -> None:
    with chain.Chain() as anvil:
        for result in results:
            call = chain.calldata(**result.ours.pop("call"))
            result.ours["transaction"] = anvil.gas(result.ours.pop("creation"), call)
            if result.peer:
                result.peer["transaction"] = anvil.gas(result.peer.pop("creation"), result.peer.pop("calldata"))


def main() -> int:
    chosen = arguments()
    cases = [c for c in CASES if not chosen.only or any(c.name.startswith(name) for name in chosen.only)]
    results = [measured(case, chosen) for case in cases]
    add_gas(results)
    print(report.table(results))
    print()
    print(report.verdict(results))
    if chosen.out:
        document = {r.case.name: {"ours": r.ours, "peer": r.peer, "limits": report.limits(r)} for r in results}
        chosen.out.write_text(json.dumps({"version": 2, "cases": document}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.Failed as failure:
        sys.exit(f"bench: {failure}")
