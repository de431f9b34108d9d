//! The rendered verifier on a chain: it accepts what native verification accepts, and refuses everything else by name.

#[path = "verifier/aggregate.rs"]
mod aggregate;
#[path = "verifier/chains.rs"]
mod chains;
#[path = "verifier/differential.rs"]
mod differential;
#[path = "verifier/gas.rs"]
mod gas;
#[path = "verifier/matrix.rs"]
mod matrix;
#[path = "verifier/peer.rs"]
mod peer;
#[path = "attack/programs.rs"]
#[allow(dead_code)] // The attacks use the rest.
mod programs;
#[path = "verifier/random.rs"]
mod random;
#[path = "verifier/shapes.rs"]
mod shapes;
#[path = "verifier/split.rs"]
mod split;
#[path = "verifier/stand.rs"]
mod stand;
mod support;

use alloy::{
    primitives::{B256, Bytes, U256},
    sol_types::SolError,
};
use stand::{Deployed, Stand, compiler};
use std::{path::Path, process::Command};
use zkml_evm::{
    chain::bindings::IProofVerifier,
    proof::{Keys, model_id::model_id, verify, verify::ProofLayout},
    verifier::{render, solc::Settings},
};

const R: &str = "21888242871839275222246405745257275088548364400416034343698204186575808495617";

#[tokio::test]
async fn accepts_and_refuses_as_native_verification_does() {
    let setup = Stand::credit_sized();
    let deployed = Deployed::new(&compiler().compile_verifier(&setup.source()).unwrap()).await;
    let instances = setup.words();
    deployed.verify(&instances, &setup.proof).await.unwrap();

    let r: U256 = R.parse().unwrap();
    let layout = ProofLayout::of(&setup.keys.shape);
    for i in 0..instances.len() {
        let mut aliased = instances.clone();
        aliased[i] += r;
        let reason = deployed.verify(&aliased, &setup.proof).await.unwrap_err();
        let expected = IProofVerifier::InstanceOutOfRange { index: U256::from(i), value: aliased[i] };
        assert_eq!(reason, Bytes::from(expected.abi_encode()), "instance {i} + r");
        let mut other = instances.clone();
        other[i] = (other[i] + U256::from(1)) % r;
        let reason = deployed.verify(&other, &setup.proof).await.unwrap_err();
        assert_eq!(reason, Bytes::from(IProofVerifier::PairingFailed {}.abi_encode()), "instance {i} + 1");
    }
    for i in [0, layout.evaluations / 2, layout.evaluations - 1] {
        let offset = layout.points * 64 + i * 32;
        let mut aliased = setup.proof.clone();
        let value = U256::from_be_slice(&aliased[offset..offset + 32]) + r;
        aliased[offset..offset + 32].copy_from_slice(&value.to_be_bytes::<32>());
        let reason = deployed.verify(&instances, &aliased).await.unwrap_err();
        let expected = IProofVerifier::EvaluationOutOfRange { index: U256::from(i), value };
        assert_eq!(reason, Bytes::from(expected.abi_encode()), "evaluation {i} + r");
        assert!(verify(&setup.keys, &setup.srs, &setup.instances, &aliased).is_err());
    }
    for (proof, got) in [
        (setup.proof[..setup.proof.len() - 1].to_vec(), setup.proof.len() - 1),
        ([setup.proof.clone(), vec![0; 32]].concat(), setup.proof.len() + 32),
        (Vec::new(), 0),
    ] {
        let reason = deployed.verify(&instances, &proof).await.unwrap_err();
        let (expected, got) = (U256::from(layout.length()), U256::from(got));
        assert_eq!(reason, Bytes::from(IProofVerifier::InvalidProofLength { expected, got }.abi_encode()));
    }
    let reason = deployed.verify(&instances[1..], &setup.proof).await.unwrap_err();
    let (expected, got) = (U256::from(instances.len()), U256::from(instances.len() - 1));
    assert_eq!(reason, Bytes::from(IProofVerifier::InvalidInstanceCount { expected, got }.abi_encode()));
}

#[test]
fn the_source_is_deterministic_and_names_the_model() {
    let setup = Stand::credit_sized();
    let id = model_id(&setup.program, &setup.keys, &setup.srs).unwrap();
    let source = render(&setup.program, &setup.keys, &setup.srs, id, None).unwrap();
    let again = Keys::generate(&setup.program, setup.keys.shape, &setup.srs).unwrap();
    assert_eq!(model_id(&setup.program, &again, &setup.srs).unwrap(), id);
    assert_eq!(render(&setup.program, &again, &setup.srs, id, None).unwrap(), source);
    assert!(source.contains(&B256::from(id).to_string()) && source.contains("insecure-dev"));
}

/// The source is as `forge fmt` and the project's linter want their own.
#[test]
fn the_source_is_formatted_and_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let stacked = Stand::stacked();
    let [family, model] = stacked.split(&compiler(), Settings::VERIFIER).sources;
    for source in [Stand::credit_sized().source(), stacked.source(), family, model] {
        std::fs::write(folder.path().join("InferenceVerifier.sol"), source).unwrap();
        let run = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(root.join("node_modules/.bin").join(program));
            let done = command.args(arguments).arg("InferenceVerifier.sol").current_dir(folder.path()).output().unwrap();
            let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            assert!(done.status.success(), "{}", said.concat());
        };
        run("forge", &["fmt", "--check", "--root", root.to_str().unwrap()]);
        run("solhint", &["--disc", "--noPoster", "-c", root.join("test/.solhint.generated.json").to_str().unwrap()]);
    }
}
