//! Walks the file's nodes in order and builds the graph, one table row per operator.

use super::constant::{self, Constant};
use super::operator::{self, Call};
use super::size::{MAX_NODES, MAX_RESULT_ELEMENTS, MAX_WALK_PARAMETERS, element_count};
use super::{Graph, GraphNode, GraphOp, ModelError, Port, port};
use std::collections::HashMap;
use std::rc::Rc;
use tract_onnx::pb::{GraphProto, NodeProto};

/// What a name in the file stands for.
#[derive(Clone, Debug)]
pub enum Value {
    /// The result of a graph node, with its ONNX shape.
    Tensor {
        /// Index of the node.
        node: usize,
        /// Static shape.
        shape: Vec<usize>,
    },
    /// A tensor stored in the file, shared by all that read it.
    Constant(Rc<Constant>),
}

/// The state of the walk.
#[derive(Debug, Default)]
pub struct Walk {
    /// Nodes so far; some may turn out unused.
    pub nodes: Vec<GraphNode>,
    values: HashMap<String, Value>,
    /// How often each name is read.
    uses: HashMap<String, usize>,
    parameters: usize,
}

impl Walk {
    /// Adds a node and returns its value.
    ///
    /// # Errors
    /// A result, or all weights together, beyond the size limit.
    pub fn push(&mut self, name: &str, op: GraphOp, inputs: Vec<usize>, shape: Vec<usize>) -> Result<Value, ModelError> {
        let len = self.fits(name, &shape)?;
        // One stored tensor may be read by many nodes, so the file's own limit does not bound the copies.
        self.reserve(match &op {
            GraphOp::Linear(linear) => linear.weights.len(),
            GraphOp::Conv(conv) => conv.weights.len(),
            GraphOp::Maximum(windows) => windows.iter().map(Vec::len).sum(),
            GraphOp::Sum(sum) => sum.terms.iter().map(Vec::len).sum(),
            _ => 0,
        })?;
        self.nodes.push(GraphNode { name: name.into(), op, inputs, len });
        Ok(Value::Tensor { node: self.nodes.len() - 1, shape })
    }

    /// Elements of a result, before they are made.
    ///
    /// # Errors
    /// None, or more than the limit.
    pub fn fits(&self, name: &str, shape: &[usize]) -> Result<usize, ModelError> {
        match element_count(shape) {
            Some(n) if n > 0 && n <= MAX_RESULT_ELEMENTS => Ok(n),
            _ => Err(ModelError::TooLarge {
                what: format!("the result of node `{name}`"),
                got: format!("shape {shape:?}"),
                limit: format!("{MAX_RESULT_ELEMENTS} elements"),
            }),
        }
    }

    /// Counts weights before they are made.
    ///
    /// # Errors
    /// More of them in all layers together than the limit.
    pub fn reserve(&mut self, weights: usize) -> Result<(), ModelError> {
        self.parameters = self.parameters.saturating_add(weights);
        if self.parameters <= MAX_WALK_PARAMETERS {
            return Ok(());
        }
        Err(ModelError::TooLarge {
            what: "the sum of all layers".into(),
            got: format!("{} weights", self.parameters),
            limit: format!("{MAX_WALK_PARAMETERS} weights"),
        })
    }

    /// Whether only one node reads this name, so that what made it may change.
    pub fn is_read_once(&self, name: &str) -> bool {
        self.uses.get(name).is_some_and(|&count| count == 1)
    }

    fn define(&mut self, name: &str, value: Value) -> Result<(), ModelError> {
        match self.values.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(ModelError::InvalidGraph { problem: format!("value `{name}` is made twice") }),
        }
    }
}

/// Builds the graph of a decoded file; `sha256` is the file's.
///
/// # Errors
/// Any [`ModelError`] but `Read` and `Disagreement`.
pub fn import(proto: &GraphProto, sha256: [u8; 32]) -> Result<Graph, ModelError> {
    let input = port::input(proto)?;
    let output = port::output_name(proto)?;
    refuse_unknown(proto)?;
    let mut walk = Walk { uses: uses(proto), ..Walk::default() };
    let source = walk.push(&input.name, GraphOp::Input, vec![], input.shape.clone())?;
    walk.define(&input.name, source)?;
    if let Some(sparse) = proto.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", |v| v.name.as_str());
        return Err(ModelError::ElementType { place: format!("tensor `{name}`"), got: "sparse".into(), expected: "dense f32" });
    }
    for tensor in &proto.initializer {
        walk.define(&tensor.name, Value::Constant(Rc::new(constant::read(tensor)?)))?;
    }
    for node in &proto.node {
        step(&mut walk, node)?;
    }
    match walk.values.get(output) {
        Some(Value::Tensor { node, shape }) => {
            let output = Port { name: output.to_owned(), shape: shape.clone() };
            Ok(Graph { name: proto.name.clone(), input, output, nodes: reachable(walk.nodes, *node), sha256 })
        }
        Some(Value::Constant(_)) => Err(ModelError::InvalidGraph { problem: format!("output `{output}` is a constant") }),
        None => Err(ModelError::InvalidGraph { problem: format!("no node makes the output `{output}`") }),
    }
}

/// How often each name is read; the output counts.
fn uses(proto: &GraphProto) -> HashMap<String, usize> {
    let mut uses = HashMap::new();
    let read = proto.node.iter().flat_map(|n| &n.input).chain(proto.output.iter().map(|o| &o.name));
    read.for_each(|name| *uses.entry(name.clone()).or_default() += 1);
    uses
}

/// The name that errors and reports use: the node's own, or its first output's.
pub fn node_name(node: &NodeProto) -> &str {
    if node.name.is_empty() { node.output.first().map_or("(unnamed)", String::as_str) } else { &node.name }
}

/// All operators are judged first, so that a foreign one is named even in a file with other faults.
fn refuse_unknown(proto: &GraphProto) -> Result<(), ModelError> {
    if proto.node.len() > MAX_NODES {
        return Err(ModelError::TooLarge {
            what: "the graph".into(),
            got: format!("{} nodes", proto.node.len()),
            limit: format!("{MAX_NODES} nodes"),
        });
    }
    proto.node.iter().try_for_each(|node| operator::find(node).map(|_| ()))
}

fn step(walk: &mut Walk, node: &NodeProto) -> Result<(), ModelError> {
    let row = operator::find(node)?;
    let name = node_name(node);
    let mut inputs = Vec::with_capacity(node.input.len());
    for input in &node.input {
        if input.is_empty() {
            inputs.push(None);
            continue;
        }
        // ONNX lists nodes in order, so a value that is not there yet comes later: a cycle or a foreign order.
        let value = walk.values.get(input).ok_or_else(|| ModelError::InvalidGraph {
            problem: format!("node `{name}` reads `{input}`, which no earlier node or stored tensor makes"),
        })?;
        inputs.push(Some(value.clone()));
    }
    let [output] = node.output.as_slice() else {
        return Err(operator::unsupported(node, &format!("{} outputs, expected 1", node.output.len())));
    };
    let made = (row.build)(walk, &Call { node, name, inputs: &inputs })?;
    walk.define(output, made)
}

/// Keeps the nodes that the output depends on, in order, and renumbers them. Node 0, the input, always stays.
fn reachable(nodes: Vec<GraphNode>, output: usize) -> Vec<GraphNode> {
    let mut used = vec![false; nodes.len()];
    used[0] = true;
    used[output] = true;
    for index in (0..=output).rev() {
        if used[index] {
            nodes[index].inputs.iter().for_each(|&i| used[i] = true);
        }
    }
    let mut place = vec![0; nodes.len()];
    let mut kept: Vec<GraphNode> = Vec::new();
    for (index, mut node) in nodes.into_iter().enumerate() {
        if used[index] {
            place[index] = kept.len();
            node.inputs.iter_mut().for_each(|i| *i = place[*i]);
            kept.push(node);
        }
    }
    kept
}
