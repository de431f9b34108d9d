//! Input documents: from JSON to schema integers, rounded once and exactly, range-checked by name.

use super::decimal::Decimal;
use super::document::{self, Cell, Document};
use super::input_error::InputError;
use super::schema::{Feature, Schema};
use std::io::Read;
use std::path::Path;

/// Larger files are refused before they are read (calibration sets included).
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// One applicant or sample: a schema integer per feature, each in its range.
pub type Row = Vec<i128>;

/// Reads a file as text for the functions below.
///
/// # Errors
/// [`InputError::Read`], [`InputError::TooLarge`].
pub fn read(path: &Path) -> Result<String, InputError> {
    let failed = |source| InputError::Read { path: path.display().to_string(), source };
    let mut text = String::new();
    std::fs::File::open(path).map_err(failed)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES { Err(InputError::TooLarge { limit: MAX_FILE_BYTES }) } else { Ok(text) }
}

/// The rows of a document, at least one, as schema integers.
///
/// # Errors
/// Any [`InputError`] but `Read`.
pub fn rows(schema: &Schema, text: &str) -> Result<Vec<Row>, InputError> {
    match document::parse(text)? {
        Document::Named(pairs) => Ok(vec![named(schema, &pairs)?]),
        Document::Rows(rows) => rows.iter().enumerate().map(|(index, row)| positional(schema, index, row)).collect(),
    }
}

/// The one row of a document.
///
/// # Errors
/// [`InputError::Rows`] for several rows; others as in [`rows`].
pub fn one(schema: &Schema, text: &str) -> Result<Row, InputError> {
    let mut all = rows(schema, text)?;
    match (all.pop(), all.len()) {
        (Some(row), 0) => Ok(row),
        (_, others) => Err(InputError::Rows { got: others + 1, expected: "1" }),
    }
}

/// The rows of an EZKL document as numbers, before there is a schema.
///
/// # Errors
/// Named features, which have no order without a schema; others as in [`rows`].
pub fn numbers(text: &str) -> Result<Vec<Vec<Decimal>>, InputError> {
    match document::parse(text)? {
        Document::Named(_) => {
            Err(InputError::Syntax { problem: "features by name need a schema, which gives their order".into() })
        }
        Document::Rows(rows) => rows
            .iter()
            .enumerate()
            .map(|(row, cells)| cells.iter().enumerate().map(|(at, cell)| number(row, &format!("#{at}"), cell)).collect())
            .collect(),
    }
}

fn positional(schema: &Schema, row: usize, cells: &[Cell]) -> Result<Row, InputError> {
    let features = schema.features();
    if cells.len() != features.len() {
        return Err(InputError::Length { row, got: cells.len(), expected: features.len() });
    }
    features.iter().zip(cells).map(|(feature, cell)| integer(feature, row, cell)).collect()
}

fn named(schema: &Schema, pairs: &[(String, Cell)]) -> Result<Row, InputError> {
    let features = schema.features();
    let position: std::collections::HashMap<&str, usize> =
        features.iter().enumerate().map(|(index, f)| (f.name.as_str(), index)).collect();
    let mut values: Vec<Option<i128>> = vec![None; features.len()];
    for (name, cell) in pairs {
        let known = || features.iter().take(64).map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ");
        let index = *position.get(name.as_str()).ok_or_else(|| InputError::Unknown { name: name.clone(), known: known() })?;
        if values[index].replace(integer(&features[index], 0, cell)?).is_some() {
            return Err(InputError::Duplicate { name: name.clone() });
        }
    }
    let missing: Vec<&str> = features.iter().zip(&values).filter(|(_, v)| v.is_none()).map(|(f, _)| f.name.as_str()).collect();
    if !missing.is_empty() {
        return Err(InputError::Missing { names: missing.join(", ") });
    }
    Ok(values.into_iter().flatten().collect())
}

fn integer(feature: &Feature, row: usize, cell: &Cell) -> Result<i128, InputError> {
    let real = number(row, &feature.name, cell)?;
    match feature.integer(&real) {
        Some(value) if feature.interval().contains(value) => Ok(value),
        _ => Err(InputError::OutOfRange {
            row,
            feature: feature.name.clone(),
            value: real.to_string(),
            unit: if feature.unit.is_empty() { String::new() } else { format!(" {}", feature.unit) },
            range: feature.range_text(),
        }),
    }
}

fn number(row: usize, feature: &str, cell: &Cell) -> Result<Decimal, InputError> {
    let refuse = |got: &str| InputError::NotANumber { row, feature: feature.to_owned(), got: got.to_owned() };
    match cell {
        Cell::Number(text) => Decimal::parse(text).ok_or_else(|| refuse(&shortened(text))),
        Cell::Other(what) => Err(refuse(what)),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
