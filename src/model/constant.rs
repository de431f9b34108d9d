//! Tensors stored in the file: checked before a byte of them is trusted.

use super::ModelError;
use super::size::{MAX_TENSOR_ELEMENTS, element_count};
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

/// A constant that an operator reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// Weights: shape and row-major values, all finite.
    Floats(Vec<usize>, Vec<f32>),
    /// Shapes given to Reshape, one dimension.
    Integers(Vec<i64>),
}

/// Reads one stored tensor.
///
/// # Errors
/// External data, sizes beyond the limit or at odds with the data, element types other than float32 (int64 for shapes), values that are not finite.
pub fn read(proto: &TensorProto) -> Result<Constant, ModelError> {
    let name = proto.name.as_str();
    if proto.data_location == Some(DataLocation::External as i32) || !proto.external_data.is_empty() {
        return Err(ModelError::ExternalData { tensor: name.into() });
    }
    if proto.segment.is_some() {
        return Err(malformed(name, "is stored in segments, which no exporter writes"));
    }
    let shape = shape(name, &proto.dims)?;
    let count = shape.iter().product();
    match DataType::try_from(proto.data_type) {
        Ok(DataType::Float) => Ok(Constant::Floats(shape, finite(name, floats(proto, count)?)?)),
        Ok(DataType::Int64) if shape.len() <= 1 => Ok(Constant::Integers(integers(proto, count)?)),
        _ => Err(ModelError::ElementType { place: format!("tensor `{name}`"), got: type_name(proto.data_type), expected: "f32" }),
    }
}

/// The short name of an ONNX element type, such as `f64`.
pub fn type_name(code: i32) -> String {
    let name = match DataType::try_from(code) {
        Ok(DataType::Undefined) => "undefined",
        Ok(DataType::Float) => "f32",
        Ok(DataType::Double) => "f64",
        Ok(DataType::Float16) => "f16",
        Ok(DataType::Bfloat16) => "bf16",
        Ok(DataType::Int8) => "i8",
        Ok(DataType::Int16) => "i16",
        Ok(DataType::Int32) => "i32",
        Ok(DataType::Int64) => "i64",
        Ok(DataType::Uint8) => "u8",
        Ok(DataType::Uint16) => "u16",
        Ok(DataType::Uint32) => "u32",
        Ok(DataType::Uint64) => "u64",
        Ok(DataType::Bool) => "bool",
        Ok(DataType::String) => "string",
        Ok(other) => return other.as_str_name().to_lowercase(),
        Err(_) => return format!("#{code}"),
    };
    name.into()
}

fn shape(name: &str, dims: &[i64]) -> Result<Vec<usize>, ModelError> {
    let shape: Vec<usize> = dims
        .iter()
        .map(|&d| usize::try_from(d).map_err(|_| malformed(name, &format!("declares a dimension of {d}"))))
        .collect::<Result<_, _>>()?;
    match element_count(&shape) {
        Some(0) => Err(ModelError::BadShape { node: name.into(), problem: format!("tensor of shape {shape:?} is empty") }),
        Some(n) if n <= MAX_TENSOR_ELEMENTS => Ok(shape),
        _ => Err(ModelError::TooLarge {
            what: format!("tensor `{name}`"),
            got: format!("shape {shape:?}"),
            limit: format!("{MAX_TENSOR_ELEMENTS} elements"),
        }),
    }
}

fn floats(proto: &TensorProto, count: usize) -> Result<Vec<f32>, ModelError> {
    let values: Vec<f32> = if proto.raw_data.is_empty() {
        proto.float_data.clone()
    } else {
        let chunks = proto.raw_data.chunks_exact(4);
        if !chunks.remainder().is_empty() {
            return Err(length(&proto.name, count, &format!("{} bytes", proto.raw_data.len())));
        }
        chunks.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    };
    if values.len() == count { Ok(values) } else { Err(length(&proto.name, count, &format!("{} numbers", values.len()))) }
}

fn integers(proto: &TensorProto, count: usize) -> Result<Vec<i64>, ModelError> {
    let values: Vec<i64> = if proto.raw_data.is_empty() {
        proto.int64_data.clone()
    } else {
        let chunks = proto.raw_data.chunks_exact(8);
        if !chunks.remainder().is_empty() {
            return Err(length(&proto.name, count, &format!("{} bytes", proto.raw_data.len())));
        }
        chunks.map(|b| b.iter().rev().fold(0i64, |n, &byte| (n << 8) | i64::from(byte))).collect()
    };
    if values.len() == count { Ok(values) } else { Err(length(&proto.name, count, &format!("{} numbers", values.len()))) }
}

fn finite(name: &str, values: Vec<f32>) -> Result<Vec<f32>, ModelError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(ModelError::NonFinite { place: format!("tensor `{name}`"), value: values[index], index }),
        None => Ok(values),
    }
}

fn length(name: &str, count: usize, got: &str) -> ModelError {
    malformed(name, &format!("declares {count} elements and holds {got}"))
}

fn malformed(name: &str, problem: &str) -> ModelError {
    ModelError::Malformed { problem: format!("tensor `{name}` {problem}") }
}
