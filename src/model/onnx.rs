//! Opens an ONNX file: size, bytes, protobuf, graph, and tract's second opinion.

use super::{Graph, ModelError, agree, import, wire};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tract_onnx::prelude::Framework;

/// Larger files are refused before they are read: 64 MiB, sixteen million weights.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Reads a model from a file.
///
/// # Errors
/// Any [`ModelError`]; nothing is read of a file beyond [`MAX_FILE_BYTES`].
pub fn load(path: &Path) -> Result<Graph, ModelError> {
    let read = |source| ModelError::Read { path: path.display().to_string(), source };
    let file = File::open(path).map_err(read)?;
    let size = file.metadata().map_err(read)?.len();
    refuse_large(size)?;
    // The size may be wrong (a pipe, a growing file), so the limit holds while reading too.
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
    from_bytes(&bytes)
}

/// Reads a model from memory.
///
/// # Errors
/// Any [`ModelError`] but `Read`.
pub fn from_bytes(bytes: &[u8]) -> Result<Graph, ModelError> {
    refuse_large(bytes.len() as u64)?;
    let malformed = |problem: String| ModelError::Malformed { problem };
    if bytes.is_empty() {
        return Err(malformed("the file is empty".into()));
    }
    wire::check(bytes)?;
    let mut source = bytes;
    let proto = tract_onnx::onnx()
        .proto_model_for_read(&mut source)
        .map_err(|e| malformed(format!("{} bytes that do not decode: {}", bytes.len(), e.root_cause())))?;
    let graph = proto.graph.as_ref().ok_or_else(|| malformed(format!("{} bytes without a graph", bytes.len())))?;
    let imported = import::import(graph, Sha256::digest(bytes).into())?;
    agree::check(&imported, &proto)?;
    Ok(imported)
}

fn refuse_large(size: u64) -> Result<(), ModelError> {
    if size <= MAX_FILE_BYTES {
        return Ok(());
    }
    Err(ModelError::TooLarge { what: "the file".into(), got: format!("{size} bytes"), limit: format!("{MAX_FILE_BYTES} bytes") })
}
