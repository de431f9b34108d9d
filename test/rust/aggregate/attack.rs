//! The outer circuit under attack (`docs/soundness.md`): on a small recording that the product lays out itself, changed cell by cell or
//! computed anew by a prover that makes other choices; and on recordings of whole proofs.

#[path = "attack/bench.rs"]
mod bench;
#[path = "attack/choices.rs"]
mod choices;
#[path = "attack/committed.rs"]
mod committed;
#[path = "attack/copies.rs"]
mod copies;
#[path = "attack/forger.rs"]
mod forger;
#[path = "attack/limbs.rs"]
mod limbs;
#[path = "attack/small.rs"]
mod small;
#[path = "attack/sweep.rs"]
mod sweep;
#[path = "attack/whole.rs"]
mod whole;

use bench::{Judge, Refusals};
use halo2_proofs::halo2curves::bn256::Fr;
use small::Small;
use std::sync::LazyLock;
use zkml_evm::outer::Sheet;

static JUDGE: LazyLock<Judge> = LazyLock::new(Judge::new);
static HONEST: LazyLock<Small> = LazyLock::new(Small::honest);

/// Challenges of the second judge: any two do.
fn challenges() -> [Fr; 2] {
    [Fr::from(0x1234_5678_9abc_def1).square(), Fr::from(0xfeed_beef_0123_4567).square().square()]
}

/// What both judges say; they must not disagree about whether a sheet is refused.
fn refusals(sheet: &Sheet, public: &[Fr]) -> Refusals {
    let refused = JUDGE.refusals(sheet, public);
    let of_a_prover = JUDGE.refusals_of_a_prover(sheet.clone(), public, challenges());
    assert_eq!(refused.is_empty(), of_a_prover.is_empty(), "{refused:?} {of_a_prover:?}");
    refused
}

fn names<const N: usize>(names: [&str; N]) -> Refusals {
    names.into_iter().map(str::to_owned).collect()
}
