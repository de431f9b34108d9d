//! Poseidon's parameters for BN254, width 3, 8 full and 57 partial rounds: circomlib's constants, generated as in the paper
//! (Grassi et al., 2021, appendix F: the Grain LFSR), and the permutation on values.

use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{bn256::Fr, ff::PrimeField},
};
use std::sync::LazyLock;

/// State width.
pub const WIDTH: usize = 3;
/// Full rounds, half before and half after the partial ones.
pub const FULL_ROUNDS: usize = 8;
/// Partial rounds.
pub const PARTIAL_ROUNDS: usize = 57;
const FIELD_BITS: usize = 254;

/// Round constants and the MDS matrix (`next_i = sum_j mds[i][j] * state_j`).
#[derive(Clone, Debug)]
pub struct Parameters {
    /// One triple per round.
    pub constants: Vec<[Fr; WIDTH]>,
    /// Rows of the matrix.
    pub mds: [[Fr; WIDTH]; WIDTH],
}

impl Parameters {
    /// The parameters, generated once in a process.
    pub fn get() -> &'static Self {
        static PARAMETERS: LazyLock<Parameters> = LazyLock::new(Parameters::generate);
        &PARAMETERS
    }

    fn generate() -> Self {
        let mut grain = Grain::new();
        let constants = (0..FULL_ROUNDS + PARTIAL_ROUNDS).map(|_| std::array::from_fn(|_| grain.next_canonical())).collect();
        let xs: [Fr; WIDTH] = std::array::from_fn(|_| grain.next_reduced());
        let ys: [Fr; WIDTH] = std::array::from_fn(|_| grain.next_reduced());
        let mds = xs.map(|x| ys.map(|y| (x + y).invert().unwrap_or(Fr::ZERO)));
        Self { constants, mds }
    }

    /// Whether round `index` applies the S-box to the whole state.
    pub fn is_full(index: usize) -> bool {
        !(FULL_ROUNDS / 2..FULL_ROUNDS / 2 + PARTIAL_ROUNDS).contains(&index)
    }

    /// One round on values.
    pub fn round(&self, index: usize, state: [Fr; WIDTH]) -> [Fr; WIDTH] {
        let shifted: [Fr; WIDTH] = std::array::from_fn(|i| state[i] + self.constants[index][i]);
        let boxed: [Fr; WIDTH] =
            std::array::from_fn(|i| if i == 0 || Self::is_full(index) { fifth_power(shifted[i]) } else { shifted[i] });
        self.mds.map(|row| row.iter().zip(&boxed).map(|(m, s)| *m * s).sum())
    }

    /// All rounds on values.
    pub fn permute(&self, state: [Fr; WIDTH]) -> [Fr; WIDTH] {
        (0..self.constants.len()).fold(state, |state, index| self.round(index, state))
    }

    /// circomlib's `poseidon([left, right])`.
    pub fn hash2(&self, left: Fr, right: Fr) -> Fr {
        self.permute([Fr::ZERO, left, right])[0]
    }
}

fn fifth_power(x: Fr) -> Fr {
    x.square().square() * x
}

/// The self-shrinking Grain LFSR that the reference script seeds with the parameters of the permutation.
struct Grain {
    bits: [bool; 80],
    at: usize,
}

impl Grain {
    fn new() -> Self {
        let fields: [(usize, usize); 7] = [
            (1, 2), // prime field
            (0, 4), // S-box x^alpha
            (FIELD_BITS, 12),
            (WIDTH, 12),
            (FULL_ROUNDS, 10),
            (PARTIAL_ROUNDS, 10),
            ((1 << 30) - 1, 30),
        ];
        let mut seed = fields.iter().flat_map(|&(value, width)| (0..width).rev().map(move |bit| value >> bit & 1 == 1));
        let mut grain = Self { bits: std::array::from_fn(|_| seed.next().unwrap_or(false)), at: 0 };
        for _ in 0..160 {
            grain.step();
        }
        grain
    }

    fn step(&mut self) -> bool {
        let tap = |offset: usize| self.bits[(self.at + offset) % 80];
        let bit = tap(62) ^ tap(51) ^ tap(38) ^ tap(23) ^ tap(13) ^ tap(0);
        self.bits[self.at] = bit;
        self.at = (self.at + 1) % 80;
        bit
    }

    fn next_bit(&mut self) -> bool {
        while !self.step() {
            self.step();
        }
        self.step()
    }

    /// 254 bits, most significant first, as little-endian bytes.
    fn next_bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0u8; 32];
        for bit in (0..FIELD_BITS).rev() {
            bytes[bit / 8] |= u8::from(self.next_bit()) << (bit % 8);
        }
        bytes
    }

    fn next_canonical(&mut self) -> Fr {
        loop {
            if let Some(value) = Option::<Fr>::from(Fr::from_repr(self.next_bytes())) {
                return value;
            }
        }
    }

    fn next_reduced(&mut self) -> Fr {
        let mut wide = [0u8; 64];
        wide[..32].copy_from_slice(&self.next_bytes());
        <Fr as halo2_proofs::halo2curves::ff::FromUniformBytes<64>>::from_uniform_bytes(&wide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_circomlib() {
        let expected = "7853200120776062878684798364095072458815029376092732009249414926327459813530";
        let got = Parameters::get().hash2(Fr::from(1), Fr::from(2));
        assert_eq!(got, Fr::from_str_vartime(expected).unwrap());
    }
}
