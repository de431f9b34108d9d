//! The verifier in two contracts: circuits of one shape share the code, each model has its key, and nobody else chooses either.

use crate::{
    differential::wrong_encodings_are_refused,
    stand::{Deployed, Split, Stand, compiler},
    support::{Output, input, mlp},
};
use alloy::{
    primitives::{B256, Bytes, U256, keccak256},
    sol,
    sol_types::{SolCall, SolError},
};
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_evm::{
    chain::{
        ChainError,
        bindings::{FamilyVerifier, IProofVerifier},
        embedded::{
            Hardfork,
            profile::{profile, profile_beside},
        },
        gas::{Form, measure, measure_split},
    },
    circuit::{Item, Objective, PrivateWeights, Witness, plan},
    gates::Shape,
    op::InputMode,
    quant::{Program, privatise, run, run_with},
    verifier::{solc::Settings, split, split::Place},
};

sol! {
    interface IModel {
        function FAMILY_CODEHASH() external view returns (bytes32);
        function MODEL_ID() external view returns (bytes32);
        function verifierKind() external pure returns (bytes32);
    }
}

/// A model of the credit example's form with other weights, in the same shape.
fn stand(weights: u64, shape: Option<Shape>) -> Stand {
    let program = mlp(&[5, 4, 1], InputMode::Committed, Output::Threshold, weights);
    let shape = shape.unwrap_or_else(|| plan(&program, Objective::Gas).unwrap().shape);
    let witness = witness(&program);
    Stand::of(program, shape, &witness)
}

fn witness(program: &Program) -> Witness {
    let values = input(program, 2);
    let score = run(program, &values).unwrap().output()[0];
    Witness::new(program, &values, Fr::from(42), Some(Fr::from(99)), Some(score - 3)).unwrap()
}

fn made(stand: &Stand) -> Split {
    stand.split(&compiler(), Settings::VERIFIER)
}

fn unproven() -> Bytes {
    IProofVerifier::PairingFailed {}.abi_encode().into()
}

fn other_family(expected: B256, got: B256) -> Bytes {
    FamilyVerifier::OtherFamily { expected, got }.abi_encode().into()
}

/// One code for two trainings of a network, and none for a network of another form. Each model's contract takes its own proofs only.
#[tokio::test]
async fn models_of_one_shape_share_the_code_and_not_the_proofs() {
    let first = stand(1, None);
    let second = stand(2, Some(first.keys.shape));
    let [a, b] = [&first, &second].map(made);
    assert_eq!(a.sources[0], b.sources[0]);
    assert_eq!((a.place, &a.family.runtime), (b.place, &b.family.runtime));
    assert_ne!(a.model.runtime, b.model.runtime);
    assert!(a.sources[0].contains(&a.place.id.to_string()) && a.sources[1].contains(&a.place.id.to_string()));
    let wide = Stand::new(&[6, 4, 1], InputMode::Public, Output::Threshold, Objective::Gas);
    assert_ne!(split::family(&wide.program, &wide.keys, &wide.srs).unwrap().id, a.place.id);

    let mut deployed = Deployed::split(&a).await;
    let kind = deployed.read(IModel::verifierKindCall {}.abi_encode().into()).await;
    assert_eq!(B256::from_slice(&kind), keccak256("zkml-evm.verifier.v1"));
    let codehash = deployed.read(IModel::FAMILY_CODEHASHCall {}.abi_encode().into()).await;
    assert_eq!(B256::from_slice(&codehash), keccak256(&a.family.runtime));
    deployed.verify(&first.words(), &first.proof).await.unwrap();
    assert_eq!(deployed.verify(&second.words(), &second.proof).await, Err(unproven()));
    wrong_encodings_are_refused(&first, &deployed).await;

    deployed.add(&b.model).await.unwrap();
    deployed.verify(&second.words(), &second.proof).await.unwrap();
    assert_eq!(deployed.verify(&first.words(), &first.proof).await, Err(unproven()));
}

/// The model's contract is not put on a chain without its family's code, nor beside another code; and where it is there all the same, it
/// does not take the silence of an empty address for a yes.
#[tokio::test]
async fn nothing_verifies_without_the_pinned_code() {
    let stand = stand(1, None);
    let split = made(&stand);
    let expected = split.place.codehash;
    let single = compiler().compile_verifier(&stand.source()).unwrap();
    let mut deployed = Deployed::new(&single).await;
    let refusal = |result: Result<(), ChainError>| match result {
        Err(ChainError::Reverted { revert, .. }) => {
            assert_eq!(revert.name, "OtherFamily");
            revert.data
        }
        other => panic!("{other:?}"),
    };
    // Nothing was ever at the address, so its code has no hash.
    assert_eq!(refusal(deployed.add(&split.model).await), other_family(expected, B256::ZERO));
    // Another contract is at the address.
    let elsewhere = stand.split_source(&Place { address: deployed.address(), ..split.place });
    let elsewhere = compiler().compile_verifier(&elsewhere).unwrap();
    assert_eq!(refusal(deployed.add(&elsewhere).await), other_family(expected, keccak256(&single.runtime)));

    let unchecked = split.sources[1].replacen("_checkFamily();", "", 1);
    deployed.add(&compiler().compile_verifier(&unchecked).unwrap()).await.unwrap();
    let at = deployed.address();
    assert_eq!(deployed.verify(&stand.words(), &stand.proof).await, Err(other_family(expected, B256::ZERO)));
    deployed.add(&split.family).await.unwrap();
    let deployed = deployed.at(at);
    deployed.verify(&stand.words(), &stand.proof).await.unwrap();
}

/// The family's code takes any key, of the right length: it is no verifier of proofs, and has no kind that a router takes.
#[tokio::test]
async fn the_shared_code_is_no_verifier_by_itself() {
    let stand = stand(1, None);
    let split = made(&stand);
    let deployed = Deployed::new(&split.family).await;
    let key = split::key_bytes(&stand.program, &stand.keys, &stand.srs).unwrap();
    let call = |key: &[u8]| {
        let (public_inputs, proof) = (stand.words(), stand.proof.clone().into());
        let call = FamilyVerifier::verifyProofCall { key: key.to_vec().into(), publicInputs: public_inputs, proof };
        Bytes::from(call.abi_encode())
    };
    deployed.call(call(&key)).await.unwrap();
    for wrong in [&key[..key.len() - 1], &[key.clone(), vec![0]].concat()] {
        let (expected, got) = (U256::from(key.len()), U256::from(wrong.len()));
        let expected = Bytes::from(FamilyVerifier::InvalidKeyLength { expected, got }.abi_encode());
        assert_eq!(deployed.call(call(wrong)).await, Err(expected));
    }
    let mut other = key.clone();
    other[31] ^= 1;
    assert_eq!(deployed.call(call(&other)).await, Err(unproven()));
    assert_eq!(deployed.call(IModel::verifierKindCall {}.abi_encode().into()).await, Err(Bytes::new()));
}

/// Private weights: their commitment is in the model's contract, beside the key, which all weights of a structure share.
#[tokio::test]
async fn private_weights_are_the_model_s() {
    let made_private = privatise(&mlp(&[3, 2, 1], InputMode::Committed, Output::Threshold, 1)).unwrap();
    let values = input(&made_private.program, 3);
    let score = run_with(&made_private.program, &values, &made_private.values).unwrap().output()[0];
    let item = Item { values, salt: Some(Fr::from(99)), threshold: Some(score) };
    let weights = PrivateWeights { values: made_private.values, salt: Fr::from(7) };
    let witness = Witness::of(&made_private.program, &[item], Fr::from(42), Some(&weights)).unwrap();
    let shape = plan(&made_private.program, Objective::Balanced).unwrap().shape;
    let stand = Stand::of(made_private.program, shape, &witness);
    let deployed = Deployed::split(&made(&stand)).await;
    let words = stand.words();
    deployed.verify(&words, &stand.proof).await.unwrap();
    let at = words.len() - 2;
    let mut others = words.clone();
    others[at] += U256::from(1);
    let expected = IProofVerifier::OtherWeights { expected: words[at], got: others[at] }.abi_encode();
    assert_eq!(deployed.verify(&others, &stand.proof).await, Err(expected.into()));
    let (expected, got) = (U256::from(words.len()), U256::from(at));
    let expected = IProofVerifier::InvalidInstanceCount { expected, got }.abi_encode();
    assert_eq!(deployed.verify(&words[..at], &stand.proof).await, Err(expected.into()));
}

/// The report is what a transaction uses, and what sharing costs stays small.
#[test]
fn the_gas_of_both_contracts_is_reported() {
    let stand = stand(1, None);
    let Split { place, family, model, .. } = made(&stand);
    let form = Form::of_shape(&stand.keys.shape);
    let report = measure_split(&model, &family, place.address, &form, Hardfork::Osaka).unwrap();
    let call = IProofVerifier::verifyProofCall { publicInputs: stand.words(), proof: stand.proof.clone().into() }.abi_encode();
    let calldata: u64 = call.iter().map(|&byte| if byte == 0 { 4 } else { 16 }).sum();
    let real = profile_beside(Some((place.address, &family.runtime)), &model.creation, &[], call.into(), Hardfork::Osaka);
    let real = real.unwrap();
    assert!(real.succeeded);
    assert!(report.execution.abs_diff(real.total - 21_000 - calldata) <= 200, "{} for {}", report.execution, real.total);
    assert_eq!(report.total, report.parts.iter().map(|part| part.gas).sum::<u64>());
    assert_eq!((report.code_bytes, report.shared_code_bytes), (model.runtime_size, Some(family.runtime_size)));

    let single = compiler().compile_verifier(&stand.source()).unwrap();
    let alone = measure(&single, &form, Hardfork::Osaka).unwrap();
    println!(
        "one contract {} gas, {} bytes; split {} gas, {} + {} bytes",
        alone.total, alone.code_bytes, report.total, model.runtime_size, family.runtime_size
    );
    assert!(report.total < alone.total + 6_000 && model.runtime_size * 3 < single.runtime_size);
    // Without the family's code the call ends before any verification.
    let call = IProofVerifier::verifyProofCall { publicInputs: stand.words(), proof: stand.proof.clone().into() }.abi_encode();
    assert!(profile(&model.creation, &[], call.into(), Hardfork::Osaka).is_err());
}
