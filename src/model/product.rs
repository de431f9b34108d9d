//! Products of two computed tensors: matrix by matrix, or element by element.

use serde::{Deserialize, Serialize};
use std::ops::{AddAssign, Mul};

/// `count` products of a `rows x inner` matrix and an `inner x columns` one. All left matrices come first, row by row, then all right
/// ones. Element by element, every matrix is one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// How many.
    pub count: usize,
    /// Rows of the left matrix.
    pub rows: usize,
    /// Columns of the left matrix, rows of the right one.
    pub inner: usize,
    /// Columns of the right matrix.
    pub columns: usize,
}

impl Product {
    /// Elements of one left matrix.
    pub fn left(&self) -> usize {
        self.rows.saturating_mul(self.inner)
    }

    /// Elements of one right matrix.
    pub fn right(&self) -> usize {
        self.inner.saturating_mul(self.columns)
    }

    /// Elements of one result.
    pub fn result(&self) -> usize {
        self.rows.saturating_mul(self.columns)
    }

    /// Elements of both inputs.
    pub fn inputs(&self) -> usize {
        self.count.saturating_mul(self.left().saturating_add(self.right()))
    }

    /// Elements of all results.
    pub fn outputs(&self) -> usize {
        self.count.saturating_mul(self.result())
    }

    /// Positions of the left and the right element of term `l` of result `(i, j)` of product `p`.
    pub fn term(&self, p: usize, i: usize, j: usize, l: usize) -> (usize, usize) {
        let right = self.count * self.left() + p * self.right();
        (p * self.left() + i * self.inner + l, right + l * self.columns + j)
    }

    /// The results of all products, row by row.
    pub fn multiply<T: Copy + Default + AddAssign + Mul<Output = T>>(&self, x: &[T]) -> Vec<T> {
        let mut all = Vec::with_capacity(self.outputs());
        for (p, i) in (0..self.count).flat_map(|p| (0..self.rows).map(move |i| (p, i))) {
            for j in 0..self.columns {
                let mut sum = T::default();
                for l in 0..self.inner {
                    let (left, right) = self.term(p, i, j, l);
                    sum += x[left] * x[right];
                }
                all.push(sum);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_matrices_and_elements() {
        let matrices = Product { count: 1, rows: 2, inner: 3, columns: 2 };
        assert_eq!(matrices.multiply(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), [58, 64, 139, 154]);
        let elements = Product { count: 3, rows: 1, inner: 1, columns: 1 };
        assert_eq!(elements.multiply(&[1, 2, 3, 4, 5, 6]), [4, 10, 18]);
        assert_eq!((matrices.inputs(), matrices.outputs(), elements.inputs()), (12, 4, 6));
    }
}
