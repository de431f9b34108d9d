//! Constant: numbers of the model that stand where elements are expected, such as the rim that Pad adds.

use super::Interval;
use crate::gates::{Cell, Trace, TraceError, range};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The same integers in every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constant {
    /// At least one.
    pub values: Vec<i128>,
}

impl Constant {
    /// The interval of each element: the value alone.
    pub fn intervals(&self) -> Option<Vec<Interval>> {
        self.values.iter().map(|&v| Interval::new(v, v).limited()).collect()
    }

    /// Each value stands once, on a range row that admits nothing else.
    pub fn row_count(&self, range_rows: usize, packs: bool) -> usize {
        // The packed sum that a range row leaves below itself must not meet the sign bit of a rescale.
        self.distinct().len().saturating_mul(range_rows).saturating_add(usize::from(packs))
    }

    /// Places each distinct value and returns the cells of all.
    pub fn rows(&self, trace: &mut Trace) -> Result<Vec<Cell>, TraceError> {
        let mut cells = self.distinct();
        for (&value, cell) in &mut cells {
            *cell = range::place(trace, [value, value], Some(value))?;
        }
        if trace.shape.commits() {
            trace.take_rows(1)?;
        }
        Ok(self.values.iter().filter_map(|value| cells.get(value).copied()).collect())
    }

    fn distinct(&self) -> BTreeMap<i128, Cell> {
        self.values.iter().map(|&v| (v, Cell { row: 0 })).collect()
    }
}
