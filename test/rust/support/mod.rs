//! Programs for the integration tests: small networks with seeded random weights, quantised directly.
#![allow(dead_code)] // Each test binary uses its own part.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zkml_evm::{
    circuit::{Objective, plan::candidates},
    gates::Shape,
    model::{Stencil, stencil::Axis},
    op::{Argmax, Conv, Input, InputMode, Interval, Linear, Op, Rescale, Sigmoid, Threshold},
    quant::{Node, Precision, Program},
};

/// The widths used throughout: 16-bit shift and magnitudes.
pub const PRECISION: Precision = Precision { shift_bits: 16, magnitude_bits: 16 };

/// What the network publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Reveal,
    Sigmoid,
    Threshold,
    Argmax,
}

/// A multi-layer perceptron with the given layer widths; every rescaled value stays in its interval by construction.
pub fn mlp(widths: &[usize], mode: InputMode, output: Output, seed: u64) -> Program {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let ranges = (0..widths[0]).map(|i| Interval::new(-(i as i128) * 7, 1000 + 37 * i as i128)).collect();
    let mut nodes = vec![node("input", Op::Input(Input { ranges, width_bytes: 3, mode }), 0)];
    for (layer, pair) in widths.windows(2).enumerate() {
        let (inputs, outputs) = (pair[0], pair[1]);
        let last = layer + 2 == widths.len();
        // sum |w| * max|x| <= 2^(16 + 14): quotients stay within 15 bits, scores too.
        let largest = if layer == 0 { 1u64 << 11 } else { 1 << 16 };
        let bound = ((1u64 << 30) / largest / inputs as u64) as i64;
        let weights = (0..inputs * outputs).map(|_| i128::from(rng.gen_range(-bound..=bound))).collect();
        let bias = (0..outputs).map(|_| i128::from(rng.gen_range(-(1i64 << 28)..=1 << 28))).collect();
        nodes.push(node(&format!("linear{layer}"), Op::Linear(Linear { outputs, inputs, weights, bias }), nodes.len()));
        nodes.push(node(&format!("rescale{layer}"), Op::Rescale(Rescale { shift: 16, relu: !last }), nodes.len()));
    }
    if output == Output::Sigmoid {
        nodes.push(node("sigmoid", Op::Sigmoid(Sigmoid::new(8, 16, 12)), nodes.len()));
    }
    let op = match output {
        Output::Reveal | Output::Sigmoid => Op::Reveal,
        Output::Threshold => Op::Threshold(Threshold { range: PRECISION.score_interval() }),
        Output::Argmax => Op::Argmax(Argmax),
    };
    nodes.push(node("output", op, nodes.len()));
    Program { schema_id: [7; 32], precision: PRECISION, items: 1, hidden: Default::default(), nodes }
}

/// A convolution of a private image of 25 pixels, rectified and revealed: dense enough that its kernels walk.
pub fn walk() -> Program {
    let axis = Axis { size: 5, kernel: 3, stride: 1, dilation: 1, before: 1, outputs: 5 };
    let stencil = Stencil { channels: 1, filters: 2, groups: 1, axes: [axis; 2] };
    let weights = (0..18i128).map(|i| i * 5407 % 4001 - 2000).collect();
    let input = Op::Input(Input { ranges: vec![Interval::new(0, 255); 25], width_bytes: 1, mode: InputMode::Private });
    let layer = Op::Conv(Conv { stencil, weights, bias: vec![70_000, -3] });
    let rescale = Op::Rescale(Rescale { shift: 16, relu: true });
    let nodes = [input, layer, rescale, Op::Reveal].into_iter().enumerate().map(|(i, op)| node(&i.to_string(), op, i));
    Program { schema_id: [5; 32], precision: PRECISION, items: 1, hidden: Default::default(), nodes: nodes.collect() }
}

/// The shape of a program whose kernels walk.
pub fn walking_shape(program: &Program) -> Shape {
    let plans = candidates(program, Objective::Gas).unwrap();
    plans.into_iter().map(|p| p.shape).find(|shape| !shape.steps.is_empty() && !shape.is_stacked()).unwrap()
}

fn node(name: &str, op: Op, index: usize) -> Node {
    Node { name: name.into(), op, inputs: index.checked_sub(1).into_iter().collect(), scale_log2: 0 }
}

/// An input inside the ranges of `program`.
pub fn input(program: &Program, seed: u64) -> Vec<i128> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    program.input().unwrap().ranges.iter().map(|r| rng.gen_range(r.lo..=r.hi)).collect()
}
