//! Beside snark-verifier's own rendering of the same protocol: what it costs, and what it lets pass.

use crate::{
    differential::{put, word},
    stand::{Stand, compiler},
    support::input,
};
use alloy::{
    primitives::{Address, Bytes, TxKind, U256, hex},
    sol_types::SolCall,
};
use halo2_proofs::{
    halo2curves::bn256::{Bn256, Fq, Fr},
    poly::commitment::ParamsProver,
};
use revm::{
    Context, ExecuteEvm, MainBuilder, MainContext,
    bytecode::Bytecode,
    context::{BlockEnv, CfgEnv, TxEnv},
    database::InMemoryDB,
    primitives::hardfork::SpecId,
    state::AccountInfo,
};
use serde_json::{Value, json};
use snark_verifier::{
    loader::evm::EvmLoader,
    pcs::kzg::{Bdfg21, Gwc19, KzgAs},
    system::halo2::transcript::evm::EvmTranscript,
    verifier::{SnarkVerifier, plonk::PlonkVerifier},
};
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    rc::Rc,
};
use zkml_evm::{
    chain::{
        bindings::IProofVerifier,
        embedded::{Hardfork, profile::profile},
        gas::{Form, measure},
    },
    circuit::{Objective, Witness, plan::candidates},
    op::{Input, InputMode, Interval, Linear, Op, Rescale},
    proof::{protocol::protocol, verify, verify::ProofLayout},
    quant::{Node, Precision, Program},
};

/// How the polynomials are opened.
#[derive(Clone, Copy, PartialEq)]
enum Opening {
    Shplonk,
    Gwc,
}

/// snark-verifier's contract.
struct Peer {
    runtime: Bytes,
    /// Commitments behind the evaluations.
    openings: usize,
}

impl Peer {
    fn new(stand: &Stand, opening: Opening) -> Self {
        let loader = EvmLoader::new::<Fq, Fr>();
        let protocol = protocol(&stand.keys, &stand.srs).unwrap();
        let rotations: std::collections::BTreeSet<i32> = protocol.queries.iter().map(|query| query.rotation.0).collect();
        let openings = if opening == Opening::Gwc { rotations.len() } else { 2 };
        let protocol = protocol.loaded(&loader);
        let params = &stand.srs.params;
        let mut transcript = EvmTranscript::<_, Rc<EvmLoader>, _, _>::new(&loader);
        let instances = transcript.load_instances(vec![stand.instances.len()]);
        match opening {
            Opening::Shplonk => {
                let key = (params.get_g()[0], params.g2(), params.s_g2()).into();
                type Verifier = PlonkVerifier<KzgAs<Bn256, Bdfg21>>;
                let proof = Verifier::read_proof(&key, &protocol, &instances, &mut transcript).unwrap();
                Verifier::verify(&key, &protocol, &instances, &proof).unwrap();
            }
            Opening::Gwc => {
                let key = (params.get_g()[0], params.g2(), params.s_g2()).into();
                type Verifier = PlonkVerifier<KzgAs<Bn256, Gwc19>>;
                let proof = Verifier::read_proof(&key, &protocol, &instances, &mut transcript).unwrap();
                Verifier::verify(&key, &protocol, &instances, &proof).unwrap();
            }
        }
        // It works unoptimised and by the legacy pipeline only.
        Self { runtime: compiled(&loader.solidity_code().replace("solidity 0.8.19", "solidity ^0.8.20")), openings }
    }

    /// Whether it accepts, and the gas of a transaction. Its size is no matter here: it may be over EIP-170's limit.
    fn call(&self, words: &[U256], proof: &[u8]) -> (bool, u64) {
        let at = Address::repeat_byte(7);
        let mut db = InMemoryDB::default();
        db.insert_account_info(at, AccountInfo::default().with_code(Bytecode::new_raw(self.runtime.clone())));
        let data: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes::<32>()).chain(proof.iter().copied()).collect();
        let block = BlockEnv { basefee: 0, ..BlockEnv::default() };
        let cfg = CfgEnv::new_with_spec(SpecId::OSAKA);
        let transaction =
            TxEnv { kind: TxKind::Call(at), data: data.into(), gas_limit: 16_000_000, gas_price: 0, ..TxEnv::default() };
        let mut evm = Context::mainnet().with_db(db).with_cfg(cfg).with_block(block).build_mainnet();
        let done = evm.transact(transaction).unwrap().result;
        (done.is_success(), done.tx_gas_used())
    }

    /// The gas of a transaction with a proof that is refused at the very end, without its calldata; and the most that its calldata costs.
    fn cost(&self, stand: &Stand) -> (u64, u64) {
        let layout = ProofLayout::of(&stand.keys.shape);
        let generator: Vec<u8> = [U256::from(1), U256::from(2)].iter().flat_map(|c| c.to_be_bytes::<32>()).collect();
        let zeros = vec![0; 32 * layout.evaluations];
        let proof = [generator.repeat(layout.points), zeros, generator.repeat(self.openings)].concat();
        let words = vec![U256::ZERO; stand.instances.len()];
        let ones = 2 * (layout.points + self.openings) as u64;
        let bytes = (proof.len() + 32 * words.len()) as u64;
        (self.call(&words, &proof).1 - 4 * bytes - 12 * ones, 16 * bytes)
    }
}

/// The runtime code of a contract of any size.
fn compiled(source: &str) -> Bytes {
    let input = json!({
        "language": "Solidity",
        "sources": { "Peer.sol": { "content": source } },
        "settings": {
            "evmVersion": "cancun",
            "metadata": { "bytecodeHash": "none", "appendCBOR": false },
            "outputSelection": { "*": { "*": ["evm.deployedBytecode.object"] } },
        },
    });
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/solc"));
    let mut solc = command.arg("--standard-json").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    solc.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output: Value = serde_json::from_slice(&solc.wait_with_output().unwrap().stdout).unwrap();
    let code = &output["contracts"]["Peer.sol"]["Halo2Verifier"]["evm"]["deployedBytecode"]["object"];
    hex::decode(code.as_str().unwrap_or_else(|| panic!("{}", output["errors"]))).unwrap().into()
}

/// 784 pixels, 128 hidden neurons, 10 classes, and 32 columns of weights.
fn digits() -> Stand {
    let node = |op, index: usize| Node {
        name: index.to_string(),
        op,
        inputs: index.checked_sub(1).into_iter().collect(),
        scale_log2: 0,
    };
    let layer = |inputs: usize, outputs: usize, bound: i128| {
        let weight = |i: usize| (i as i128 * 7919 + 13) % (2 * bound + 1) - bound;
        Op::Linear(Linear { outputs, inputs, weights: (0..inputs * outputs).map(weight).collect(), bias: vec![5; outputs] })
    };
    let pixels = Op::Input(Input { ranges: vec![Interval::new(0, 255); 784], width_bytes: 1, mode: InputMode::Private });
    let rescale = |relu| Op::Rescale(Rescale { shift: 16, relu });
    let ops = [pixels, layer(784, 128, 5_000), rescale(true), layer(128, 10, 100), rescale(false), Op::Reveal];
    let nodes = ops.into_iter().enumerate().map(|(i, op)| node(op, i)).collect();
    let precision = Precision { shift_bits: 16, magnitude_bits: 16 };
    let program = Program { schema_id: [9; 32], precision, items: 1, hidden: Default::default(), nodes };
    let plans = candidates(&program, Objective::Prover).unwrap().into_iter().map(|plan| plan.shape);
    let shape = plans.filter(|shape| shape.weights == 32 && !shape.is_stacked()).min_by_key(|shape| shape.k).unwrap();
    let witness = Witness::new(&program, &input(&program, 3), Fr::from(42), None, None).unwrap();
    Stand::of(program, shape, &witness)
}

/// The same protocol, 32 columns of weights. Most of the gas is the protocol's, whoever renders it: what is compared besides is what each takes above the floor.
#[test]
fn a_wide_verifier_is_cheaper_and_smaller_than_the_reference() {
    let stand = digits();
    let peer = Peer::new(&stand, Opening::Shplonk);
    let (accepted, theirs) = peer.call(&stand.words(), &stand.proof);
    assert!(accepted);
    let compiled = compiler().compile_verifier(&stand.source()).unwrap();
    let call = IProofVerifier::verifyProofCall { publicInputs: stand.words(), proof: stand.proof.clone().into() };
    let done = profile(&compiled.creation, &[], call.abi_encode().into(), Hardfork::Osaka).unwrap();
    assert!(done.succeeded);
    let report = measure(&compiled, &Form::of_shape(&stand.keys.shape), Hardfork::Osaka).unwrap();
    let floor = report.floor - (report.total - done.total);
    println!(
        "784-128-10, 32 weight columns, k = {}: {} gas, {} above the floor, {} bytes; snark-verifier {theirs} gas, {} bytes",
        stand.keys.shape.k,
        done.total,
        done.total - floor,
        compiled.runtime_size,
        peer.runtime.len()
    );
    assert!(done.total * 100 <= theirs * 95, "{} for {theirs}", done.total);
    assert!((done.total - floor) * 10 <= (theirs - floor) * 6, "{} for {theirs}, floor {floor}", done.total);
    assert!(compiled.runtime_size <= 14_000 && 3 * compiled.runtime_size < 2 * peer.runtime.len());
}

/// One opening proof for each rotation, instead of two for all, by the same renderer: more points, and less arithmetic.
#[test]
fn shplonk_is_cheaper_than_gwc() {
    for (what, stand) in [("columns side by side", Stand::credit_sized()), ("stacked", Stand::stacked())] {
        let [shplonk, gwc] = [Opening::Shplonk, Opening::Gwc].map(|opening| Peer::new(&stand, opening));
        let [a, b] = [&shplonk, &gwc].map(|peer| {
            let (rest, calldata) = peer.cost(&stand);
            println!(
                "{what}: {} openings, {rest} gas and at most {calldata} for calldata, {} bytes",
                peer.openings,
                peer.runtime.len()
            );
            rest + calldata
        });
        let report =
            measure(&compiler().compile_verifier(&stand.source()).unwrap(), &Form::of_shape(&stand.keys.shape), Hardfork::Osaka);
        println!("{what}: ours {} gas", report.unwrap().total);
        assert!(a < b, "{what}: {a} against {b}");
    }
}

/// Both take the proof and refuse every other; what only the reference lets pass is second names of the same proof.
#[test]
fn the_reference_agrees_but_for_second_names() {
    let stand = Stand::credit_sized();
    let peer = Peer::new(&stand, Opening::Shplonk);
    let (words, proof) = (stand.words(), &stand.proof);
    let accepts = |words: &[U256], proof: &[u8]| peer.call(words, proof).0;
    assert!(accepts(&words, proof));
    for at in (0..proof.len()).step_by(32) {
        let changed = put(proof, at, word(proof, at) ^ U256::from(1));
        assert!(
            !accepts(&words, &changed) && verify(&stand.keys, &stand.srs, &stand.instances, &changed).is_err(),
            "word {}",
            at / 32
        );
    }
    for at in 0..words.len() {
        let mut other = words.clone();
        other[at] ^= U256::from(1);
        assert!(!accepts(&other, proof), "public input {at}");
    }
    // Ours refuses these (`accepts_and_refuses_as_native_verification_does`).
    let r: U256 = crate::R.parse().unwrap();
    let mut aliased = words.clone();
    aliased[0] += r;
    let evaluation = 64 * ProofLayout::of(&stand.keys.shape).points;
    let other_name = put(proof, evaluation, word(proof, evaluation) + r);
    let longer = [proof.clone(), vec![0; 32]].concat();
    assert!(accepts(&aliased, proof) && accepts(&words, &other_name) && accepts(&words, &longer));
}
