//! The circuit means what the interpreter says, for random programs, inputs and shapes; and the plan counts its rows.

use super::lab::Lab;
use super::programs::{MODES, OUTPUTS, private_witness, program_of, random_input, random_program, random_witness};
use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use zkml_evm::{
    circuit::{InferenceCircuit, Objective, PrivateWeights, lay_out, plan, plan::candidates, pooling::pools},
    gates::field::to_field,
    model::Stencil,
    op::{Op, conv::Placement},
    proof::{Keys, Srs, prove, verify},
    quant::{Node, Program, batch, privatise, range, run, run_with},
};

fn check(seed: u64, mock: bool) -> Result<(), TestCaseError> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let program = random_program(&mut rng);
    check_program(&program, &mut rng, mock)
}

fn check_program(program: &Program, rng: &mut ChaCha20Rng, mock: bool) -> Result<(), TestCaseError> {
    check_private(program, None, rng, mock)
}

fn check_private(
    program: &Program,
    weights: Option<&PrivateWeights>,
    rng: &mut ChaCha20Rng,
    mock: bool,
) -> Result<(), TestCaseError> {
    let intervals = range::check(program).unwrap();
    // With stacks and without.
    let objective = if rng.gen_bool(0.5) { Objective::Gas } else { Objective::Balanced };
    let plans = candidates(program, objective).unwrap();
    let plan = plans[if rng.gen_bool(0.5) { 0 } else { rng.gen_range(0..plans.len()) }];
    let witness = private_witness(program, weights, rng);
    let run = &witness.run;
    for (tensor, intervals) in run.tensors.iter().zip(&intervals) {
        prop_assert!(tensor.iter().zip(intervals).all(|(v, interval)| interval.contains(*v)));
    }
    let trace = lay_out(program, plan.shape, Some(&witness)).unwrap();
    prop_assert_eq!(trace.row.max(plan.shape.table_rows()), plan.rows, "the plan counts the rows that are placed");
    let instances = witness.statement.instances();
    prop_assert_eq!(instances.len(), plan.shape.instances as usize);
    prop_assert_eq!(zkml_evm::circuit::statement::layout(program).unwrap().len(), instances.len());
    // Every rescaled value in the circuit is the interpreter's: in order, but for convolutions, which place window by window.
    let columns = trace.columns.clone();
    let selected = |row: usize| [columns.relu, columns.signed, columns.pooled].iter().any(|&s| trace.is_enabled(s, row));
    let mut placed: Vec<Fr> =
        (0..trace.end).filter(|&row| selected(row)).map(|row| trace.advice[columns.a.index()][row]).collect();
    let pools = pools(program);
    let rescales = program.nodes.iter().enumerate().filter(|(_, node)| matches!(node.op, Op::Rescale(_)));
    for (index, node) in rescales {
        // Of a pool, only the largest of each window is rescaled.
        let pool = pools.iter().find(|pool| pool.conv + 1 == index);
        let tensor = &run.tensors[pool.map_or(index, |pool| pool.maximum)];
        if !witness.thresholds.is_empty() && node.name == program.nodes[program.nodes.len() - 2].name {
            continue;
        }
        let mut here: Vec<Fr> = placed.drain(..tensor.len()).collect();
        let mut meant: Vec<Fr> = tensor.iter().map(|&v| to_field(v)).collect();
        if matches!(program.nodes[node.inputs[0]].op, Op::Conv(_)) {
            here.sort_unstable();
            meant.sort_unstable();
        }
        prop_assert_eq!(here, meant, "{}", &node.name);
    }
    prop_assert!(placed.is_empty());
    if mock {
        let circuit = InferenceCircuit::new(trace.clone());
        MockProver::run(plan.shape.k, &circuit, vec![instances.clone()]).unwrap().assert_satisfied();
    }
    // Checks every constraint under random challenges, with random blinding rows.
    Lab::new(trace, &instances, rng.r#gen());
    Ok(())
}

/// A random program for a batch, most with private weights where there are layers only; whether with them.
fn check_batch(seed: u64) -> Result<bool, TestCaseError> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let single = random_program(&mut rng);
    let items = rng.gen_range(1..=3);
    let program = batch(&single, items).unwrap();
    let rows = random_input(&program, &mut rng);
    let each = rows.chunks(rows.len() / items).flat_map(|row| run(&single, row).unwrap().output().to_vec());
    let together = run(&program, &rows).unwrap();
    prop_assert_eq!(together.output(), each.collect::<Vec<_>>());
    let private = privatise(&program).ok().filter(|_| rng.gen_bool(0.8));
    let Some(private) = private else { return check_program(&program, &mut rng, false).map(|()| false) };
    let made = run_with(&private.program, &rows, &private.values).unwrap();
    prop_assert_eq!(made.output(), together.output());
    let weights = PrivateWeights { values: private.values, salt: Fr::from(rng.r#gen::<u64>()) };
    check_private(&private.program, Some(&weights), &mut rng, false).map(|()| true)
}

#[test]
fn batches_and_private_weights_agree_with_the_interpreter() {
    let private = (0..90).filter(|&seed| check_batch(1000 + seed).unwrap()).count();
    assert!(private > 5, "{private} programs with private weights");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(80) })]
    #[test]
    fn the_circuit_agrees_with_the_interpreter(seed in any::<u64>()) {
        check(seed, false)?;
    }
}

/// Among the random programs, each method of a convolution is the shorter one many times.
#[test]
fn random_programs_walk_and_do_not() {
    let (mut walks, mut direct, mut others, mut pooled, mut pooled_walks) = (0, 0, 0, 0, 0);
    for seed in 0..200 {
        let program = random_program(&mut ChaCha20Rng::seed_from_u64(seed));
        others += program.nodes.iter().filter(|n| matches!(n.op, Op::Maximum(_) | Op::Product(_))).count();
        let pools = pools(&program);
        pooled += pools.len();
        for plan in candidates(&program, Objective::Balanced).unwrap().iter().filter(|p| p.shape.weights >= 6) {
            let placed = |(index, node): (usize, &Node)| match &node.op {
                Op::Conv(conv) => Some(pools.iter().find(|pool| pool.conv == index).map_or(conv.stencil, |pool| pool.stencil)),
                _ => None,
            };
            let convs: Vec<Stencil> = program.nodes.iter().enumerate().filter_map(placed).collect();
            pooled_walks += usize::from(plan.shape.pooled && plan.shape.border);
            for stencil in convs {
                *if Placement::of(&stencil, &plan.shape).walks { &mut walks } else { &mut direct } += 1;
            }
        }
    }
    let counts = [walks, direct, others, 2 * pooled, pooled_walks];
    assert!(counts.iter().all(|&count| count > 50), "{counts:?}");
}

#[test]
fn the_circuit_agrees_with_the_interpreter_under_mock_prover_too() {
    (0..12).for_each(|seed| check(seed, true).unwrap());
}

/// Every input mode with every output mode: random programs with real keys and real proofs, whose public values are the interpreter's.
#[test]
fn random_programs_prove_what_the_interpreter_says_in_every_mode() {
    let mut rng = ChaCha20Rng::seed_from_u64(12);
    let mut setups: BTreeMap<u32, Srs> = BTreeMap::new();
    for (mode, output) in MODES.into_iter().flat_map(|mode| OUTPUTS.map(|output| (mode, output))) {
        let program = program_of(&mut rng, mode, output);
        let shape = plan(&program, Objective::Prover).unwrap().shape;
        let srs = setups.entry(shape.k).or_insert_with(|| Srs::development(shape.k));
        let keys = Keys::generate(&program, shape, srs).unwrap();
        let witness = random_witness(&program, &mut rng);
        let instances = witness.statement.instances();
        let results = match witness.thresholds.first().copied() {
            Some(threshold) => vec![threshold],
            None => run(&program, &witness.run.tensors[0]).unwrap().output().to_vec(),
        };
        let published = &instances[instances.len() - results.len()..];
        assert!(results.iter().map(|&v| to_field(v)).eq(published.iter().copied()), "{mode:?} {output:?}");
        let proof = prove(&program, &keys, srs, &witness).unwrap();
        verify(&keys, srs, &instances, &proof).unwrap();
        for i in 0..instances.len() {
            let mut changed = instances.clone();
            changed[i] += Fr::from(1);
            assert!(verify(&keys, srs, &changed, &proof).is_err(), "{mode:?} {output:?}: public value {i}");
        }
    }
}
