//! `Σ scalar * point`, by windows of five bits: one chain of doublings for all points.
//!
//! A scalar s has 51 digits `e_i` in 0 .. 31 with
//!
//! ```text
//! s = Σ (2 e_i - 31) 32^i  mod r,       so  Σ e_i 32^i = s / 2 + 31/2 Σ 32^i  mod r
//! ```
//!
//! Every digit then stands for an odd multiple, never for the point at infinity. The sum starts from a point H that nobody knows a discrete
//! logarithm of, so that no honest sum meets the two points of equal x which the incomplete addition refuses, and `32^50 H` is subtracted at the
//! end.

use super::points::{MULTIPLES, Multiple, Points};
use super::sheet::Cell;
use crate::gates::TraceError;
use alloy::primitives::keccak256;
use halo2_proofs::{
    arithmetic::{CurveAffine, Field},
    halo2curves::{
        bn256::{Fq, Fr, G1Affine},
        ff::{FromUniformBytes, PrimeField},
    },
};

/// Bits of a digit.
pub const WINDOW: u32 = 5;
/// Digits of a scalar: `32^51 > r`.
pub const DIGITS: usize = 51;

/// A point's table, and the digits of its scalar, the least first.
#[derive(Clone, Debug)]
pub struct Term {
    /// The table.
    pub id: usize,
    /// The digits.
    pub digits: Vec<usize>,
}

impl Term {
    /// The term of a scalar.
    pub fn new(id: usize, scalar: Fr) -> Self {
        let mut value = alloy::primitives::U256::from_le_bytes((scalar * Fr::TWO_INV + digit_offset()).to_repr());
        let mask = (1usize << WINDOW) - 1;
        let mut next = || {
            let digit = value.as_limbs()[0] as usize & mask;
            value >>= WINDOW as usize;
            digit
        };
        Self { id, digits: (0..DIGITS).map(|_| next()).collect() }
    }
}

/// `31/2 Σ 32^i`
pub fn digit_offset() -> Fr {
    let base = Fr::from(2 * MULTIPLES as u64);
    let sum = (0..DIGITS).fold(Fr::ZERO, |sum, _| sum * base + Fr::ONE);
    sum * Fr::from(2 * MULTIPLES as u64 - 1) * Fr::TWO_INV
}

/// Where a sum starts from and what is added at its end.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    point: G1Affine,
    end: Multiple,
}

impl Start {
    /// Places `-32^50 H`.
    pub fn place(points: &mut Points<'_>) -> Result<Self, TraceError> {
        let point = starting_point();
        let shift = Fr::from(2 * MULTIPLES as u64).pow_vartime([DIGITS as u64 - 1]);
        let end = points.known_single(&(point * -shift).into())?;
        Ok(Self { point, end })
    }
}

/// Places a sum; the unit's last point is the result. Returns the cells of each term's digits.
pub fn place(points: &mut Points<'_>, start: &Start, terms: &[Term]) -> Result<Vec<Vec<Cell>>, TraceError> {
    let mut cells = vec![Vec::with_capacity(DIGITS); terms.len()];
    points.known(&start.point)?;
    for window in (0..DIGITS).rev() {
        if window + 1 < DIGITS {
            for _ in 0..WINDOW {
                points.double()?;
            }
        }
        for (term, cells) in terms.iter().zip(&mut cells) {
            cells.push(points.add(Multiple { id: term.id, digit: term.digits[window] })?);
        }
    }
    points.add_told(start.end)?;
    cells.iter_mut().for_each(|cells| cells.reverse());
    Ok(cells)
}

/// H: the first point of the curve whose x is `keccak256("zkml-evm.aggregate.start" | i)`, 64 bytes of it modulo q, with i counted from 0; of its
/// two y the one that is even.
pub fn starting_point() -> G1Affine {
    let candidates = (0u8..).map(|i| {
        let half = |j: u8| keccak256([b"zkml-evm.aggregate.start".as_slice(), &[i, j]].concat());
        let mut wide = [0u8; 64];
        wide[..32].copy_from_slice(half(0).as_slice());
        wide[32..].copy_from_slice(half(1).as_slice());
        Fq::from_uniform_bytes(&wide)
    });
    let mut points = candidates.filter_map(|x| {
        let y: Fq = Option::from((x.square() * x + Fq::from(3)).sqrt())?;
        let y = if y.to_repr()[0] & 1 == 0 { y } else { -y };
        Option::<G1Affine>::from(G1Affine::from_xy(x, y))
    });
    points.next().unwrap_or_default()
}

#[cfg(test)]
#[path = "multiply_tests.rs"]
mod tests;
