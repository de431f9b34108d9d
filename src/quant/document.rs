//! The two JSON documents that carry inputs, with every number kept as the text that stands in the file.
//!
//! `serde_json`'s `arbitrary_precision` would change how every crate of the build reads numbers (alloy's untagged enums
//! break under it), so values are taken as raw text instead (`raw_value`, which alloy enables anyway).

use super::input_error::InputError;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Levels of lists below a row.
pub const MAX_DEPTH: usize = 16;
/// Values of a document. A file of the largest size could hold ten times as many, and each takes some 50 bytes of memory.
pub const MAX_CELLS: usize = 1 << 22;
/// What takes the place of `NaN` and `Infinity`, which Python writes and JSON forbids, so that the feature can be named.
const NON_FINITE: [&str; 5] = ["-Infinity", "Infinity", "NaN", "nan", "inf"];

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A JSON number, as written.
    Number(String),
    /// Anything else, in words.
    Other(String),
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// EZKL's `{"input_data": [[...], ...]}`: one or more rows, inner shapes flattened. Other keys are ignored.
    Rows(Vec<Vec<Cell>>),
    /// `{"features": {"name": value, ...}}`, in the order of the file, repetitions kept.
    Named(Vec<(String, Cell)>),
}

/// Reads a document.
///
/// # Errors
/// [`InputError::Syntax`], [`InputError::TooDeep`], [`InputError::TooMany`], [`InputError::Rows`] for an empty list.
pub fn parse(text: &str) -> Result<Document, InputError> {
    // A comma stands between two values: counting them needs no memory, and what they bound is all that parsing takes.
    if text.bytes().filter(|byte| *byte == b',').count() >= MAX_CELLS {
        return Err(InputError::TooMany { limit: MAX_CELLS });
    }
    match serde_json::from_str::<Pairs>(text) {
        Ok(pairs) => document(&pairs),
        Err(error) => {
            let quoted = quote_non_finite(text);
            match serde_json::from_str::<Pairs>(&quoted) {
                Ok(pairs) => document(&pairs),
                Err(_) => Err(InputError::Syntax { problem: error.to_string() }),
            }
        }
    }
}

fn document(pairs: &Pairs) -> Result<Document, InputError> {
    let syntax = |problem: &str| InputError::Syntax { problem: problem.into() };
    let all = |key: &str| pairs.0.iter().filter(|(k, _)| k == key).map(|(_, v)| *v).collect::<Vec<_>>();
    match (all("input_data").as_slice(), all("features").as_slice()) {
        ([data], []) => rows(data),
        ([], [features]) => {
            let pairs: Pairs =
                serde_json::from_str(features.get()).map_err(|_| syntax("`features` must be an object of name: number"))?;
            Ok(Document::Named(pairs.0.into_iter().map(|(name, value)| (name, cell(value))).collect()))
        }
        ([], []) => Err(syntax("neither `features` nor `input_data` is there")),
        _ => Err(syntax("exactly one of `features` and `input_data` is allowed, once")),
    }
}

fn rows(data: &RawValue) -> Result<Document, InputError> {
    let problem = "`input_data` must be a list of rows, each a list of numbers";
    let syntax = || InputError::Syntax { problem: problem.into() };
    let items: Vec<&RawValue> = serde_json::from_str(data.get()).map_err(|_| syntax())?;
    if items.is_empty() {
        return Err(InputError::Rows { got: 0, expected: "at least 1" });
    }
    let mut rows = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let inner: Vec<&RawValue> = serde_json::from_str(item.get()).map_err(|_| syntax())?;
        let mut cells = Vec::with_capacity(inner.len());
        flatten(&inner, index, 1, &mut cells)?;
        rows.push(cells);
    }
    Ok(Document::Rows(rows))
}

fn flatten(items: &[&RawValue], row: usize, depth: usize, cells: &mut Vec<Cell>) -> Result<(), InputError> {
    if depth > MAX_DEPTH {
        return Err(InputError::TooDeep { row, limit: MAX_DEPTH });
    }
    for item in items {
        match serde_json::from_str::<Vec<&RawValue>>(item.get()) {
            Ok(inner) if item.get().starts_with('[') => flatten(&inner, row, depth + 1, cells)?,
            _ => cells.push(cell(item)),
        }
    }
    Ok(())
}

fn cell(value: &RawValue) -> Cell {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Cell::Number(text.to_owned()),
        Some(b'{') => Cell::Other("an object".into()),
        Some(b'[') => Cell::Other("a list".into()),
        // Texts, true, false and null are short or cut short; a text may be `"NaN"` put there by `quote_non_finite`.
        _ => Cell::Other(text.chars().take(40).collect()),
    }
}

/// Puts the bare words of [`NON_FINITE`] outside texts into quotes.
fn quote_non_finite(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 16);
    let (mut inside, mut escaped, mut rest) = (false, false, text);
    while let Some(c) = rest.chars().next() {
        let word = NON_FINITE.iter().find(|w| !inside && rest.starts_with(**w));
        if let Some(word) = word {
            quoted.push('"');
            quoted.push_str(word);
            quoted.push('"');
            rest = &rest[word.len()..];
            continue;
        }
        if c == '"' && !escaped {
            inside = !inside;
        }
        escaped = inside && c == '\\' && !escaped;
        quoted.push(c);
        rest = &rest[c.len_utf8()..];
    }
    quoted
}

/// A JSON object as a list, so that repeated keys are seen.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, &'de RawValue>()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
