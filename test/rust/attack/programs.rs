//! Random programs of every op, and witnesses of random inputs: for the circuit against the interpreter, and the contract against native verification.

use crate::support::Output;
use halo2_proofs::halo2curves::bn256::Fr;
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use zkml_evm::{
    circuit::{Item, PrivateWeights, Witness},
    model::{self, Stencil, stencil::Axis},
    op::{
        Argmax, Constant, Conv, Input, InputMode, Interval, Linear, Maximum, Move, Op, Product, Rescale, Sigmoid, Sum, Term,
        Threshold, conv::hulls,
    },
    quant::{Hidden, Node, Precision, Program, run_with},
};

const PRECISIONS: [(u32, u32); 7] = [(8, 8), (16, 8), (24, 16), (9, 9), (20, 10), (12, 12), (48, 24)];

pub const MODES: [InputMode; 3] = [InputMode::Committed, InputMode::Public, InputMode::Private];
pub const OUTPUTS: [Output; 4] = [Output::Reveal, Output::Threshold, Output::Argmax, Output::Sigmoid];

/// A random program of up to four layers, sums and moves among them, whose intervals use the precision to the full.
pub fn random_program(rng: &mut ChaCha20Rng) -> Program {
    let (mode, output) = (MODES[rng.gen_range(0..3)], OUTPUTS[rng.gen_range(0..4)]);
    program_of(rng, mode, output)
}

/// A random program with these modes.
pub fn program_of(rng: &mut ChaCha20Rng, mode: InputMode, output: Output) -> Program {
    // A segment of a function is one limb of 8 bits, and the place inside it at least another.
    let serves = |&(_, magnitude): &(u32, u32)| output != Output::Sigmoid || (magnitude % 8 == 0 && magnitude >= 16);
    let precisions: Vec<(u32, u32)> = PRECISIONS.into_iter().filter(serves).collect();
    let (shift_bits, magnitude_bits) = precisions[rng.gen_range(0..precisions.len())];
    let precision = Precision { shift_bits, magnitude_bits };
    let width_bytes = rng.gen_range(1..=3);
    let features = rng.gen_range(1..=7);
    let mut span = || rng.gen_range(0..1i128 << (8 * width_bytes));
    // One span for all, half of the time: then the inputs may stand on the rows of their layer.
    let (common, first) = (span() % 2 == 0, span());
    let ranges: Vec<Interval> = (0..features)
        .map(|_| {
            let lo = i128::from(rng.gen_range(-5000i64..5000));
            let span = if common { first } else { rng.gen_range(0..1i128 << (8 * width_bytes)) };
            Interval::new(lo, lo + span)
        })
        .collect();
    let mut nodes = vec![node("input", Op::Input(Input { ranges: ranges.clone(), width_bytes, mode }), 0)];
    // Every tensor of cells so far: its node and intervals. Each layer reads one, or several moved into one.
    let mut tensors = vec![(0, ranges)];
    let layers = rng.gen_range(1..=4);
    for layer in 0..layers {
        let last = layer + 1 == layers;
        let compared = last && output != Output::Reveal;
        let outputs = match (last, output) {
            (true, Output::Threshold) => 1,
            (true, Output::Argmax) => rng.gen_range(2..=5),
            _ => rng.gen_range(1..=6),
        };
        if rng.gen_bool(0.2) {
            let values: Vec<i128> = (0..rng.gen_range(1..=3)).map(|_| i128::from(rng.gen_range(-99i32..99))).collect();
            tensors.push((nodes.len(), values.iter().map(|&v| Interval::new(v, v)).collect()));
            nodes.push(read("constant", Op::Constant(Constant { values }), vec![]));
        }
        if rng.gen_bool(0.4) {
            let (inputs, x) = some_of(rng, &tensors);
            let moved = Move { from: (0..rng.gen_range(1..=5)).map(|_| rng.gen_range(0..x.len() as u32)).collect() };
            tensors.push((nodes.len(), moved.eval(&x)));
            nodes.push(read("move", Op::Move(moved), inputs));
        }
        if rng.gen_bool(0.3) {
            let (inputs, x) = some_of(rng, &tensors);
            let element = |rng: &mut ChaCha20Rng| rng.gen_range(0..x.len() as u32);
            let windows = (0..rng.gen_range(1..=4)).map(|_| (0..rng.gen_range(1..=4)).map(|_| element(rng)).collect()).collect();
            let maximum = Maximum { windows };
            let (y, widest) = maximum.intervals(&x).unwrap();
            if widest < 1 << magnitude_bits {
                tensors.push((nodes.len(), y));
                nodes.push(read("maximum", Op::Maximum(maximum), inputs));
            }
        }
        let bits = magnitude_bits - u32::from(compared) + shift_bits;
        let bound = (1i128 << bits) - (1i128 << shift_bits);
        let relu = !compared && rng.gen_bool(0.6);
        let rescale = Rescale { shift: shift_bits, relu };
        let kind = rng.gen_range(0..4);
        let (op, inputs, y) = if kind == 0 && !(last && matches!(output, Output::Threshold | Output::Argmax)) {
            // Pixels are whatever elements there are, in any order.
            let (inputs, x) = some_of(rng, &tensors);
            let stencil = random_stencil(rng);
            let moved = Move { from: (0..stencil.inputs()).map(|_| rng.gen_range(0..x.len() as u32)).collect() };
            let x = moved.eval(&x);
            nodes.push(read("pixels", Op::Move(moved), inputs));
            let conv = random_conv(rng, stencil, &x, bound);
            let y = conv.intervals(&x).unwrap();
            (Op::Conv(conv), vec![nodes.len() - 1], y)
        } else if let Some((product, moved, inputs, y)) =
            (kind == 1).then(|| random_product(rng, &tensors, bound, last)).flatten()
        {
            nodes.push(read("factors", Op::Move(moved), inputs));
            (Op::Product(product), vec![nodes.len() - 1], y)
        } else if rng.gen_bool(0.5) {
            let (node, x) = tensors[tensors.len() - 1].clone();
            let linear = random_layer(rng, &x, outputs, bound);
            let y = linear.intervals(&x).unwrap();
            (Op::Linear(linear), vec![node], y)
        } else {
            let (inputs, x) = some_of(rng, &tensors);
            let sum = random_sum(rng, &x, outputs, bound);
            let y = sum.intervals(&x).unwrap();
            (Op::Sum(sum), inputs, y)
        };
        let windows = if let Op::Conv(conv) = &op { pooled_windows(rng, &conv.stencil) } else { None };
        nodes.push(read(&format!("layer{layer}"), op, inputs));
        nodes.push(node(&format!("rescale{layer}"), Op::Rescale(rescale), nodes.len()));
        let rescaled: Vec<Interval> = y.iter().map(|y| rescale.interval(y)).collect();
        match windows.map(|windows| Maximum { windows }).and_then(|maximum| {
            let (y, widest) = maximum.intervals(&rescaled)?;
            (widest < 1 << magnitude_bits && !(last && output == Output::Threshold)).then_some((maximum, y))
        }) {
            // Nothing else reads what is pooled, so that the circuit compares the accumulators.
            Some((maximum, y)) => {
                nodes.push(node(&format!("pool{layer}"), Op::Maximum(maximum), nodes.len()));
                tensors.push((nodes.len() - 1, y));
            }
            None => tensors.push((nodes.len() - 1, rescaled)),
        }
    }
    if output == Output::Sigmoid {
        nodes.push(node("sigmoid", Op::Sigmoid(Sigmoid::new(8, magnitude_bits, magnitude_bits as i32 - 4)), nodes.len()));
    }
    let op = match output {
        Output::Threshold => Op::Threshold(Threshold { range: precision.score_interval() }),
        Output::Argmax => Op::Argmax(Argmax),
        Output::Reveal | Output::Sigmoid => Op::Reveal,
    };
    nodes.push(node("output", op, nodes.len()));
    let hidden = if rng.gen_bool(0.3) { Hidden::Calibrated } else { Hidden::WorstCase };
    Program { schema_id: [3; 32], precision, items: 1, hidden, nodes }
}

/// Weights and bias such that no accumulator leaves `[-bound, bound]`, some of them reaching it.
fn random_layer(rng: &mut ChaCha20Rng, x: &[Interval], outputs: usize, bound: i128) -> Linear {
    let (mut weights, mut bias) = (Vec::new(), Vec::new());
    for _ in 0..outputs {
        let mut left = bound;
        for interval in x {
            let largest = interval.lo.abs().max(interval.hi.abs()).max(1);
            let most = left / largest / if rng.gen_bool(0.3) { 1 } else { 3 };
            let weight = if rng.gen_bool(0.2) { 0 } else { rng.gen_range(-most..=most) };
            left -= weight.abs() * largest;
            weights.push(weight);
        }
        bias.push(if rng.gen_bool(0.5) { rng.gen_range(-left..=left) } else { 0 });
    }
    Linear { outputs, inputs: x.len(), weights, bias }
}

/// One to three tensors, one after the other; the newest is among them.
fn some_of(rng: &mut ChaCha20Rng, tensors: &[(usize, Vec<Interval>)]) -> (Vec<usize>, Vec<Interval>) {
    let mut chosen = vec![tensors[tensors.len() - 1].clone()];
    (0..rng.gen_range(0..3)).for_each(|_| chosen.push(tensors[rng.gen_range(0..tensors.len())].clone()));
    chosen.into_iter().fold((vec![], vec![]), |(mut nodes, mut all), (node, x)| {
        nodes.push(node);
        all.extend(x);
        (nodes, all)
    })
}

/// Matrices of any elements, where the products fit; not at the end, whose width is given.
fn random_product(
    rng: &mut ChaCha20Rng,
    tensors: &[(usize, Vec<Interval>)],
    bound: i128,
    last: bool,
) -> Option<(Product, Move, Vec<usize>, Vec<Interval>)> {
    let size = |rng: &mut ChaCha20Rng| rng.gen_range(1..=3);
    let dims = model::Product { count: size(rng), rows: size(rng), inner: size(rng), columns: size(rng) };
    let (inputs, x) = some_of(rng, tensors);
    let moved = Move { from: (0..dims.inputs()).map(|_| rng.gen_range(0..x.len() as u32)).collect() };
    let product = Product { dims, shifts: (0..dims.count).map(|_| rng.gen_range(0..3)).collect() };
    let y = product.intervals(&moved.eval(&x))?;
    let fits = !last && y.iter().all(|y| y.lo >= -bound && y.hi <= bound);
    fits.then_some((product, moved, inputs, y))
}

/// Up to 5x5 pixels and two groups, with strides, pads, dilation and windows that lie on pads alone; half of them so dense that a
/// walk is the shorter way.
fn random_stencil(rng: &mut ChaCha20Rng) -> Stencil {
    if rng.gen_bool(0.5) {
        let axis = |rng: &mut ChaCha20Rng| {
            let (size, kernel, before) = (rng.gen_range(4..=5), rng.gen_range(2..=3), rng.gen_range(0..=1));
            Axis { size, kernel, stride: 1, dilation: 1, before, outputs: size + 2 * before - kernel + 1 }
        };
        return Stencil { channels: 1, filters: rng.gen_range(1..=4), groups: 1, axes: [axis(rng), axis(rng)] };
    }
    let axis = |rng: &mut ChaCha20Rng| Axis {
        size: rng.gen_range(1..=4),
        kernel: rng.gen_range(1..=3),
        stride: rng.gen_range(1..=3),
        dilation: rng.gen_range(1..=2),
        before: rng.gen_range(0..=2),
        outputs: rng.gen_range(1..=3),
    };
    let groups = rng.gen_range(1..=2);
    let (channels, filters) = (groups * rng.gen_range(1..=2), groups * rng.gen_range(1..=2));
    let axes = if rng.gen_bool(0.3) { [Axis::POINT, axis(rng)] } else { [axis(rng), axis(rng)] };
    Stencil { channels, filters, groups, axes }
}

/// Windows side by side over the outputs of a convolution, where there is room for one.
fn pooled_windows(rng: &mut ChaCha20Rng, stencil: &Stencil) -> Option<Vec<Vec<u32>>> {
    let [rows, columns] = stencil.axes.map(|axis| axis.outputs);
    let (down, across) = (rng.gen_range(1..=rows.min(3)), rng.gen_range(1..=columns.min(3)));
    if down * across < 2 || rng.gen_bool(0.3) {
        return None;
    }
    let windows = |f: usize| (0..rows / down).flat_map(move |y| (0..columns / across).map(move |x| (f, y, x)));
    let element = |f: usize, y: usize, x: usize| ((f * rows + y) * columns + x) as u32;
    let of = |(f, y, x): (usize, usize, usize)| {
        let at = |i: usize| element(f, y * down + i / across, x * across + i % across);
        (0..down * across).map(at).collect()
    };
    Some((0..stencil.filters).flat_map(windows).map(of).collect())
}

fn random_conv(rng: &mut ChaCha20Rng, stencil: Stencil, x: &[Interval], bound: i128) -> Conv {
    let hulls = hulls(&stencil, x);
    let (mut weights, mut bias) = (Vec::new(), Vec::new());
    for filter in 0..stencil.filters {
        let first = filter / stencil.filters_per_group() * stencil.channels_per_group();
        let taps = (0..stencil.channels_per_group() * stencil.taps()).map(|i| hulls[first + i / stencil.taps()]);
        let row = random_layer(rng, &taps.collect::<Vec<_>>(), 1, bound);
        weights.extend(row.weights);
        bias.extend(row.bias);
    }
    Conv { stencil, weights, bias }
}

/// Outputs of none to seven terms, as wide as `bound` allows.
fn random_sum(rng: &mut ChaCha20Rng, x: &[Interval], outputs: usize, bound: i128) -> Sum {
    let (mut terms, mut bias) = (Vec::new(), Vec::new());
    for _ in 0..outputs {
        let read: Vec<u32> = (0..rng.gen_range(0..=7)).map(|_| rng.gen_range(0..x.len() as u32)).collect();
        let intervals: Vec<Interval> = read.iter().map(|&e| x[e as usize]).collect();
        let row = random_layer(rng, &intervals, 1, bound);
        terms.push(read.into_iter().zip(row.weights).map(|(element, weight)| Term { element, weight }).collect());
        bias.push(row.bias[0]);
    }
    Sum { terms, bias }
}

fn read(name: &str, op: Op, inputs: Vec<usize>) -> Node {
    Node { name: name.into(), op, inputs, scale_log2: 0 }
}

fn node(name: &str, op: Op, index: usize) -> Node {
    Node { name: name.into(), op, inputs: index.checked_sub(1).into_iter().collect(), scale_log2: 0 }
}

/// Inputs of all items, half of their values at the ends of the ranges.
pub fn random_input(program: &Program, rng: &mut ChaCha20Rng) -> Vec<i128> {
    let ranges = program.input().unwrap().ranges.repeat(program.items);
    ranges.iter().map(|r| [r.lo, r.hi, rng.gen_range(r.lo..=r.hi), rng.gen_range(r.lo..=r.hi)][rng.gen_range(0..4)]).collect()
}

/// A witness of random inputs; with thresholds, the scores themselves or the lowest.
pub fn random_witness(program: &Program, rng: &mut ChaCha20Rng) -> Witness {
    private_witness(program, None, rng)
}

pub fn private_witness(program: &Program, weights: Option<&PrivateWeights>, rng: &mut ChaCha20Rng) -> Witness {
    let input = random_input(program, rng);
    let committed = program.input().unwrap().mode == InputMode::Committed;
    let output = run_with(program, &input, weights.map_or(&[], |w| &w.values)).unwrap().output().to_vec();
    let threshold = |item: usize, rng: &mut ChaCha20Rng| match &program.output().unwrap().op {
        Op::Threshold(t) => Some([t.range.lo, output[item]][rng.gen_range(0..2)]),
        _ => None,
    };
    let rows = input.chunks(input.len() / program.items).enumerate();
    let item = |(item, row): (usize, &[i128])| {
        let salt = committed.then(|| Fr::from(rng.r#gen::<u64>()));
        Item { values: row.to_vec(), salt, threshold: threshold(item, rng) }
    };
    let items: Vec<Item> = rows.map(item).collect();
    Witness::of(program, &items, Fr::from(1), weights).unwrap()
}
