//! The rendered verifier on a chain: it accepts what native verification accepts, and refuses everything else by name.

mod support;

use alloy::{
    primitives::{B256, Bytes, U256},
    providers::Provider,
    rpc::types::TransactionRequest,
    sol_types::{SolCall, SolError},
};
use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use std::path::Path;
use support::{Output, input, mlp, walk, walking_shape};
use zkml_evm::{
    chain::{
        AccountSource, Chain, ChainTarget, Password, Patience, Registry,
        bindings::IProofVerifier,
        deploy::{self, DeployItem},
    },
    circuit::{Objective, Witness, plan},
    op::InputMode,
    proof::{Keys, Srs, model_id::model_id, prove, verify, verify::ProofLayout},
    quant::{Program, run},
    verifier::{Compiler, render},
};

const R: &str = "21888242871839275222246405745257275088548364400416034343698204186575808495617";

struct Setup {
    program: Program,
    keys: Keys,
    srs: Srs,
    instances: Vec<Fr>,
    proof: Vec<u8>,
}

fn credit_sized() -> Setup {
    let program = mlp(&[12, 32, 16, 1], InputMode::Committed, Output::Threshold, 1);
    let plan = plan(&program, Objective::Balanced).unwrap();
    let srs = Srs::development(plan.shape.k);
    let keys = Keys::generate(&program, plan.shape, &srs).unwrap();
    let values = input(&program, 2);
    let score = run(&program, &values).unwrap().output()[0];
    let witness = Witness::new(&program, &values, Fr::from(42), Some(Fr::from(99)), Some(score - 3)).unwrap();
    let instances = witness.statement.instances();
    let proof = prove(&program, &keys, &srs, &witness).unwrap();
    Setup { program, keys, srs, instances, proof }
}

fn words(instances: &[Fr]) -> Vec<U256> {
    instances.iter().map(|v| U256::from_le_bytes(v.to_repr())).collect()
}

async fn deploy_verifier(chain: &Chain, setup: &Setup) -> (alloy::primitives::Address, usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiler = Compiler::find(None, root).unwrap();
    let id = model_id(&setup.program, &setup.keys, &setup.srs).unwrap();
    let source = render(&setup.program, &setup.keys, &setup.srs, id).unwrap();
    let compiled = compiler.compile_verifier(&source).unwrap();
    let account = AccountSource::Development(0).unlock(&Password::Ask, chain.is_local()).unwrap();
    let item = DeployItem::new("InferenceVerifier", compiled.creation.clone().into(), compiled.runtime_size);
    let mut registry = Registry::in_memory(chain.id());
    deploy::execute(chain, &account, std::slice::from_ref(&item), &mut registry, false, |_, _| {}).await.unwrap();
    (item.address(), compiled.runtime_size)
}

async fn call(chain: &Chain, to: alloy::primitives::Address, instances: Vec<U256>, proof: &[u8]) -> Result<u64, Bytes> {
    let data = IProofVerifier::verifyProofCall { publicInputs: instances, proof: proof.to_vec().into() }.abi_encode();
    let request = TransactionRequest::default().to(to).input(data.into());
    match chain.provider().call(request.clone()).await {
        Ok(returned) => {
            assert!(returned.is_empty());
            Ok(chain.provider().estimate_gas(request).await.unwrap())
        }
        Err(error) => Err(error.as_error_resp().and_then(|e| e.as_revert_data()).unwrap_or_default()),
    }
}

#[tokio::test]
async fn accepts_and_refuses_as_native_verification_does() {
    let setup = credit_sized();
    let chain = ChainTarget::embedded().connect(None, Patience::default()).await.unwrap();
    let (at, size) = deploy_verifier(&chain, &setup).await;
    let instances = words(&setup.instances);
    let gas = call(&chain, at, instances.clone(), &setup.proof).await.unwrap();
    eprintln!("verifier: {size} bytes, whole transaction {gas} gas, proof {} bytes", setup.proof.len());

    let r: U256 = R.parse().unwrap();
    let layout = ProofLayout::of(&setup.keys.shape);
    for i in 0..instances.len() {
        let mut aliased = instances.clone();
        aliased[i] += r;
        let reason = call(&chain, at, aliased.clone(), &setup.proof).await.unwrap_err();
        let expected = IProofVerifier::InstanceOutOfRange { index: U256::from(i), value: aliased[i] };
        assert_eq!(reason, Bytes::from(expected.abi_encode()), "instance {i} + r");
        let mut other = instances.clone();
        other[i] = (other[i] + U256::from(1)) % r;
        let reason = call(&chain, at, other, &setup.proof).await.unwrap_err();
        assert_eq!(reason, Bytes::from(IProofVerifier::ProofRejected {}.abi_encode()), "instance {i} + 1");
    }
    for i in [0, layout.evaluations / 2, layout.evaluations - 1] {
        let offset = layout.points * 64 + i * 32;
        let mut aliased = setup.proof.clone();
        let value = U256::from_be_slice(&aliased[offset..offset + 32]) + r;
        aliased[offset..offset + 32].copy_from_slice(&value.to_be_bytes::<32>());
        let reason = call(&chain, at, instances.clone(), &aliased).await.unwrap_err();
        let expected = IProofVerifier::EvaluationOutOfRange { index: U256::from(i), value };
        assert_eq!(reason, Bytes::from(expected.abi_encode()), "evaluation {i} + r");
        assert!(verify(&setup.keys, &setup.srs, &setup.instances, &aliased).is_err());
    }
    for (proof, got) in [
        (setup.proof[..setup.proof.len() - 1].to_vec(), setup.proof.len() - 1),
        ([setup.proof.clone(), vec![0; 32]].concat(), setup.proof.len() + 32),
        (Vec::new(), 0),
    ] {
        let reason = call(&chain, at, instances.clone(), &proof).await.unwrap_err();
        let (expected, got) = (U256::from(layout.length()), U256::from(got));
        assert_eq!(reason, Bytes::from(IProofVerifier::InvalidProofLength { expected, got }.abi_encode()));
    }
    let reason = call(&chain, at, instances[1..].to_vec(), &setup.proof).await.unwrap_err();
    let (expected, got) = (U256::from(instances.len()), U256::from(instances.len() - 1));
    assert_eq!(reason, Bytes::from(IProofVerifier::InvalidInstanceCount { expected, got }.abi_encode()));
    for at_byte in (0..setup.proof.len()).step_by(61) {
        let mut changed = setup.proof.clone();
        changed[at_byte] ^= 1;
        assert!(call(&chain, at, instances.clone(), &changed).await.is_err(), "byte {at_byte}");
    }
}

/// A circuit with kernels that walk, on chain and off.
#[tokio::test]
async fn a_convolution_verifies_on_chain() {
    let program = walk();
    let shape = walking_shape(&program);
    let srs = Srs::development(shape.k);
    let keys = Keys::generate(&program, shape, &srs).unwrap();
    let witness = Witness::new(&program, &input(&program, 3), Fr::from(42), None, None).unwrap();
    let instances = witness.statement.instances();
    let proof = prove(&program, &keys, &srs, &witness).unwrap();
    verify(&keys, &srs, &instances, &proof).unwrap();
    let setup = Setup { program, keys, srs, instances, proof };
    let chain = ChainTarget::embedded().connect(None, Patience::default()).await.unwrap();
    let (at, size) = deploy_verifier(&chain, &setup).await;
    let instances = words(&setup.instances);
    let gas = call(&chain, at, instances.clone(), &setup.proof).await.unwrap();
    eprintln!("convolution: {size} bytes, whole transaction {gas} gas, proof {} bytes", setup.proof.len());
    for i in (0..setup.proof.len()).step_by(61) {
        let mut changed = setup.proof.clone();
        changed[i] ^= 1;
        assert!(call(&chain, at, instances.clone(), &changed).await.is_err(), "byte {i}");
    }
    let last = instances.len() - 1;
    let mut other = instances;
    other[last] += U256::from(1);
    assert!(call(&chain, at, other, &setup.proof).await.is_err());
}

#[test]
fn the_source_is_deterministic_and_names_the_model() {
    let setup = credit_sized();
    let id = model_id(&setup.program, &setup.keys, &setup.srs).unwrap();
    let source = render(&setup.program, &setup.keys, &setup.srs, id).unwrap();
    let again = Keys::generate(&setup.program, setup.keys.shape, &setup.srs).unwrap();
    assert_eq!(model_id(&setup.program, &again, &setup.srs).unwrap(), id);
    assert_eq!(render(&setup.program, &again, &setup.srs, id).unwrap(), source);
    assert!(source.contains(&B256::from(id).to_string()) && source.contains("insecure-dev"));
}
