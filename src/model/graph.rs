//! The float graph: what the model computes, before any quantisation.
//!
//! Tensors are flat vectors of static length in row-major order, so Reshape, Flatten and Identity leave no node.

use super::{ModelError, Product, Stencil};

/// The model's input or output tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in the file.
    pub name: String,
    /// Its shape; every dimension is at least 1.
    pub shape: Vec<usize>,
}

impl Port {
    /// Elements of the tensor.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Never true for an imported model: sizes of zero are refused.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A fully connected layer `y = W x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Rows of `W`.
    pub outputs: usize,
    /// Columns of `W`.
    pub inputs: usize,
    /// Row-major, `outputs * inputs`, all finite.
    pub weights: Vec<f32>,
    /// `outputs` entries, all finite.
    pub bias: Vec<f32>,
}

/// Outputs with a few inputs each: `y_i = bias_i + sum of weight * x[element]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// For each output: elements of the inputs, one after the other, with their weights, all finite.
    pub terms: Vec<Vec<(u32, f32)>>,
    /// One entry per output, all finite.
    pub bias: Vec<f32>,
}

/// A convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Channels, filters, groups and axes.
    pub stencil: Stencil,
    /// By filter, channel of its group, row and column, all finite.
    pub weights: Vec<f32>,
    /// One entry per filter, all finite.
    pub bias: Vec<f32>,
}

/// One float operator.
#[derive(Clone, Debug, PartialEq)]
pub enum GraphOp {
    /// The model's input (first node, exactly once).
    Input,
    /// `y = W x + b`.
    Linear(Linear),
    /// A convolution with stored weights.
    Conv(Conv),
    /// `max(x, 0)`, element by element.
    Relu,
    /// `1 / (1 + exp(-x))`, element by element.
    Sigmoid,
    /// Every output a weighted sum of its own few elements.
    Sum(Sum),
    /// Result element `i` is element `from[i]` of the inputs, one after the other.
    Move(Vec<u32>),
    /// The largest element of each window, given by positions among the elements of all inputs.
    Maximum(Vec<Vec<u32>>),
    /// Matrices or elements of two tensors multiplied.
    Product(Product),
    /// The same numbers for every input.
    Constant(Vec<f32>),
}

/// One step of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphNode {
    /// The ONNX node's name; several joined by `+` where they became one.
    pub name: String,
    /// What it computes.
    pub op: GraphOp,
    /// Indices of the earlier nodes that it reads.
    pub inputs: Vec<usize>,
    /// Elements of its result.
    pub len: usize,
}

/// A model with static shapes and f32 weights; the last node is the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// The graph's name in the file.
    pub name: String,
    /// The input tensor.
    pub input: Port,
    /// The output tensor.
    pub output: Port,
    /// Node 0 is the input; every node reads earlier ones; none is unused.
    pub nodes: Vec<GraphNode>,
    /// SHA-256 of the ONNX file, for manifests.
    pub sha256: [u8; 32],
}

impl Graph {
    /// The float reference: row-major input of `input.len()` values in the model's own units, row-major output.
    ///
    /// Sums run in f64, so the result is the f32 weights' own function; an f32 runtime differs in the last digits.
    ///
    /// # Errors
    /// [`ModelError::InputLength`] for a wrong number of values.
    pub fn run(&self, input: &[f32]) -> Result<Vec<f32>, ModelError> {
        let wide: Vec<f64> = input.iter().map(|&v| f64::from(v)).collect();
        let trace = self.trace(&wide)?;
        Ok(trace.last().map(|y| y.iter().map(|&v| v as f32).collect()).unwrap_or_default())
    }

    /// Every node's result on one input, in node order, in f64.
    ///
    /// # Errors
    /// [`ModelError::InputLength`] for a wrong number of values.
    pub fn trace(&self, input: &[f64]) -> Result<Vec<Vec<f64>>, ModelError> {
        if input.len() != self.input.len() {
            return Err(ModelError::InputLength { expected: self.input.len(), got: input.len() });
        }
        let mut results: Vec<Vec<f64>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let read: Vec<&[f64]> = match node.op {
                GraphOp::Input => vec![input],
                _ => node.inputs.iter().filter_map(|&i| results.get(i).map(Vec::as_slice)).collect(),
            };
            results.push(node.op.eval(&read));
        }
        Ok(results)
    }

    /// Weights and biases of all layers.
    pub fn parameters(&self) -> usize {
        self.nodes
            .iter()
            .map(|n| match &n.op {
                GraphOp::Linear(l) => l.weights.len() + l.bias.len(),
                GraphOp::Conv(c) => c.weights.len() + c.bias.len(),
                _ => 0,
            })
            .sum()
    }
}

impl GraphOp {
    /// The meaning on flat tensors.
    pub fn eval(&self, inputs: &[&[f64]]) -> Vec<f64> {
        let joined;
        let x = match inputs {
            [one] => *one,
            many => {
                joined = many.concat();
                &joined
            }
        };
        match self {
            GraphOp::Input => x.to_vec(),
            GraphOp::Linear(linear) => linear.eval(x),
            GraphOp::Conv(conv) => conv.eval(x),
            GraphOp::Relu => x.iter().map(|v| v.max(0.0)).collect(),
            GraphOp::Sigmoid => x.iter().map(|v| sigmoid(*v)).collect(),
            GraphOp::Sum(sum) => sum.eval(x),
            GraphOp::Move(from) => from.iter().map(|&i| x[i as usize]).collect(),
            GraphOp::Maximum(windows) => {
                windows.iter().map(|w| w.iter().fold(f64::NEG_INFINITY, |m, &i| m.max(x[i as usize]))).collect()
            }
            GraphOp::Product(product) => product.multiply(x),
            GraphOp::Constant(values) => values.iter().map(|&v| f64::from(v)).collect(),
        }
    }
}

impl Conv {
    /// The convolution in f64.
    pub fn eval(&self, x: &[f64]) -> Vec<f64> {
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        self.stencil.convolve(&wide(&self.weights), &wide(&self.bias), x)
    }
}

impl Sum {
    /// The sums in f64.
    pub fn eval(&self, x: &[f64]) -> Vec<f64> {
        let sum = |terms: &Vec<(u32, f32)>| terms.iter().map(|&(i, w)| f64::from(w) * x[i as usize]).sum::<f64>();
        self.terms.iter().zip(&self.bias).map(|(terms, b)| sum(terms) + f64::from(*b)).collect()
    }
}

impl Linear {
    /// `W x + b` in f64; elements of `x` beyond `inputs` are not read.
    pub fn eval(&self, x: &[f64]) -> Vec<f64> {
        self.weights
            .chunks(self.inputs.max(1))
            .zip(&self.bias)
            .map(|(row, b)| row.iter().zip(x).map(|(w, v)| f64::from(*w) * v).sum::<f64>() + f64::from(*b))
            .collect()
    }
}

/// The logistic function, accurate on both tails.
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}
