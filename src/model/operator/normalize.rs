//! BatchNormalization at inference: one scale and one shift per channel, if possible inside the layer before.

use super::Call;
use super::arithmetic::{Stored, scale_and_shift};
use crate::model::ModelError;
use crate::model::import::{Value, Walk};

/// Momentum matters to training alone; `training_mode` and `spatial` must have their defaults.
pub(super) const ATTRIBUTES: &[&str] = &["epsilon", "momentum", "training_mode", "spatial"];

/// `scale * (x - mean) / sqrt(var + epsilon) + b`, by channel.
pub(super) fn batch(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    if call.int("training_mode", 0) != 0 || call.int("spatial", 1) != 1 {
        return Err(call.refuse("export for inference, with statistics by channel"));
    }
    let (_, shape) = call.tensor(0)?;
    let channels = shape.get(1).copied().unwrap_or(1);
    let mut parts = Vec::with_capacity(4);
    for index in 1..=4 {
        let (dims, values) = call.weights(index)?;
        if dims != [channels] {
            return Err(call.bad_shape(format!("input {index} has shape {dims:?}, expected [{channels}]")));
        }
        parts.push(values);
    }
    let epsilon = f64::from(call.float("epsilon", 1e-5));
    let factor = |c: usize| f64::from(parts[0][c]) / (f64::from(parts[3][c]) + epsilon).sqrt();
    let offset = |c: usize| f64::from(parts[1][c]) - f64::from(parts[2][c]) * factor(c);
    let all: Vec<(f32, f32)> = (0..channels).map(|c| (factor(c) as f32, offset(c) as f32)).collect();
    // [C, 1, 1] broadcasts over [N, C, H, W]. The stored numbers are the channels' own positions.
    let stored = Stored {
        shape: [vec![channels], vec![1; shape.len().saturating_sub(2)]].concat(),
        values: (0..channels).map(|c| c as f32).collect(),
    };
    scale_and_shift(walk, call, 0, stored, |c| all[c as usize])
}
