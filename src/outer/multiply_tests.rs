//! Sums on rows against sums of points.

use super::*;
use crate::outer::{modular::ELEMENT_ROWS, shape::Widths, sheet::Sheet};
use halo2_proofs::halo2curves::{bn256::G1, group::Curve};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

#[test]
fn digits_stand_for_their_scalar() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let some = (0..20).map(|_| Fr::random(&mut rng)).collect::<Vec<_>>();
    for scalar in [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::TWO_INV].into_iter().chain(some) {
        let digits = Term::new(1, scalar).digits;
        let odd = |digit: usize| Fr::from(2 * digit as u64) - Fr::from(31);
        assert!(digits.len() == DIGITS && digits.iter().all(|&digit| digit < 2 * MULTIPLES));
        assert_eq!(digits.iter().rev().fold(Fr::ZERO, |sum, &digit| sum * Fr::from(32) + odd(digit)), scalar);
    }
}

#[test]
fn sums_agree_with_the_curve() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut sheet = Sheet::new(Widths { k: 16, stack: 4 }).unwrap();
    let mut points = Points::new(&mut sheet);
    let bases: Vec<G1Affine> = (0..4).map(|_| (G1Affine::generator() * Fr::random(&mut rng)).to_affine()).collect();
    let mut ids: Vec<usize> = bases[..3].iter().map(|base| points.table(base).unwrap().0).collect();
    ids.push(points.known_table(&bases[3]).unwrap());
    let start = Start::place(&mut points).unwrap();
    let [x, y] = [Fr::random(&mut rng), Fr::random(&mut rng)];
    for scalars in
        [[x, Fr::ZERO, Fr::ONE, -Fr::ONE], [-Fr::ONE, y, Fr::ZERO, Fr::from(2)], [Fr::ZERO, Fr::ZERO, Fr::ZERO, Fr::ONE]]
    {
        let terms: Vec<Term> = ids.iter().zip(scalars).map(|(&id, scalar)| Term::new(id, scalar)).collect();
        let cells = place(&mut points, &start, &terms).unwrap();
        assert!(cells.iter().zip(&terms).all(|(cells, term)| cells.len() == DIGITS && term.digits.len() == DIGITS));
        for (cell, digit) in cells.iter().flatten().zip(terms.iter().flat_map(|term| &term.digits)) {
            assert_eq!(points.sheet.value(*cell), Fr::from(*digit as u64));
        }
        let expected: G1Affine = bases.iter().zip(scalars).map(|(base, scalar)| base * scalar).sum::<G1>().into();
        let limbs = points.limbs();
        assert_eq!(limbs[1][0].row, points.rows() - ELEMENT_ROWS);
        for (coordinate, limbs) in [expected.x, expected.y].iter().zip(limbs) {
            let shift = Fq::from(2).pow_vartime([65u64]);
            let limb = |cell: &Cell| Fq::from_repr(points.sheet.value(*cell).to_repr()).unwrap();
            assert_eq!(limbs.iter().rev().fold(Fq::ZERO, |sum, cell| sum * shift + limb(cell)), *coordinate);
        }
    }
}
