//! ONNX's broadcasting and the strides of row-major tensors.

use crate::model::size::element_count;

/// The shape of an element-wise operation on both; `None` when they do not fit.
pub(super) fn shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let dim = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank)
        .map(|i| match (dim(a, i), dim(b, i)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

/// For each element of a tensor of shape `to`, the element of one of shape `from` that broadcasts to it.
///
/// The caller has made sure that `from` does broadcast, and that `to` is not too large.
pub(super) fn elements(from: &[usize], to: &[usize]) -> Vec<usize> {
    let missing = to.len() - from.len();
    let own = strides(from);
    let steps: Vec<usize> =
        (0..to.len()).map(|i| if i < missing || from[i - missing] == 1 { 0 } else { own[i - missing] }).collect();
    indices(to, 0, &steps)
}

/// For each index of a tensor of shape `shape`, in order: `first` plus the index times `steps`.
pub(super) fn indices(shape: &[usize], first: usize, steps: &[usize]) -> Vec<usize> {
    let mut all = Vec::with_capacity(element_count(shape).unwrap_or(0));
    all.push(first);
    for (&size, &step) in shape.iter().zip(steps) {
        all = all.iter().flat_map(|&start| (0..size).map(move |i| start + i * step)).collect();
    }
    all
}

/// How far apart neighbours along each axis stand.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_broadcast_as_in_numpy() {
        assert_eq!(shape(&[2, 1, 3], &[4, 1]), Some(vec![2, 4, 3]));
        assert_eq!(shape(&[], &[2, 2]), Some(vec![2, 2]));
        assert_eq!(shape(&[2], &[3]), None);
        assert_eq!(elements(&[2, 1], &[2, 2, 3]), [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]);
        assert_eq!(elements(&[], &[2]), [0, 0]);
        assert_eq!(elements(&[3], &[2, 3]), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn indices_run_in_row_major_order() {
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(indices(&[2, 2], 5, &[10, 3]), [5, 8, 15, 18]);
        assert_eq!(indices(&[], 7, &[]), [7]);
    }
}
