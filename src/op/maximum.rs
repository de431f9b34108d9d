//! Maximum: the largest element of each window. MaxPool, ReduceMax, Max.

use super::Interval;
use crate::gates::{Cell, Trace, TraceError, maximum};
use serde::{Deserialize, Serialize};

/// `y_i = max of x over window i`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maximum {
    /// For each output, positions among the elements of all inputs.
    pub windows: Vec<Vec<u32>>,
}

impl Maximum {
    /// Whether there are outputs, none of nothing, each over some of `inputs` elements.
    pub fn is_consistent(&self, inputs: usize) -> bool {
        !self.windows.is_empty()
            && self.windows.iter().all(|w| !w.is_empty())
            && self.windows.iter().flatten().all(|&i| (i as usize) < inputs)
    }

    /// The exact meaning; zero for an empty window.
    pub fn eval(&self, x: &[i128]) -> Vec<i128> {
        self.windows.iter().map(|w| w.iter().map(|&i| x[i as usize]).max().unwrap_or(0)).collect()
    }

    /// The interval of each maximum, and the widest distance of two elements of one window.
    pub fn intervals(&self, x: &[Interval]) -> Option<(Vec<Interval>, i128)> {
        let mut widest = 0;
        let each = self.windows.iter().map(|window| {
            let all = || window.iter().map(|&i| x.get(i as usize).copied());
            let lowest = all().try_fold(i128::MAX, |lo, x| Some(lo.min(x?.lo)))?;
            let largest = all().try_fold(Interval::new(i128::MIN, i128::MIN), |a, b| {
                let b = b?;
                Some(Interval::new(a.lo.max(b.lo), a.hi.max(b.hi)))
            })?;
            widest = widest.max(largest.hi.checked_sub(lowest)?);
            Some(largest)
        });
        let intervals = each.collect::<Option<Vec<_>>>()?;
        Some((intervals, widest))
    }

    /// Elements of all windows: each takes the same rows.
    pub fn elements(&self) -> usize {
        self.windows.iter().map(Vec::len).fold(0, usize::saturating_add)
    }

    /// The rows of all windows.
    pub fn rows(&self, trace: &mut Trace, inputs: &[Cell], x: Option<&[i128]>) -> Result<Vec<Cell>, TraceError> {
        let place = |window: &Vec<u32>| {
            let cells: Vec<Cell> = window.iter().map(|&i| inputs[i as usize]).collect();
            let values: Option<Vec<i128>> = x.map(|x| window.iter().map(|&i| x[i as usize]).collect());
            maximum::place(trace, &cells, values.as_deref())
        };
        self.windows.iter().map(place).collect()
    }
}
