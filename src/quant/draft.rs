//! The program under construction: node by node, each with the scales and worst cases of its elements.

use super::calibrate::{Calibrated, Options, OutputChoice, Score, segment_bits};
use super::calibrate_error::CalibrateError;
use super::range::enforced;
use super::scale::{ANY, Row, SCALES, Source, measured_scale, power_of_two};
use super::structure::Structure;
use super::{Hidden, Node, Program, Schema};
use crate::model::{self, Graph, GraphNode, GraphOp};
use crate::op::{
    Argmax, Constant, Conv, Interval, Linear, Maximum, Move, Op, Product, Rescale, Sigmoid, Sum, Term, Threshold, conv::hulls,
    sigmoid::OUTPUT_SCALE_LOG2,
};
use std::collections::HashMap;

/// A graph node's result in the program.
#[derive(Clone, Debug, Default)]
struct Tensor {
    /// The program node whose cells it is.
    node: usize,
    /// Steps of 1.0 and worst case, by element.
    source: Source,
    /// `real = integer / 2^scale`, by element; `None` for features, whose schema has decimals.
    scales: Vec<Option<i32>>,
}

/// One attempt at a program.
pub struct Draft<'a> {
    graph: &'a Graph,
    schema: &'a Schema,
    options: &'a Options,
    structure: &'a Structure,
    built: Calibrated,
    tensors: Vec<Tensor>,
    /// The largest magnitude that each graph node may take, where calibration measured it; otherwise the worst case counts.
    measured: Option<&'a [f64]>,
    /// The scale of each class, as an upper bound before its first node and as chosen after.
    pub scales: HashMap<u32, i32>,
    chosen: HashMap<u32, i32>,
    /// Whether a later node lowered a scale that an earlier one had used.
    pub lowered: bool,
}

impl<'a> Draft<'a> {
    /// An empty draft; `caps` are the coarser scales that an earlier attempt asked for.
    pub fn new(
        graph: &'a Graph,
        schema: &'a Schema,
        options: &'a Options,
        structure: &'a Structure,
        measured: Option<&'a [f64]>,
        caps: HashMap<u32, i32>,
    ) -> Self {
        let hidden = if measured.is_some() { Hidden::Calibrated } else { Hidden::WorstCase };
        let program = Program { schema_id: schema.id(), precision: options.precision, items: 1, hidden, nodes: Vec::new() };
        let built = Calibrated { program, scales: Vec::new(), score: Score::Value, notes: Vec::new() };
        let chosen = HashMap::new();
        Self { graph, schema, options, structure, built, tensors: Vec::new(), measured, scales: caps, chosen, lowered: false }
    }

    /// Every node of the graph.
    ///
    /// # Errors
    /// A layer for which no scale fits.
    pub fn nodes(&mut self) -> Result<(), CalibrateError> {
        for (index, node) in self.graph.nodes.iter().enumerate() {
            let source = node.inputs.first().copied();
            let tensor = match (&node.op, source) {
                (GraphOp::Input, _) => self.input(node),
                // The rescale of the source has computed it; a Sigmoid is the business of the output statement.
                (GraphOp::Relu, Some(source)) if self.structure.fused[index] => self.tensors[source].clone(),
                (GraphOp::Sigmoid, Some(source)) => self.tensors[source].clone(),
                (GraphOp::Move(from), _) => self.moved(node, from),
                (GraphOp::Maximum(windows), _) => self.maximum(node, windows)?,
                (GraphOp::Constant(values), _) => self.constant(index, values)?,
                (GraphOp::Relu, _) => self.layer(index, true)?,
                _ => self.layer(index, self.structure.relu[index].is_some())?,
            };
            self.tensors.push(tensor);
        }
        Ok(())
    }

    fn input(&mut self, node: &GraphNode) -> Tensor {
        let input = self.schema.input(self.options.input);
        let steps = self.schema.features().iter().map(|f| 10f64.powi(f.decimals as i32)).collect();
        let source = Source { steps, intervals: input.ranges.clone() };
        let scales = vec![None; node.len];
        let made = self.push(&node.name, Op::Input(input), vec![], vec![], 0);
        Tensor { node: made, source, scales }
    }

    fn moved(&mut self, node: &GraphNode, from: &[u32]) -> Tensor {
        let read = self.read(&node.inputs);
        let moved = Move { from: from.to_vec() };
        let (steps, intervals) = (moved.eval(&read.source.steps), moved.eval(&read.source.intervals));
        let scales = moved.eval(&read.scales);
        let inputs = node.inputs.iter().map(|&i| self.tensors[i].node).collect();
        let made = self.push(&node.name, Op::Move(moved), inputs, known(&scales), 0);
        Tensor { node: made, source: Source { steps, intervals }, scales }
    }

    fn maximum(&mut self, node: &GraphNode, windows: &[Vec<u32>]) -> Result<Tensor, CalibrateError> {
        let read = self.read(&node.inputs);
        let problem = |problem: &str| CalibrateError::Structure { node: node.name.clone(), problem: problem.into() };
        let same = |w: &Vec<u32>| w.iter().all(|&i| read.source.steps[i as usize] == read.source.steps[w[0] as usize]);
        if !windows.iter().all(same) {
            return Err(problem("features with different decimals are compared"));
        }
        let maximum = Maximum { windows: windows.to_vec() };
        let intervals = maximum.intervals(&read.source.intervals).ok_or_else(|| problem("an empty window"))?.0;
        let first = |w: &Vec<u32>| w[0] as usize;
        let steps = windows.iter().map(|w| read.source.steps[first(w)]).collect();
        let scales: Vec<Option<i32>> = windows.iter().map(|w| read.scales[first(w)]).collect();
        let inputs = node.inputs.iter().map(|&i| self.tensors[i].node).collect();
        let made = self.push(&node.name, Op::Maximum(maximum), inputs, known(&scales), 0);
        Ok(Tensor { node: made, source: Source { steps, intervals }, scales })
    }

    fn constant(&mut self, index: usize, values: &[f32]) -> Result<Tensor, CalibrateError> {
        let rows: Vec<Row> = values.iter().map(|&bias| Row { elements: vec![], weights: vec![], bias }).collect();
        let rescale = self.rescale(false);
        let scales = self.choose(index, &rows, &Source::default(), rescale)?;
        let shift = self.options.precision.shift_bits as i32;
        let integer = |(row, scale): (&Row, &i32)| rescale.quotient(row.integers(&Source::default(), scale + shift).1);
        let values: Vec<i128> = rows.iter().zip(&scales).map(integer).collect();
        let intervals = values.iter().map(|&v| Interval::new(v, v)).collect();
        let node = self.push(&self.graph.nodes[index].name, Op::Constant(Constant { values }), vec![], scales.clone(), 0);
        Ok(tensor(node, scales, intervals))
    }

    /// A layer or sum with its rescale; a lone ReLU is the sum of one term each.
    fn layer(&mut self, index: usize, relu: bool) -> Result<Tensor, CalibrateError> {
        let node = &self.graph.nodes[index];
        let read = self.read(&node.inputs);
        let rescale = self.rescale(relu);
        let (op, scales) = match &node.op {
            GraphOp::Conv(conv) => self.conv(index, conv, &read, rescale)?,
            GraphOp::Product(product) => self.product(index, *product, &read, rescale)?,
            _ => {
                let rows = rows_of(node);
                let scales = self.choose(index, &rows, &read.source, rescale)?;
                (integer_layer(node, &rows, &read.source, &scales, rescale.shift as i32), scales)
            }
        };
        let accumulators = match &op {
            Op::Linear(linear) => linear.intervals(&read.source.intervals),
            Op::Sum(sum) => sum.intervals(&read.source.intervals),
            Op::Conv(conv) => conv.intervals(&read.source.intervals),
            Op::Product(product) => product.intervals(&read.source.intervals),
            _ => None,
        };
        let accumulators = accumulators.ok_or_else(|| self.no_scale(index))?;
        let allowed = self.options.precision.quotient_interval();
        let bounded = |y: &Interval| match self.measured {
            Some(_) => enforced(&rescale, y, &allowed),
            None => rescale.interval(y),
        };
        let intervals = accumulators.iter().map(bounded).collect();
        let inputs = node.inputs.iter().map(|&i| self.tensors[i].node).collect();
        let fine = scales.iter().map(|e| e + rescale.shift as i32).collect();
        let accumulator = self.push(&node.name, op, inputs, fine, 0);
        let fused = self.structure.relu[index].map(|i| self.graph.nodes[i].name.clone());
        let name = fused.unwrap_or_else(|| format!("{}.rescale", node.name));
        let made = self.push(&name, Op::Rescale(rescale), vec![accumulator], scales.clone(), 0);
        Ok(tensor(made, scales, intervals))
    }

    /// A convolution in integers, and the scale of each output.
    fn conv(
        &mut self,
        index: usize,
        conv: &model::Conv,
        read: &Tensor,
        rescale: Rescale,
    ) -> Result<(Op, Vec<i32>), CalibrateError> {
        let stencil = &conv.stencil;
        let planes = read.source.steps.chunks(stencil.pixels()).zip(read.source.intervals.chunks(stencil.pixels()));
        let common = planes.map(|(steps, intervals)| {
            // What is always zero is zero at any scale.
            let mut counted = steps.iter().zip(intervals).filter(|(_, x)| **x != Interval::new(0, 0)).map(|(s, _)| *s);
            let first = counted.next().unwrap_or(1.0);
            counted.all(|s| s == first).then_some(first)
        });
        let Some(steps) = common.collect::<Option<Vec<f64>>>() else {
            let problem = "the pixels of a channel must have the same number of decimals".into();
            return Err(CalibrateError::Structure { node: self.graph.nodes[index].name.clone(), problem });
        };
        // One element for each channel stands for all its pixels.
        let source = Source { steps, intervals: hulls(stencil, &read.source.intervals) };
        let per_filter = stencil.channels_per_group() * stencil.taps();
        let rows: Vec<Row> = (0..stencil.filters)
            .map(|filter| {
                let first = filter / stencil.filters_per_group() * stencil.channels_per_group();
                let elements = (0..per_filter).map(|i| (first + i / stencil.taps()) as u32).collect();
                Row { elements, weights: conv.weights[filter * per_filter..][..per_filter].to_vec(), bias: conv.bias[filter] }
            })
            .collect();
        let windows = stencil.windows();
        let classes: Vec<u32> = self.structure.classes(index).iter().step_by(windows).copied().collect();
        let scales = self.choose_in(index, &rows, &classes, &source, rescale)?;
        let integers = rows.iter().zip(&scales).map(|(row, scale)| row.integers(&source, scale + rescale.shift as i32));
        let (weights, bias): (Vec<_>, Vec<_>) = integers.unzip();
        let op = Op::Conv(Conv { stencil: *stencil, weights: weights.concat(), bias });
        Ok((op, scales.iter().flat_map(|&scale| std::iter::repeat_n(scale, windows)).collect()))
    }

    /// A product in integers, and the scale of each result: as fine as fits, and no coarser than its factors make it. Where they make
    /// it too fine, the right factor is asked to be coarser, in another round.
    fn product(
        &mut self,
        index: usize,
        dims: model::Product,
        read: &Tensor,
        rescale: Rescale,
    ) -> Result<(Op, Vec<i32>), CalibrateError> {
        let node = &self.graph.nodes[index];
        let Some(known) = read.scales.iter().copied().collect::<Option<Vec<i32>>>() else {
            let problem = "multiplies features themselves; put them through a layer first".into();
            return Err(CalibrateError::Structure { node: node.name.clone(), problem });
        };
        let p = self.options.precision;
        let shift = rescale.shift as i32;
        let right: Vec<u32> = self.structure.classes(*node.inputs.last().unwrap_or(&0)).to_vec();
        let classes: Vec<u32> = self.structure.classes(index).to_vec();
        let plain = Product { dims, shifts: vec![0; dims.count] };
        let worst = plain.intervals(&read.source.intervals).ok_or_else(|| self.no_scale(index))?;
        let (mut scales, mut shifts) = (Vec::with_capacity(dims.outputs()), Vec::with_capacity(dims.count));
        for (product, worst) in worst.chunks(dims.result()).enumerate() {
            let class = classes[product * dims.result()];
            let allowed = if self.structure.is_compared(class) { p.score_interval() } else { p.quotient_interval() };
            let (left, below) = dims.term(product, 0, 0, 0);
            let coarsest = known[left] + known[below] - shift;
            // Round by round, factors that are asked to be coarser for their own product would leave every scale.
            if !SCALES.contains(&coarsest) {
                return Err(self.no_scale(index));
            }
            let fits = |finer: u32| {
                if let Some(&magnitude) = self.measured.and_then(|all| all.get(index)) {
                    return coarsest + finer as i32 <= measured_scale(magnitude, allowed);
                }
                let scaled = |y: &Interval| y.scaled(1 << finer).map(|y| rescale.quotient_interval(&y));
                worst.iter().all(|y| scaled(y).is_some_and(|q| q.within(&allowed)))
            };
            let bound = self.scales.get(&class).copied().unwrap_or(ANY);
            let finer = (0..=40u32).rev().find(|&finer| coarsest + finer as i32 <= bound && fits(finer));
            if finer.is_none() {
                let missing = (coarsest - bound.min(coarsest)).max(1);
                let factor = right[below - dims.count * dims.left()];
                *self.scales.entry(factor).or_insert(ANY) = known[below] - missing;
                self.lowered = true;
            }
            let scale = coarsest + finer.unwrap_or(0) as i32;
            self.lowered |= self.chosen.insert(class, scale).is_some_and(|chosen| chosen != scale);
            self.scales.insert(class, scale);
            shifts.push(finer.unwrap_or(0));
            scales.extend(std::iter::repeat_n(scale, dims.result()));
        }
        Ok((Op::Product(Product { dims, shifts }), scales))
    }

    fn choose(&mut self, index: usize, rows: &[Row], source: &Source, rescale: Rescale) -> Result<Vec<i32>, CalibrateError> {
        self.choose_in(index, rows, self.structure.classes(index), source, rescale)
    }

    /// One scale for each row: the finest that fits all rows of its class.
    fn choose_in(
        &mut self,
        index: usize,
        rows: &[Row],
        classes: &[u32],
        source: &Source,
        rescale: Rescale,
    ) -> Result<Vec<i32>, CalibrateError> {
        let p = self.options.precision;
        let mut lowest: HashMap<u32, i32> = HashMap::new();
        for (row, &class) in rows.iter().zip(classes) {
            let allowed = if self.structure.is_compared(class) { p.score_interval() } else { p.quotient_interval() };
            let finest = match self.measured.filter(|_| !row.elements.is_empty()).and_then(|all| all.get(index)) {
                // What no admitted input exceeds needs no headroom.
                Some(&magnitude) => {
                    let proven = row.finest_scale(source, rescale, allowed).unwrap_or(i32::MIN);
                    proven.max(measured_scale(magnitude, allowed))
                }
                None => row.finest_scale(source, rescale, allowed).ok_or_else(|| self.no_scale(index))?,
            };
            let scale = lowest.entry(class).or_insert(ANY);
            *scale = finest.min(*scale);
        }
        for (&class, scale) in &mut lowest {
            let bound = self.scales.get(&class).copied().unwrap_or(ANY);
            *scale = bound.min(*scale);
            // An output that is zero whatever comes in leaves the choice to others; where there are none, it is 0.
            let used = if *scale == ANY { 0 } else { *scale };
            self.lowered |= self.chosen.insert(class, used).is_some_and(|chosen| chosen != used);
            self.scales.insert(class, *scale);
            *scale = used;
        }
        Ok(classes.iter().map(|class| lowest.get(class).copied().unwrap_or(0)).collect())
    }

    /// All inputs, one after the other.
    fn read(&self, inputs: &[usize]) -> Tensor {
        let mut joined = Tensor::default();
        for tensor in inputs.iter().map(|&i| &self.tensors[i]) {
            joined.source.steps.extend(&tensor.source.steps);
            joined.source.intervals.extend(&tensor.source.intervals);
            joined.scales.extend(&tensor.scales);
        }
        joined
    }

    fn rescale(&self, relu: bool) -> Rescale {
        Rescale { shift: self.options.precision.shift_bits, relu }
    }

    fn no_scale(&self, index: usize) -> CalibrateError {
        CalibrateError::NoScale { node: self.graph.nodes[index].name.clone(), bits: self.options.precision.magnitude_bits }
    }

    /// Appends a node; `default` is its scale where it has none per element. Returns its index.
    fn push(&mut self, name: &str, op: Op, inputs: Vec<usize>, scales: Vec<i32>, default: i32) -> usize {
        let scale_log2 = scales.iter().copied().min().unwrap_or(default);
        self.built.program.nodes.push(Node { name: name.into(), op, inputs, scale_log2 });
        self.built.scales.push(scales);
        self.built.program.nodes.len() - 1
    }

    /// The output statement; a Sigmoid before a comparison is monotonic and goes.
    ///
    /// # Errors
    /// A model whose output is its input.
    pub fn finish(mut self) -> Result<Calibrated, CalibrateError> {
        let score = &self.tensors[self.structure.score];
        let mut scales = known(&score.scales);
        let mut node = score.node;
        let output = self.graph.output.name.clone();
        if scales.len() != score.scales.len() {
            return Err(CalibrateError::Structure { node: output, problem: "the output is the input itself".into() });
        }
        let precision = self.options.precision;
        if let (Some(sigmoid), OutputChoice::Reveal) = (self.structure.sigmoid, self.options.output) {
            self.built.score = Score::Probability;
            let scale = scales.first().copied().unwrap_or(0);
            let table = Sigmoid::new(segment_bits(precision), precision.magnitude_bits, scale);
            scales = vec![OUTPUT_SCALE_LOG2; scales.len()];
            node = self.push(&self.graph.nodes[sigmoid].name, Op::Sigmoid(table), vec![node], scales.clone(), 0);
        } else if let Some(sigmoid) = self.structure.sigmoid {
            self.built.score = Score::Logit;
            let (name, choice) = (&self.graph.nodes[sigmoid].name, self.options.output.name());
            self.built.notes.push(format!("`{name}` is not computed: the {choice} compares logits, which gives the same answer"));
        }
        match self.options.output {
            OutputChoice::Reveal => self.push(&output, Op::Reveal, vec![node], scales, 0),
            OutputChoice::Threshold => {
                let threshold = Threshold { range: precision.score_interval() };
                let node = self.accumulated(node, &output, &scales);
                self.push(&output, Op::Threshold(threshold), vec![node], scales, 0)
            }
            // An index has no scale.
            OutputChoice::Argmax => self.push(&output, Op::Argmax(Argmax), vec![node], vec![0], 0),
        };
        Ok(self.built)
    }
}

impl Draft<'_> {
    /// The node, if it is the rescale made last, which a threshold takes over; otherwise an exact copy of it that is one.
    fn accumulated(&mut self, node: usize, name: &str, scales: &[i32]) -> usize {
        let nodes = &self.built.program.nodes;
        if node + 1 == nodes.len() && matches!(nodes[node].op, Op::Rescale(_)) {
            return node;
        }
        let rescale = self.rescale(false);
        let term = Term { element: 0, weight: 1 << rescale.shift };
        let sum = Sum { terms: vec![vec![term]], bias: vec![0] };
        let fine = scales.iter().map(|e| e + rescale.shift as i32).collect();
        let copy = self.push(&format!("{name}.copy"), Op::Sum(sum), vec![node], fine, 0);
        self.push(&format!("{name}.rescale"), Op::Rescale(rescale), vec![copy], scales.to_vec(), 0)
    }
}

fn tensor(node: usize, scales: Vec<i32>, intervals: Vec<Interval>) -> Tensor {
    let steps = scales.iter().map(|&e| power_of_two(e)).collect();
    Tensor { node, source: Source { steps, intervals }, scales: scales.into_iter().map(Some).collect() }
}

fn known(scales: &[Option<i32>]) -> Vec<i32> {
    scales.iter().flatten().copied().collect()
}

/// The outputs of a layer, one by one.
fn rows_of(node: &GraphNode) -> Vec<Row> {
    match &node.op {
        GraphOp::Linear(linear) => {
            let elements: Vec<u32> = (0..linear.inputs as u32).collect();
            let rows = linear.weights.chunks(linear.inputs.max(1)).zip(&linear.bias);
            rows.map(|(weights, &bias)| Row { elements: elements.clone(), weights: weights.to_vec(), bias }).collect()
        }
        GraphOp::Sum(sum) => {
            let row = |(terms, &bias): (&Vec<(u32, f32)>, &f32)| {
                let (elements, weights) = terms.iter().copied().unzip();
                Row { elements, weights, bias }
            };
            sum.terms.iter().zip(&sum.bias).map(row).collect()
        }
        _ => (0..node.len as u32).map(|i| Row { elements: vec![i], weights: vec![1.0], bias: 0.0 }).collect(),
    }
}

/// The integer op of a layer or sum.
fn integer_layer(node: &GraphNode, rows: &[Row], source: &Source, scales: &[i32], shift: i32) -> Op {
    let (weights, bias): (Vec<_>, Vec<_>) =
        rows.iter().zip(scales).map(|(row, scale)| row.integers(source, scale + shift)).unzip();
    if let GraphOp::Linear(linear) = &node.op {
        return Op::Linear(Linear { outputs: linear.outputs, inputs: linear.inputs, weights: weights.concat(), bias });
    }
    let terms = |(row, weights): (&Row, Vec<i128>)| {
        row.elements.iter().zip(weights).map(|(&element, weight)| Term { element, weight }).collect()
    };
    Op::Sum(Sum { terms: rows.iter().zip(weights).map(terms).collect(), bias })
}
