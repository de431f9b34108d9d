//! The quotient of a proof: h = N / (X^n - 1), where N is the sum of all constraints by powers of y.
//!
//! A quotient of q·n coefficients (q + 1 is the gates' degree) is known by its values on q cosets g_j·H of the n-th roots of unity, and one coset is
//! computed after the other. On g_j·H, h is equal to the polynomial of n coefficients
//!
//! ```text
//! h mod (X^n - g_j^n) = Σ_m z_j^m · h_m        z_j = g_j^n
//! ```
//!
//! of its pieces h_m, so these are found from q such polynomials, coefficient by coefficient, by the inverse of a small Vandermonde matrix.
//! X^n - 1 has one value on each coset, z_j - 1.

use super::{
    domain::{Domain, powers},
    formula::{Formula, Part, Steps},
    key::{Polynomials, ProvingKey},
};
use halo2_proofs::{
    arithmetic::lagrange_interpolate,
    halo2curves::{
        bn256::Fr,
        ff::{Field, PrimeField, WithSmallOrderMulGroup},
    },
    plonk::Any,
};
use rayon::prelude::*;

/// Coefficients that a thread takes at a time.
const CHUNK: usize = 1 << 10;

/// What the verifier draws before the quotient.
#[derive(Clone, Debug)]
pub(super) struct Challenges {
    /// The circuit's own.
    pub circuit: Vec<Fr>,
    /// The permutation's.
    pub beta: Fr,
    pub gamma: Fr,
    /// The quotient's.
    pub y: Fr,
}

/// The prover's polynomials, by their coefficients. They are the witness: no `Debug` shows them.
pub(super) struct Committed {
    pub advice: Vec<Vec<Fr>>,
    pub instance: Vec<Vec<Fr>>,
    /// The permutation's products.
    pub products: Vec<Vec<Fr>>,
}

/// The pieces of the quotient.
pub(super) fn pieces(
    domain: &Domain,
    pk: &ProvingKey,
    key: &Polynomials,
    of: &Committed,
    challenges: &Challenges,
) -> Vec<Vec<Fr>> {
    let halo2 = pk.vk.get_domain();
    let n = 1usize << halo2.k();
    let columns = Columns::of(pk, of.products.len());
    let steps = columns.steps(pk, challenges);
    let polynomials = polynomials(key, of);
    let cosets = powers(Fr::ZETA, halo2.get_extended_omega(), pk.vk.cs().degree() - 1);
    let mut values = Vec::new();
    let mut parts = Vec::new();
    for g in &cosets {
        domain.values_on_coset(&polynomials, *g, &mut values);
        values.push(domain.points(*g));
        parts.extend(domain.coefficients(&[&steps.values(domain.width, &values)]));
    }
    drop(values);
    apart(n, &cosets, &parts, domain.width.scale())
}

/// The pieces out of the polynomials on the cosets, of which coefficient i is still multiplied by g_j^i, by the scale and by z_j - 1.
fn apart(n: usize, cosets: &[Fr], parts: &[Vec<Fr>], scale: Fr) -> Vec<Vec<Fr>> {
    let points: Vec<Fr> = cosets.iter().map(|g| g.pow([n as u64])).collect();
    // The columns of the inverse matrix: the polynomials that are 1 at one of the points and 0 at the others.
    let columns: Vec<Vec<Fr>> = (0..points.len())
        .map(|j| {
            let unit: Vec<Fr> = (0..points.len()).map(|i| if i == j { Fr::ONE } else { Fr::ZERO }).collect();
            // Neither is zero: z_j has an order that 3 divides, and the scale is a small number.
            let factor = (scale * (points[j] - Fr::ONE)).invert().unwrap_or(Fr::ZERO);
            lagrange_interpolate(&points, &unit).into_iter().map(|entry| entry * factor).collect()
        })
        .collect();
    let inverses: Vec<Fr> = cosets.iter().map(|g| g.invert().unwrap_or(Fr::ZERO)).collect();
    let chunk = CHUNK.min(n);
    let chunks: Vec<Vec<Vec<Fr>>> = (0..n / chunk)
        .into_par_iter()
        .map(|at| {
            let mut pieces = vec![vec![Fr::ZERO; chunk]; points.len()];
            for ((part, inverse), column) in parts.iter().zip(&inverses).zip(&columns) {
                let mut back = inverse.pow([(at * chunk) as u64]);
                for (i, coefficient) in part[at * chunk..(at + 1) * chunk].iter().enumerate() {
                    let coefficient = back * coefficient;
                    back *= inverse;
                    pieces.iter_mut().zip(column).for_each(|(piece, entry)| piece[i] += coefficient * entry);
                }
            }
            pieces
        })
        .collect();
    (0..points.len()).map(|m| chunks.iter().flat_map(|pieces| &pieces[m]).copied().collect()).collect()
}

/// All columns but X, in the order of [`Columns`].
fn polynomials<'a>(key: &'a Polynomials, of: &'a Committed) -> Vec<&'a [Fr]> {
    let given = of.advice.iter().chain(&of.instance).chain(&of.products);
    key.fixed.iter().chain(given).chain(&key.permutation).chain(&key.rows).map(|polynomial| &polynomial[..]).collect()
}

/// Where each column stands in the formula of the constraints.
struct Columns {
    fixed: usize,
    advice: usize,
    instance: usize,
    products: std::ops::Range<usize>,
    permutation: usize,
    /// 1 on the first row, on the last usable one, and on all before that.
    first: usize,
    last: usize,
    usable: usize,
    /// X.
    point: usize,
}

impl Columns {
    fn of(pk: &ProvingKey, products: usize) -> Self {
        let fixed = pk.fixed.len();
        let instance = fixed + pk.vk.cs().num_advice_columns();
        let products = instance + 1..instance + 1 + products;
        let permutation = products.end;
        let first = permutation + pk.permutation.len();
        Self {
            fixed: 0,
            advice: fixed,
            instance,
            products,
            permutation,
            first,
            last: first + 1,
            usable: first + 2,
            point: first + 3,
        }
    }

    /// All constraints by powers of y, in halo2's order: gates, then the permutation's.
    fn steps(&self, pk: &ProvingKey, challenges: &Challenges) -> Steps {
        let mut formula = Formula::default();
        let gates = pk.vk.cs().gates().iter().flat_map(|gate| gate.polynomials());
        let mut constraints: Vec<Part> =
            gates.map(|polynomial| formula.expression(polynomial, self.advice, &challenges.circuit)).collect();
        self.permutation(pk, challenges, &mut formula, &mut constraints);
        let y = formula.constant(challenges.y);
        let mut sum = formula.constant(Fr::ZERO);
        for constraint in constraints {
            let shifted = formula.mul(sum, y);
            sum = formula.add(shifted, constraint);
        }
        formula.steps(sum)
    }

    /// The permutation's constraints, of its products z_i over some of the copied columns p_j each:
    ///
    /// ```text
    /// first  · (1 - z_0)                = 0
    /// last   · (z_l² - z_l)             = 0        of the last product
    /// first  · (z_i - z_(i-1)(ω^end X)) = 0
    /// usable · (z_i(ωX) · Π_j (p_j + β·s_j + γ) - z_i · Π_j (p_j + δ^j·β·X + γ)) = 0
    /// ```
    fn permutation(&self, pk: &ProvingKey, challenges: &Challenges, formula: &mut Formula, constraints: &mut Vec<Part>) {
        let cs = pk.vk.cs();
        let end = -(cs.blinding_factors() as i32 + 1);
        let [first, last, usable, point] = [self.first, self.last, self.usable, self.point].map(|column| formula.cell(column, 0));
        let products: Vec<[Part; 3]> =
            self.products.clone().map(|column| [0, 1, end].map(|rotation| formula.cell(column, rotation))).collect();
        let ([z, _, _], [z_last, _, _]) = match (products.first(), products.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => return,
        };
        let one = formula.constant(Fr::ONE);
        let begins = formula.sub(one, z);
        constraints.push(formula.mul(begins, first));
        let square = formula.mul(z_last, z_last);
        let ends = formula.sub(square, z_last);
        constraints.push(formula.mul(ends, last));
        for pair in products.windows(2) {
            let goes_on = formula.sub(pair[1][0], pair[0][2]);
            constraints.push(formula.mul(goes_on, first));
        }
        let [beta, gamma] = [challenges.beta, challenges.gamma].map(|challenge| formula.constant(challenge));
        let columns = cs.permutation().get_columns();
        let mut delta = challenges.beta;
        for (i, (columns, [z, next, _])) in columns.chunks(cs.degree() - 2).zip(products).enumerate() {
            let (mut left, mut right) = (next, z);
            for (j, column) in columns.iter().enumerate() {
                let cell = formula.cell(self.column(column.column_type(), column.index()), 0);
                let value = formula.add(cell, gamma);
                let sigma = formula.cell(self.permutation + i * (cs.degree() - 2) + j, 0);
                let (name, coset) = (formula.mul(sigma, beta), formula.constant(delta));
                let own = formula.mul(point, coset);
                for (product, name) in [(&mut left, name), (&mut right, own)] {
                    let factor = formula.add(value, name);
                    *product = formula.mul(*product, factor);
                }
                delta *= Fr::DELTA;
            }
            let moved = formula.sub(left, right);
            constraints.push(formula.mul(moved, usable));
        }
    }

    fn column(&self, kind: &Any, index: usize) -> usize {
        match kind {
            Any::Fixed => self.fixed + index,
            Any::Advice(_) => self.advice + index,
            Any::Instance => self.instance + index,
        }
    }
}
