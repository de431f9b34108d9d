//! Small traces, one gate each, placed through the gates' own functions.

use super::lab::Lab;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_evm::{
    circuit::{Objective, Witness, lay_out, plan::candidates},
    gates::{
        Cell, Shape, Steps, Trace, argmax,
        field::to_field,
        function,
        pool::Window,
        poseidon::{self, Left},
        poseidon_params::Parameters,
        range::{self, Packed},
        rescale::{self, Kind},
    },
    model::{self, Stencil, stencil::Axis},
    op::{Conv, Input, InputMode, Interval, Linear, Maximum, Op, Product, Rescale, Sigmoid, Sum, Term, conv::Placement},
    quant::{Hidden, Node, Precision, Program},
};

/// A trace with its public values.
pub struct Sample {
    /// What it shows, for messages.
    pub name: String,
    /// The finished trace.
    pub trace: Trace,
    /// Its instances.
    pub instances: Vec<Fr>,
}

impl Sample {
    /// The sample on the bench.
    pub fn lab(self) -> Lab {
        Lab::new(self.trace, &self.instances, 11)
    }
}

/// Limbs of 4 bits, remainders of 12, magnitudes of 8, ranges of 12.
pub fn shape() -> Shape {
    Shape { k: 8, limb_bits: 4, remainder_limbs: 3, magnitude_limbs: 2, range_limbs: 3, ..Shape::default() }
}

/// The `k` of a circuit with at least `2^k` rows of `base`'s layout.
fn deep(base: Shape, k: u32) -> u32 {
    k + base.stack.next_power_of_two().ilog2()
}

/// The same in a stack of `stack` columns.
pub fn stacked(stack: u32, lanes: u32) -> Shape {
    let base = Shape { stack, lanes, ..shape() };
    Shape { k: deep(base, base.k), ..base }
}

/// Limbs of 2 bits, one of each: small enough to try every value of every cell.
pub fn tiny() -> Shape {
    Shape { k: 6, limb_bits: 2, remainder_limbs: 1, magnitude_limbs: 1, range_limbs: 2, ..Shape::default() }
}

/// Matrices of 3x2 and 2x4.
pub const MATRICES: model::Product = model::Product { count: 1, rows: 3, inner: 2, columns: 4 };

/// What a sample network does with its accumulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing more.
    Relu,
    /// Nothing more.
    Signed,
    /// The first output is compared with a public threshold.
    Threshold(i128),
    /// Rescaled scores, whose argmax is public.
    Argmax,
}

/// `range * x`, alone.
pub fn range_sample(shape: Shape, [lo, hi]: [i128; 2], value: i128) -> Sample {
    let mut trace = Trace::new(shape).unwrap();
    let cell = range::place(&mut trace, [lo, hi], Some(value)).unwrap();
    trace.expose(cell, 0);
    trace.finish().unwrap();
    Sample { name: format!("range {lo}..={hi}"), trace, instances: vec![to_field(value)] }
}

/// One layer on public inputs, ended in one way.
pub fn layer_sample(mut shape: Shape, end: End, layer: &Linear, x: &[i128], [lo, hi]: [i128; 2]) -> Sample {
    match end {
        End::Relu => shape.relu = true,
        End::Signed => shape.signed = true,
        End::Threshold(_) => shape.threshold = true,
        End::Argmax => (shape.signed, shape.argmax) = (true, true),
    }
    let mut trace = Trace::new(shape).unwrap();
    let mut instances: Vec<Fr> = x.iter().map(|&v| to_field(v)).collect();
    let inputs: Vec<Cell> = x.iter().map(|&v| range::place(&mut trace, [lo, hi], Some(v)).unwrap()).collect();
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    let y = layer.eval(x);
    let kind = if end == End::Relu { Kind::Relu } else { Kind::Signed };
    let bound = 1i128 << (shape.magnitude_bits() - 1);
    let mut rescaled = Vec::new();
    match end {
        End::Threshold(threshold) => {
            let cell = range::place(&mut trace, [-bound, bound - 1], Some(threshold)).unwrap();
            rescale::place_threshold(&mut trace, layer.bias[0], Some(y[0]), cell, Some(threshold)).unwrap();
            trace.expose(cell, instances.len());
            instances.push(to_field(threshold));
        }
        _ => {
            for (&bias, &y) in layer.bias.iter().zip(&y) {
                rescaled.push(rescale::place(&mut trace, kind, bias, Some(y)).unwrap());
            }
        }
    }
    layer.terms(&mut trace, &inputs).unwrap();
    if end == End::Argmax {
        let half = 1i128 << (shape.shift_bits() - 1);
        let scores: Vec<i128> = y.iter().map(|y| (y + half) >> shape.shift_bits()).collect();
        let class = zkml_evm::op::Argmax.eval(&scores);
        let cell = argmax::place(&mut trace, &rescaled, Some((&scores, class))).unwrap();
        trace.expose(cell, instances.len());
        instances.push(Fr::from(class as u64));
    }
    trace.finish().unwrap();
    Sample { name: format!("{end:?} of {x:?}"), trace, instances }
}

/// Packed values and the hash chain over them, as the committed input has it.
pub fn hash_sample(base: Shape, values: &[i128]) -> Sample {
    let shape = Shape { pack_bits: 8, range_limbs: 2, k: deep(base, 9), ..base };
    let parameters = Parameters::get();
    let (tag, salt) = (Fr::from(77), Fr::from(99));
    let mut trace = Trace::new(shape).unwrap();
    let mut digest = poseidon::place_hash(&mut trace, parameters, Left::Tag(tag), Some(salt), false).unwrap();
    let mut packed = Packed::Start;
    for &value in values.iter().rev() {
        (_, packed) = range::place_packed(&mut trace, [-5, 200], Some(value), 8, packed).unwrap();
    }
    let Packed::Sum(element) = packed else { panic!("there are values") };
    digest = poseidon::place_hash(&mut trace, parameters, Left::Cell(digest), element, true).unwrap();
    trace.expose(digest, 0);
    trace.finish().unwrap();
    let sum = values.iter().rev().fold(Fr::zero(), |sum, v| sum * Fr::from(256) + to_field(v + 5));
    let expected = parameters.hash2(parameters.hash2(tag, salt), sum);
    Sample { name: "packed hash".into(), trace, instances: vec![expected] }
}

/// A sigmoid of a public value, from a table of 16 segments; the result is public.
pub fn function_sample(base: Shape, q: i128) -> Sample {
    let shape = Shape { function: true, range_limbs: 5, ..base };
    function_of(shape, &Sigmoid::new(4, 8, 4), q, true)
}

/// The same with a table of four segments and limbs of 2 bits: small enough to try every value of every cell.
pub fn tiny_function_sample(q: i128, result_checked: bool) -> Sample {
    let shape = Shape { function: true, magnitude_limbs: 2, ..tiny() };
    function_of(shape, &tiny_function(), q, result_checked)
}

/// The function of [`tiny_function_sample`].
pub fn tiny_function() -> Sigmoid {
    Sigmoid { segment_bits: 2, input_bits: 4, values: vec![0, 3, 9, 13, 15] }
}

/// The same as [`function_sample`] in a circuit with a bug: the result has no range row.
pub fn unchecked_function_sample(base: Shape, q: i128) -> Sample {
    let shape = Shape { function: true, range_limbs: 5, ..base };
    function_of(shape, &Sigmoid::new(4, 8, 4), q, false)
}

fn function_of(shape: Shape, sigmoid: &Sigmoid, q: i128, result_checked: bool) -> Sample {
    let mut trace = Trace::new(shape).unwrap();
    let Interval { lo, hi } = sigmoid.input_interval();
    let cell = range::place(&mut trace, [lo, hi], Some(q)).unwrap();
    let result = if result_checked {
        sigmoid.rows(&mut trace, &[cell], Some(&[q])).unwrap()[0]
    } else {
        function::set_table(&mut trace, sigmoid.values.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect());
        function::place(&mut trace, cell, Some((q, sigmoid.eval(q)))).unwrap()
    };
    trace.expose(cell, 0);
    trace.expose(result, 1);
    trace.finish().unwrap();
    Sample { name: format!("sigmoid of {q}"), trace, instances: vec![to_field(q), to_field(sigmoid.eval(q))] }
}

/// A layer whose inputs, all of them public, stand on its own rows, in six lanes.
pub fn in_place_sample(base: Shape, layer: &Linear, x: &[i128], lo: i128) -> Sample {
    let shape = Shape { lanes: 6, span: 4000, signed: true, ..base };
    let mut trace = Trace::new(shape).unwrap();
    let inputs: Vec<Cell> = x.iter().map(|&v| trace.defer(lo, Some(v))).collect();
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    for (&bias, &y) in layer.bias.iter().zip(&layer.eval(x)) {
        rescale::place(&mut trace, Kind::Signed, bias, Some(y)).unwrap();
    }
    layer.terms(&mut trace, &inputs).unwrap();
    trace.finish().unwrap();
    Sample { name: format!("{x:?} in place"), trace, instances: x.iter().map(|&v| to_field(v)).collect() }
}

/// The same in a convolution whose kernels walk, every pixel public.
pub fn walk_in_place_sample(stencil: Stencil, steps: &[u32]) -> Sample {
    let steps = Steps::new(steps);
    let shape = Shape { k: 9, weights: 6, lanes: 6, span: 50, signed: true, steps, border: true, ..shape() };
    let weights = (0..stencil.weights() as i128).map(|i| (i * 37 + 11) % 61 - 30).collect();
    let conv = Conv { stencil, weights, bias: (0..stencil.filters as i128).map(|f| 50 - 77 * f).collect() };
    let x: Vec<i128> = (0..stencil.inputs() as i128).map(|i| (i * 29 + 3) % 51 - 20).collect();
    let mut trace = Trace::new(shape).unwrap();
    let inputs: Vec<Cell> = x.iter().map(|&v| trace.defer(-20, Some(v))).collect();
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    let y = conv.eval(&x);
    let mut place =
        |trace: &mut Trace, i: usize, bias: i128| rescale::place(trace, Kind::Signed, bias, Some(y[i])).map(|cell| cell.row);
    conv.rows(&mut trace, &inputs, Some(&x), &mut place).unwrap();
    assert_eq!(trace.row, y.len() * shape.rescale_rows() + Placement::of(&stencil, &shape).rows);
    trace.finish().unwrap();
    Sample { name: format!("walk in place {stencil:?}"), trace, instances: x.iter().map(|&v| to_field(v)).collect() }
}

/// Sums of public values with two terms, none, and more than stand beside a rescale; signed and rectified in turn.
pub fn sum_sample(base: Shape, x: &[i128], [lo, hi]: [i128; 2]) -> Sample {
    let shape = Shape { signed: true, relu: true, ..base };
    let mut trace = Trace::new(shape).unwrap();
    let inputs: Vec<Cell> = x.iter().map(|&v| range::place(&mut trace, [lo, hi], Some(v)).unwrap()).collect();
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    let term = |(element, weight)| Term { element, weight };
    let rows: [&[(u32, i128)]; 4] = [&[(0, 300), (1, -211)], &[], &[(1, 4), (1, 5), (0, -9), (0, 1), (1, 77), (0, 2)], &[(1, 1)]];
    let sum =
        Sum { terms: rows.iter().map(|r| r.iter().copied().map(term).collect()).collect(), bias: vec![1000, -70_000, 12, 0] };
    let y = sum.eval(x);
    let mut place = |trace: &mut Trace, i: usize, bias: i128| {
        let kind = [Kind::Signed, Kind::Relu][i % 2];
        rescale::place(trace, kind, bias, Some(y[i])).map(|cell| cell.row)
    };
    sum.rows(&mut trace, &inputs, &mut place).unwrap();
    assert_eq!(trace.row, 2 * shape.range_rows() + 4 * shape.rescale_rows() + sum.extra_rows(shape.rescale_rows()));
    trace.finish().unwrap();
    Sample { name: format!("sums of {x:?}"), trace, instances: x.iter().map(|&v| to_field(v)).collect() }
}

/// A convolution of public values whose kernels walk: filters of random weights, every result rescaled.
pub fn conv_sample(base: Shape, stencil: Stencil, steps: &[u32]) -> Sample {
    let shape = Shape { k: deep(base, 9), weights: 6, signed: true, steps: Steps::new(steps), border: true, ..base };
    let [lo, hi] = [-20, 30];
    let weights = (0..stencil.weights() as i128).map(|i| (i * 37 + 11) % 61 - 30).collect();
    let conv = Conv { stencil, weights, bias: (0..stencil.filters as i128).map(|f| 50 - 77 * f).collect() };
    let placed = Placement::of(&stencil, &shape);
    assert!(placed.walks && placed.border, "{stencil:?}");
    let x: Vec<i128> = (0..stencil.inputs() as i128).map(|i| (i * 29 + 3) % 51 - 20).collect();
    let mut trace = Trace::new(shape).unwrap();
    let inputs: Vec<Cell> = x.iter().map(|&v| range::place(&mut trace, [lo, hi], Some(v)).unwrap()).collect();
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    let y = conv.eval(&x);
    let before = trace.row;
    let mut place =
        |trace: &mut Trace, i: usize, bias: i128| rescale::place(trace, Kind::Signed, bias, Some(y[i])).map(|cell| cell.row);
    conv.rows(&mut trace, &inputs, Some(&x), &mut place).unwrap();
    assert_eq!(trace.row - before, y.len() * shape.rescale_rows() + Placement::of(&stencil, &shape).rows);
    trace.finish().unwrap();
    Sample { name: format!("walk {stencil:?}"), trace, instances: x.iter().map(|&v| to_field(v)).collect() }
}

/// Maxima of public values: of one, of several with a tie, of all. They are not public: one that is no element would be another witness.
pub fn maximum_sample(base: Shape, x: &[i128]) -> Sample {
    let shape = Shape { maximum: true, ..base };
    let mut trace = Trace::new(shape).unwrap();
    let inputs: Vec<Cell> = x.iter().map(|&v| range::place(&mut trace, [-100, 100], Some(v)).unwrap()).collect();
    let maximum = Maximum { windows: vec![vec![1], vec![0, 1, 2], (0..x.len() as u32).collect()] };
    let before = trace.row;
    maximum.rows(&mut trace, &inputs, Some(x)).unwrap();
    assert_eq!(trace.row - before, maximum.elements() * shape.maximum_rows());
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    trace.finish().unwrap();
    Sample { name: format!("maxima of {x:?}"), trace, instances: x.iter().map(|&v| to_field(v)).collect() }
}

/// The maximum of all of `x`, each in `0..=3`, with limbs of 2 bits: small enough to try every value of every cell.
pub fn tiny_maximum_sample(x: &[i128]) -> Sample {
    let mut trace = Trace::new(Shape { maximum: true, range_limbs: 1, ..tiny() }).unwrap();
    let inputs: Vec<Cell> = x.iter().map(|&v| range::place(&mut trace, [0, 3], Some(v)).unwrap()).collect();
    Maximum { windows: vec![(0..x.len() as u32).collect()] }.rows(&mut trace, &inputs, Some(x)).unwrap();
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    trace.finish().unwrap();
    Sample { name: format!("maximum of {x:?}"), trace, instances: x.iter().map(|&v| to_field(v)).collect() }
}

/// A layer of public values whose accumulators are pooled, `windows` naming how many in turn; signed and rectified in turn.
pub fn pool_sample(base: Shape, layer: &Linear, windows: &[usize], x: &[i128], [lo, hi]: [i128; 2]) -> Sample {
    let shape = Shape { pooled: true, ..base };
    let mut trace = Trace::new(shape).unwrap();
    let inputs: Vec<Cell> = x.iter().map(|&v| range::place(&mut trace, [lo, hi], Some(v)).unwrap()).collect();
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    let y = layer.eval(x);
    assert_eq!(windows.iter().sum::<usize>(), y.len());
    let (before, mut first) = (trace.row, 0);
    for (i, &size) in windows.iter().enumerate() {
        let outputs = first..first + size;
        first += size;
        let mut window = Window::new(y[outputs.clone()].iter().copied().max());
        for output in outputs {
            window.place(&mut trace, layer.bias[output], Some(y[output])).unwrap();
        }
        window.finish(&mut trace, [Kind::Signed, Kind::Relu][i % 2]).unwrap();
    }
    assert_eq!(trace.row - before, y.len() * shape.pool_rows() + windows.len() * shape.rescale_rows());
    layer.terms(&mut trace, &inputs).unwrap();
    trace.finish().unwrap();
    Sample { name: format!("pools of {y:?}"), trace, instances: x.iter().map(|&v| to_field(v)).collect() }
}

/// Two pools: three signed accumulators, two rectified ones.
pub fn two_pools(base: Shape, x: [i128; 2]) -> Sample {
    let layer = linear(&[&[300, -200], &[-411, 77], &[5, 901], &[-30, 2], &[-31, 7]], &[1000, -70_000, 12, -900, 5]);
    pool_sample(base, &layer, &[3, 2], &x, [-1000, 3000])
}

/// A max pool behind a convolution whose kernels walk, pixels public, as a whole program: pools, walk and border outputs in one circuit.
pub fn walking_pool_sample(lanes: u32) -> Sample {
    let axis = Axis { size: 6, kernel: 3, stride: 1, dilation: 1, before: 1, outputs: 6 };
    let stencil = Stencil { channels: 1, filters: 2, groups: 1, axes: [axis; 2] };
    let weights = (0..stencil.weights() as i128).map(|i| (i * 37 + 11) % 61 - 30).collect();
    let conv = Conv { stencil, weights, bias: vec![50, -27] };
    let element = |f: usize, y: usize, x: usize| ((f * 6 + y) * 6 + x) as u32;
    let window = |i: usize| (0..4).map(|e| element(i / 9, i / 3 % 3 * 2 + e / 2, i % 3 * 2 + e % 2)).collect();
    let node = |op, inputs| Node { name: "node".into(), op, inputs, scale_log2: 0 };
    let ranges = vec![Interval::new(-20, 30); 36];
    let nodes = vec![
        node(Op::Input(Input { mode: InputMode::Public, width_bytes: 1, ranges }), vec![]),
        node(Op::Conv(conv), vec![0]),
        node(Op::Rescale(Rescale { shift: 8, relu: true }), vec![1]),
        node(Op::Maximum(Maximum { windows: (0..18).map(window).collect() }), vec![2]),
        node(Op::Reveal, vec![3]),
    ];
    let precision = Precision { shift_bits: 8, magnitude_bits: 8 };
    let program = Program { schema_id: [0; 32], precision, items: 1, hidden: Hidden::WorstCase, nodes };
    let plans = candidates(&program, Objective::Prover).unwrap();
    let fits = |shape: &Shape| shape.lanes == lanes && shape.weights == 6 && shape.limb_bits == 8;
    let shape = plans.iter().map(|plan| plan.shape).find(fits).unwrap();
    assert!(shape.pooled && shape.border && !shape.steps.is_empty() && !shape.maximum, "{shape:?}");
    let x: Vec<i128> = (0..36).map(|i| (i * 29 + 3) % 51 - 20).collect();
    let witness = Witness::new(&program, &x, Fr::from(1), None, None).unwrap();
    let trace = lay_out(&program, shape, Some(&witness)).unwrap();
    // The results are not public here: one that is no maximum would be another witness.
    let mut sample = Sample { name: format!("walking pool, {lanes} lanes"), trace, instances: witness.statement.instances() };
    sample.trace.exposed.truncate(36);
    sample
}

/// Products of public values, every result rescaled.
pub fn product_sample(base: Shape, dims: model::Product) -> Sample {
    let shape = Shape { k: deep(base, 9), weights: 6, signed: true, steps: Steps::new(&[dims.columns as u32]), ..base };
    let x: Vec<i128> = (0..dims.inputs() as i128).map(|i| (i * 29 + 3) % 201 - 100).collect();
    let product = Product { dims, shifts: (0..dims.count as u32).map(|p| p % 3).collect() };
    let mut trace = Trace::new(shape).unwrap();
    let inputs: Vec<Cell> = x.iter().map(|&v| range::place(&mut trace, [-100, 100], Some(v)).unwrap()).collect();
    inputs.iter().enumerate().for_each(|(i, &cell)| trace.expose(cell, i));
    let y = product.eval(&x);
    let before = trace.row;
    let mut place =
        |trace: &mut Trace, i: usize, bias: i128| rescale::place(trace, Kind::Signed, bias, Some(y[i])).map(|cell| cell.row);
    product.rows(&mut trace, &inputs, &mut place).unwrap();
    assert_eq!(trace.row - before, y.len() * shape.rescale_rows() + product.extra_rows(&shape));
    trace.finish().unwrap();
    Sample { name: format!("{dims:?}"), trace, instances: x.iter().map(|&v| to_field(v)).collect() }
}

/// Small convolutions for [`conv_sample`]: an image with pads, strides, groups, dilation.
pub fn stencils() -> Vec<(Stencil, Vec<u32>)> {
    let axis = |size, kernel, stride, dilation, before, outputs| Axis { size, kernel, stride, dilation, before, outputs };
    let square = axis(5, 3, 1, 1, 1, 5);
    let strided = axis(16, 6, 2, 1, 2, 8);
    let dilated = axis(12, 5, 1, 2, 4, 12);
    let line = |channels, filters, groups, axis| Stencil { channels, filters, groups, axes: [Axis::POINT, axis] };
    vec![
        (Stencil { axes: [square; 2], ..line(1, 2, 1, square) }, vec![2, 6]),
        (line(1, 4, 1, strided), vec![4]),
        (line(2, 4, 2, axis(7, 3, 1, 1, 1, 7)), vec![2]),
        (line(1, 1, 1, dilated), vec![]),
    ]
}

/// The outputs of the fold in their order, as the advice cells (column, row) that they begin with: the first limb of a rescale or a distance, the
/// cell of a border output.
pub fn fold_order(trace: &Trace) -> Vec<(usize, usize)> {
    let columns = &trace.columns;
    let limbs = [columns.relu, columns.signed, columns.threshold, columns.distance];
    let mut all = Vec::new();
    for row in 0..trace.end {
        if limbs.iter().any(|&selector| trace.is_enabled(selector, row)) {
            all.push((columns.limbs[0].index(), row));
        }
        if trace.is_enabled(columns.border, row) {
            let pair = trace.fixed[columns.weights[0].index()][row] == Fr::one();
            all.extend([columns.a, columns.b][..if pair { 2 } else { 1 }].iter().map(|c| (c.index(), row)));
        }
    }
    all
}

/// A layer from its rows.
pub fn linear(rows: &[&[i128]], bias: &[i128]) -> Linear {
    Linear { outputs: rows.len(), inputs: rows[0].len(), weights: rows.concat(), bias: bias.to_vec() }
}

/// One of everything, with one lane and with several: with three the lookup has a helper, with five one that is full; values
/// of five limbs end inside a row, and fill one.
pub fn every_gate() -> Vec<Sample> {
    let with = |lanes: u32| every_gate_in(Shape { lanes, ..shape() }).into_iter().map(named);
    let three = linear(&[&[300, -200], &[-411, 77], &[5, 901]], &[1000, -70_000, 12]);
    let ends = linear(&[&[1, 0], &[0, 1], &[0, 0]], &[0, 0, 0]);
    let in_place = [(&three, [417, -55]), (&ends, [-1000, 3000])].map(|(layer, x)| in_place_sample(shape(), layer, &x, -1000));
    let walks = stencils().into_iter().take(1).map(|(stencil, steps)| walk_in_place_sample(stencil, &steps));
    let pools = [1, 3].map(walking_pool_sample);
    [1, 3, 5].into_iter().flat_map(with).chain(in_place).chain(walks).chain(pools).chain(every_gate_stacked()).collect()
}

/// The same in stacks: of as many columns as there are of a kind, of a few, and of a number that no power of two is a multiple of.
pub fn every_gate_stacked() -> Vec<Sample> {
    let three = linear(&[&[300, -200], &[-411, 77], &[5, 901]], &[1000, -70_000, 12]);
    let in_place = in_place_sample(stacked(4, 6), &three, &[417, -55], -1000);
    [(16, 1), (5, 4)]
        .into_iter()
        .flat_map(|(stack, lanes)| every_gate_in(stacked(stack, lanes)))
        .chain([in_place])
        .map(named)
        .collect()
}

fn named(sample: Sample) -> Sample {
    let Shape { lanes, stack, .. } = sample.trace.shape;
    Sample { name: format!("{}, {lanes} lanes, stack of {stack}", sample.name), ..sample }
}

/// One of everything, in `base`: three outputs on two weight columns, so that the leading block is padded.
fn every_gate_in(base: Shape) -> Vec<Sample> {
    let three = linear(&[&[300, -200], &[-411, 77], &[5, 901]], &[1000, -70_000, 12]);
    let one = linear(&[&[300, -200]], &[1000]);
    let zero = linear(&[&[1, 0], &[0, 1], &[0, 0]], &[0, 0, 0]);
    let tie = linear(&[&[1, 300], &[2, 300], &[3, 300]], &[0, 0, 0]);
    let wide = Shape { weights: 4, ..base };
    let deep = Shape { magnitude_limbs: 4, limb_bits: 3, ..base };
    let inputs = [-1000, 3000];
    vec![
        range_sample(base, inputs, 17),
        range_sample(base, inputs, -1000),
        range_sample(base, inputs, 3000),
        layer_sample(base, End::Relu, &three, &[417, -55], inputs),
        layer_sample(base, End::Signed, &three, &[417, 1055], inputs),
        layer_sample(wide, End::Signed, &three, &[-417, 55], inputs),
        layer_sample(base, End::Signed, &zero, &[0, 0], inputs),
        layer_sample(base, End::Relu, &zero, &[0, 0], inputs),
        layer_sample(base, End::Threshold(-20), &one, &[417, -55], inputs),
        layer_sample(base, End::Threshold(33), &one, &[417, -55], inputs),
        layer_sample(base, End::Argmax, &three, &[417, 600], inputs),
        layer_sample(base, End::Argmax, &tie, &[10, 20], inputs),
        layer_sample(deep, End::Argmax, &linear(&[&[3, -2], &[-4, 7], &[5, 9]], &[1, -7, 12]), &[41, 60], [-100, 200]),
        sum_sample(base, &[417, -55], inputs),
        hash_sample(base, &[0, 200, -5, 17]),
        function_sample(base, -128),
        function_sample(base, 21),
    ]
    .into_iter()
    .chain([maximum_sample(base, &[17, -3, 17, 99, -100]), maximum_sample(base, &[-1, -2, -1, -1, -1])])
    .chain([two_pools(base, [417, -55]), two_pools(base, [0, 2]), two_pools(base, [-1000, 1000])])
    .chain([product_sample(base, MATRICES), product_sample(base, model::Product { count: 3, rows: 1, inner: 1, columns: 1 })])
    .chain(stencils().into_iter().map(|(stencil, steps)| conv_sample(base, stencil, &steps)))
    .collect()
}
