//! The flat table from ONNX operator names to builders, and what the builders share.

use super::import::{Value, Walk, node_name};
use super::{GraphOp, ModelError};
use crate::model::constant::Constant;
use tract_onnx::pb::{AttributeProto, NodeProto};

mod activation;
mod arithmetic;
mod broadcast;
mod conv;
mod conv_transpose;
mod dense;
mod moves;
mod normalize;
mod pad;
mod reduce;
mod window;

/// One supported operator.
pub struct Row {
    /// Its ONNX name, in ONNX's own domain.
    pub name: &'static str,
    /// The attributes that the builder reads; any other is refused, since it would change the meaning.
    attributes: &'static [&'static str],
    /// Turns one node into a value.
    pub build: fn(&mut Walk, &Call) -> Result<Value, ModelError>,
}

/// Every supported operator. Adding one is a row here and a builder.
const TABLE: &[Row] = &[
    Row { name: "Gemm", attributes: &["alpha", "beta", "transA", "transB"], build: dense::gemm },
    Row { name: "MatMul", attributes: &[], build: dense::matmul },
    Row { name: "Conv", attributes: conv::ATTRIBUTES, build: conv::conv },
    Row { name: "ConvTranspose", attributes: conv_transpose::ATTRIBUTES, build: conv_transpose::conv_transpose },
    Row { name: "Add", attributes: &[], build: |walk, call| arithmetic::add(walk, call, 1.0) },
    Row { name: "Sub", attributes: &[], build: |walk, call| arithmetic::add(walk, call, -1.0) },
    Row { name: "Mul", attributes: &[], build: arithmetic::mul },
    Row { name: "Div", attributes: &[], build: arithmetic::div },
    Row { name: "BatchNormalization", attributes: normalize::ATTRIBUTES, build: normalize::batch },
    Row { name: "Relu", attributes: &[], build: |walk, call| elementwise(walk, call, GraphOp::Relu) },
    Row { name: "LeakyRelu", attributes: &["alpha"], build: activation::leaky_relu },
    Row { name: "PRelu", attributes: &[], build: activation::prelu },
    Row { name: "Clip", attributes: &["min", "max"], build: activation::clip },
    Row { name: "Sigmoid", attributes: &[], build: |walk, call| elementwise(walk, call, GraphOp::Sigmoid) },
    Row { name: "ReduceSum", attributes: reduce::ATTRIBUTES, build: |walk, call| reduce::reduce(walk, call, false) },
    Row { name: "ReduceMean", attributes: reduce::ATTRIBUTES, build: |walk, call| reduce::reduce(walk, call, true) },
    Row { name: "GlobalAveragePool", attributes: &[], build: reduce::global_average_pool },
    Row { name: "AveragePool", attributes: reduce::POOL_ATTRIBUTES, build: reduce::average_pool },
    Row { name: "MaxPool", attributes: reduce::MAX_POOL_ATTRIBUTES, build: reduce::max_pool },
    Row { name: "ReduceMax", attributes: reduce::ATTRIBUTES, build: reduce::reduce_max },
    Row { name: "Flatten", attributes: &["axis"], build: moves::flatten },
    Row { name: "Reshape", attributes: &["allowzero"], build: moves::reshape },
    Row { name: "Transpose", attributes: &["perm"], build: moves::transpose },
    Row { name: "Slice", attributes: &["starts", "ends", "axes"], build: moves::slice },
    Row { name: "Concat", attributes: &["axis"], build: moves::concat },
    Row { name: "Squeeze", attributes: &["axes"], build: moves::squeeze },
    Row { name: "Unsqueeze", attributes: &["axes"], build: moves::unsqueeze },
    Row { name: "Pad", attributes: &["mode", "pads", "value"], build: pad::pad },
    Row { name: "Identity", attributes: &[], build: moves::identity },
    Row { name: "Dropout", attributes: &["ratio", "seed"], build: moves::dropout },
    Row { name: "Constant", attributes: &["value"], build: moves::constant },
];

/// The supported operators, in table order.
pub fn names() -> Vec<&'static str> {
    TABLE.iter().map(|row| row.name).collect()
}

/// The row of a node's operator.
///
/// # Errors
/// [`ModelError::UnsupportedOperator`] with the node's name, for an unknown operator, domain or attribute.
pub fn find(node: &NodeProto) -> Result<&'static Row, ModelError> {
    let own_domain = matches!(node.domain.as_str(), "" | "ai.onnx");
    let row = TABLE.iter().find(|row| own_domain && row.name == node.op_type).ok_or_else(|| unsupported(node, ""))?;
    match node.attribute.iter().find(|a| !row.attributes.contains(&a.name.as_str())) {
        Some(attribute) => Err(unsupported(node, &format!("attribute `{}` is not supported", attribute.name))),
        None => Ok(row),
    }
}

/// The refusal of a node, or of this use of it.
pub fn unsupported(node: &NodeProto, reason: &str) -> ModelError {
    let operator = match node.domain.as_str() {
        "" | "ai.onnx" => node.op_type.clone(),
        domain => format!("{domain}::{}", node.op_type),
    };
    ModelError::UnsupportedOperator { node: node_name(node).into(), operator, reason: reason.into() }
}

/// A node with its inputs looked up.
pub struct Call<'a> {
    /// The node as the file has it.
    pub node: &'a NodeProto,
    /// Its name for errors.
    pub name: &'a str,
    /// Its inputs by position; optional ones may be absent.
    pub inputs: &'a [Option<Value>],
}

impl Call<'_> {
    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.node.attribute.iter().find(|a| a.name == name)
    }

    fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |a| a.i)
    }

    fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |a| a.f)
    }

    fn refuse(&self, reason: &str) -> ModelError {
        unsupported(self.node, reason)
    }

    fn bad_shape(&self, problem: String) -> ModelError {
        ModelError::BadShape { node: self.name.into(), problem }
    }

    /// The list attribute `name`, when it is there.
    fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|a| a.ints.as_slice())
    }

    /// The text attribute `name`.
    fn text(&self, name: &str) -> Option<String> {
        self.attribute(name).map(|a| String::from_utf8_lossy(&a.s).into_owned())
    }

    /// Input `index`, unless it is absent.
    fn input(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index).and_then(Option::as_ref)
    }

    /// Input `index` as a computed tensor: node and shape.
    fn tensor(&self, index: usize) -> Result<(usize, &[usize]), ModelError> {
        match self.input(index) {
            Some(Value::Tensor { node, shape }) => Ok((*node, shape)),
            Some(Value::Constant(_)) => Err(self.refuse(&format!("input {index} is a stored tensor"))),
            None => Err(self.missing(index)),
        }
    }

    /// Input `index` as stored weights: shape and values.
    fn weights(&self, index: usize) -> Result<(&[usize], &[f32]), ModelError> {
        match self.input(index) {
            Some(Value::Constant(c)) => match c.as_ref() {
                Constant::Floats(shape, values) => Ok((shape, values)),
                Constant::Integers(_) => Err(ModelError::ElementType {
                    place: format!("tensor `{}` of node `{}`", self.input_name(index), self.name),
                    got: "i64".into(),
                    expected: "f32",
                }),
            },
            Some(Value::Tensor { .. }) => Err(self.refuse(&format!("input {index} is computed, not stored in the file"))),
            None => Err(self.missing(index)),
        }
    }

    /// A list of integers that older files keep in the attribute `name` and newer ones in input `index`; `None` where neither is.
    fn integers(&self, index: usize, name: &str) -> Result<Option<&[i64]>, ModelError> {
        match self.input(index) {
            Some(Value::Constant(c)) => match c.as_ref() {
                Constant::Integers(values) => Ok(Some(values)),
                Constant::Floats(..) => Err(self.refuse(&format!("`{name}` must be int64"))),
            },
            Some(Value::Tensor { .. }) => Err(self.refuse(&format!("`{name}` is computed, not stored in the file"))),
            None => Ok(self.ints(name)),
        }
    }

    /// A number that older files keep in the attribute `name` and newer ones in input `index`.
    fn number(&self, index: usize, name: &str, default: f32) -> Result<f32, ModelError> {
        match self.input(index) {
            None => Ok(self.float(name, default)),
            Some(_) => match self.weights(index)?.1 {
                [one] => Ok(*one),
                many => Err(self.bad_shape(format!("`{name}` holds {} numbers, expected one", many.len()))),
            },
        }
    }

    /// The axis that `axis` names in a tensor of `rank`; negative ones count from the end.
    fn axis(&self, axis: i64, rank: usize) -> Result<usize, ModelError> {
        let from_front = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
        let outside = || self.bad_shape(format!("axis {axis} is outside a tensor of rank {rank}"));
        usize::try_from(from_front).ok().filter(|&a| a < rank).ok_or_else(outside)
    }

    /// Refuses numbers that are not finite.
    fn finite(&self, values: &[f32]) -> Result<(), ModelError> {
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(index) => Err(ModelError::NonFinite { place: format!("node `{}`", self.name), value: values[index], index }),
        }
    }

    fn input_name(&self, index: usize) -> &str {
        self.node.input.get(index).map_or("", String::as_str)
    }

    fn missing(&self, index: usize) -> ModelError {
        ModelError::InvalidGraph { problem: format!("node `{}` lacks input {index}", self.name) }
    }
}

fn elementwise(walk: &mut Walk, call: &Call, op: GraphOp) -> Result<Value, ModelError> {
    let (node, shape) = call.tensor(0)?;
    walk.push(call.name, op, vec![node], shape.to_vec())
}
