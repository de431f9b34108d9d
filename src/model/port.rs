//! The model's one input and one output: type and static shape.

use super::constant::type_name;
use super::size::{MAX_RESULT_ELEMENTS, element_count};
use super::{ModelError, Port};
use std::collections::HashSet;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{GraphProto, ValueInfoProto};

/// The input: the only entry of `graph.input` that is not also an initializer (old files list those there too).
///
/// # Errors
/// Not exactly one input, an element type other than f32, a dynamic or empty shape, more than the limit of elements.
pub fn input(graph: &GraphProto) -> Result<Port, ModelError> {
    let stored: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let given: Vec<&ValueInfoProto> = graph.input.iter().filter(|i| !stored.contains(i.name.as_str())).collect();
    let [info] = given.as_slice() else { return Err(arity("input", &given)) };
    let place = format!("input `{}`", info.name);
    let Some(Value::TensorType(tensor)) = info.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
        return Err(ModelError::ElementType { place, got: "no tensor type".into(), expected: "f32" });
    };
    if tensor.elem_type != DataType::Float as i32 {
        return Err(ModelError::ElementType { place, got: type_name(tensor.elem_type), expected: "f32" });
    }
    let dynamic = |dimension: String| ModelError::DynamicShape { input: info.name.clone(), dimension };
    let dims = &tensor.shape.as_ref().ok_or_else(|| dynamic("its rank is unknown".into()))?.dim;
    let mut shape = Vec::with_capacity(dims.len());
    for (index, dim) in dims.iter().enumerate() {
        match &dim.value {
            Some(Dim::DimValue(d)) if *d >= 0 => shape.push(usize::try_from(*d).unwrap_or(usize::MAX)),
            Some(Dim::DimValue(d)) => return Err(dynamic(format!("dimension {index} is {d}"))),
            Some(Dim::DimParam(symbol)) => return Err(dynamic(format!("dimension {index} is `{symbol}`"))),
            None => return Err(dynamic(format!("dimension {index} is not given"))),
        }
    }
    match element_count(&shape) {
        Some(0) => Err(ModelError::BadShape { node: info.name.clone(), problem: format!("input of shape {shape:?} is empty") }),
        Some(n) if n <= MAX_RESULT_ELEMENTS => Ok(Port { name: info.name.clone(), shape }),
        _ => Err(ModelError::TooLarge {
            what: place,
            got: format!("shape {shape:?}"),
            limit: format!("{MAX_RESULT_ELEMENTS} elements"),
        }),
    }
}

/// The output's name. Its declared shape is not read: the shape is derived from the nodes.
///
/// # Errors
/// Not exactly one output, or an element type other than f32.
pub fn output_name(graph: &GraphProto) -> Result<&str, ModelError> {
    let all: Vec<&ValueInfoProto> = graph.output.iter().collect();
    let [info] = all.as_slice() else { return Err(arity("output", &all)) };
    match info.r#type.as_ref().and_then(|t| t.value.as_ref()) {
        Some(Value::TensorType(tensor)) if tensor.elem_type != DataType::Float as i32 => Err(ModelError::ElementType {
            place: format!("output `{}`", info.name),
            got: type_name(tensor.elem_type),
            expected: "f32",
        }),
        _ => Ok(&info.name),
    }
}

fn arity(port: &'static str, infos: &[&ValueInfoProto]) -> ModelError {
    // Enough names to recognise the file; a hostile one may list millions.
    let names: Vec<&str> = infos.iter().take(8).map(|i| i.name.as_str()).collect();
    ModelError::Arity { port, count: infos.len(), names: names.join(", ") }
}
