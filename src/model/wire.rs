//! Counts what decoding a protobuf would allocate, before it is decoded.
//!
//! An empty attribute takes two bytes in a file and more than a kilobyte in memory, so a file within the size limit could
//! ask for tens of gigabytes. This walk over the wire format allocates nothing and adds up the sizes of the decoded messages.

use super::ModelError;
use std::mem::size_of;
use tract_onnx::pb;

/// Decoded messages, without the bytes of strings and tensors (which the file's size bounds), take at most 256 MiB.
pub const MAX_DECODED_BYTES: usize = 256 << 20;
/// prost itself stops at 100.
const MAX_DEPTH: u32 = 64;

/// The message types of ONNX that hold other messages.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Sparse,
    ValueInfo,
    Type,
    TypeTensor,
    Shape,
    Training,
    Function,
    Annotation,
    /// Strings, bytes, packed numbers and messages of two strings.
    Leaf,
}

impl Kind {
    /// What field `number` of this message holds, as in `onnx.proto`.
    fn child(self, number: u64) -> Kind {
        match (self, number) {
            (Kind::Model, 7) | (Kind::Attribute, 6 | 11) | (Kind::Training, 1 | 2) => Kind::Graph,
            (Kind::Model, 20) => Kind::Training,
            (Kind::Model, 25) => Kind::Function,
            (Kind::Graph, 1) | (Kind::Function, 7) => Kind::Node,
            (Kind::Graph, 5) | (Kind::Attribute, 5 | 10) | (Kind::Sparse, 1 | 2) => Kind::Tensor,
            (Kind::Graph, 15) | (Kind::Attribute, 22 | 23) => Kind::Sparse,
            (Kind::Graph, 11..=13) => Kind::ValueInfo,
            (Kind::Graph, 14) => Kind::Annotation,
            (Kind::Node, 5) => Kind::Attribute,
            (Kind::ValueInfo, 2) | (Kind::Attribute, 15) => Kind::Type,
            (Kind::Type, 1) => Kind::TypeTensor,
            (Kind::TypeTensor, 2) => Kind::Shape,
            _ => Kind::Leaf,
        }
    }

    /// Bytes of one decoded message, what it points to not counted.
    fn size(self) -> usize {
        match self {
            Kind::Model => size_of::<pb::ModelProto>(),
            Kind::Graph => size_of::<pb::GraphProto>(),
            Kind::Node => size_of::<pb::NodeProto>(),
            Kind::Attribute => size_of::<pb::AttributeProto>(),
            Kind::Tensor => size_of::<pb::TensorProto>(),
            Kind::Sparse => size_of::<pb::SparseTensorProto>(),
            Kind::ValueInfo => size_of::<pb::ValueInfoProto>(),
            Kind::Training => size_of::<pb::TrainingInfoProto>(),
            Kind::Function => size_of::<pb::FunctionProto>(),
            Kind::Annotation => size_of::<pb::TensorAnnotation>(),
            // Two strings or a dimension at most.
            Kind::Type | Kind::TypeTensor | Kind::Shape | Kind::Leaf => 64,
        }
    }
}

/// Refuses a file whose decoded messages would exceed [`MAX_DECODED_BYTES`].
///
/// # Errors
/// [`ModelError::TooLarge`], [`ModelError::Malformed`] for messages nested beyond any real model. Bytes that are no protobuf end the walk: the
/// decoder stops at the same place and names it.
pub fn check(bytes: &[u8]) -> Result<(), ModelError> {
    let mut budget = MAX_DECODED_BYTES;
    walk(bytes, Kind::Model, 0, &mut budget)
}

fn walk(mut bytes: &[u8], kind: Kind, depth: u32, budget: &mut usize) -> Result<(), ModelError> {
    if depth > MAX_DEPTH {
        return Err(ModelError::Malformed { problem: format!("messages are nested more than {MAX_DEPTH} deep") });
    }
    while let Some((field, rest)) = next_field(bytes) {
        bytes = rest;
        let Some((number, content)) = field else { continue };
        let child = kind.child(number);
        *budget = budget.checked_sub(child.size()).ok_or_else(|| ModelError::TooLarge {
            what: "the decoded file".into(),
            got: "more messages".into(),
            limit: format!("{MAX_DECODED_BYTES} bytes in memory"),
        })?;
        if !matches!(child, Kind::Leaf) {
            walk(content, child, depth + 1, budget)?;
        }
    }
    Ok(())
}

/// A length-delimited field (number and content), or `None` inside for a plain number; then the bytes after it.
type Field<'a> = (Option<(u64, &'a [u8])>, &'a [u8]);

/// `None` at the end and where the bytes are no protobuf.
fn next_field(bytes: &[u8]) -> Option<Field<'_>> {
    let (key, rest) = varint(bytes)?;
    match key & 7 {
        0 => varint(rest).map(|(_, rest)| (None, rest)),
        1 => rest.get(8..).map(|rest| (None, rest)),
        5 => rest.get(4..).map(|rest| (None, rest)),
        2 => {
            let (length, rest) = varint(rest)?;
            let length = usize::try_from(length).ok()?;
            Some((Some((key >> 3, rest.get(..length)?)), rest.get(length..)?))
        }
        // Groups: ONNX has none, and an unknown one allocates nothing.
        3 | 4 => Some((None, rest)),
        _ => None,
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(10).position(|b| b & 0x80 == 0)?;
    let value = bytes[..=end].iter().rev().fold(0u64, |n, b| (n << 7) | u64::from(b & 0x7f));
    Some((value, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Explain;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend(content);
        bytes
    }

    #[test]
    fn a_flood_of_empty_attributes_is_refused() {
        let flood = field(5, &[]).repeat(MAX_DECODED_BYTES / size_of::<pb::AttributeProto>() + 1);
        let file = field(7, &field(1, &flood));
        assert!(file.len() < 1 << 20);
        assert_eq!(check(&file).unwrap_err().code(), "model/too-large");
        assert_eq!(crate::model::from_bytes(&file).unwrap_err().code(), "model/too-large");
    }

    #[test]
    fn a_prefix_or_other_bytes_end_the_walk() {
        let file = field(7, &field(1, &field(1, b"x")));
        assert!((0..=file.len()).all(|n| check(&file[..n]).is_ok()));
        assert!(check(&[0xff; 100]).is_ok());
    }

    #[test]
    fn nested_graphs_do_not_exhaust_the_stack() {
        let nested = (0..3000).fold(Vec::new(), |inner, _| field(1, &field(5, &field(6, &inner))));
        let error = crate::model::from_bytes(&field(7, &nested)).unwrap_err();
        assert_eq!(error.code(), "model/malformed-file");
    }
}
