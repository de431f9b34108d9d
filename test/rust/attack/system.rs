//! The constraints of a circuit, multiplied out: for every gate and row a sparse polynomial in the advice cells, with the fixed
//! values and the challenges put in. What is zero whatever the prover writes disappears, so the list says which cells a gate
//! really reads, what is linear in what, and what a change of one cell can violate.

use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Column, ConstraintSystem, Expression, Fixed},
    poly::Rotation,
};
use std::collections::HashMap;
use zkml_evm::gates::{Columns, Stack, Trace};

/// An advice cell: `column * rows + row`.
pub type CellId = u32;

/// A coefficient and the cells that it multiplies, sorted; a cell stands there as often as its power.
pub type Term = (Fr, Vec<CellId>);

/// `sum of terms = 0`.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// The name that the gate gave it, `copy`, or `instance`.
    pub name: String,
    /// The row of the gate.
    pub row: usize,
    /// The polynomial.
    pub terms: Vec<Term>,
}

impl Constraint {
    /// The cells in it, each once.
    pub fn cells(&self) -> Vec<CellId> {
        let mut cells: Vec<CellId> = self.terms.iter().flat_map(|(_, cells)| cells.iter().copied()).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    }

    /// Its value.
    pub fn eval(&self, values: &[Fr]) -> Fr {
        self.terms.iter().map(|(c, cells)| cells.iter().fold(*c, |product, &cell| product * values[cell as usize])).sum()
    }

    /// `(A, B)` with `constraint = A * cell + B`, when the cell stands in it to the first power only.
    pub fn linear_in(&self, cell: CellId, values: &[Fr]) -> Option<(Fr, Fr)> {
        let (mut a, mut b) = (Fr::ZERO, Fr::ZERO);
        for (coefficient, cells) in &self.terms {
            let power = cells.iter().filter(|&&c| c == cell).count();
            let rest = cells.iter().filter(|&&c| c != cell).fold(*coefficient, |product, &c| product * values[c as usize]);
            match power {
                0 => b += rest,
                1 => a += rest,
                _ => return None,
            }
        }
        Some((a, b))
    }
}

/// Every constraint of `trace` (gates on all rows, copies, instances) for the given challenges, in the order γ, β.
pub fn constraints(trace: &Trace, instances: &[Fr], challenges: [Fr; 3]) -> Vec<Constraint> {
    let rows = trace.shape.rows();
    let mut all = layout(trace, challenges);
    let cell = |row: usize| (trace.columns.a.index() * rows + row) as CellId;
    for (from, to) in &trace.copies {
        let terms = vec![(Fr::ONE, vec![cell(from.row)]), (-Fr::ONE, vec![cell(to.row)])];
        all.push(Constraint { name: "copy".into(), row: to.row, terms });
    }
    for (exposed, index) in &trace.exposed {
        let terms = vec![(Fr::ONE, vec![cell(exposed.row)]), (-instances[*index], vec![])];
        all.push(Constraint { name: "instance".into(), row: exposed.row, terms });
    }
    all
}

/// The gates' constraints of the layout.
pub fn layout(trace: &Trace, challenges: [Fr; 3]) -> Vec<Constraint> {
    let mut cs = ConstraintSystem::default();
    Columns::configure(&mut cs, &trace.shape);
    gates(&cs, &trace.fixed, trace.shape.rows(), challenges)
}

/// The constraints of the columns that are really committed, in the layout's cells: stacks of the layout's columns. Cells that no column
/// of the layout has are `u32::MAX`. The row is the circuit's.
pub fn committed(trace: &Trace, challenges: [Fr; 3]) -> Vec<Constraint> {
    let mut cs = ConstraintSystem::default();
    let stack = Stack::configure(&mut cs, &trace.shape);
    let (rows, layout_rows) = (1usize << trace.shape.k, trace.shape.rows());
    let mut fixed = vec![vec![Fr::ZERO; rows]; cs.num_fixed_columns()];
    for (place, values) in stack.fixed.iter().zip(&trace.fixed) {
        for (row, value) in values[..=trace.end].iter().enumerate() {
            fixed[place.column.index()][stack.row(place, row)] = *value;
        }
    }
    let mut cells = vec![CellId::MAX; cs.num_advice_columns() * rows];
    for (column, place) in stack.advice.iter().enumerate() {
        for row in 0..=trace.end {
            let cell = &mut cells[place.column.index() * rows + stack.row(place, row)];
            assert_eq!(*cell, CellId::MAX, "no two cells of the layout are one");
            *cell = (column * layout_rows + row) as CellId;
        }
    }
    let mut all = gates(&cs, &fixed, rows, challenges);
    for (_, factors) in all.iter_mut().flat_map(|constraint| &mut constraint.terms) {
        factors.iter_mut().for_each(|cell| *cell = cells[*cell as usize]);
        factors.sort_unstable();
    }
    all.iter_mut().for_each(|constraint| constraint.terms = merged(std::mem::take(&mut constraint.terms)));
    all
}

fn gates(cs: &ConstraintSystem<Fr>, fixed: &[Vec<Fr>], rows: usize, challenges: [Fr; 3]) -> Vec<Constraint> {
    let mut all = Vec::new();
    for gate in cs.gates() {
        for (i, polynomial) in gate.polynomials().iter().enumerate() {
            for row in 0..rows {
                let terms = expand(polynomial, &At { fixed, rows, row, challenges });
                if !terms.is_empty() {
                    all.push(Constraint { name: gate.constraint_name(i).into(), row, terms });
                }
            }
        }
    }
    all
}

struct At<'a> {
    fixed: &'a [Vec<Fr>],
    rows: usize,
    row: usize,
    challenges: [Fr; 3],
}

impl At<'_> {
    fn rotated(&self, rotation: Rotation) -> usize {
        (self.row as i64 + i64::from(rotation.0)).rem_euclid(self.rows as i64) as usize
    }
}

fn expand(expression: &Expression<Fr>, at: &At) -> Vec<Term> {
    let constant = |c: Fr| if c == Fr::ZERO { vec![] } else { vec![(c, vec![])] };
    match expression {
        Expression::Constant(c) => constant(*c),
        Expression::Fixed(query) => constant(at.fixed[query.column_index()][at.rotated(query.rotation())]),
        Expression::Advice(query) => {
            vec![(Fr::ONE, vec![(query.column_index() * at.rows + at.rotated(query.rotation())) as CellId])]
        }
        Expression::Challenge(challenge) => constant(at.challenges[challenge.index()]),
        Expression::Negated(e) => scaled(expand(e, at), -Fr::ONE),
        Expression::Scaled(e, factor) => scaled(expand(e, at), *factor),
        Expression::Sum(a, b) => {
            let mut terms = expand(a, at);
            terms.extend(expand(b, at));
            merged(terms)
        }
        Expression::Product(a, b) => {
            let left = expand(a, at);
            if left.is_empty() { left } else { merged(multiplied(&left, &expand(b, at))) }
        }
        Expression::Selector(_) | Expression::Instance(_) => panic!("no gate uses halo2's selectors or queries an instance"),
    }
}

fn scaled(mut terms: Vec<Term>, factor: Fr) -> Vec<Term> {
    terms.iter_mut().for_each(|(c, _)| *c *= factor);
    terms.retain(|(c, _)| *c != Fr::ZERO);
    terms
}

fn multiplied(left: &[Term], right: &[Term]) -> Vec<Term> {
    let product = |(c, cells): &Term, (d, others): &Term| {
        let mut both = [cells.as_slice(), others].concat();
        both.sort_unstable();
        (*c * d, both)
    };
    left.iter().flat_map(|l| right.iter().map(move |r| product(l, r))).collect()
}

fn merged(mut terms: Vec<Term>) -> Vec<Term> {
    terms.sort_by(|a, b| a.1.cmp(&b.1));
    let mut merged: Vec<Term> = Vec::with_capacity(terms.len());
    for (coefficient, cells) in terms {
        match merged.last_mut() {
            Some((sum, last)) if *last == cells => *sum += coefficient,
            _ => merged.push((coefficient, cells)),
        }
    }
    merged.retain(|(c, _)| *c != Fr::ZERO);
    merged
}

/// The coefficient equations that the fold stands for: for each output of each layer, `y_i - b_i - sum_j W_ij x_j = 0` in the
/// phase-1 cells. Read off the fixed columns alone, not off the placement code: the fold is replayed as a polynomial in γ, whose
/// coefficients are these equations. `terms[t]` belongs to the t-th output; while T outputs are placed its power is T - 1 - t.
///
/// `steps` are the fold's constraints: what each holds without phase-2 cells is `b_i - y_i`.
pub fn layer_identities(trace: &Trace, all: &[Constraint]) -> Vec<Constraint> {
    let rows = trace.shape.rows();
    let late = [trace.columns.fold.index(), trace.columns.folded.index()];
    let steps: HashMap<usize, &Constraint> =
        all.iter().filter(|c| c.name == "fold of the linear layers").map(|c| (c.row, c)).collect();
    let accumulator = |row: usize| -> Vec<Term> {
        let terms = steps.get(&row).map_or(&[][..], |step| step.terms.as_slice());
        let early = terms.iter().filter(|(_, cells)| cells.iter().all(|&c| !late.contains(&(c as usize / rows))));
        early.map(|(c, cells)| (-*c, cells.clone())).collect()
    };
    let fixed = |column: Column<Fixed>, row: usize| trace.fixed[column.index()][row];
    let columns = &trace.columns;
    let outputs = [columns.relu, columns.signed, columns.threshold, columns.distance];
    let mut found: Vec<Constraint> = Vec::new();
    // `folded` as a polynomial: the coefficient of the highest power of γ first. It starts afresh after an input has taken part.
    let mut folded: Vec<Vec<Term>> = Vec::new();
    let mut taken = false;
    let constant = |c: Fr| if c == Fr::ZERO { vec![] } else { vec![(c, vec![])] };
    for row in 0..trace.end {
        if outputs.iter().any(|&s| trace.is_enabled(s, row)) {
            found.push(Constraint { name: "layer identity".into(), row, terms: accumulator(row) });
        }
        let [a, b] = [columns.a, columns.b].map(|column| (column.index() * rows + row) as CellId);
        if trace.is_enabled(columns.border, row) {
            let pair = fixed(columns.weights[0], row) == Fr::ONE;
            for &cell in &[a, b][..if pair { 2 } else { 1 }] {
                found.push(Constraint { name: "layer identity".into(), row, terms: vec![(Fr::ONE, vec![cell])] });
            }
        }
        if fixed(columns.linear, row) == Fr::ONE {
            if taken {
                folded.clear();
            }
            folded.extend(columns.weights.iter().map(|&w| constant(fixed(w, row))));
        } else if columns.shift.is_some_and(|shift| fixed(shift, row) == Fr::ONE) {
            let exponents = trace.shape.steps.exponents();
            match exponents.iter().zip(&columns.weights).find(|&(_, &w)| fixed(w, row) != Fr::ZERO) {
                Some((&exponent, _)) => folded.extend(vec![vec![]; exponent as usize]),
                None => folded = vec![vec![]],
            }
            let loaded = fixed(columns.weights[exponents.len()], row);
            if loaded != Fr::ZERO {
                folded.last_mut().expect("a polynomial").push((loaded, vec![a]));
            }
        } else {
            folded.clear();
        }
        taken = fixed(columns.last, row) == Fr::ONE;
        if taken {
            for (power, coefficient) in folded.iter().rev().enumerate().filter(|(_, terms)| !terms.is_empty()) {
                let output = found.len().checked_sub(1 + power).expect("a weight for an output that is there");
                found[output].terms.extend(multiplied(coefficient, &[(-Fr::ONE, vec![a])]));
            }
        }
    }
    found.into_iter().map(|c| Constraint { terms: merged(c.terms), ..c }).collect()
}
