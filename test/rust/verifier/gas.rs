//! The gas report against real transactions.

use crate::{
    stand::{Deployed, Stand, compiler},
    support::{Output, input, mlp},
};
use alloy::sol_types::SolCall;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_evm::{
    chain::{
        bindings::IProofVerifier,
        embedded::{Hardfork, profile::profile},
        gas::{Form, calldata_bound, measure},
    },
    circuit::{Item, Objective, PrivateWeights, Witness, plan, statement},
    op::InputMode,
    quant::privatise,
    verifier::placeholder,
};

/// The refusal at the end (an error's selector instead of nothing) is what the measured call and an accepted one differ in.
const REFUSAL: u64 = 64;

fn agrees(stand: &Stand, hardfork: Hardfork) {
    let compiled = compiler().compile_verifier(&stand.source()).unwrap();
    let statement = statement::layout(&stand.program).unwrap();
    let form = |commitment| Form::of_shape(&stand.keys.shape).with_weights(&statement, commitment);
    let report = measure(&compiled, &form(stand.commitment()), hardfork).unwrap();
    let unkeyed = compiler().compile_verifier(&placeholder::render(&stand.program, &stand.keys.shape).unwrap()).unwrap();
    assert_ne!(unkeyed.creation, compiled.creation);
    let predicted = measure(&unkeyed, &form(placeholder::weights(&stand.program)), hardfork).unwrap();
    assert_eq!((predicted.parts, predicted.execution), (report.parts.clone(), report.execution), "without keys");
    let call = IProofVerifier::verifyProofCall { publicInputs: stand.words(), proof: stand.proof.clone().into() };
    let data = call.abi_encode();
    let calldata: u64 = data.iter().map(|&byte| if byte == 0 { 4 } else { 16 }).sum();
    let real = profile(&compiled.creation, &[], data.into(), hardfork).unwrap();
    assert!(real.succeeded);
    let execution = real.total - 21_000 - calldata;
    let bound = calldata_bound(&stand.keys.shape);
    // A column of zeros has an evaluation of 32 zero bytes, and each of them is 12 less than the bound has it.
    let empty = stand.proof.chunks(32).filter(|word| word.iter().all(|byte| *byte == 0)).count() as u64;
    let slack = 1_500 + 12 * 32 * empty;
    assert!(calldata <= bound && bound < calldata + slack, "{bound} for {calldata}");
    assert!(report.execution.abs_diff(execution) <= REFUSAL, "predicted {}, used {execution}", report.execution);
    assert!(report.total + REFUSAL >= real.total && report.total < real.total + slack, "{} for {}", report.total, real.total);
    assert_eq!(report.total, report.parts.iter().map(|part| part.gas).sum::<u64>());
    assert!(report.parts.iter().all(|part| part.gas > 0), "{:?}", report.parts);
    assert!(report.floor < real.total && report.floor > real.total * 4 / 5, "floor {} of {}", report.floor, real.total);
}

#[test]
fn the_report_predicts_what_a_proof_uses() {
    agrees(&Stand::credit_sized(), Hardfork::Osaka);
    let revealed = Stand::new(&[5, 4, 3], InputMode::Private, Output::Reveal, Objective::Gas);
    agrees(&revealed, Hardfork::Osaka);
    agrees(&revealed, Hardfork::Prague);
    // One output leaves a column of weights empty: its commitment is the point at infinity.
    agrees(&Stand::new(&[5, 1], InputMode::Private, Output::Reveal, Objective::Balanced), Hardfork::Osaka);
    // The contract compares their commitment with a constant before anything else.
    agrees(&with_private_weights(), Hardfork::Osaka);
}

fn with_private_weights() -> Stand {
    let made = privatise(&mlp(&[3, 2], InputMode::Private, Output::Argmax, 1)).unwrap();
    let item = Item { values: input(&made.program, 3), salt: None, threshold: None };
    let weights = PrivateWeights { values: made.values, salt: Fr::from(7) };
    let witness = Witness::of(&made.program, &[item], Fr::from(42), Some(&weights)).unwrap();
    let shape = plan(&made.program, Objective::Balanced).unwrap().shape;
    Stand::of(made.program, shape, &witness)
}

/// The profile is of the transaction that a chain would run.
#[tokio::test]
async fn the_profile_is_what_the_chain_charges() {
    let stand = Stand::new(&[5, 4, 3], InputMode::Private, Output::Reveal, Objective::Gas);
    let compiled = compiler().compile_verifier(&stand.source()).unwrap();
    let call = IProofVerifier::verifyProofCall { publicInputs: stand.words(), proof: stand.proof.clone().into() };
    let used = profile(&compiled.creation, &[], call.abi_encode().into(), Hardfork::Osaka).unwrap().total;
    let estimated = Deployed::new(&compiled).await.verify(&stand.words(), &stand.proof).await.unwrap();
    assert!((used..used + used / 50).contains(&estimated), "{used} used, {estimated} estimated");
}
