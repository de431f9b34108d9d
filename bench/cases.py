"""What `make bench` measures: one line for each model and statement, with its settings, its peer, and what it has to reach."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Live:
    """EZKL 23.0.5, measured in the same run on the same model and inputs."""

    # `private` (input private, output public) or `hashed` (the input's Poseidon hash public as well).
    mode: str = "private"
    # Settings in place of EZKL's calibration: what an expert would choose for this model.
    tuned: dict[str, object] | None = None


@dataclass(frozen=True)
class Reference:
    """Published or earlier figures of a peer that is too slow, or not there, to be run."""

    what: str
    prove_cpu: float
    peak_mb: float | None = None


@dataclass(frozen=True)
class Targets:
    """Limits that the run is held to; a ratio is EZKL's CPU seconds over ours."""

    prove_cpu: float | None = None
    ratio: float | None = None
    peak_mb: float | None = None
    contract_bytes: int | None = None
    verify_gas: int | None = None
    # Of one input of a batch.
    item_cpu: float | None = None


@dataclass(frozen=True)
class Case:
    name: str
    # A folder of bench/models.py.
    model: str
    input: str = "private"
    output: str = "reveal"
    options: tuple[str, ...] = ()
    # Extra arguments of `prove`.
    statement: tuple[str, ...] = ()
    # Inputs of one proof, and whether the weights stay with the prover.
    items: int = 1
    private_weights: bool = False
    runs: int = 5
    peer: Live | Reference | None = None
    targets: Targets = field(default_factory=Targets)


# The best that was found for the credit model's logit by hand: 2^12 rows, limbs of 11 bits for every range check, and the finest
# scales that they hold (errors of 4e-4; coarser scales are no faster).
EXPERT = {"input_scale": 13, "param_scale": 13, "logrows": 12, "decomp_base": 2048, "decomp_legs": 3, "lookup_range": [-1024, 1024]}
# Scales from the calibration rows, as EZKL has them.
FAST = ("--objective", "prover", "--hidden-ranges", "calibrated")

CASES = (
    Case("credit, reveal", "credit", peer=Live(), targets=Targets(prove_cpu=0.12, ratio=60, peak_mb=20)),
    Case("credit logit, reveal", "credit_logit", peer=Live(tuned=EXPERT), targets=Targets(ratio=10)),
    Case(
        "credit, loan",
        "credit",
        input="committed",
        output="threshold",
        statement=("--probability", "0.75"),
        peer=Live(mode="hashed"),
        targets=Targets(prove_cpu=0.35, peak_mb=40, contract_bytes=18_000, verify_gas=450_000),
    ),
    Case("credit, batch of 64", "credit", options=FAST, items=64, runs=3, targets=Targets(item_cpu=0.02, verify_gas=512_000)),
    Case(
        "credit, private weights",
        "credit",
        options=FAST,
        private_weights=True,
        runs=3,
        peer=Reference("EZKL 23.0.5, weights hashed, earlier run", 34.6, 1_608),
    ),
    Case("logistic 30-1", "logistic", peer=Live(), targets=Targets(prove_cpu=0.12, ratio=60, peak_mb=20)),
    Case("MNIST CNN", "mnist_cnn", options=FAST, peer=Live(), targets=Targets(prove_cpu=0.5, ratio=30, peak_mb=60)),
    Case("MLP 784-128-10", "mlp", options=FAST, peer=Live(), targets=Targets(prove_cpu=0.6, ratio=25, peak_mb=60)),
    Case("LeNet-5", "lenet5", options=FAST, runs=3, peer=Live(), targets=Targets(prove_cpu=2, ratio=15, peak_mb=200)),
    Case("depthwise block", "depthwise", options=FAST, runs=3),
    Case(
        "ResNet, 272k",
        "resnet",
        options=FAST,
        runs=1,
        peer=Reference("ZKML (EuroSys'24), ResNet-18: 52.9 s on 32 or more cores", 1_700),
        targets=Targets(prove_cpu=200, peak_mb=8_000),
    ),
)
