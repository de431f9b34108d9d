//! The second opinion: tract infers shapes and runs the same file on probes, and must agree with our graph.
//!
//! Our builders and tract read the file independently; a builder that mistakes a transpose or a broadcast is caught
//! here, on the user's own model, and not in a loan.

use super::{Graph, ModelError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

/// Relative difference allowed between tract's f32 and our f64 sums.
const TOLERANCE: f64 = 1e-3;

/// Compares the output shape and the results on two probes.
///
/// # Errors
/// [`ModelError::Disagreement`] when tract fails or its answer differs.
pub fn check(graph: &Graph, proto: &ModelProto) -> Result<(), ModelError> {
    let disagree = |problem: String| ModelError::Disagreement { problem };
    let probes = [probe(graph.input.len(), 1), probe(graph.input.len(), 2)];
    // Everything that our own checks let through should pass, but tract is large and the file a stranger's:
    // its panic must not end the caller's process.
    let theirs = catch_unwind(AssertUnwindSafe(|| run(proto, &graph.input.shape, &probes)))
        .map_err(|_| disagree("tract panicked on this file".into()))?
        .map_err(|e| disagree(format!("tract cannot run this file: {e:#}")))?;
    for (probe, (shape, values)) in probes.iter().zip(theirs) {
        if shape != graph.output.shape {
            return Err(disagree(format!("output shape {:?} here, {shape:?} in tract", graph.output.shape)));
        }
        let ours = graph.run(probe)?;
        let scale = magnitude(graph, probe)?;
        for (index, (a, b)) in ours.iter().zip(&values).enumerate() {
            // Sums of huge weights may overflow f32 in both; there is nothing to compare then.
            let close = (f64::from(*a) - f64::from(*b)).abs() <= TOLERANCE * scale;
            if a.is_finite() && b.is_finite() && !close {
                return Err(disagree(format!("output element {index} is {a} here and {b} in tract")));
            }
        }
    }
    Ok(())
}

type Answer = (Vec<usize>, Vec<f32>);

fn run(proto: &ModelProto, shape: &[usize], probes: &[Vec<f32>]) -> TractResult<Vec<Answer>> {
    // Declared shapes of inner values are hints of the exporter; both readings derive them instead.
    let mut model = tract_onnx::onnx().with_ignore_value_info(true).model_for_proto_model(proto)?;
    model.set_input_fact(0, f32::fact(shape).into())?;
    // As written: its optimiser fails on some valid graphs (a Slice with steps behind a Reshape).
    let model = model.into_typed()?.into_runnable()?;
    let answer = |probe: &Vec<f32>| {
        let output = model.run(tvec!(Tensor::from_shape(shape, probe)?.into()))?;
        let tensor = output.first().ok_or_else(|| TractError::msg("no output"))?;
        Ok((tensor.shape().to_vec(), tensor.cast_to::<f32>()?.try_as_plain_ram()?.as_slice::<f32>()?.to_vec()))
    };
    probes.iter().map(answer).collect()
}

/// Values in [-1, 1] without structure that a transpose would respect; the same on every machine.
fn probe(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        // Knuth's 64-bit linear congruential generator; the top bits are the good ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32) / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// The largest magnitude that the computation passed through, at least 1: what f32 rounding is relative to.
fn magnitude(graph: &Graph, probe: &[f32]) -> Result<f64, ModelError> {
    let wide: Vec<f64> = probe.iter().map(|&v| f64::from(v)).collect();
    let trace = graph.trace(&wide)?;
    Ok(trace.iter().flatten().fold(1.0f64, |m, v| m.max(v.abs())))
}
