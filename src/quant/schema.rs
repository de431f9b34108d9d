//! The feature schema: what the input's integers mean, independent of any model.
//!
//! Feature `i` of real value `r` is the integer `v = round(r * 10^decimals)`, halves away from zero, and
//! `min <= v <= max`. Commitments and attestations are over these integers.
//!
//! **Packing.** Every value takes `width` bytes, the same for all: as many as the largest `max - min` needs. One field
//! element takes `n = 31 / width` values (rounded down), the first the least significant:
//! `element = sum_i (v_i - min_i) * 2^(8 * width * i)`, `i` counted within the element; the last one is padded with zeros.

use super::decimal::{Decimal, show};
use super::schema_error::SchemaError;
use crate::op::{Input, InputMode, Interval};
use alloy::primitives::keccak256;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

/// The only version of the file format.
pub const VERSION: u32 = 1;
/// First bytes of the canonical encoding.
pub const ID_TAG: &str = "zkml-evm.schema.v1";
/// The domain of the Poseidon input commitment, part of the schema's identity.
pub const POSEIDON_DOMAIN: &str = "zkml-evm.input.v1";
/// Larger schema files are refused before they are read.
pub const MAX_FILE_BYTES: u64 = 16 << 20;
/// Features of one schema.
pub const MAX_FEATURES: usize = 1 << 16;
const MAX_DECIMALS: u32 = 18;
const MAX_NAME_BYTES: usize = 128;
const PACKED_BYTES: u32 = 31;

/// How a real value becomes an integer. One rule so far; it is written out so that a file says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// 0.5 becomes 1, -0.5 becomes -1.
    #[default]
    HalfAwayFromZero,
}

/// One feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Unique within the schema.
    pub name: String,
    /// For people; may be empty.
    #[serde(default)]
    pub unit: String,
    /// `real = integer / 10^decimals`.
    pub decimals: u32,
    /// Smallest integer.
    pub min: i64,
    /// Largest integer.
    pub max: i64,
}

impl Feature {
    /// The closed range of integers.
    pub fn interval(&self) -> Interval {
        Interval::new(i128::from(self.min), i128::from(self.max))
    }

    /// The integer of a real value, not range-checked; `None` beyond 30 digits.
    pub fn integer(&self, real: &Decimal) -> Option<i128> {
        real.scaled(self.decimals)
    }

    /// The real value of an integer.
    pub fn real(&self, integer: i128) -> f64 {
        // Powers up to 10^18 are exact, so below 2^53 this is the f64 nearest to the decimal number.
        integer as f64 / 10f64.powi(self.decimals as i32)
    }

    /// The range in the feature's unit, as `0.000..=1.200`.
    pub fn range_text(&self) -> String {
        format!("{}..={}", show(i128::from(self.min), self.decimals), show(i128::from(self.max), self.decimals))
    }
}

/// A validated list of features, in the model's input order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "File", into = "File")]
pub struct Schema {
    name: String,
    rounding: Rounding,
    features: Vec<Feature>,
}

/// The file as written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    name: String,
    #[serde(default)]
    rounding: Rounding,
    features: Vec<Feature>,
}

impl TryFrom<File> for Schema {
    type Error = SchemaError;

    fn try_from(file: File) -> Result<Self, SchemaError> {
        if file.version != VERSION {
            return Err(SchemaError::Version { got: file.version });
        }
        Self::new(file.name, file.features)
    }
}

impl From<Schema> for File {
    fn from(schema: Schema) -> Self {
        Self { version: VERSION, name: schema.name, rounding: schema.rounding, features: schema.features }
    }
}

impl Schema {
    /// Checks the features; `name` is a label and no part of the identity.
    ///
    /// # Errors
    /// No feature or too many, an empty or repeated name, `min > max`, a range of 2^62 or more, more than 18 decimals.
    pub fn new(name: String, features: Vec<Feature>) -> Result<Self, SchemaError> {
        if features.is_empty() || features.len() > MAX_FEATURES {
            return Err(SchemaError::Count { got: features.len(), max: MAX_FEATURES });
        }
        let mut seen = HashSet::new();
        for (index, feature) in features.iter().enumerate() {
            check_feature(index, feature)?;
            if !seen.insert(feature.name.as_str()) {
                return Err(SchemaError::Duplicate { name: feature.name.clone() });
            }
        }
        Ok(Self { name, rounding: Rounding::HalfAwayFromZero, features })
    }

    /// Reads the JSON text of a schema file.
    ///
    /// # Errors
    /// [`SchemaError::Syntax`] for anything that is not such a file, its reasons included; others as in [`Schema::new`].
    pub fn from_json(text: &str) -> Result<Self, SchemaError> {
        let file: File = serde_json::from_str(text).map_err(|e| SchemaError::Syntax { problem: e.to_string() })?;
        file.try_into()
    }

    /// Reads a schema file.
    ///
    /// # Errors
    /// An unreadable or huge file; others as in [`Schema::from_json`].
    pub fn load(path: &Path) -> Result<Self, SchemaError> {
        let read = |source| SchemaError::Read { path: path.display().to_string(), source };
        let mut text = String::new();
        std::fs::File::open(path).map_err(read)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(read)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(SchemaError::Syntax { problem: format!("the file is larger than {MAX_FILE_BYTES} bytes") });
        }
        Self::from_json(&text)
    }

    /// The JSON text of a schema file, one feature per line.
    pub fn to_json(&self) -> Result<String, SchemaError> {
        let syntax = |e: serde_json::Error| SchemaError::Syntax { problem: e.to_string() };
        let lines: Vec<String> = self
            .features
            .iter()
            .map(|f| serde_json::to_string(f).map(|l| format!("    {l}")))
            .collect::<Result<_, _>>()
            .map_err(syntax)?;
        let name = serde_json::to_string(&self.name).map_err(syntax)?;
        let rounding = serde_json::to_string(&self.rounding).map_err(syntax)?;
        let features = lines.join(",\n");
        Ok(format!(
            "{{\n  \"version\": {VERSION},\n  \"name\": {name},\n  \"rounding\": {rounding},\n  \"features\": [\n{features}\n  ]\n}}\n"
        ))
    }

    /// The label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The features in the model's input order.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Bytes given to each packed value: 1 to 8.
    pub fn width_bytes(&self) -> u32 {
        let widest = self.features.iter().map(|f| f.max.abs_diff(f.min)).max().unwrap_or(0);
        (64 - widest.leading_zeros()).div_ceil(8).max(1)
    }

    /// Values packed into one field element.
    pub fn values_per_element(&self) -> u32 {
        PACKED_BYTES / self.width_bytes()
    }

    /// The program's input node under this schema.
    pub fn input(&self, mode: InputMode) -> Input {
        Input { ranges: self.features.iter().map(Feature::interval).collect(), width_bytes: self.width_bytes(), mode }
    }

    /// The packed field elements, 32 little-endian bytes each, of integers within their ranges.
    ///
    /// # Errors
    /// [`SchemaError::Pack`] for a wrong number of values or one out of range.
    pub fn pack(&self, values: &[i128]) -> Result<Vec<[u8; 32]>, SchemaError> {
        if values.len() != self.features.len() {
            let problem = format!("{} values for {} features", values.len(), self.features.len());
            return Err(SchemaError::Pack { problem });
        }
        let width = self.width_bytes() as usize;
        let per_element = self.values_per_element() as usize;
        let mut elements = vec![[0u8; 32]; values.len().div_ceil(per_element)];
        for (index, (value, feature)) in values.iter().zip(&self.features).enumerate() {
            if !feature.interval().contains(*value) {
                let problem = format!("feature `{}` is {value}, its range is {}..={}", feature.name, feature.min, feature.max);
                return Err(SchemaError::Pack { problem });
            }
            let offset = (value - i128::from(feature.min)) as u64;
            let at = index % per_element * width;
            elements[index / per_element][at..at + width].copy_from_slice(&offset.to_le_bytes()[..width]);
        }
        Ok(elements)
    }

    /// The canonical encoding that [`Schema::id`] hashes. Integers are big-endian, texts carry their length as u32.
    ///
    /// ```text
    /// text "zkml-evm.schema.v1" | u32 count | count * (text name | text unit | u32 decimals | i64 min | i64 max)
    ///   | u8 rounding (0: half away from zero) | u32 width | u32 values per element | text "zkml-evm.input.v1"
    /// ```
    pub fn canonical_bytes(&self) -> Vec<u8> {
        fn text(bytes: &mut Vec<u8>, text: &str) {
            // Lengths are bounded by the checks of `new`, so they fit.
            bytes.extend((text.len() as u32).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        let mut bytes = Vec::new();
        text(&mut bytes, ID_TAG);
        bytes.extend((self.features.len() as u32).to_be_bytes());
        for feature in &self.features {
            text(&mut bytes, &feature.name);
            text(&mut bytes, &feature.unit);
            bytes.extend(feature.decimals.to_be_bytes());
            bytes.extend(feature.min.to_be_bytes());
            bytes.extend(feature.max.to_be_bytes());
        }
        bytes.push(match self.rounding {
            Rounding::HalfAwayFromZero => 0,
        });
        bytes.extend(self.width_bytes().to_be_bytes());
        bytes.extend(self.values_per_element().to_be_bytes());
        text(&mut bytes, POSEIDON_DOMAIN);
        bytes
    }

    /// The schema's identity: keccak256 of [`Schema::canonical_bytes`].
    pub fn id(&self) -> [u8; 32] {
        keccak256(self.canonical_bytes()).0
    }
}

fn check_feature(index: usize, feature: &Feature) -> Result<(), SchemaError> {
    let bad = |problem: String| Err(SchemaError::Feature { index, name: feature.name.clone(), problem });
    let unclear = |text: &str| text.len() > MAX_NAME_BYTES || text.chars().any(char::is_control);
    if feature.name.is_empty() || unclear(&feature.name) || unclear(&feature.unit) {
        return bad(format!("name and unit need 1 to {MAX_NAME_BYTES} bytes without control characters (a unit may be empty)"));
    }
    if feature.decimals > MAX_DECIMALS {
        return bad(format!("{} decimals, at most {MAX_DECIMALS} are allowed", feature.decimals));
    }
    if feature.min > feature.max {
        return bad(format!("min {} is larger than max {}", feature.min, feature.max));
    }
    if feature.max.abs_diff(feature.min) >= 1 << 62 {
        return bad(format!("the range {}..={} holds 2^62 values or more; use fewer decimals", feature.min, feature.max));
    }
    Ok(())
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
