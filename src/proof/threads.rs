//! How many threads work for a circuit.

use super::ProofError;
use crate::circuit::plan::ONE_THREAD_K;

/// Does `work` for a circuit of 2^k rows: halo2 works in rayon's current pool, and the one of all processors costs a small circuit more than it gives.
pub(super) fn on_threads<R: Send>(k: u32, work: impl FnOnce() -> R + Send) -> Result<R, ProofError> {
    if k > ONE_THREAD_K {
        return Ok(work());
    }
    let failed = |e: rayon::ThreadPoolBuildError| ProofError::Halo2 { doing: "starting a thread", problem: e.to_string() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(failed)?;
    Ok(pool.install(work))
}
