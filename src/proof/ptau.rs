//! Powers-of-tau files of public ceremonies, as snarkjs and its kin write them: read, checked, made into an [`Srs`].
//!
//! ```text
//! "ptau" | version 1 | number of sections | (type u32 | size u64 | content)*          little-endian
//! 1: 32 | q | power | power of the ceremony      2: s^i g, i < 2^(power+1) - 1      3: s^i g2, i < 2^power      others: not needed
//! ```
//!
//! Coordinates are 32 bytes in Montgomery form, as halo2curves keeps them. The whole file is hashed (blake2b-512, the hash that
//! ceremonies publish); only the points that are needed are kept.

use super::{ProofError, Provenance, Srs, srs_check};
use halo2_proofs::halo2curves::{
    bn256::{G1Affine, G2Affine},
    serde::SerdeObject,
};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// The order of BN254's base field, little-endian.
const Q: [u8; 32] = [
    0x47, 0xfd, 0x7c, 0xd8, 0x16, 0x8c, 0x20, 0x3c, 0x8d, 0xca, 0x71, 0x68, 0x91, 0x6a, 0x81, 0x97, 0x5d, 0x58, 0x81, 0x81, 0xb6,
    0x45, 0x50, 0xb8, 0x29, 0xa0, 0x31, 0xe1, 0x72, 0x4e, 0x64, 0x30,
];

/// The largest ceremony: the domain of the scalar field has no more.
const MAX_POWER: u32 = 28;
/// Sections of a file; snarkjs writes seven, or eleven after preparation.
const MAX_SECTIONS: u32 = 64;

/// Where a file of a ceremony stands.
#[derive(Clone, Debug)]
pub struct Ceremony<'a> {
    /// The file.
    pub path: &'a Path,
    /// The ceremony's name, for the label of everything that is made with it.
    pub name: &'a str,
    /// The file's blake2b-512 as the ceremony published it, in hex.
    pub blake2b: Option<&'a str>,
}

impl Ceremony<'_> {
    /// Stages of [`Ceremony::identify`] and [`Identified::read`].
    pub const STAGES: u64 = 4;

    /// Hashes the file, and says what an SRS made of it is called. `tell` hears the name of the stage as it begins.
    ///
    /// # Errors
    /// [`ProofError::Ptau`] for a foreign file, or another than the one whose hash is given.
    pub fn identify(&self, tell: &dyn Fn(&'static str)) -> Result<Identified<'_>, ProofError> {
        let failed = |problem: String| ProofError::Ptau { path: self.path.into(), problem };
        // One handle: the file that is hashed is the file that is read.
        let mut file = self.open()?;
        tell("hashing the ceremony's file");
        let hash = hash(&mut file).map_err(|source| ProofError::Io { doing: "read", path: self.path.into(), source })?;
        if let Some(expected) = self.blake2b.filter(|expected| !expected.trim().eq_ignore_ascii_case(&hash)) {
            return Err(failed(format!("its blake2b hash is {hash}, expected {expected}")));
        }
        let sections = sections(&mut file).map_err(failed)?;
        let power = power(&mut file, &sections).map_err(failed)?;
        let label = format!("{}.{power}.{hash}", self.name);
        let provenance = Provenance::ceremony(&label)
            .ok_or_else(|| failed(format!("the ceremony's name {:?} is not of letters, digits, `.`, `_` and `-`", self.name)))?;
        Ok(Identified { path: self.path, file, sections, power, provenance })
    }

    /// [`Ceremony::identify`] and [`Identified::read`].
    ///
    /// # Errors
    /// Those of both.
    pub fn read(&self, k: u32, tell: &dyn Fn(&'static str)) -> Result<Srs, ProofError> {
        self.identify(tell)?.read(k, tell)
    }

    fn open(&self) -> Result<File, ProofError> {
        let failed = |source| ProofError::Io { doing: "read", path: self.path.into(), source };
        // Before it is opened: opening a pipe waits for its writer.
        match std::fs::metadata(self.path).map_err(failed)?.is_file() {
            true => File::open(self.path).map_err(failed),
            false => Err(ProofError::Ptau { path: self.path.into(), problem: "it is no plain file".into() }),
        }
    }
}

/// A ceremony's file that is known by its hash.
#[derive(Debug)]
pub struct Identified<'a> {
    path: &'a Path,
    file: File,
    sections: Vec<Section>,
    power: u32,
    /// The label of what is made of it.
    pub provenance: Provenance,
}

impl Identified<'_> {
    /// Reads an SRS of 2^k points, with every check that there is: sizes, curves, subgroup, consistency of all points, and that it is
    /// not the development SRS. The Lagrange basis takes about a second at k = 10, and twice as much with each further k.
    ///
    /// # Errors
    /// [`ProofError::Ptau`] for a truncated or too small file; [`ProofError::SrsInconsistent`], [`ProofError::SrsRelabelled`].
    pub fn read(mut self, k: u32, tell: &dyn Fn(&'static str)) -> Result<Srs, ProofError> {
        tell("reading its points");
        let failed = |problem: String| ProofError::Ptau { path: self.path.into(), problem };
        let (g, s_g2) = points(&mut self.file, &self.sections, self.power, k).map_err(failed)?;
        tell("computing the Lagrange basis");
        // halo2's constructor is a method: of any other SRS.
        let params = Srs::development(1).params.from_parts(k, g, None, G2Affine::generator(), s_g2);
        srs_check::quick(&params).map_err(|problem| ProofError::SrsInconsistent { path: self.path.into(), problem })?;
        let srs = Srs { params, provenance: self.provenance };
        tell("checking all points");
        srs.check().and_then(|()| srs.refuse_relabelled()).map_err(|e| e.at(self.path))?;
        Ok(srs)
    }
}

/// blake2b-512 of a whole file, in hex.
fn hash(file: &mut File) -> std::io::Result<String> {
    let (mut state, mut part) = (blake2b_simd::State::new(), vec![0u8; 1 << 20]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(state.finalize().to_hex().to_string()),
            n => state.update(&part[..n]),
        };
    }
}

/// Where a section stands, if it has the size that it must have.
fn find(sections: &[Section], kind: u32, size: u64) -> Result<u64, String> {
    match sections.iter().find(|(found, ..)| *found == kind) {
        Some((_, _, got)) if *got != size => Err(format!("section {kind} has {got} bytes, expected {size}")),
        Some((_, at, _)) => Ok(*at),
        None => Err(format!("section {kind} is missing")),
    }
}

/// The header: the right curve, and powers up to 2^this.
fn power(file: &mut File, sections: &[Section]) -> Result<u32, String> {
    let header = bytes_at(file, find(sections, 1, 44)?, 44)?;
    if header[..4] != 32u32.to_le_bytes() || header[4..36] != Q {
        return Err("it is for another curve than BN254".into());
    }
    let power = word(&header[36..40]);
    if !(1..=MAX_POWER).contains(&power) {
        return Err(format!("its power is {power}, allowed are 1 to {MAX_POWER}"));
    }
    Ok(power)
}

/// The powers up to 2^k, and s·g2.
fn points(file: &mut File, sections: &[Section], power: u32, k: u32) -> Result<(Vec<G1Affine>, G2Affine), String> {
    if !(1..=power).contains(&k) {
        return Err(format!("it has powers for up to 2^{power} rows, 2^{k} are asked for"));
    }
    let powers = find(sections, 2, ((2u64 << power) - 1) * 64)?;
    let of_g2 = find(sections, 3, (1u64 << power) * 128)?;
    let bytes = bytes_at(file, powers, 64 << k)?;
    let points = bytes.chunks_exact(64).enumerate();
    let g = points.map(|(i, raw)| G1Affine::from_raw_bytes(raw).ok_or(format!("power {i} of section 2 is no point of G1")));
    let g = g.collect::<Result<Vec<_>, _>>()?;
    let s_g2 = bytes_at(file, of_g2 + 128, 128)?;
    Ok((g, G2Affine::from_raw_bytes(&s_g2).ok_or("power 1 of section 3 is no point of the curve over Fq2")?))
}

/// Type, place and size.
type Section = (u32, u64, u64);

/// Each section; together they are the whole file.
fn sections(file: &mut File) -> Result<Vec<Section>, String> {
    let length = file.metadata().map_err(|e| e.to_string())?.len();
    let start = bytes_at(file, 0, 12)?;
    if start[..4] != *b"ptau" || word(&start[4..8]) != 1 {
        return Err("it does not start like a powers-of-tau file of version 1".into());
    }
    let count = word(&start[8..12]);
    if count > MAX_SECTIONS {
        return Err(format!("it states {count} sections, at most {MAX_SECTIONS} are read"));
    }
    let (mut found, mut at): (Vec<Section>, u64) = (Vec::new(), 12);
    for _ in 0..count {
        let head = bytes_at(file, at, 12)?;
        let (kind, size) = (word(&head[..4]), u64::from_le_bytes(std::array::from_fn(|i| head[4 + i])));
        if found.iter().any(|(known, ..)| *known == kind) {
            return Err(format!("section {kind} is there twice"));
        }
        let end = (at + 12).checked_add(size).filter(|end| *end <= length);
        found.push((kind, at + 12, size));
        at = end.ok_or(format!("section {kind} goes beyond the file's end: it is truncated"))?;
    }
    if at == length { Ok(found) } else { Err(format!("{} bytes follow its last section", length - at)) }
}

fn bytes_at(file: &mut File, at: u64, length: usize) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0u8; length];
    file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut bytes)).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => "it ends too early: it is truncated".into(),
        _ => e.to_string(),
    })?;
    Ok(bytes)
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

#[cfg(test)]
#[path = "ptau_tests.rs"]
mod tests;
