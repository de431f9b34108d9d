"""The synthetic credit data set: who applies, and who repays.

Everything here is invented and seeded; no row describes a person. README.md explains each feature.
Run it to write `dataset.csv` (git-ignored); `train.py` imports it and needs no file.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEED = 20_260_101
ROWS = 24_000
# months_since_delinquency of an applicant with none on file (the bureau keeps ten years).
NEVER_DELINQUENT = 120


@dataclass(frozen=True)
class Feature:
    """One model input: real value = integer / 10^decimals, and minimum <= integer <= maximum."""

    name: str
    unit: str
    decimals: int
    minimum: int
    maximum: int

    def to_integers(self, real: np.ndarray) -> np.ndarray:
        """Rounds half away from zero to the feature's grid and clips to its range (top-coding)."""
        scaled = np.asarray(real, dtype=np.float64) * 10**self.decimals
        rounded = np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)
        return np.clip(rounded, self.minimum, self.maximum).astype(np.int64)


# The model's inputs, in order. The circuit sizes its worst-case intervals from these ranges, so they are tight:
# values beyond them are top-coded, as a credit bureau's extracts are.
FEATURES = (
    Feature("annual_income", "USD", 0, 0, 200_000),
    Feature("loan_amount", "USD", 0, 500, 50_000),
    Feature("employment_months", "months", 0, 0, 480),
    Feature("age_years", "years", 0, 18, 85),
    Feature("debt_to_income", "ratio", 3, 0, 1_000),
    Feature("credit_utilisation", "ratio", 3, 0, 1_200),
    Feature("delinquencies_24m", "count", 0, 0, 6),
    Feature("inquiries_6m", "count", 0, 0, 8),
    Feature("open_accounts", "count", 0, 0, 20),
    Feature("months_since_delinquency", "months", 0, 0, NEVER_DELINQUENT),
    Feature("revolving_balance", "USD", 0, 0, 60_000),
    Feature("savings_balance", "USD", 0, 0, 100_000),
)


def _people(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Draws the raw, unrounded features. `discipline` is latent: it shapes the features and is not one of them."""
    discipline = rng.normal(size=rows)
    age = 18 + rng.gamma(3.2, 7.5, size=rows)
    working = np.maximum(age - 18, 0) * 12
    employment = working * rng.beta(1.2, 2.4, size=rows)
    seniority = np.minimum(employment / 120, 2.0)
    income = np.exp(np.log(44_000) + 0.22 * seniority + 0.12 * discipline + 0.40 * rng.normal(size=rows))

    accounts = rng.poisson(3.5 + 2.0 * np.minimum((np.minimum(age, 60) - 18) / 20, 2.0))
    limit = income * (0.08 + 0.05 * np.minimum(accounts, 8))
    utilisation = rng.beta(1.6, 2.6, size=rows) * np.exp(-0.35 * discipline)
    utilisation = np.where(accounts == 0, 0.0, utilisation)
    revolving = utilisation * limit
    savings = np.exp(np.log(0.10) + np.log(income) + 0.75 * discipline + 0.9 * rng.normal(size=rows))

    delinquencies = rng.poisson(np.exp(-1.3 - 0.85 * discipline))
    recent = rng.integers(0, 24, size=rows)
    old = rng.integers(24, NEVER_DELINQUENT, size=rows)
    ever = rng.random(rows) < 1 / (1 + np.exp(0.6 + 0.8 * discipline))
    since = np.where(delinquencies > 0, recent, np.where(ever, old, NEVER_DELINQUENT))

    loan = np.exp(np.log(9_000) + 0.35 * np.log(income / 50_000) + 0.65 * rng.normal(size=rows))
    other_debt = income * np.clip(rng.normal(0.20, 0.10, size=rows) - 0.03 * discipline, 0, None)
    yearly_service = other_debt + 0.30 * revolving + loan / 3
    return {
        "annual_income": income,
        "loan_amount": loan,
        "employment_months": employment,
        "age_years": np.floor(age),
        "debt_to_income": yearly_service / income,
        "credit_utilisation": utilisation,
        "delinquencies_24m": delinquencies,
        "inquiries_6m": rng.poisson(np.exp(0.1 - 0.35 * discipline)),
        "open_accounts": accounts,
        "months_since_delinquency": since,
        "revolving_balance": revolving,
        "savings_balance": savings,
    }


def _repay_log_odds(real: dict[str, np.ndarray], noise: np.ndarray) -> np.ndarray:
    """The invented truth: bends and interactions that a linear score misses, plus what no feature shows."""
    burden = np.maximum(real["debt_to_income"] - 0.45, 0)
    stretched = np.maximum(real["credit_utilisation"] - 0.50, 0)
    cushion = np.log1p(real["savings_balance"] / (0.2 * real["loan_amount"] + 500))
    tenure = np.minimum(real["employment_months"] / 36, 2.0)
    healed = np.minimum(real["months_since_delinquency"] / 48, 1.0)
    return (
        0.10
        + 0.75 * cushion
        + 0.45 * tenure
        + 0.90 * healed
        + 0.50 * np.log(np.maximum(real["annual_income"], 1_000) / 50_000)
        - 2.6 * burden
        - 1.8 * stretched
        - 2.5 * burden * stretched
        - 0.55 * np.minimum(real["delinquencies_24m"], 4)
        - 0.25 * np.maximum(real["inquiries_6m"] - 1, 0)
        - 0.30 * (real["age_years"] < 23)
        - 0.25 * np.maximum(real["open_accounts"] - 12, 0) / 4
        + 0.60 * noise
    )


def make_dataset(rows: int = ROWS, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Returns (integers, repaid): int64 [rows, 12] in schema integers, and bool [rows]."""
    rng = np.random.default_rng(seed)
    raw = _people(rng, rows)
    integers = np.stack([f.to_integers(raw[f.name]) for f in FEATURES], axis=1)
    # The outcome depends on what a lender sees: the rounded and clipped values.
    real = {f.name: column for f, column in zip(FEATURES, to_real(integers).T)}
    log_odds = _repay_log_odds(real, rng.normal(size=rows))
    repaid = rng.random(rows) < 1 / (1 + np.exp(-log_odds))
    return integers, repaid


def to_real(integers: np.ndarray) -> np.ndarray:
    """Schema integers [n, 12] to natural units, float64 [n, 12]."""
    return integers / np.array([10.0**f.decimals for f in FEATURES])


def main() -> None:
    integers, repaid = make_dataset()
    path = Path(__file__).with_name("dataset.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f.name for f in FEATURES] + ["repaid"])
        for row, label in zip(to_real(integers), repaid):
            cells = [f"{value:.{f.decimals}f}" for f, value in zip(FEATURES, row)]
            writer.writerow(cells + [int(label)])
    print(f"{path.name}: {len(integers)} rows, {repaid.mean():.1%} repaid")


if __name__ == "__main__":
    main()
