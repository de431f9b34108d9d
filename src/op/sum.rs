//! Sum: every output has its own few inputs. Residual connections, means, pools of averages, scale and shift.

use super::{Interval, Place};
use crate::gates::{Cell, Trace, TraceError, fold};
use serde::{Deserialize, Serialize};

/// One summand: an element of the inputs, one after the other, and its integer weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Position among the elements of all inputs.
    pub element: u32,
    /// Its factor.
    pub weight: i128,
}

/// `y_i = b_i + sum_t weight_it * x[element_it]`, exact on integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// The summands of each output.
    pub terms: Vec<Vec<Term>>,
    /// One entry per output.
    pub bias: Vec<i128>,
}

impl Sum {
    /// Whether the lengths match and every term reads one of `inputs` elements.
    pub fn is_consistent(&self, inputs: usize) -> bool {
        !self.terms.is_empty()
            && self.terms.len() == self.bias.len()
            && self.terms.iter().flatten().all(|t| (t.element as usize) < inputs)
    }

    /// The exact meaning; inputs inside the program's intervals never overflow `i128`.
    pub fn eval(&self, x: &[i128]) -> Vec<i128> {
        let sum = |terms: &Vec<Term>| terms.iter().map(|t| t.weight * x[t.element as usize]).sum::<i128>();
        self.terms.iter().zip(&self.bias).map(|(terms, bias)| bias + sum(terms)).collect()
    }

    /// Interval arithmetic per output; `None` when a partial sum could leave the limit.
    pub fn intervals(&self, x: &[Interval]) -> Option<Vec<Interval>> {
        let each = self.terms.iter().zip(&self.bias);
        each.map(|(terms, &bias)| {
            let bias = Interval::new(bias, bias).limited()?;
            terms.iter().try_fold(bias, |sum, t| sum.plus(&x.get(t.element as usize)?.scaled(t.weight)?))
        })
        .collect()
    }

    /// Rows beyond those of the rescales: a rescale of `rescale_rows` rows leaves column `a` free on all but its first.
    pub fn extra_rows(&self, rescale_rows: usize) -> usize {
        let beside = rescale_rows.saturating_sub(1);
        self.terms.iter().map(|terms| terms.len().saturating_sub(beside)).fold(0, usize::saturating_add)
    }

    /// Each output with its terms: the first of them on rows of the rescale, whose column `a` is free beyond the first.
    pub fn rows(&self, trace: &mut Trace, inputs: &[Cell], place: &mut Place<'_>) -> Result<(), TraceError> {
        for (i, (terms, &bias)) in self.terms.iter().zip(&self.bias).enumerate() {
            let output = place(trace, i, bias)?;
            let beside = output + trace.shape.rescale_rows();
            for (t, term) in terms.iter().enumerate() {
                let row = output + 1 + t;
                let row = if row < beside { row } else { trace.take_rows(1)? };
                fold::place_term(trace, row, term.weight, inputs[term.element as usize])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(terms: &[&[(u32, i128)]], bias: &[i128]) -> Sum {
        let term = |&(element, weight): &(u32, i128)| Term { element, weight };
        Sum { terms: terms.iter().map(|row| row.iter().map(term).collect()).collect(), bias: bias.to_vec() }
    }

    #[test]
    fn intervals_are_exact_for_independent_elements() {
        let sum = sum(&[&[(0, 3), (1, -2)], &[], &[(1, 5), (1, -5)]], &[7, -1, 0]);
        let x = [Interval::new(-1, 4), Interval::new(0, 10)];
        let expected = [Interval::new(-16, 19), Interval::new(-1, -1), Interval::new(-50, 50)];
        assert_eq!(sum.intervals(&x).unwrap(), expected);
        assert_eq!(sum.eval(&[4, 0]), [19, -1, 0]);
        assert_eq!(sum.eval(&[-1, 10]), [-16, -1, 0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(sum(&[&[(1, 1)]], &[0]).is_consistent(2));
        assert!(!sum(&[&[(2, 1)]], &[0]).is_consistent(2), "an element that is not there");
        assert!(!sum(&[&[(1, 1)]], &[]).is_consistent(2), "no bias");
        assert!(!sum(&[], &[]).is_consistent(2), "no output");
        let wide = Interval::new(0, 1 << 60);
        assert!(sum(&[&[(0, 1 << 60)]], &[0]).intervals(&[wide]).is_none(), "2^120");
        assert!(sum(&[&[(0, i128::MAX)]], &[0]).intervals(&[wide]).is_none(), "beyond i128");
        assert!(sum(&[&[]], &[i128::MIN]).intervals(&[]).is_none(), "a bias alone");
    }

    #[test]
    fn the_rows_of_a_rescale_hold_the_first_terms() {
        let sum = sum(&[&[(0, 1); 2], &[(0, 1); 3], &[(0, 1); 7], &[]], &[0; 4]);
        assert_eq!(sum.extra_rows(4), 4);
        assert_eq!(sum.extra_rows(1), 12);
    }
}
