//! Programs and shapes from a hostile file: refused with an error, never a panic, never a circuit that means something else.

use super::credit::credit;
use super::programs::random_program;
use super::support::{Output, input, mlp};
use alloy::primitives::U256;
use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zkml_evm::{
    circuit::{
        CircuitError, InferenceCircuit, Item, Objective, PrivateWeights, Witness, lay_out, plan, plan::candidates, statement,
    },
    gates::{Shape, Steps, TraceError},
    model::{self, Stencil, stencil::Axis},
    op::{
        Constant, Conv, Input, InputMode, Interval, Maximum, Move, Op, Product, Rescale, Sum, Term, Threshold, conv::Placement,
    },
    proof::{Keys, Srs},
    quant::{Node, Precision, Program, QuantError, batch, privatise, range, run, run_with},
};

type Twist = fn(&mut Shape, i64);

const TWISTS: [(&str, Twist); 18] = [
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
    ("maximum", |s, _| s.maximum = !s.maximum),
    ("stack", |s, d| s.stack = moved(s.stack, d)),
    ("pooled", |s, _| s.pooled = !s.pooled),
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
    let payload = keys.to_bytes();
    assert_eq!(Keys::parse(shape, &payload).unwrap().provenance, keys.provenance);
    // The lowest byte of the first commitment's y, behind the SRS's label, version, k, compression and count: no point with this x has it.
    let label = 4 + keys.provenance.to_string().len();
    let (x, y) = (label + 10, label + 10 + 32);
    let mut off_curve = payload.clone();
    off_curve[y] ^= 1;
    // The same number under a second name.
    let second_name = |at: usize| {
        let q = U256::from_str_radix("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47", 16).unwrap();
        let mut changed = payload.clone();
        changed[at..at + 32].copy_from_slice(&(U256::from_le_slice(&payload[at..at + 32]) + q).to_le_bytes::<32>());
        changed
    };
    for wrong in [off_curve, second_name(x), second_name(y)] {
        let refused = Keys::parse(shape, &wrong).unwrap_err();
        assert!(refused.to_string().contains("no point of the curve"), "{refused}");
    }
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
    let product = |count: usize, shift: u32| {
        let dims = model::Product { count, rows: 1, inner: 1, columns: 1 };
        Op::Product(Product { dims, shifts: vec![shift; count] })
    };
    let maximum = |window: &[u32]| Op::Maximum(Maximum { windows: vec![window.to_vec(); 4] });
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
    // Outputs that are no whole number for each item: the layout would divide by zero.
    let mut uneven = mlp(&[1, 1], InputMode::Public, Output::Reveal, 1);
    uneven.items = 3;
    uneven.nodes[1].op = Op::Sum(Sum { terms: vec![vec![Term { element: 0, weight: 1 }]], bias: vec![0] });
    assert!(matches!(range::check(&uneven), Err(QuantError::Malformed { .. })), "one output of three items");
    for (what, odd) in [
        ("a move", vec![node(moved(&[3, 2, 1, 0]), &[2])]),
        ("a move of two", vec![node(moved(&[5, 2, 8, 0]), &[2, 0])]),
        ("a sum", vec![node(sum(8), &[2, 0]), node(rescale(), &[3])]),
        ("a product", vec![node(product(4, 0), &[2, 2]), node(rescale(), &[3])]),
        ("a maximum", vec![node(maximum(&[3, 0]), &[2])]),
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
        ("a convolution of other sizes", vec![node(conv_of(1, Axis::POINT, vec![1]), &[2]), node(rescale(), &[3])]),
        ("a convolution without weights", vec![node(conv_of(4, Axis::POINT, vec![]), &[2]), node(rescale(), &[3])]),
        ("a product of other sizes", vec![node(product(2, 1), &[2, 2]), node(rescale(), &[3])]),
        ("a product too fine", vec![node(product(4, 65), &[2, 2]), node(rescale(), &[3])]),
        ("a product without rescale", vec![node(product(4, 1), &[2, 2])]),
        ("a maximum beyond its inputs", vec![node(maximum(&[4]), &[2])]),
        ("a maximum of nothing", vec![node(maximum(&[]), &[2])]),
        ("a maximum of accumulators", vec![node(maximum(&[0]), &[1])]),
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

/// What an accepted program owes: values inside its intervals, and under its own plan a layout of them.
///
/// Where limbs bound hidden values there may be inputs for which a value leaves its limbs: no proof then, and nothing to lay out.
fn accepted(program: &Program, intervals: &[Vec<Interval>], values: &[i128]) {
    let private = program.weights().map(|w| PrivateWeights { values: vec![0; w.count], salt: Fr::from(3) });
    let Ok(run) = run_with(program, values, private.as_ref().map_or(&[], |w| &w.values)) else {
        assert!(program.is_enforced(), "an admitted input has a result where the worst case fits");
        return;
    };
    let tensors = run.tensors;
    for (node, (tensor, intervals)) in tensors.iter().zip(intervals).enumerate() {
        assert_eq!(tensor.len(), intervals.len(), "node {node}");
        let inside = tensor.iter().zip(intervals).all(|(v, interval)| interval.contains(*v));
        assert!(inside || private.is_some(), "node {node} of {values:?}");
        if !inside {
            return;
        }
    }
    // One that is too large for a circuit, or for this test, is not laid out.
    let Some(plan) = plan(program, Objective::Gas).ok().filter(|plan| plan.shape.k <= 15) else { return };
    let committed = program.input().unwrap().mode == InputMode::Committed;
    let threshold = match &program.output().unwrap().op {
        Op::Threshold(t) => Some(t.range.lo),
        _ => None,
    };
    let item = |row: &[i128]| Item { values: row.to_vec(), salt: committed.then(|| Fr::from(2)), threshold };
    let items: Vec<Item> = values.chunks(values.len() / program.items).map(item).collect();
    let witness = match Witness::of(program, &items, Fr::from(1), private.as_ref()) {
        Err(CircuitError::BelowThreshold { .. } | CircuitError::Item { .. }) if private.is_some() => return,
        witness => witness.unwrap(),
    };
    let trace = match lay_out(program, plan.shape, Some(&witness)) {
        Err(CircuitError::Trace(TraceError::DoesNotFit { .. })) if private.is_some() => return,
        trace => trace.unwrap(),
    };
    assert_eq!(trace.row.max(plan.shape.table_rows()), plan.rows);
}

/// One private feature, which is `one`, and what is made of it, all of it public.
fn of_one_feature(odd: Vec<(Op, Vec<usize>)>) -> Program {
    let ranges = vec![Interval::new(1, 1)];
    let mut nodes = vec![(Op::Input(Input { ranges, width_bytes: 1, mode: InputMode::Private }), vec![])];
    nodes.extend(odd);
    nodes.push((Op::Reveal, vec![nodes.len() - 1]));
    let node = |(i, (op, inputs)): (usize, (Op, Vec<usize>))| Node { name: i.to_string(), op, inputs, scale_log2: 0 };
    let precision = Precision { shift_bits: 16, magnitude_bits: 16 };
    Program {
        schema_id: [0; 32],
        precision,
        items: 1,
        hidden: Default::default(),
        nodes: nodes.into_iter().enumerate().map(node).collect(),
    }
}

fn conv_of(channels: usize, axis: Axis, weights: Vec<i128>) -> Op {
    Op::Conv(Conv { stencil: Stencil { channels, filters: 1, groups: 1, axes: [axis; 2] }, weights, bias: vec![0] })
}

fn rescaled(op: Op, input: usize, at: usize) -> [(Op, Vec<usize>); 2] {
    [(op, vec![input]), (Op::Rescale(Rescale { shift: 16, relu: false }), vec![at])]
}

/// One weight on the only pixel, three far away: as a walk it would take 2^40 rows, and that many residues of a stride are empty.
#[test]
fn a_tiny_convolution_with_huge_distances_costs_nothing() {
    let far = Axis { size: 1, kernel: 2, stride: 1, dilation: (1 << 20) - 2, before: 0, outputs: 1 };
    let strided = Axis { stride: 1 << 20, dilation: 1 << 20, ..far };
    for axis in [far, strided] {
        let program = of_one_feature(rescaled(conv_of(1, axis, vec![3 << 16, 5, 7, 11]), 0, 1).into());
        let intervals = range::check(&program).unwrap();
        accepted(&program, &intervals, &[1]);
        assert_eq!(run(&program, &[1]).unwrap().output(), [3]);
        assert!(!candidates(&program, Objective::Prover).unwrap().is_empty());
    }
}

#[test]
fn tensors_larger_than_any_circuit_are_refused() {
    let half = 1 << 19;
    let repeated = of_one_feature(vec![
        (Op::Move(Move { from: vec![0; half] }), vec![0]),
        (Op::Move(Move { from: vec![0] }), vec![1; half]),
    ]);
    let axis = Axis { size: 1, kernel: 1, stride: 1, dilation: 1, before: 0, outputs: 1 << 10 };
    let wide = |count: usize| (0..count).flat_map(|i| rescaled(conv_of(1, axis, vec![1]), 0, 2 * i + 1)).collect();
    // A million windows of a million taps each, all but one of them on a pad.
    let heavy = Axis { kernel: 1 << 10, ..axis };
    let heavy = of_one_feature(rescaled(conv_of(1, heavy, vec![1; 1 << 20]), 0, 1).into());
    // Matrices of a million elements each, multiplied: half a milliard of products.
    let dims = model::Product { count: 1, rows: 1 << 10, inner: 1 << 9, columns: 1 << 10 };
    let elements = (Op::Move(Move { from: vec![0; 1 << 20] }), vec![0]);
    let product = Op::Product(Product { dims, shifts: vec![0] });
    let multiplied = of_one_feature([vec![elements], rescaled(product, 1, 2).into()].concat());
    for program in [repeated, of_one_feature(wide(9)), heavy, multiplied] {
        assert!(matches!(range::check(&program), Err(QuantError::Size { .. })));
        assert!(matches!(plan(&program, Objective::Gas), Err(CircuitError::Quant(QuantError::Size { .. }))));
    }
    assert!(range::check(&of_one_feature(wide(7))).is_ok());
}

/// Every window of the model holds A and -A; a border window holds one of them, on 150 channels: 150 * 2^120 is beyond 128 bits.
#[test]
fn a_border_window_sums_beyond_every_bound() {
    let (channels, largest) = (150, (1i128 << 120) - 1);
    let axis = Axis { size: 8, kernel: 3, stride: 1, dilation: 1, before: 0, outputs: 6 };
    let weights = [vec![largest, -largest], vec![0; 7]].concat().repeat(channels);
    let pixels = (Op::Move(Move { from: vec![0; channels * 64] }), vec![0]);
    let conv = conv_of(channels, axis, weights);
    let program = of_one_feature([vec![pixels], rescaled(conv.clone(), 1, 2).into()].concat());
    let intervals = range::check(&program).unwrap();
    accepted(&program, &intervals, &[1]);
    let Op::Conv(conv) = conv else { unreachable!("it is one") };
    let plans = candidates(&program, Objective::Gas).unwrap();
    let shape =
        plans.iter().map(|p| p.shape).find(|shape| !shape.is_stacked() && Placement::of(&conv.stencil, shape).border).unwrap();
    let witness = Witness::new(&program, &[1], Fr::from(1), None, None).unwrap();
    let trace = lay_out(&program, shape, Some(&witness)).unwrap();
    let circuit = InferenceCircuit::new(trace);
    MockProver::run(shape.k, &circuit, vec![witness.statement.instances()]).unwrap().assert_satisfied();
}

/// Numbers at which something changes.
const EDGES: [i128; 16] = [
    (1 << 20) - 2,
    1 << 20,
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
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut program = random_program(&mut rng);
        if rng.gen_bool(0.3) {
            program = batch(&program, rng.gen_range(2..=3)).unwrap();
        }
        if rng.gen_bool(0.4) {
            program = privatise(&program).map_or(program, |made| made.program);
        }
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
                    0 => sum.bias.iter_mut().take(1).for_each(|bias| *bias = edge),
                    1 => drop(sum.bias.pop()),
                    2 => sum.terms[0].push(Term { element: edge as u32, weight: 1 }),
                    _ => sum.terms[0].push(Term { element: 0, weight: edge }),
                },
                Op::Conv(conv) => match rng.gen_range(0..9) {
                    0 => conv.weights[0] = edge,
                    1 => conv.bias[0] = edge,
                    2 => conv.stencil.axes[0].kernel = edge as usize,
                    3 => conv.stencil.axes[1].stride = edge as usize,
                    4 => conv.stencil.axes[rng.gen_range(0..2)].dilation = edge as usize,
                    5 => conv.stencil.axes[rng.gen_range(0..2)].before = edge as usize,
                    6 => conv.stencil.axes[rng.gen_range(0..2)].size = edge as usize,
                    7 => conv.stencil.groups = edge as usize,
                    _ => conv.stencil.axes[rng.gen_range(0..2)].outputs = edge as usize,
                },
                Op::Maximum(maximum) => match rng.gen_range(0..3) {
                    0 => maximum.windows[0].push(edge as u32),
                    1 => maximum.windows[0].clear(),
                    _ => maximum.windows.clear(),
                },
                Op::Product(product) => match rng.gen_range(0..4) {
                    0 => product.dims.count = edge as usize,
                    1 => product.dims.inner = edge as usize,
                    2 => product.shifts[0] = edge as u32,
                    _ => product.dims.columns = edge as usize,
                },
                Op::Move(moved) => match rng.gen_range(0..2) {
                    0 => moved.from.iter_mut().take(1).for_each(|from| *from = edge as u32),
                    _ => moved.from.clear(),
                },
                Op::Constant(constant) => match rng.gen_range(0..2) {
                    0 => constant.values.iter_mut().take(1).for_each(|value| *value = edge),
                    _ => constant.values.clear(),
                },
                Op::Weights(weights) => match rng.gen_range(0..2) {
                    0 => weights.count = edge as usize,
                    _ => weights.bits = edge as u32,
                },
                Op::Reveal if rng.gen_bool(0.5) => program.items = edge as usize,
                Op::Reveal | Op::Argmax(_) => program.precision.magnitude_bits = edge as u32,
            }
        }
        if rng.gen_bool(0.2) {
            let at = rng.gen_range(0..program.nodes.len());
            let read = rng.gen_range(0..program.nodes.len());
            program.nodes[at].inputs = vec![read; rng.gen_range(0..3)];
        }
        // A number of items that is refused would be a list longer than memory.
        let ranges = program.input().unwrap().ranges.repeat(program.items.min(4));
        let values: Vec<i128> = ranges.iter().map(|r| r.lo).collect();
        let _ = through_everything(&program, shape, &values);
        if let Ok(intervals) = range::check(&program) {
            let inputs: [fn(&Interval, &mut ChaCha20Rng) -> i128; 3] =
                [|r, _| r.lo, |r, _| r.hi, |r, rng| rng.gen_range(r.lo..=r.hi)];
            for choose in inputs {
                let ranges = program.input().unwrap().ranges.repeat(program.items);
                let values: Vec<i128> = ranges.iter().map(|r| choose(r, &mut rng)).collect();
                accepted(&program, &intervals, &values);
            }
        }
    }
}
