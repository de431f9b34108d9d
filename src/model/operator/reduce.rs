//! ReduceSum, ReduceMean, GlobalAveragePool and AveragePool: sums of elements with equal weights. ReduceMax and MaxPool: the largest of them.

use super::Call;
use super::broadcast::{indices, strides};
use super::window;
use crate::model::import::{Value, Walk};
use crate::model::{GraphOp, ModelError, Sum, stencil::Axis};

pub(super) const ATTRIBUTES: &[&str] = &["axes", "keepdims", "noop_with_empty_axes"];
pub(super) const POOL_ATTRIBUTES: &[&str] =
    &["kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode", "count_include_pad"];

/// What becomes of the elements of a window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Sum,
    Mean,
    Maximum,
}

/// The sum or mean over the given axes, or over all.
pub(super) fn reduce(walk: &mut Walk, call: &Call, mean: bool) -> Result<Value, ModelError> {
    reduced(walk, call, if mean { Of::Mean } else { Of::Sum })
}

/// The largest over the given axes, or over all.
pub(super) fn reduce_max(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    reduced(walk, call, Of::Maximum)
}

fn reduced(walk: &mut Walk, call: &Call, of: Of) -> Result<Value, ModelError> {
    let (_, shape) = call.tensor(0)?;
    let rank = shape.len();
    let axes: Vec<usize> = match call.integers(1, "axes")? {
        Some(axes) if !axes.is_empty() => axes.iter().map(|&a| call.axis(a, rank)).collect::<Result<_, _>>()?,
        _ if call.int("noop_with_empty_axes", 0) != 0 => return call.input(0).cloned().ok_or_else(|| call.missing(0)),
        _ => (0..rank).collect(),
    };
    over(walk, call, &axes, call.int("keepdims", 1) != 0, of)
}

/// The mean over all spatial axes.
pub(super) fn global_average_pool(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (_, shape) = call.tensor(0)?;
    if shape.len() < 3 {
        return Err(call.bad_shape(format!("an input of shape {shape:?} has no spatial axes")));
    }
    over(walk, call, &(2..shape.len()).collect::<Vec<_>>(), true, Of::Mean)
}

fn over(walk: &mut Walk, call: &Call, axes: &[usize], keep: bool, of: Of) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(0)?;
    let steps = strides(shape);
    let pick = |inside: bool| -> (Vec<usize>, Vec<usize>) {
        (0..shape.len()).filter(|i| axes.contains(i) == inside).map(|i| (shape[i], steps[i])).unzip()
    };
    let ((kept, kept_steps), (reduced, reduced_steps)) = (pick(false), pick(true));
    let window = indices(&reduced, 0, &reduced_steps);
    walk.reserve(shape.iter().product())?;
    let starts = indices(&kept, 0, &kept_steps);
    let windows = starts.iter().map(|s| window.iter().map(|w| s + w).collect()).collect();
    let made = (0..shape.len()).filter_map(|i| match axes.contains(&i) {
        true => keep.then_some(1),
        false => Some(shape[i]),
    });
    let (made, taps) = (made.collect(), window.len());
    push(walk, call, source, windows, made, of, |_| taps)
}

/// The node of all windows; a mean divides by what `divisor` makes of a window's length.
fn push(
    walk: &mut Walk,
    call: &Call,
    source: usize,
    windows: Vec<Vec<usize>>,
    made: Vec<usize>,
    of: Of,
    divisor: impl Fn(usize) -> usize,
) -> Result<Value, ModelError> {
    if windows.iter().any(Vec::is_empty) {
        return Err(call.refuse("a window that lies on pads alone"));
    }
    let op = if of == Of::Maximum {
        GraphOp::Maximum(windows.iter().map(|w| w.iter().map(|&i| i as u32).collect()).collect())
    } else {
        let weight = |len: usize| if of == Of::Mean { 1.0 / divisor(len) as f32 } else { 1.0 };
        let terms = windows.iter().map(|w| w.iter().map(|&i| (i as u32, weight(w.len()))).collect());
        GraphOp::Sum(Sum { terms: terms.collect(), bias: vec![0.0; windows.len()] })
    };
    walk.push(call.name, op, vec![source], made)
}

pub(super) const MAX_POOL_ATTRIBUTES: &[&str] =
    &["kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode", "storage_order"];

/// The mean of each window; pads count only with `count_include_pad`.
pub(super) fn average_pool(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    pool(walk, call, Of::Mean)
}

/// The largest element of each window, pads left out.
pub(super) fn max_pool(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    pool(walk, call, Of::Maximum)
}

fn pool(walk: &mut Walk, call: &Call, of: Of) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(0)?;
    let kernel = window::kernel_shape(call)?;
    let axes = window::axes(call, shape.get(2..).unwrap_or(&[]), &kernel)?;
    let outputs: Vec<usize> = axes.iter().map(|a| a.outputs).collect();
    let made = [&shape[..2], &outputs].concat();
    walk.fits(call.name, &made)?;
    let taps = kernel.iter().fold(1usize, |n, &k| n.saturating_mul(k));
    walk.reserve(made.iter().product::<usize>().saturating_mul(taps))?;
    let (planes, plane): (usize, usize) = (shape[0] * shape[1], shape[2..].iter().product());
    let inside = windows(&axes);
    let all = (0..planes).flat_map(|p| inside.iter().map(move |w| w.iter().map(|i| p * plane + i).collect()));
    let include = call.int("count_include_pad", 0) != 0;
    push(walk, call, source, all.collect(), made, of, |len| if include { taps } else { len })
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
