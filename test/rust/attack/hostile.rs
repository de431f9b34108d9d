//! Programs and shapes from a hostile file: refused with an error, never a panic, never a circuit that means something else.

use super::agreement::random_program;
use super::credit::credit;
use super::support::{Output, input, mlp};
use halo2_proofs::{SerdeFormat, halo2curves::bn256::Fr};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zkml_evm::{
    circuit::{CircuitError, Objective, Witness, lay_out, plan, statement},
    gates::{Shape, Steps},
    op::{Constant, InputMode, Interval, Move, Op, Sum, Term, Threshold},
    proof::{Keys, Srs},
    quant::{Node, Program, range},
};

type Twist = fn(&mut Shape, i64);

const TWISTS: [(&str, Twist); 15] = [
    ("k", |s, d| s.k = moved(s.k, d)),
    ("instances", |s, d| s.instances = moved(s.instances, d)),
    ("weights", |s, d| s.weights = if d == -1 { 1 } else { moved(s.weights, 1000 * d) }),
    ("limb_bits", |s, d| s.limb_bits = moved(s.limb_bits, d)),
    ("remainder_limbs", |s, d| s.remainder_limbs = moved(s.remainder_limbs, d)),
    ("magnitude_limbs", |s, d| s.magnitude_limbs = moved(s.magnitude_limbs, d)),
    ("range_limbs", |s, d| s.range_limbs = moved(s.range_limbs, d)),
    ("pack_bits", |s, d| s.pack_bits = moved(s.pack_bits, 8 * d)),
    ("relu", |s, _| s.relu = !s.relu),
    ("signed", |s, _| s.signed = !s.signed),
    ("threshold", |s, _| s.threshold = !s.threshold),
    ("argmax", |s, _| s.argmax = !s.argmax),
    ("function", |s, _| s.function = !s.function),
    ("steps", |s, d| s.steps = Steps::new(&[moved(3, d)])),
    ("border", |s, _| s.border = !s.border),
];

fn moved(value: u32, by: i64) -> u32 {
    (i64::from(value) + by).clamp(0, i64::from(u32::MAX)) as u32
}

#[test]
fn a_shape_that_is_not_the_programs_is_refused() {
    every_twist_is_refused(credit(2));
    let program = mlp(&[5, 4, 1], InputMode::Private, Output::Sigmoid, 3);
    let shape = plan(&program, Objective::Balanced).unwrap().shape;
    assert!(shape.function);
    let witness = Witness::new(&program, &input(&program, 4), Fr::from(42), None, None).unwrap();
    every_twist_is_refused((program, shape, witness));
}

fn every_twist_is_refused((program, shape, witness): (Program, Shape, Witness)) {
    lay_out(&program, shape, Some(&witness)).unwrap();
    for (field, twist) in TWISTS {
        for by in [-1, 1, 2, 3, 20, i64::from(u32::MAX)] {
            let mut twisted = shape;
            twist(&mut twisted, by);
            if twisted == shape {
                continue;
            }
            let result = lay_out(&program, twisted, Some(&witness));
            assert!(matches!(result, Err(CircuitError::Shape(_))), "{field} {by}");
            assert!(matches!(lay_out(&program, twisted, None), Err(CircuitError::Shape(_))), "{field} {by}, keys");
            // A key file is parsed without its program: only what would break the parser is refused, and nothing panics.
            assert!(Keys::parse(twisted, &[0; 100]).is_err(), "{field} {by}, key file");
        }
    }
}

/// The packing width is the commitment's: with another the packed sums of different applicants would coincide.
#[test]
fn a_narrower_packing_is_refused() {
    let (program, shape, _) = credit(2);
    assert_eq!(shape.pack_bits, 24);
    for pack_bits in [0, 8, 16, 32] {
        let result = lay_out(&program, Shape { pack_bits, ..shape }, None);
        assert!(matches!(result, Err(CircuitError::Shape(_))), "{pack_bits}");
    }
}

#[test]
fn a_witness_of_another_program_is_refused() {
    let (program, shape, _) = credit(2);
    for widths in [&[12, 32, 16, 3, 1][..], &[12, 31, 16, 1], &[11, 32, 16, 1], &[12, 1]] {
        let other = mlp(widths, InputMode::Private, Output::Threshold, 1);
        let witness = Witness::new(&other, &input(&other, 1), Fr::from(1), None, Some(-(1 << 15))).unwrap();
        let result = lay_out(&program, shape, Some(&witness));
        assert!(matches!(result, Err(CircuitError::Statement { .. })), "{widths:?}");
    }
}

/// A key file with any of its bytes changed is refused or at least read without a panic, and one cut short is refused.
#[test]
fn a_damaged_key_file_does_not_panic() {
    let program = mlp(&[2, 1], InputMode::Private, Output::Threshold, 1);
    let shape = plan(&program, Objective::Gas).unwrap().shape;
    let keys = Keys::generate(&program, shape, &Srs::development(shape.k)).unwrap();
    let payload = keys.pk.to_bytes(SerdeFormat::RawBytes);
    assert!(Keys::parse(shape, &payload).is_ok());
    let far = (0..payload.len()).step_by(payload.len() / 40);
    for at in (0..24).chain((24..2000).step_by(61)).chain(far) {
        for bit in [0x01, 0x80] {
            let mut damaged = payload.clone();
            damaged[at] ^= bit;
            let _ = Keys::parse(shape, &damaged);
        }
        assert!(Keys::parse(shape, &payload[..at]).is_err(), "cut at {at}");
    }
}

type Damage = fn(&mut Program);

fn first_layer(program: &mut Program) -> &mut zkml_evm::op::Linear {
    match &mut program.nodes[1].op {
        Op::Linear(layer) => layer,
        _ => unreachable!("node 1 is the first layer"),
    }
}

fn spec(program: &mut Program) -> &mut zkml_evm::op::Input {
    match &mut program.nodes[0].op {
        Op::Input(input) => input,
        _ => unreachable!("node 0 is the input"),
    }
}

fn shift(program: &mut Program) -> &mut u32 {
    match &mut program.nodes[2].op {
        Op::Rescale(rescale) => &mut rescale.shift,
        _ => unreachable!("node 2 is the first rescale"),
    }
}

const DAMAGES: [(&str, Damage); 34] = [
    ("no nodes", |p| p.nodes.clear()),
    ("input only", |p| p.nodes.truncate(1)),
    ("no output", |p| drop(p.nodes.pop())),
    ("no input", |p| drop(p.nodes.remove(0))),
    ("two inputs", |p| p.nodes.insert(1, p.nodes[0].clone())),
    ("output twice", |p| p.nodes.push(p.nodes[p.nodes.len() - 1].clone())),
    ("rescale twice", |p| p.nodes.insert(3, p.nodes[2].clone())),
    ("reads itself", |p| p.nodes[2].inputs = vec![2]),
    ("reads ahead", |p| p.nodes[2].inputs = vec![usize::MAX]),
    ("reads nothing", |p| p.nodes[2].inputs.clear()),
    ("reads twice", |p| p.nodes[2].inputs.push(1)),
    ("skips a layer", |p| p.nodes[3].inputs = vec![0]),
    ("shift 0", |p| (p.precision.shift_bits, *shift(p)) = (0, 0)),
    ("shift 65", |p| (p.precision.shift_bits, *shift(p)) = (65, 65)),
    ("shift of one node", |p| *shift(p) = u32::MAX),
    ("shift 2^32 - 1", |p| p.precision.shift_bits = u32::MAX),
    ("magnitude 0", |p| p.precision.magnitude_bits = 0),
    ("magnitude 49", |p| p.precision.magnitude_bits = 49),
    ("magnitude 2^32 - 1", |p| p.precision.magnitude_bits = u32::MAX),
    ("magnitude too small", |p| p.precision.magnitude_bits = 8),
    ("no features", |p| spec(p).ranges.clear()),
    ("one feature less", |p| spec(p).ranges.truncate(4)),
    ("empty range", |p| spec(p).ranges[0] = Interval::new(1, 0)),
    ("everything", |p| spec(p).ranges[0] = Interval::new(i128::MIN, i128::MAX)),
    ("below the limit", |p| spec(p).ranges[0] = Interval::new(i128::MIN, i128::MIN)),
    ("wider than its packing", |p| spec(p).ranges[0] = Interval::new(0, 1 << 24)),
    ("width 0", |p| spec(p).width_bytes = 0),
    ("width 9", |p| spec(p).width_bytes = 9),
    ("width 2^32 - 1", |p| spec(p).width_bytes = u32::MAX),
    ("huge weight", |p| first_layer(p).weights[0] = i128::MIN),
    ("huge bias", |p| first_layer(p).bias[0] = i128::MAX),
    ("more outputs than weights", |p| first_layer(p).outputs = usize::MAX),
    ("overflowing size", |p| (first_layer(p).outputs, first_layer(p).inputs) = (1 << 40, 1 << 40)),
    ("no outputs", |p| (first_layer(p).outputs, first_layer(p).weights, first_layer(p).bias) = (0, vec![], vec![])),
];

/// Everything that a program from a file goes through; `Ok` when it is accepted.
fn through_everything(program: &Program, shape: Shape, values: &[i128]) -> Result<(), CircuitError> {
    let _ = (program.public_values(), program.output(), program.width(program.nodes.len()));
    let results = [
        Witness::new(program, values, Fr::from(1), Some(Fr::from(2)), Some(0)).map(drop),
        plan(program, Objective::Balanced).map(drop),
        statement::layout(program).map(drop),
        lay_out(program, shape, None).map(drop),
    ];
    results.into_iter().find(Result::is_err).unwrap_or(range::check(program).map(drop).map_err(CircuitError::from))
}

#[test]
fn damaged_programs_are_refused() {
    let program = mlp(&[5, 4, 1], InputMode::Committed, Output::Threshold, 1);
    let shape = plan(&program, Objective::Balanced).unwrap().shape;
    let values = input(&program, 1);
    for (damage, apply) in DAMAGES {
        let mut damaged = program.clone();
        apply(&mut damaged);
        assert!(range::check(&damaged).is_err(), "{damage}");
        assert!(Witness::new(&damaged, &values, Fr::from(1), Some(Fr::from(2)), Some(0)).is_err(), "{damage}: witness");
        assert!(lay_out(&damaged, shape, None).is_err(), "{damage}: layout");
        assert!(statement::layout(&damaged).is_err(), "{damage}: statement");
        assert!(plan(&damaged, Objective::Gas).is_err(), "{damage}: plan");
        assert!(through_everything(&damaged, shape, &values).is_err(), "{damage}");
    }
    let last = program.nodes.len() - 1;
    for range in [Interval::new(-(1 << 16), 1 << 16), Interval::new(0, 10), Interval::new(i128::MIN, i128::MAX)] {
        let mut damaged = program.clone();
        damaged.nodes[last].op = Op::Threshold(Threshold { range });
        assert!(range::check(&damaged).is_err(), "{range:?}");
    }
}

/// Rules of graphs that a chain has no use for.
#[test]
fn damaged_graphs_are_refused() {
    let sum = |element| Op::Sum(Sum { terms: vec![vec![Term { element, weight: 1 }]; 4], bias: vec![0; 4] });
    let constant = || Op::Constant(Constant { values: vec![7; 4] });
    let moved = |from: &[u32]| Op::Move(Move { from: from.to_vec() });
    let node = |op: Op, inputs: &[usize]| Node { name: "odd".into(), op, inputs: inputs.to_vec(), scale_log2: 0 };
    // 0 input, 1 linear, 2 rescale, 3 the odd one, then the last layer, which reads it, or its rescale.
    let with = |odd: Vec<Node>| {
        let mut program = mlp(&[5, 4, 1], InputMode::Committed, Output::Threshold, 1);
        let count = odd.len();
        program.nodes.splice(3..3, odd);
        for (index, node) in program.nodes.iter_mut().enumerate().skip(3 + count) {
            node.inputs = vec![index - 1];
        }
        program
    };
    let rescale = || mlp(&[5, 4, 1], InputMode::Committed, Output::Threshold, 1).nodes[2].op.clone();
    for (what, odd) in [
        ("a move", vec![node(moved(&[3, 2, 1, 0]), &[2])]),
        ("a move of two", vec![node(moved(&[5, 2, 8, 0]), &[2, 0])]),
        ("a sum", vec![node(sum(8), &[2, 0]), node(rescale(), &[3])]),
        ("a constant", vec![node(constant(), &[]), node(moved(&[0, 1, 4, 7]), &[2, 3])]),
    ] {
        assert!(range::check(&with(odd)).is_ok(), "{what}");
    }
    for (what, odd) in [
        ("a move beyond its inputs", vec![node(moved(&[0, 1, 2, 4]), &[2])]),
        ("a move of nothing", vec![node(moved(&[0, 1, 2, 3]), &[])]),
        ("an empty move", vec![node(moved(&[]), &[2])]),
        ("a move of accumulators", vec![node(moved(&[0, 1, 2, 3]), &[1])]),
        ("a move ahead", vec![node(moved(&[0, 1, 2, 3]), &[4])]),
        ("a sum beyond its inputs", vec![node(sum(9), &[2, 0]), node(rescale(), &[3])]),
        ("a sum without rescale", vec![node(sum(0), &[2])]),
        ("a sum over accumulators", vec![node(sum(0), &[1]), node(rescale(), &[3])]),
        ("a sum whose rescale comes later", vec![node(sum(0), &[2]), node(moved(&[0, 1, 2, 3]), &[2]), node(rescale(), &[3])]),
        ("a rescale of a rescale", vec![node(rescale(), &[2])]),
        ("a rescale of two", vec![node(sum(0), &[2]), node(rescale(), &[3, 3])]),
        ("a constant that reads", vec![node(constant(), &[2])]),
        ("an empty constant", vec![node(Op::Constant(Constant { values: vec![] }), &[])]),
        ("a huge constant", vec![node(Op::Constant(Constant { values: vec![1 << 120; 4] }), &[])]),
        ("a statement in the middle", vec![node(Op::Reveal, &[2])]),
    ] {
        let program = with(odd);
        assert!(range::check(&program).is_err(), "{what}");
        let shape = Shape { k: 12, ..Shape::default() };
        assert!(through_everything(&program, shape, &input(&program, 1)).is_err(), "{what}");
    }
}

#[test]
fn a_long_chain_of_nodes_does_not_exhaust_the_stack() {
    let mut program = mlp(&[5, 4, 1], InputMode::Committed, Output::Threshold, 1);
    let rescale = program.nodes[2].clone();
    for index in program.nodes.len()..2_000_000 {
        let mut node = rescale.clone();
        node.inputs = vec![index - 1];
        program.nodes.push(node);
    }
    assert_eq!(program.width(program.nodes.len() - 1), Some(1));
    assert!(range::check(&program).is_err());
}

/// Numbers at which something changes.
const EDGES: [i128; 14] = [
    0,
    1,
    -1,
    255,
    1 << 24,
    -(1 << 24),
    (1 << 63) - 1,
    1 << 64,
    -(1 << 64),
    (1 << 120) - 1,
    1 << 120,
    -(1 << 120),
    i128::MAX,
    i128::MIN,
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    /// Whatever a program holds, it is refused or its intervals are true.
    #[test]
    fn no_program_panics(seed in any::<u64>()) {
        twisted(seed)?;
    }
}

fn twisted(seed: u64) -> Result<(), TestCaseError> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut program = random_program(&mut rng);
    let shape = plan(&program, Objective::Gas).unwrap().shape;
    for _ in 0..rng.gen_range(1..3) {
        let edge = EDGES[rng.gen_range(0..EDGES.len())];
        let at = rng.gen_range(0..program.nodes.len());
        match &mut program.nodes[at].op {
            Op::Input(input) => {
                let i = rng.gen_range(0..input.ranges.len());
                match rng.gen_range(0..4) {
                    0 => input.ranges[i].lo = edge,
                    1 => input.ranges[i].hi = edge,
                    2 => input.ranges[i] = Interval::new(edge, edge),
                    _ => input.width_bytes = edge as u32,
                }
            }
            Op::Linear(layer) => match rng.gen_range(0..4) {
                0 => layer.outputs = edge as usize,
                1 => layer.inputs = edge as usize,
                2 => layer.bias[0] = edge,
                _ => layer.weights[0] = edge,
            },
            Op::Rescale(rescale) => rescale.shift = edge as u32,
            Op::Threshold(threshold) => threshold.range.lo = edge,
            Op::Sigmoid(sigmoid) => match rng.gen_range(0..3) {
                0 => sigmoid.segment_bits = edge as u32,
                1 => sigmoid.input_bits = edge as u32,
                _ => sigmoid.values[0] = edge,
            },
            Op::Sum(sum) => match rng.gen_range(0..4) {
                // The same node may be twisted twice: what is empty stays so.
                0 => sum.bias.first_mut().into_iter().for_each(|bias| *bias = edge),
                1 => drop(sum.bias.pop()),
                2 => sum.terms[0].push(Term { element: edge as u32, weight: 1 }),
                _ => sum.terms[0].push(Term { element: 0, weight: edge }),
            },
            Op::Conv(conv) => match rng.gen_range(0..5) {
                0 => conv.weights[0] = edge,
                1 => conv.bias[0] = edge,
                2 => conv.stencil.axes[0].kernel = edge as usize,
                3 => conv.stencil.axes[1].stride = edge as usize,
                _ => conv.stencil.axes[rng.gen_range(0..2)].outputs = edge as usize,
            },
            Op::Move(moved) => match rng.gen_range(0..2) {
                0 => moved.from.first_mut().into_iter().for_each(|from| *from = edge as u32),
                _ => moved.from.clear(),
            },
            Op::Constant(constant) => match rng.gen_range(0..2) {
                0 => constant.values.first_mut().into_iter().for_each(|value| *value = edge),
                _ => constant.values.clear(),
            },
            Op::Reveal | Op::Argmax(_) => program.precision.magnitude_bits = edge as u32,
        }
    }
    let values: Vec<i128> = program.input().unwrap().ranges.iter().map(|r| r.lo).collect();
    if through_everything(&program, shape, &values).is_ok() {
        prop_assert!(range::check(&program).is_ok());
    }
    Ok(())
}

/// A node twisted twice, the second time where nothing was left: this seed once.
#[test]
fn a_node_that_is_twisted_twice_is_refused() {
    twisted(1747428216806265969).unwrap();
}
