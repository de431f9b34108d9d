//! A verifier with an accumulator, of a circuit that is none of ours: it accepts what holds, and refuses everything else by name.

use crate::stand::{Deployed, compiler};
use alloy::{
    primitives::{B256, Bytes, U256},
    sol,
    sol_types::{SolCall, SolError},
};
use halo2_proofs::{
    circuit::{Cell, Layouter, SimpleFloorPlanner, Value},
    halo2curves::{
        bn256::{Bn256, Fq, Fr, G1Affine},
        ff::PrimeField,
    },
    plonk::{
        Advice, Challenge, Circuit, Column, ConstraintSystem, Error, Expression, FirstPhase, Fixed, Instance, ProvingKey,
        SecondPhase, create_proof, keygen_pk, keygen_vk,
    },
    poly::{
        Rotation,
        commitment::ParamsProver,
        kzg::{commitment::KZGCommitmentScheme, multiopen::ProverSHPLONK},
    },
    transcript::TranscriptWriterBuffer,
};
use rand::rngs::OsRng;
use snark_verifier::{
    loader::native::NativeLoader,
    system::halo2::transcript::evm::{ChallengeEvm, EvmTranscript},
};
use std::{path::Path, process::Command};
use zkml_evm::{
    chain::{
        bindings::IProofVerifier,
        embedded::{Hardfork, profile::profile},
        gas::{Form, measure},
    },
    circuit::statement::PublicValue,
    outer::Widths,
    proof::{Srs, verify::ProofLayout},
    verifier::{
        Labels,
        aggregate::{Aggregate, Slot, render},
        placeholder,
        solc::Compiled,
    },
};

sol! {
    function slots() external pure returns (bytes32[] memory modelIds, uint256[] memory sizes);
    function verifierKind() external pure returns (bytes32 kind);
}

const K: u32 = 7;
/// Bits of a low word.
const LOW_BITS: u32 = 130;
const WEIGHTS: u64 = 77;
/// Rows that are read besides.
const NONE: i32 = 0;
const MANY: i32 = 41;

/// Its public values are the first of its cells, whose squares and products with a challenge it has: all of them may be any. The squares are
/// read on so many more rows; of many the contract has loops and functions, as of every real aggregate.
#[derive(Clone, Default)]
struct Toy<const READS: i32> {
    values: Vec<Fr>,
}

#[derive(Clone)]
struct Columns {
    instance: Column<Instance>,
    advice: [Column<Advice>; 3],
    on: Column<Fixed>,
    gamma: Challenge,
}

impl<const READS: i32> Circuit<Fr> for Toy<READS> {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ();

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(cs: &mut ConstraintSystem<Fr>) -> Columns {
        let instance = cs.instance_column();
        let advice @ [a, b, _] = [cs.advice_column(), cs.advice_column(), cs.advice_column_in(SecondPhase)];
        let on = cs.fixed_column();
        let gamma = cs.challenge_usable_after(FirstPhase);
        cs.enable_equality(instance);
        cs.enable_equality(a);
        let at = Rotation::cur();
        cs.create_gate("square", |cs| {
            let [on, a, b] = [cs.query_fixed(on, at), cs.query_advice(a, at), cs.query_advice(b, at)];
            vec![("b = a a", on * (a.clone() * a - b))]
        });
        cs.create_gate("lookup", |cs| {
            let [a, c] = [advice[0], advice[2]].map(|column| cs.query_advice(column, at));
            vec![("c = gamma a", cs.query_fixed(on, at) * (c - cs.query_challenge(gamma) * a))]
        });
        cs.create_gate("selector", |cs| {
            let on = cs.query_fixed(on, at);
            let one = Expression::Constant(Fr::one());
            let read = (1..=READS).map(|rows| cs.query_advice(b, Rotation(rows))).fold(one.clone(), |sum, read| sum + read);
            vec![("a bit", on.clone() * (one - on) * read)]
        });
        Columns { instance, advice, on, gamma }
    }

    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let [a, b, c] = columns.advice;
        layouter.assign_region(
            || "values",
            |mut region| {
                for (row, value) in self.values.iter().enumerate() {
                    region.assign_fixed(columns.on, row, Fr::one());
                    region.assign_advice(a, row, Value::known(*value));
                    region.assign_advice(b, row, Value::known(value.square()));
                }
                region.next_phase();
                let gamma = region.get_challenge(columns.gamma);
                for (row, value) in self.values.iter().enumerate() {
                    region.assign_advice(c, row, gamma.map(|gamma| gamma * value));
                }
                Ok(())
            },
        )?;
        for row in 0..self.values.len() {
            layouter.constrain_instance(Cell { row_offset: row, column: a.into() }, columns.instance, row);
        }
        Ok(())
    }
}

/// Two points as words: x and y of one, then of the other.
type Accumulator = [U256; 4];

/// Keys, slots and the contract on a chain.
struct Aggregated<const READS: i32> {
    srs: Srs,
    pk: ProvingKey<G1Affine>,
    slots: Vec<Slot>,
    compiled: Compiled,
    deployed: Deployed,
}

impl<const READS: i32> Aggregated<READS> {
    async fn new() -> Self {
        let srs = Srs::development(K);
        let slots = slots();
        let circuit = Toy::<READS> { values: vec![Fr::one(); public_inputs(&slots) + 8] };
        let pk = keygen_pk(&srs.params, keygen_vk(&srs.params, &circuit).unwrap(), &circuit).unwrap();
        let source = source(&srs, &pk, &slots);
        assert_eq!(source.contains("function next("), READS == MANY);
        let compiled = compiler().compile_aggregate(&source).unwrap();
        let deployed = Deployed::new(&compiled).await;
        Self { srs, pk, slots, compiled, deployed }
    }

    /// The powers of the SRS's secret s from `i` on: the second is s times the first.
    fn points(&self, i: usize) -> Accumulator {
        let [rhs, lhs] = [i, i + 1].map(|i| words(&self.srs.params.get_g()[i]));
        [lhs[0], lhs[1], rhs[0], rhs[1]]
    }

    /// A proof for these statements and this accumulator, behind the accumulator.
    fn prove(&self, statements: &[U256], accumulator: &Accumulator) -> Vec<u8> {
        let instances: Vec<Fr> = statements.iter().copied().chain(limbs(accumulator)).map(field).collect();
        let mut transcript: EvmTranscript<G1Affine, NativeLoader, Vec<u8>, Vec<u8>> =
            TranscriptWriterBuffer::<_, G1Affine, ChallengeEvm<_>>::init(Vec::new());
        let circuit = Toy::<READS> { values: instances.clone() };
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            &self.srs.params,
            &self.pk,
            &[circuit],
            &[&[&instances]],
            OsRng,
            &mut transcript,
        )
        .unwrap();
        with_points(accumulator, &transcript.finalize())
    }

    async fn refused(&self, statements: &[U256], proof: &[u8]) -> Bytes {
        self.deployed.verify(statements, proof).await.unwrap_err()
    }
}

fn source(srs: &Srs, pk: &ProvingKey<G1Affine>, slots: &[Slot]) -> String {
    let labels = Labels::plain(&["ON"], &["VALUE", "SQUARE", "SCALED"], &["GAMMA"]);
    render(&Aggregate { vk: pk.get_vk(), srs, labels, slots }).unwrap()
}

/// A model with a committed input, and twice one with private weights.
fn slots() -> Vec<Slot> {
    let value = |name: &str| PublicValue { name: name.into(), scale_log2: None, lo: None, hi: None };
    let threshold = PublicValue { scale_log2: Some(16), lo: Some("-5".into()), hi: Some("7".into()), ..value("threshold") };
    let layout = vec![value("context"), value("inputCommitment"), threshold];
    let first = Slot { model_id: B256::repeat_byte(0xa1), layout, weights: None };
    let layout = vec![value("context"), value("modelCommitment")];
    let second = Slot { model_id: B256::repeat_byte(0xb2), layout, weights: Some(B256::from(U256::from(WEIGHTS))) };
    vec![first, second.clone(), second]
}

fn public_inputs(slots: &[Slot]) -> usize {
    slots.iter().map(|slot| slot.layout.len()).sum()
}

fn statements() -> Vec<U256> {
    [11, 12, 13, 21, WEIGHTS, 31, WEIGHTS].map(U256::from).to_vec()
}

fn words(point: &G1Affine) -> [U256; 2] {
    [point.x, point.y].map(|c: Fq| U256::from_le_bytes(c.to_repr()))
}

/// The last public values, as the circuit has them: each coordinate's low bits, and what is above.
fn limbs(accumulator: &Accumulator) -> Vec<U256> {
    accumulator.iter().flat_map(|c| [c % (U256::from(1) << LOW_BITS), *c >> LOW_BITS]).collect()
}

fn field(word: U256) -> Fr {
    Fr::from_repr(word.to_le_bytes()).unwrap()
}

fn with_points(accumulator: &Accumulator, proof: &[u8]) -> Vec<u8> {
    accumulator.iter().flat_map(|word| word.to_be_bytes::<32>()).chain(proof.iter().copied()).collect()
}

fn q() -> U256 {
    U256::from_str_radix("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47", 16).unwrap()
}

fn unproven() -> Bytes {
    IProofVerifier::PairingFailed {}.abi_encode().into()
}

fn no_point(index: usize) -> Bytes {
    IProofVerifier::PointNotOnCurve { index: U256::from(index) }.abi_encode().into()
}

#[tokio::test]
async fn accepts_what_holds_and_refuses_every_other_statement_and_proof() {
    accepts_what_holds_and_nothing_else::<NONE>().await;
    accepts_what_holds_and_nothing_else::<MANY>().await;
}

async fn accepts_what_holds_and_nothing_else<const READS: i32>() {
    let aggregated = Aggregated::<READS>::new().await;
    let (statements, accumulator) = (statements(), aggregated.points(1));
    let proof = aggregated.prove(&statements, &accumulator);
    let gas = aggregated.deployed.verify(&statements, &proof).await.unwrap();
    println!("an accumulator and 7 public inputs: {} bytes, {gas} gas", aggregated.compiled.runtime_size);

    for i in [0, 1, 2, 3, 5] {
        let mut changed = statements.clone();
        changed[i] += U256::from(1);
        assert_eq!(aggregated.refused(&changed, &proof).await, unproven(), "public input {i}");
        changed[i] = statements[i] + U256::from_str_radix(crate::R, 10).unwrap();
        let expected = IProofVerifier::InstanceOutOfRange { index: U256::from(i), value: changed[i] };
        assert_eq!(aggregated.refused(&changed, &proof).await, Bytes::from(expected.abi_encode()), "public input {i} + r");
    }
    let (count, length) = (U256::from(statements.len()), U256::from(proof.len()));
    let words: Vec<U256> = statements.iter().copied().chain(limbs(&accumulator)).collect();
    for wrong in [&statements[1..], &words] {
        let expected = IProofVerifier::InvalidInstanceCount { expected: count, got: U256::from(wrong.len()) };
        assert_eq!(aggregated.refused(wrong, &proof).await, Bytes::from(expected.abi_encode()));
    }
    for wrong in [&proof[128..], &proof[..proof.len() - 1], &[proof.clone(), vec![0; 32]].concat(), &[]] {
        let expected = IProofVerifier::InvalidProofLength { expected: length, got: U256::from(wrong.len()) };
        assert_eq!(aggregated.refused(&statements, wrong).await, Bytes::from(expected.abi_encode()));
    }
    let layout = ProofLayout::of_gates(aggregated.pk.get_vk().cs());
    assert_eq!(proof.len(), 128 + layout.length());
    let before = (0..layout.points).map(|i| (2 + i, 128 + 64 * i));
    let behind = (0..2).map(|i| (2 + layout.points + i, proof.len() - 128 + 64 * i));
    for (index, start) in before.chain(behind) {
        let mut changed = proof.clone();
        changed[start + 63] ^= 1;
        assert_eq!(aggregated.refused(&statements, &changed).await, no_point(index), "point {index}");
        changed[start..start + 64].fill(0);
        assert_eq!(aggregated.refused(&statements, &changed).await, no_point(index), "the identity as point {index}");
    }
    for at in (0..layout.evaluations).map(|i| 128 + 64 * layout.points + 32 * i + 31) {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        assert_eq!(aggregated.refused(&statements, &changed).await, unproven(), "byte {at}");
    }
}

#[tokio::test]
async fn an_accumulator_is_bound_to_its_proof_and_has_one_encoding() {
    an_accumulator_has_one_encoding::<NONE>().await;
    an_accumulator_has_one_encoding::<MANY>().await;
}

async fn an_accumulator_has_one_encoding<const READS: i32>() {
    let aggregated = Aggregated::<READS>::new().await;
    let (statements, accumulator) = (statements(), aggregated.points(1));
    let proof = aggregated.prove(&statements, &accumulator);
    for (i, coordinate) in accumulator.into_iter().enumerate() {
        for (what, value) in [
            ("+ 1", coordinate + U256::from(1)),
            ("+ q", coordinate + q()),
            ("+ 2^130", coordinate ^ U256::from(1) << 130),
            ("0", U256::ZERO),
            ("q", q()),
            ("all ones", U256::MAX),
        ] {
            let mut changed = accumulator;
            changed[i] = value;
            let changed = with_points(&changed, &proof[128..]);
            assert_eq!(aggregated.refused(&statements, &changed).await, no_point(i / 2), "coordinate {i} {what}");
        }
    }
    let [a, b, c, d] = accumulator;
    let zero = U256::ZERO;
    for (what, other, index) in [
        ("the identity on the left", [zero, zero, c, d], 0),
        ("the identity on the right", [a, b, zero, zero], 1),
        ("both", [zero; 4], 0),
        ("x and y exchanged", [a, b, d, c], 1),
    ] {
        let changed = with_points(&other, &proof[128..]);
        assert_eq!(aggregated.refused(&statements, &changed).await, no_point(index), "{what}");
    }
    for (what, other) in [
        ("exchanged sides", [c, d, a, b]),
        ("another that holds", aggregated.points(2)),
        ("negated, which holds too", [a, q() - b, c, q() - d]),
        ("one side negated", [a, q() - b, c, d]),
        ("one point twice", [a, b, a, b]),
    ] {
        let changed = with_points(&other, &proof[128..]);
        assert_eq!(aggregated.refused(&statements, &changed).await, unproven(), "{what}");
    }
}

/// The outer proof holds, and the equation that it leaves does not.
#[tokio::test]
async fn a_proof_with_an_accumulator_that_does_not_hold_is_refused() {
    let aggregated = Aggregated::<NONE>::new().await;
    let statements = statements();
    let [a, b, c, d] = aggregated.points(1);
    let next = aggregated.points(2);
    let negated = [a, q() - b, c, q() - d];
    for holds in [[a, b, c, d], next, negated] {
        let proof = aggregated.prove(&statements, &holds);
        aggregated.deployed.verify(&statements, &proof).await.unwrap();
    }
    for wrong in [[c, d, a, b], [a, q() - b, c, d], [a, b, a, b], [next[0], next[1], c, d]] {
        let proof = aggregated.prove(&statements, &wrong);
        assert_eq!(aggregated.refused(&statements, &proof).await, unproven());
    }
    // The words of another accumulator inside, for which the points outside hold.
    let proof = aggregated.prove(&statements, &next);
    let exchanged = with_points(&[a, b, c, d], &proof[128..]);
    assert_eq!(aggregated.refused(&statements, &exchanged).await, unproven());
}

/// Whoever fills an empty slot does not have the model's private weights.
#[tokio::test]
async fn other_weights_are_refused_but_in_an_empty_slot() {
    let aggregated = Aggregated::<NONE>::new().await;
    let accumulator = aggregated.points(3);
    for (at, context) in [(4, 3), (6, 5)] {
        let mut other = statements();
        other[at] = U256::from(78);
        let proof = aggregated.prove(&other, &accumulator);
        let expected = IProofVerifier::OtherWeights { expected: U256::from(WEIGHTS), got: other[at] };
        assert_eq!(aggregated.refused(&other, &proof).await, Bytes::from(expected.abi_encode()));
        other[context] = U256::ZERO;
        assert_eq!(aggregated.refused(&other, &proof).await, unproven());
        let proof = aggregated.prove(&other, &accumulator);
        aggregated.deployed.verify(&other, &proof).await.unwrap();
    }
}

#[tokio::test]
async fn the_contract_says_what_its_slots_take() {
    let aggregated = Aggregated::<NONE>::new().await;
    let answer = aggregated.deployed.read(slotsCall {}.abi_encode().into()).await;
    let slots = slotsCall::abi_decode_returns(&answer).unwrap();
    assert_eq!(slots.modelIds, aggregated.slots.iter().map(|slot| slot.model_id).collect::<Vec<_>>());
    assert_eq!(slots.sizes, [3, 2, 2].map(U256::from));
    let kind = aggregated.deployed.read(verifierKindCall {}.abi_encode().into()).await;
    assert_eq!(kind, Bytes::from(alloy::primitives::keccak256("zkml-evm.aggregate.v1").to_vec()));
}

/// The identity is of keys and models, and the header has what a reader checks.
#[tokio::test]
async fn the_source_names_its_slots_and_is_clean() {
    let Aggregated { srs, pk, slots, .. } = Aggregated::<NONE>::new().await;
    let source_of = |slots: &[Slot]| source(&srs, &pk, slots);
    let text = source_of(&slots);
    let labels = Labels::plain(&[], &[], &[]);
    let id = |slots: &[Slot]| Aggregate { vk: pk.get_vk(), srs: &srs, labels: labels.clone(), slots }.id();
    let mut others = slots.clone();
    others[2].model_id = B256::repeat_byte(1);
    assert_ne!(id(&slots), id(&others));
    for expected in [
        format!("Aggregate {}", id(&slots)),
        format!("Slot 0: model {}", slots[0].model_id),
        format!("Slots 1 to 2: model {}", slots[1].model_id),
        "Slot i of 1 to 2, from public input 3 + 2 (i - 1) on".into(),
        "SRS insecure-dev".into(),
    ] {
        assert!(text.contains(&expected), "{expected} is not in\n{text}");
    }
    for refused in [
        Aggregate { vk: pk.get_vk(), srs: &srs, labels: labels.clone(), slots: &slots },
        Aggregate { vk: pk.get_vk(), srs: &srs, labels, slots: &[] },
    ] {
        assert!(render(&refused).unwrap_err().to_string().contains("cannot be rendered"));
    }
    others[0].weights = Some(B256::ZERO);
    let labels = Labels::plain(&["ON"], &["VALUE", "SQUARE", "SCALED"], &["GAMMA"]);
    assert!(render(&Aggregate { vk: pk.get_vk(), srs: &srs, labels, slots: &others }).is_err());

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("AggregateVerifier.sol"), text).unwrap();
    let config = root.join("test/.solhint.generated.json");
    for (program, arguments) in [
        ("forge", vec!["fmt", "--check", "--root", root.to_str().unwrap()]),
        ("solhint", vec!["--disc", "--noPoster", "-c", config.to_str().unwrap()]),
    ] {
        let mut command = Command::new(root.join("node_modules/.bin").join(program));
        let done = command.args(arguments).arg("AggregateVerifier.sol").current_dir(folder.path()).output().unwrap();
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(done.status.success(), "{}", said.concat());
    }
}

#[tokio::test]
async fn the_gas_report_knows_the_accumulator() {
    let aggregated = Aggregated::<NONE>::new().await;
    let statements = statements();
    let proof = aggregated.prove(&statements, &aggregated.points(1));
    let form = Form::of_aggregate(aggregated.pk.get_vk().cs(), statements.len());
    let report = measure(&aggregated.compiled, &form, Hardfork::Osaka).unwrap();
    println!("{:?}", report.parts);
    let part = |name: &str| report.parts.iter().find(|part| part.name == name).unwrap().gas;
    assert!((12_300..13_500).contains(&part("accumulator")), "{:?}", report.parts);
    assert!(part("gates") > 0 && part("lookups") > 0);
    let call = IProofVerifier::verifyProofCall { publicInputs: statements, proof: proof.into() }.abi_encode();
    let calldata: u64 = call.iter().map(|&byte| if byte == 0 { 4 } else { 16 }).sum();
    let real = profile(&aggregated.compiled.creation, &[], call.into(), Hardfork::Osaka).unwrap();
    assert!(real.succeeded);
    // The refusal at the end, and the comparisons of weights that an empty slot does not come to.
    assert!(report.execution.abs_diff(real.total - 21_000 - calldata) <= 400, "{} for {}", report.execution, real.total);
}

/// Without keys: the aggregation circuit's own verifier has code of a size that can be deployed, and for each of sixteen proofs it takes
/// less than 30,000 gas.
#[test]
fn the_aggregation_circuits_verifier_fits() {
    let first = slots()[0].clone();
    for (count, k, stack) in [(2, 18, 16), (2, 19, 32), (16, 20, 32)] {
        let widths = Widths { k, stack };
        let slots = vec![first.clone(); count];
        let compiled = compiler().compile_aggregate(&placeholder::render_aggregate(&widths, &slots).unwrap()).unwrap();
        let report = measure(&compiled, &Form::of_widths(&widths, public_inputs(&slots)), Hardfork::Osaka).unwrap();
        println!("{count} slots, 2^{k} rows, stack {stack}: {report:?}");
        assert!(report.parts.iter().all(|part| part.gas > 0), "{:?}", report.parts);
        assert!(count < 16 || report.total < 16 * 30_000, "{}", report.total);
    }
}
