//! How the nodes of a float graph become nodes of a program: which ReLU a rescale takes over, which elements share a scale, which
//! are compared.

use super::calibrate::OutputChoice;
use super::calibrate_error::CalibrateError;
use crate::model::{Graph, GraphNode, GraphOp};

/// The reading of a graph.
#[derive(Clone, Debug)]
pub struct Structure {
    /// For each node: the ReLU that its rescale computes as well.
    pub relu: Vec<Option<usize>>,
    /// For each node: whether it is a ReLU that its source's rescale computes.
    pub fused: Vec<bool>,
    /// The Sigmoid that ends the graph, if one does.
    pub sigmoid: Option<usize>,
    /// The node whose elements the output statement is about: the last, or the Sigmoid's source where that is compared instead.
    pub score: usize,
    first: Vec<usize>,
    classes: Vec<u32>,
    compared: Vec<bool>,
}

impl GraphOp {
    /// Whether it sums products, so that a rescale follows.
    fn accumulates(&self) -> bool {
        matches!(self, GraphOp::Linear(_) | GraphOp::Sum(_) | GraphOp::Conv(_) | GraphOp::Product(_))
    }
}

impl Structure {
    /// Reads a graph whose output becomes public as `output` says.
    ///
    /// # Errors
    /// [`CalibrateError::Structure`] for a Sigmoid that is not last or stands over a ReLU, an input that is not first.
    pub fn of(graph: &Graph, output: OutputChoice) -> Result<Self, CalibrateError> {
        let wrong = |node: &str, problem: &str| CalibrateError::Structure { node: node.into(), problem: problem.into() };
        let last = graph.nodes.len().saturating_sub(1);
        let readers = readers(graph)?;
        let mut relu = vec![None; graph.nodes.len()];
        let mut fused = vec![false; graph.nodes.len()];
        let (mut sigmoid, mut layers) = (None, 0);
        for (index, node) in graph.nodes.iter().enumerate() {
            let source = node.inputs.first().map(|&i| (i, &graph.nodes[i]));
            layers += usize::from(node.op.accumulates());
            match (&node.op, source) {
                (GraphOp::Input, _) if index > 0 => return Err(wrong(&node.name, "only the first node may be the input")),
                (GraphOp::Relu, Some((at, source))) if source.op.accumulates() && readers[at] == 1 => {
                    (relu[at], fused[index]) = (Some(index), true);
                }
                (GraphOp::Sigmoid, _) if index < last => {
                    return Err(wrong(&node.name, "a Sigmoid is supported at the end of the model only"));
                }
                (GraphOp::Sigmoid, Some((at, _))) if fused[at] => {
                    return Err(wrong(&node.name, "a Sigmoid over a Relu is not supported"));
                }
                (GraphOp::Sigmoid, Some(_)) => sigmoid = Some(index),
                _ => {}
            }
        }
        if layers == 0 {
            return Err(wrong(&graph.output.name, "the model has no layer (Gemm or MatMul)"));
        }
        let score = sigmoid.and_then(|s| graph.nodes[s].inputs.first().copied()).unwrap_or(last);
        let mut first: Vec<usize> = Vec::with_capacity(graph.nodes.len() + 1);
        first.push(0);
        graph.nodes.iter().for_each(|n| first.push(first.last().copied().unwrap_or(0).saturating_add(n.len)));
        let mut made = Self { relu, fused, sigmoid, score, first, classes: Vec::new(), compared: Vec::new() };
        made.classify(graph, sigmoid.is_some() || output != OutputChoice::Reveal);
        Ok(made)
    }

    /// The scale class of each element of a node: elements of one class have one scale.
    pub fn classes(&self, node: usize) -> &[u32] {
        self.first.get(node).zip(self.first.get(node + 1)).map_or(&[], |(&from, &to)| &self.classes[from..to])
    }

    /// How many numbers a class may have.
    pub fn class_bound(&self) -> usize {
        self.classes.len()
    }

    /// Whether elements of a class are compared or looked up, and must fit one bit less than the magnitudes.
    pub fn is_compared(&self, class: u32) -> bool {
        self.compared[class as usize]
    }

    /// Joins elements that must share a scale: what is the same cell, and all that the output statement is about.
    fn classify(&mut self, graph: &Graph, compared: bool) {
        let mut join = Join { parent: (0..self.first.last().copied().unwrap_or(0) as u32).collect() };
        let element = |node: usize, i: usize| (self.first[node] + i) as u32;
        let sources_of = |node: &GraphNode| -> Vec<u32> {
            node.inputs.iter().flat_map(|&n| (0..graph.nodes[n].len).map(move |i| element(n, i))).collect()
        };
        let mut distances: Vec<u32> = Vec::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            match &node.op {
                GraphOp::Move(from) => {
                    let sources = sources_of(node);
                    from.iter().enumerate().for_each(|(i, &at)| join.join(element(index, i), sources[at as usize]));
                }
                // A maximum is one of its elements, which are compared: less than a magnitude apart, unless all are positive.
                GraphOp::Maximum(windows) => {
                    let sources = sources_of(node);
                    for (i, window) in windows.iter().enumerate() {
                        window.iter().for_each(|&at| join.join(element(index, i), sources[at as usize]));
                    }
                    if !node.inputs.iter().all(|&n| graph.nodes[n].op == GraphOp::Relu) {
                        distances.extend((0..node.len).map(|i| element(index, i)));
                    }
                }
                // The factors of one product, and its results, each have one scale.
                GraphOp::Product(product) => {
                    let sources = sources_of(node);
                    for p in 0..product.count {
                        for (first, len) in [(p * product.left(), product.left()), (product.term(p, 0, 0, 0).1, product.right())]
                        {
                            (first..first + len).for_each(|i| join.join(sources[i], sources[first]));
                        }
                        let first = p * product.result();
                        (0..product.result()).for_each(|i| join.join(element(index, first + i), element(index, first)));
                    }
                }
                // A kernel's weights are the same for all pixels of a channel and all windows of a filter.
                GraphOp::Conv(conv) => {
                    let planes = [(node.inputs[0], conv.stencil.pixels()), (index, conv.stencil.windows())];
                    for (at, plane) in planes {
                        (0..graph.nodes[at].len).for_each(|i| join.join(element(at, i), element(at, i - i % plane)));
                    }
                }
                GraphOp::Relu if self.fused[index] => {
                    node.inputs.iter().for_each(|&n| (0..node.len).for_each(|i| join.join(element(index, i), element(n, i))));
                }
                _ => {}
            }
        }
        (1..graph.nodes[self.score].len).for_each(|i| join.join(element(self.score, i), element(self.score, 0)));
        let score = element(self.score, 0);
        self.classes = (0..join.parent.len() as u32).map(|e| join.root(e)).collect();
        self.compared = vec![false; self.classes.len()];
        self.compared[join.root(score) as usize] = compared;
        distances.into_iter().for_each(|e| self.compared[join.root(e) as usize] = true);
    }
}

/// How many nodes read each; the output is read once more.
fn readers(graph: &Graph) -> Result<Vec<usize>, CalibrateError> {
    let mut readers = vec![0usize; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        if !reads_earlier(graph, index, node) {
            let problem = "reads a node that is not there or comes later".into();
            return Err(CalibrateError::Structure { node: node.name.clone(), problem });
        }
        node.inputs.iter().for_each(|&i| readers[i] += 1);
    }
    if let Some(last) = readers.last_mut() {
        *last += 1;
    }
    Ok(readers)
}

fn reads_earlier(graph: &Graph, index: usize, node: &GraphNode) -> bool {
    let read: usize = node.inputs.iter().filter_map(|&i| graph.nodes.get(i)).map(|n| n.len).sum();
    let sources = match &node.op {
        GraphOp::Input | GraphOp::Constant(_) => node.inputs.is_empty(),
        GraphOp::Sum(sum) => sum.terms.iter().flatten().all(|&(i, _)| (i as usize) < read) && sum.terms.len() == node.len,
        GraphOp::Move(from) => from.iter().all(|&i| (i as usize) < read) && from.len() == node.len,
        GraphOp::Linear(linear) => node.inputs.len() == 1 && linear.inputs == read && linear.outputs == node.len,
        GraphOp::Conv(c) => {
            let fits = c.stencil.is_sound() && c.stencil.inputs() == read && c.stencil.outputs() == node.len;
            fits && node.inputs.len() == 1 && c.weights.len() == c.stencil.weights() && c.bias.len() == c.stencil.filters
        }
        GraphOp::Maximum(windows) => {
            let inside = windows.iter().flatten().all(|&i| (i as usize) < read);
            inside && windows.len() == node.len && windows.iter().all(|w| !w.is_empty())
        }
        GraphOp::Product(product) => product.inputs() == read && product.outputs() == node.len && product.inner > 0,
        GraphOp::Relu | GraphOp::Sigmoid => node.inputs.len() == 1 && read == node.len,
    };
    sources && node.inputs.iter().all(|&i| i < index)
}

/// Union-find with path halving.
struct Join {
    parent: Vec<u32>,
}

impl Join {
    fn root(&mut self, mut e: u32) -> u32 {
        while self.parent[e as usize] != e {
            let above = self.parent[self.parent[e as usize] as usize];
            self.parent[e as usize] = above;
            e = above;
        }
        e
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }
}
