//! A schema from calibration data, for review, when none is given.

use super::decimal::Decimal;
use super::schema::{Feature, Schema};
use super::schema_error::SchemaError;

/// Derived features get no more decimals than this; finer digits are taken for float noise.
pub const MAX_DERIVED_DECIMALS: u32 = 6;
/// The observed range is widened by this share of its span on either side (and by one unit at least).
pub const MARGIN_PERCENT: i128 = 10;

/// A derived schema and what its reviewer should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The schema.
    pub schema: Schema,
    /// One line per doubtful choice.
    pub notes: Vec<String>,
}

/// Derives one feature per column of `rows`.
///
/// Decimals are the most that any value of the column shows, at most [`MAX_DERIVED_DECIMALS`]. The range is the observed one
/// with a margin of [`MARGIN_PERCENT`] on each side, never across zero where all values are on one side of it. A column with one
/// value keeps exactly that value, and a note says so: nothing is known of the model elsewhere. Names are `names`, or `x0`, `x1`, ...
///
/// # Errors
/// No rows, rows of different lengths, a wrong number of names, values beyond 2^62 units of the column's grid.
pub fn derive(name: &str, rows: &[Vec<Decimal>], names: Option<&[String]>) -> Result<Derived, SchemaError> {
    let problem = |problem: String| SchemaError::Derive { problem };
    let width = rows.first().map_or(0, Vec::len);
    if width == 0 {
        return Err(problem("there are no values".into()));
    }
    if let Some((index, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != width) {
        return Err(problem(format!("row 0 has {width} values and row {index} has {}", row.len())));
    }
    if let Some(names) = names.filter(|n| n.len() != width) {
        return Err(problem(format!("{} names for {width} columns", names.len())));
    }
    let mut notes = Vec::new();
    let mut features = Vec::with_capacity(width);
    for column in 0..width {
        let name = names.and_then(|n| n.get(column)).cloned().unwrap_or_else(|| format!("x{column}"));
        features.push(feature(name, rows, column, &mut notes)?);
    }
    Ok(Derived { schema: Schema::new(name.to_owned(), features)?, notes })
}

fn feature(name: String, rows: &[Vec<Decimal>], column: usize, notes: &mut Vec<String>) -> Result<Feature, SchemaError> {
    let values = || rows.iter().map(|row| &row[column]);
    let shown = values().map(Decimal::fraction_digits).max().unwrap_or(0);
    let decimals = shown.min(u64::from(MAX_DERIVED_DECIMALS)) as u32;
    if shown > u64::from(MAX_DERIVED_DECIMALS) {
        notes.push(format!("`{name}` shows {shown} decimals; {MAX_DERIVED_DECIMALS} are kept"));
    }
    let (mut low, mut high) = (i128::MAX, i128::MIN);
    for (row, value) in values().enumerate() {
        let integer = value.scaled(decimals).filter(|v| v.unsigned_abs() < 1 << 61).ok_or_else(|| SchemaError::Derive {
            problem: format!("row {row}, `{name}`: {value} is too large for {decimals} decimals"),
        })?;
        (low, high) = (low.min(integer), high.max(integer));
    }
    if low == high {
        notes.push(format!("`{name}` has the same value in every row; only that value is admitted until you widen it"));
    } else {
        let margin = ((high - low) * MARGIN_PERCENT + 99) / 100;
        let (wide_low, wide_high) = (low - margin, high + margin);
        low = if low >= 0 { wide_low.max(0) } else { wide_low };
        high = if high <= 0 { wide_high.min(0) } else { wide_high };
    }
    let narrow = |v: i128| i64::try_from(v).map_err(|_| SchemaError::Derive { problem: format!("`{name}`: {v} leaves 64 bits") });
    Ok(Feature { min: narrow(low)?, max: narrow(high)?, name: name.clone(), unit: String::new(), decimals })
}
