//! The container of every binary file: magic, kind, version, length, payload, checksum; written atomically.

use super::{ProofError, unfinished};
use sha2::{Digest, Sha256};
use std::{
    io::{Read, Write},
    path::Path,
};

const MAGIC: &[u8; 8] = b"zkml-evm";
const VERSION: u16 = 1;
const HEADER: usize = 8 + 1 + 2 + 8;
const CHECKSUM: usize = 32;

/// Longer files are refused before they are read. An SRS of 2^24 points takes half of it.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Structured reference string.
    Srs = 1,
    /// Proving key.
    ProvingKey = 2,
    /// Compiled program with its plan.
    Program = 3,
    /// Verifying key.
    VerifyingKey = 4,
    /// What an aggregation's outer circuit repeats.
    Recording = 5,
}

impl Kind {
    /// The name in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Srs => "SRS file",
            Self::ProvingKey => "proving key",
            Self::Program => "compiled program",
            Self::VerifyingKey => "verifying key",
            Self::Recording => "recording",
        }
    }
}

/// Wraps `payload` in the container.
pub fn seal(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let (header, checksum) = frame(kind, payload);
    [&header, payload, &checksum].concat()
}

/// What stands before and after `payload`.
fn frame(kind: Kind, payload: &[u8]) -> (Vec<u8>, [u8; CHECKSUM]) {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.push(kind as u8);
    header.extend_from_slice(&VERSION.to_be_bytes());
    header.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    let checksum = Sha256::new().chain_update(&header).chain_update(payload).finalize();
    (header, checksum.into())
}

/// Checks the container and returns the payload.
///
/// # Errors
/// Foreign magic, another kind or version, a wrong length, a flipped bit.
pub fn open(kind: Kind, bytes: &[u8]) -> Result<&[u8], ProofError> {
    let payload = payload(kind, bytes)?;
    let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if Sha256::digest(content).as_slice() != checksum {
        return Err(ProofError::malformed(kind.name(), "the checksum does not match: the file is damaged"));
    }
    Ok(payload)
}

/// The payload of a container whose bytes another checksum has covered: its own is not looked at.
///
/// # Errors
/// Foreign magic, another kind or version, a wrong length.
pub fn payload(kind: Kind, bytes: &[u8]) -> Result<&[u8], ProofError> {
    let malformed = |problem: String| ProofError::malformed(kind.name(), problem);
    if bytes.len() < HEADER + CHECKSUM || &bytes[..8] != MAGIC {
        return Err(malformed("it does not start like a zkml-evm file".into()));
    }
    if bytes[8] != kind as u8 {
        return Err(malformed(format!("expected kind {}, got kind {}", kind as u8, bytes[8])));
    }
    let version = u16::from_be_bytes([bytes[9], bytes[10]]);
    if version != VERSION {
        return Err(malformed(format!("expected file version {VERSION}, got {version}")));
    }
    let length = u64::from_be_bytes(std::array::from_fn(|i| bytes[11 + i]));
    let expected = (bytes.len() - HEADER - CHECKSUM) as u64;
    if length != expected {
        return Err(malformed(format!("it states {length} bytes of content and holds {expected}: truncated or extended")));
    }
    Ok(&bytes[HEADER..bytes.len() - CHECKSUM])
}

/// Reads a container file: a plain file, and no more of it than its length says.
pub fn read(kind: Kind, path: &Path) -> Result<Vec<u8>, ProofError> {
    let failed = |source| ProofError::Io { doing: "read", path: path.into(), source };
    let found = std::fs::metadata(path).map_err(failed)?;
    let malformed = |problem: String| Err(ProofError::malformed(kind.name(), problem).at(path));
    if !found.is_file() {
        return malformed("it is no plain file".into());
    }
    if found.len() > MAX_FILE_BYTES {
        return malformed(format!("it has {} bytes, the limit is {MAX_FILE_BYTES}", found.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    std::fs::File::open(path).map_err(failed)?.take(found.len()).read_to_end(&mut bytes).map_err(failed)?;
    let length = open(kind, &bytes).map_err(|e| e.at(path))?.len();
    // In place: keys are large, and a second copy would be the peak of reading them.
    bytes.truncate(HEADER + length);
    bytes.drain(..HEADER);
    Ok(bytes)
}

/// Writes a container file atomically.
pub fn write(kind: Kind, path: &Path, payload: &[u8]) -> Result<(), ProofError> {
    let (header, checksum) = frame(kind, payload);
    write_parts(path, &[&header, payload, &checksum], false)
}

/// Writes any file atomically: a temporary file beside it, synced, then renamed. `secret` makes it readable by the owner only.
pub fn write_bytes(path: &Path, bytes: &[u8], secret: bool) -> Result<(), ProofError> {
    write_parts(path, &[bytes], secret)
}

fn write_parts(path: &Path, parts: &[&[u8]], secret: bool) -> Result<(), ProofError> {
    let io = |source| ProofError::Io { doing: "write", path: path.into(), source };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".zkml-evm-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(if secret { 0o600 } else { 0o644 }));
    }
    let (mut file, _unfinished) = unfinished::begin(|| builder.tempfile_in(folder)).map_err(io)?;
    parts.iter().try_for_each(|part| file.write_all(part)).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|e| io(e.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_byte_and_every_truncation_is_refused() {
        let sealed = seal(Kind::Program, b"payload");
        assert_eq!(open(Kind::Program, &sealed).unwrap(), b"payload");
        assert!(open(Kind::Srs, &sealed).is_err());
        for i in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[i] ^= 1;
            assert!(open(Kind::Program, &damaged).is_err(), "flipped byte {i}");
            assert!(open(Kind::Program, &sealed[..i]).is_err(), "truncated to {i}");
        }
        assert!(open(Kind::Program, &[sealed, vec![0]].concat()).is_err(), "trailing byte");
    }
}
