//! A float graph as the chain of layers that a program has.

use super::calibrate_error::CalibrateError;
use crate::model::{Graph, GraphOp, Linear};

/// One fully connected layer and what follows it.
#[derive(Clone, Debug)]
pub struct Layer<'a> {
    /// Its node's name.
    pub name: &'a str,
    /// Its weights.
    pub linear: &'a Linear,
    /// Whether a ReLU follows; the name of its node.
    pub relu: Option<&'a str>,
}

/// The layers of a graph, and the name of the Sigmoid that ends it, if one does.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    /// At least one.
    pub layers: Vec<Layer<'a>>,
    /// The trailing Sigmoid's node.
    pub sigmoid: Option<&'a str>,
}

/// Reads the chain.
///
/// # Errors
/// [`CalibrateError::Structure`] for branches, an activation before any layer, a Sigmoid that is not last, a ReLU under it.
pub fn chain(graph: &Graph) -> Result<Chain<'_>, CalibrateError> {
    let wrong = |node: &str, problem: &str| CalibrateError::Structure { node: node.into(), problem: problem.into() };
    let mut chain = Chain { layers: Vec::new(), sigmoid: None };
    for (index, node) in graph.nodes.iter().enumerate() {
        let expected: Vec<usize> = index.checked_sub(1).into_iter().collect();
        if node.inputs != expected {
            return Err(wrong(&node.name, "every node must read the one before it"));
        }
        if chain.sigmoid.is_some() {
            return Err(wrong(&node.name, "a Sigmoid is supported at the end of the model only"));
        }
        match (&node.op, chain.layers.last_mut()) {
            (GraphOp::Input, None) if index == 0 => {}
            (GraphOp::Linear(linear), _) => chain.layers.push(Layer { name: &node.name, linear, relu: None }),
            (GraphOp::Relu, Some(layer)) => layer.relu = Some(&node.name),
            (GraphOp::Sigmoid, Some(layer)) if layer.relu.is_none() => chain.sigmoid = Some(&node.name),
            (GraphOp::Sigmoid, Some(_)) => return Err(wrong(&node.name, "a Sigmoid over a Relu is not supported")),
            (_, None) => return Err(wrong(&node.name, "an activation before the first layer is not supported")),
            (GraphOp::Input, Some(_)) => return Err(wrong(&node.name, "only the first node may be the input")),
        }
    }
    if chain.layers.is_empty() {
        return Err(wrong(&graph.output.name, "the model has no layer (Gemm or MatMul)"));
    }
    Ok(chain)
}
