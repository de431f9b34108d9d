//! The products of halo2's permutation argument: z_i of the i-th `degree - 2` copied columns p_j runs over
//!
//! ```text
//! z(ω^(row + 1)) = z(ω^row) · Π_j (p_j + δ^j·β·ω^row + γ) / (p_j + β·s_j + γ)
//! ```
//!
//! from the value that the one before it has at its last usable row, the first from 1. The rows behind are random.

use super::{domain::powers, key::ProvingKey};
use halo2_proofs::{
    halo2curves::{
        bn256::Fr,
        ff::{BatchInvert, Field, PrimeField},
    },
    plonk::{Any, Column},
};
use rand::RngCore;
use std::borrow::Cow;

/// Makes the products one after the other and hands each to `commit`; `values` are those of a copied column.
pub(super) fn make<'a, E>(
    pk: &ProvingKey,
    [beta, gamma]: [Fr; 2],
    values: impl Fn(&Column<Any>) -> Cow<'a, [Fr]>,
    rng: &mut impl RngCore,
    mut commit: impl FnMut(&[Fr]) -> Result<(), E>,
) -> Result<Vec<Vec<Fr>>, E> {
    let (cs, halo2) = (pk.vk.cs(), pk.vk.get_domain());
    let n = 1usize << halo2.k();
    let usable = n - (cs.blinding_factors() + 1);
    let points = powers(beta, halo2.get_omega(), n);
    let mut delta = Fr::ONE;
    let mut start = Fr::ONE;
    let mut products = Vec::new();
    let columns = cs.permutation().get_columns();
    let together = cs.degree() - 2;
    for (columns, names) in columns.chunks(together).zip(pk.permutation.chunks(together)) {
        let columns: Vec<_> = columns.iter().map(&values).collect();
        let mut steps = vec![Fr::ONE; usable];
        for (column, names) in columns.iter().zip(names) {
            for ((step, value), name) in steps.iter_mut().zip(&column[..]).zip(&names.values()[..]) {
                *step *= beta * name + gamma + value;
            }
        }
        steps.iter_mut().batch_invert();
        for column in columns {
            for ((step, value), point) in steps.iter_mut().zip(&column[..]).zip(&points) {
                *step *= delta * point + gamma + value;
            }
            delta *= Fr::DELTA;
        }
        let mut product = Vec::with_capacity(n);
        product.push(start);
        for step in steps {
            start *= step;
            product.push(start);
        }
        product.resize_with(n, || Fr::random(&mut *rng));
        commit(&product)?;
        products.push(product);
    }
    Ok(products)
}
