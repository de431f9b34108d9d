//! Windows that slide over the spatial axes of `[N, C, ...]`: kernel, strides, pads and dilations, checked.

use super::Call;
use crate::model::{
    ModelError,
    stencil::{Axis, MAX_SIDE},
};

/// The axes of a node on spatial sizes `sizes`, whose kernel is `kernel`.
pub(super) fn axes(call: &Call, sizes: &[usize], kernel: &[usize]) -> Result<Vec<Axis>, ModelError> {
    let rank = sizes.len();
    if rank == 0 || kernel.len() != rank {
        return Err(call.bad_shape(format!("a kernel of shape {kernel:?} on spatial axes {sizes:?}")));
    }
    let strides = list(call, "strides", rank, 1)?;
    let dilations = list(call, "dilations", rank, 1)?;
    let pads = list(call, "pads", 2 * rank, 0)?;
    let auto = call.text("auto_pad").unwrap_or_default();
    (0..rank)
        .map(|i| {
            let (size, kernel, stride, dilation) = (sizes[i], kernel[i], strides[i], dilations[i]);
            if [size, kernel, stride, dilation].contains(&0) {
                return Err(call.bad_shape(format!("axis {i} has a size, kernel, stride or dilation of zero")));
            }
            let reach = (kernel - 1).saturating_mul(dilation).saturating_add(1);
            let (before, behind) = match auto.as_str() {
                "" | "NOTSET" => (pads[i], pads[rank + i]),
                "VALID" => (0, 0),
                "SAME_UPPER" | "SAME_LOWER" => {
                    let total = ((size.div_ceil(stride) - 1) * stride).saturating_add(reach).saturating_sub(size);
                    let (less, more) = (total / 2, total - total / 2);
                    if auto == "SAME_UPPER" { (less, more) } else { (more, less) }
                }
                other => return Err(call.refuse(&format!("auto_pad `{other}`"))),
            };
            let padded = size.saturating_add(before).saturating_add(behind);
            if reach > padded || padded > MAX_SIDE || stride > MAX_SIDE {
                return Err(
                    call.bad_shape(format!("axis {i}: a window of {reach} on {size} elements and pads {before}, {behind}"))
                );
            }
            if call.int("ceil_mode", 0) != 0 && !(padded - reach).is_multiple_of(stride) {
                return Err(call.refuse("ceil_mode with windows that do not fit; pad the input instead"));
            }
            let outputs = (padded - reach) / stride + 1;
            Ok(Axis { size, kernel, stride, dilation, before, outputs })
        })
        .collect()
}

/// The attribute `kernel_shape`.
pub(super) fn kernel_shape(call: &Call) -> Result<Vec<usize>, ModelError> {
    let sizes = call.ints("kernel_shape").ok_or_else(|| call.refuse("`kernel_shape` is missing"))?;
    sizes.iter().map(|&d| dimension(call, "kernel_shape", d)).collect()
}

/// The attribute `name`, `len` numbers; `default` where it is absent.
pub(super) fn list(call: &Call, name: &str, len: usize, default: usize) -> Result<Vec<usize>, ModelError> {
    match call.ints(name) {
        None | Some([]) => Ok(vec![default; len]),
        Some(values) if values.len() == len => values.iter().map(|&v| dimension(call, name, v)).collect(),
        Some(values) => Err(call.bad_shape(format!("`{name}` holds {} numbers, expected {len}", values.len()))),
    }
}

fn dimension(call: &Call, name: &str, value: i64) -> Result<usize, ModelError> {
    let valid = usize::try_from(value).ok().filter(|&v| v <= MAX_SIDE);
    valid.ok_or_else(|| call.bad_shape(format!("`{name}` holds {value}, allowed are 0..={MAX_SIDE}")))
}
