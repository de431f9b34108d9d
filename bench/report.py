"""The table: ours beside the peer's, the limits kept or missed, predictions beside measurements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cases import Case, Reference

Figures = dict
# Of the proof's CPU seconds, by the names that `prove --json` gives its stages.
SHARES = {"reading": 0.10, "reading and checking keys": 0.10, "computing the witness": 0.05}
TOLERANCE = 0.25
# Gas of any transaction.
TRANSACTION = 21_000


@dataclass
class Result:
    case: Case
    ours: Figures
    peer: Figures | None


def megabytes(cost: Figures) -> float:
    return cost["peak_rss_kib"] * 1024 / 1e6


def theirs(result: Result, live: Callable[[Figures], float | None], reference: Callable[[Reference], float | None]) -> float | None:
    if result.peer:
        return live(result.peer)
    return reference(result.case.peer) if isinstance(result.case.peer, Reference) else None


def prove_of_peer(result: Result) -> float | None:
    return theirs(result, lambda p: p["stages"]["prove"]["cpu_seconds"], lambda r: r.prove_cpu)


def shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


# Heading, of us, of the peer, format.
COLUMNS: tuple[tuple[str, Callable[[Result], float | None], Callable[[Result], float | None], str], ...] = (
    ("k", lambda r: r.ours["k"], lambda r: theirs(r, lambda p: p["k"], lambda _: None), "d"),
    ("prove, CPU s", lambda r: r.ours["stages"]["prove"]["cpu_seconds"], prove_of_peer, ".3f"),
    (
        "peak MB",
        lambda r: megabytes(r.ours["stages"]["prove"]),
        lambda r: theirs(r, lambda p: megabytes(p["stages"]["prove"]), lambda reference: reference.peak_mb),
        ".0f",
    ),
    ("proof, bytes", lambda r: r.ours["proof_bytes"], lambda r: theirs(r, lambda p: p["proof_bytes"], lambda _: None), "d"),
    ("contract, bytes", lambda r: r.ours["contract_bytes"], lambda r: theirs(r, lambda p: p["contract_bytes"], lambda _: None), "d"),
    ("verify, gas", lambda r: r.ours["transaction"]["verify"], lambda r: theirs(r, lambda p: p["transaction"]["verify"], lambda _: None), "d"),
    ("max error", lambda r: r.ours["error"]["max"], lambda r: theirs(r, lambda p: p["error"]["max"], lambda _: None), ".1e"),
)


def name_of_peer(result: Result) -> str:
    return theirs(result, lambda p: p["tool"], lambda r: r.what) or ""


def ratio(result: Result) -> float | None:
    other = prove_of_peer(result)
    return other and other / result.ours["stages"]["prove"]["cpu_seconds"]


def lines(result: Result) -> list[list[str]]:
    ours = [result.case.name, *(shown(of_us(result), form) for _, of_us, _, form in COLUMNS), shown(ratio(result), ".1f")]
    peer = name_of_peer(result)
    return [ours] + ([["  " + peer, *(shown(of_them(result), form) for _, _, of_them, form in COLUMNS), ""]] if peer else [])


def table(results: list[Result]) -> str:
    rows = [["model", *(heading for heading, *_ in COLUMNS), "ratio"], *(line for result in results for line in lines(result))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    text = [" ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]) for row in rows]
    return "\n".join([text[0], "-" * len(text[0]), *text[1:]])


def limits(result: Result) -> list[dict[str, object]]:
    """Every limit with its value; a ratio is kept from above, the others from below."""
    targets, prove = result.case.targets, result.ours["stages"]["prove"]
    wanted = [
        ("prove, CPU s", prove["cpu_seconds"], targets.prove_cpu),
        ("peak MB", megabytes(prove), targets.peak_mb),
        ("prove, CPU s for each input", prove["cpu_seconds"] / result.case.items, targets.item_cpu),
        ("contract, bytes", result.ours["contract_bytes"], targets.contract_bytes),
        ("verify, gas", result.ours["transaction"]["verify"], targets.verify_gas),
        *((f"share of {stage}", share, SHARES[stage]) for stage, share in shares(result).items()),
    ]
    found = [{"what": what, "value": value, "limit": limit, "kept": value <= limit} for what, value, limit in wanted if limit]
    if targets.ratio and ratio(result):
        found.append({"what": "ratio", "value": ratio(result), "limit": targets.ratio, "kept": ratio(result) >= targets.ratio})
    peer = result.peer and result.peer["error"]["max"]
    if peer:
        mine = result.ours["error"]["max"]
        found.append({"what": "max error", "value": mine, "limit": peer, "kept": mine <= peer})
    return found + predictions(result)


def shares(result: Result) -> dict[str, float]:
    """Of what the process says itself: the stages whose names start so, over all of it."""
    prove = result.ours["stages"]["prove"]
    named = {name.removeprefix("stage: "): seconds for name, seconds in prove.items() if name.startswith("stage: ")}
    return {what: sum(s for name, s in named.items() if name.startswith(what)) / prove["cpu_seconds"] for what in SHARES}


def predictions(result: Result) -> list[dict[str, object]]:
    """What `inspect --candidates` says of the chosen plan beside what was measured: gas to the last unit, calldata as a bound, the rest
    within a quarter."""
    predicted, stages = result.ours["predicted"], result.ours["stages"]
    execution = result.ours["gas"]["execution"]
    near = [
        ("CPU s of a proof", predicted["cpuSeconds"], stages["prove"]["cpu_seconds"]),
        ("MB of a proof", predicted["memory"]["proof"] / 1e6, megabytes(stages["prove"])),
    ]
    found = [
        {"what": f"predicted {what}", "value": guess, "limit": got, "kept": abs(guess / got - 1) <= TOLERANCE} for what, guess, got in near
    ]
    guess = predicted["contract"].get("executionGas")
    found.append({"what": "predicted execution gas", "value": guess, "limit": execution, "kept": guess == execution})
    paid = result.ours["transaction"]["verify"] - TRANSACTION - execution
    found.append({"what": "calldata gas", "value": paid, "limit": predicted["calldataGas"], "kept": paid <= predicted["calldataGas"]})
    return found


def verdict(results: list[Result]) -> str:
    text = []
    for result in results:
        for limit in limits(result):
            word = "kept" if limit["kept"] else "MISSED"
            text.append(f"{word:>6}  {result.case.name}: {limit['what']} {limit['value']:.6g}, limit {limit['limit']:.6g}")
    return "\n".join(text)
