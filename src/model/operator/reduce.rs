//! ReduceSum, ReduceMean, GlobalAveragePool and AveragePool: sums of elements with equal weights.

use super::Call;
use super::broadcast::{indices, strides};
use super::window;
use crate::model::import::{Value, Walk};
use crate::model::{GraphOp, ModelError, Sum, stencil::Axis};

pub(super) const ATTRIBUTES: &[&str] = &["axes", "keepdims", "noop_with_empty_axes"];
pub(super) const POOL_ATTRIBUTES: &[&str] =
    &["kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode", "count_include_pad"];

/// The sum or mean over the given axes, or over all.
pub(super) fn reduce(walk: &mut Walk, call: &Call, mean: bool) -> Result<Value, ModelError> {
    let (_, shape) = call.tensor(0)?;
    let rank = shape.len();
    let axes: Vec<usize> = match call.integers(1, "axes")? {
        Some(axes) if !axes.is_empty() => axes.iter().map(|&a| call.axis(a, rank)).collect::<Result<_, _>>()?,
        _ if call.int("noop_with_empty_axes", 0) != 0 => return call.input(0).cloned().ok_or_else(|| call.missing(0)),
        _ => (0..rank).collect(),
    };
    over(walk, call, &axes, call.int("keepdims", 1) != 0, mean)
}

/// The mean over all spatial axes.
pub(super) fn global_average_pool(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (_, shape) = call.tensor(0)?;
    if shape.len() < 3 {
        return Err(call.bad_shape(format!("an input of shape {shape:?} has no spatial axes")));
    }
    over(walk, call, &(2..shape.len()).collect::<Vec<_>>(), true, true)
}

fn over(walk: &mut Walk, call: &Call, axes: &[usize], keep: bool, mean: bool) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(0)?;
    let steps = strides(shape);
    let pick = |inside: bool| -> (Vec<usize>, Vec<usize>) {
        (0..shape.len()).filter(|i| axes.contains(i) == inside).map(|i| (shape[i], steps[i])).unzip()
    };
    let ((kept, kept_steps), (reduced, reduced_steps)) = (pick(false), pick(true));
    let window = indices(&reduced, 0, &reduced_steps);
    let weight = if mean { 1.0 / window.len() as f32 } else { 1.0 };
    walk.reserve(shape.iter().product())?;
    let starts = indices(&kept, 0, &kept_steps);
    let terms: Vec<_> = starts.iter().map(|s| window.iter().map(|w| ((s + w) as u32, weight)).collect()).collect();
    let made = (0..shape.len()).filter_map(|i| match axes.contains(&i) {
        true => keep.then_some(1),
        false => Some(shape[i]),
    });
    let (made, bias) = (made.collect(), vec![0.0; terms.len()]);
    walk.push(call.name, GraphOp::Sum(Sum { terms, bias }), vec![source], made)
}

/// The mean of each window; pads count only with `count_include_pad`.
pub(super) fn average_pool(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(0)?;
    let kernel = window::kernel_shape(call)?;
    let axes = window::axes(call, shape.get(2..).unwrap_or(&[]), &kernel)?;
    let planes = shape[0] * shape[1];
    let outputs: Vec<usize> = axes.iter().map(|a| a.outputs).collect();
    let made = [&shape[..2], &outputs].concat();
    walk.fits(call.name, &made)?;
    let taps = kernel.iter().fold(1usize, |n, &k| n.saturating_mul(k));
    walk.reserve(made.iter().product::<usize>().saturating_mul(taps))?;
    let include = call.int("count_include_pad", 0) != 0;
    let plane: usize = shape[2..].iter().product();
    let windows = windows(&axes);
    let mut terms = Vec::with_capacity(planes * windows.len());
    for p in 0..planes {
        for window in &windows {
            let weight = 1.0 / if include { taps } else { window.len() } as f32;
            terms.push(window.iter().map(|i| ((p * plane + i) as u32, weight)).collect());
        }
    }
    if terms.iter().any(Vec::is_empty) {
        return Err(call.refuse("a window that lies on pads alone"));
    }
    let bias = vec![0.0; terms.len()];
    walk.push(call.name, GraphOp::Sum(Sum { terms, bias }), vec![source], made)
}

/// For each window of one plane, the elements under it, pads left out.
pub(super) fn windows(axes: &[Axis]) -> Vec<Vec<usize>> {
    let mut all = vec![vec![0]];
    for axis in axes {
        let along = |o: usize| (0..axis.kernel).filter_map(move |k| axis.source(o, k));
        let extend = |elements: &Vec<usize>, o: usize| -> Vec<usize> {
            elements.iter().flat_map(|e| along(o).map(move |i| e * axis.size + i)).collect()
        };
        all = all.iter().flat_map(|elements| (0..axis.outputs).map(|o| extend(elements, o)).collect::<Vec<_>>()).collect();
    }
    all
}
