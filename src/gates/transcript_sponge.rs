//! The sponge of aggregated proofs' transcripts: circomlib's Poseidon, width 3, two cells a step (`docs/aggregation.md`, with a test vector).
//!
//! ```text
//! state = (DOMAIN, 0, 0)
//! absorb(v):   queue = queue | v
//! squeeze():   queue = queue | 1 | 0 where its length is odd without it
//!              for each pair (a, b) of the queue:  state = permute(state + (0, a, b))
//!              queue is empty;  the challenge is the second cell of the state
//! ```
//!
//! The 1 closes the queue, so that two queues of different lengths are never the same steps; every squeeze permutes at least once.

use super::poseidon_params::{Parameters, WIDTH};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fq, Fr, G1Affine},
        ff::{FromUniformBytes, PrimeField},
        group::prime::PrimeCurveAffine,
    },
};

/// The bytes of [`domain`], a number in big-endian order.
pub const DOMAIN: &[u8] = b"zkml-evm.transcript.v1";

/// What the first cell of the state starts with, the other two being 0: it separates transcripts from every other use of Poseidon.
pub fn domain() -> Fr {
    DOMAIN.iter().fold(Fr::ZERO, |value, byte| value * Fr::from(256) + Fr::from(u64::from(*byte)))
}

/// The pairs of a queue that is closed.
pub fn pairs<T: Copy>(mut queue: Vec<T>, one: T, zero: T) -> Vec<[T; 2]> {
    queue.push(one);
    if queue.len() % 2 == 1 {
        queue.push(zero);
    }
    queue.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// The coordinates of a point, each an integer below q, modulo r; none of the point at infinity.
pub fn coordinates(point: &G1Affine) -> Option<[Fr; 2]> {
    (!bool::from(point.is_identity())).then(|| [point.x, point.y].map(reduce))
}

fn reduce(coordinate: Fq) -> Fr {
    let mut wide = [0; 64];
    wide[..32].copy_from_slice(coordinate.to_repr().as_ref());
    Fr::from_uniform_bytes(&wide)
}

/// The sponge on values.
#[derive(Clone, Debug)]
pub struct Sponge {
    state: [Fr; WIDTH],
    queue: Vec<Fr>,
}

impl Default for Sponge {
    fn default() -> Self {
        Self { state: [domain(), Fr::ZERO, Fr::ZERO], queue: Vec::new() }
    }
}

impl Sponge {
    /// Queues a value.
    pub fn absorb(&mut self, value: Fr) {
        self.queue.push(value);
    }

    /// A challenge of everything absorbed so far.
    pub fn squeeze(&mut self) -> Fr {
        for [left, right] in pairs(std::mem::take(&mut self.queue), Fr::ONE, Fr::ZERO) {
            let [first, second, third] = self.state;
            self.state = Parameters::get().permute([first, second + left, third + right]);
        }
        self.state[1]
    }
}

#[cfg(test)]
#[path = "sponge_tests.rs"]
mod tests;
