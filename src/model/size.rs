//! The limits on declared sizes; checked before anything is allocated by them.

/// Elements of the model's input, of any result, and of the output (2^20).
pub const MAX_RESULT_ELEMENTS: usize = 1 << 20;
/// Elements of one stored tensor (2^24); the file's own limit bounds their sum.
pub const MAX_TENSOR_ELEMENTS: usize = 1 << 24;
/// Weights of all layers met while reading, counting a layer twice where an Add gives it its bias (2^25).
pub const MAX_WALK_PARAMETERS: usize = 1 << 25;
/// Nodes of a graph.
pub const MAX_NODES: usize = 4096;

/// The product of the dimensions; `None` when it leaves `usize`.
pub fn element_count(shape: &[usize]) -> Option<usize> {
    // A zero anywhere makes the tensor empty, whatever the other dimensions claim.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}
