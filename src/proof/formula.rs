//! A formula over columns, computed on many rows: what it has in common is computed once, and values that are not needed any more make room.

use super::lanes::{Lanes, MOST, Width, Work};
use halo2_proofs::{
    halo2curves::{bn256::Fr, ff::Field},
    plonk::Expression,
};
use rayon::prelude::*;
use std::collections::HashMap;

/// Rows that a thread takes at a time.
const CHUNK: usize = 1 << 9;

/// A part of a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Part(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    Constant(Fr),
    /// A column, and by how many rows further on it is read.
    Cell(usize, i32),
    Sum(Part, Part),
    Difference(Part, Part),
    Product(Part, Part),
}

/// A formula under construction.
#[derive(Debug, Default)]
pub(super) struct Formula {
    nodes: Vec<Node>,
    known: HashMap<Node, Part>,
}

impl Formula {
    fn part(&mut self, node: Node) -> Part {
        *self.known.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            Part(self.nodes.len() - 1)
        })
    }

    fn is(&self, part: Part, value: Fr) -> bool {
        self.nodes[part.0] == Node::Constant(value)
    }

    pub fn constant(&mut self, value: Fr) -> Part {
        self.part(Node::Constant(value))
    }

    pub fn cell(&mut self, column: usize, rotation: i32) -> Part {
        self.part(Node::Cell(column, rotation))
    }

    pub fn add(&mut self, a: Part, b: Part) -> Part {
        match (self.is(a, Fr::ZERO), self.is(b, Fr::ZERO)) {
            (true, _) => b,
            (_, true) => a,
            _ => self.part(Node::Sum(a.min(b), a.max(b))),
        }
    }

    pub fn sub(&mut self, a: Part, b: Part) -> Part {
        if self.is(b, Fr::ZERO) { a } else { self.part(Node::Difference(a, b)) }
    }

    pub fn mul(&mut self, a: Part, b: Part) -> Part {
        for (a, b) in [(a, b), (b, a)] {
            if self.is(a, Fr::ZERO) || self.is(b, Fr::ONE) {
                return a;
            }
            if self.is(a, Fr::ONE.double()) {
                return self.add(b, b);
            }
        }
        self.part(Node::Product(a.min(b), a.max(b)))
    }

    /// A gate's polynomial. Columns are numbered: `fixed` fixed ones, then advice.
    pub fn expression(&mut self, of: &Expression<Fr>, fixed: usize, challenges: &[Fr]) -> Part {
        match of {
            Expression::Constant(value) => self.constant(*value),
            Expression::Fixed(query) => self.cell(query.column_index(), query.rotation().0),
            Expression::Advice(query) => self.cell(fixed + query.column_index(), query.rotation().0),
            Expression::Challenge(challenge) => self.constant(challenges[challenge.index()]),
            Expression::Negated(of) => {
                let (zero, of) = (self.constant(Fr::ZERO), self.expression(of, fixed, challenges));
                self.sub(zero, of)
            }
            Expression::Scaled(of, by) => {
                let (of, by) = (self.expression(of, fixed, challenges), self.constant(*by));
                self.mul(of, by)
            }
            Expression::Sum(a, b) => {
                let left = self.expression(a, fixed, challenges);
                match &**b {
                    Expression::Negated(b) => {
                        let right = self.expression(b, fixed, challenges);
                        self.sub(left, right)
                    }
                    b => {
                        let right = self.expression(b, fixed, challenges);
                        self.add(left, right)
                    }
                }
            }
            Expression::Product(a, b) => {
                let (a, b) = (self.expression(a, fixed, challenges), self.expression(b, fixed, challenges));
                self.mul(a, b)
            }
            // halo2 has put fixed columns in the place of selectors, and no gate of ours reads an instance. Where one did, no proof would verify.
            Expression::Selector(_) | Expression::Instance(_) => self.constant(Fr::ONE),
        }
    }

    /// The steps that compute `result`.
    pub fn steps(&self, result: Part) -> Steps {
        let mut last = vec![0; self.nodes.len()];
        last[result.0] = usize::MAX;
        for (i, node) in self.nodes.iter().enumerate().rev().filter(|(i, _)| *i <= result.0) {
            if let (true, Node::Sum(a, b) | Node::Difference(a, b) | Node::Product(a, b)) = (last[i] > 0, node) {
                [a, b].iter().for_each(|part| last[part.0] = last[part.0].max(i));
            }
        }
        let mut steps = Steps { constants: Vec::new(), steps: Vec::new(), slots: 0, result: 0 };
        let mut slots = vec![0; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate().filter(|(i, _)| last[*i] > 0) {
            if let Node::Constant(value) = node {
                slots[i] = steps.constants.len();
                steps.constants.push(*value);
            }
        }
        steps.slots = steps.constants.len();
        let mut free = Vec::new();
        for (i, node) in self.nodes.iter().enumerate().filter(|(i, _)| last[*i] > 0) {
            let (make, used): (Make, &[Part]) = match node {
                Node::Constant(_) => continue,
                Node::Cell(column, rotation) => (Make::Cell(*column, *rotation), &[]),
                Node::Sum(a, b) => (Make::Sum(slots[a.0], slots[b.0]), &[*a, *b]),
                Node::Difference(a, b) => (Make::Difference(slots[a.0], slots[b.0]), &[*a, *b]),
                Node::Product(a, b) => (Make::Product(slots[a.0], slots[b.0]), &[*a, *b]),
            };
            let used = if used.first() == used.last() { &used[..used.len().min(1)] } else { used };
            let over = used.iter().filter(|part| last[part.0] == i && !matches!(self.nodes[part.0], Node::Constant(_)));
            free.extend(over.map(|part| slots[part.0]));
            slots[i] = free.pop().unwrap_or_else(|| {
                steps.slots += 1;
                steps.slots - 1
            });
            steps.steps.push((make, slots[i]));
        }
        steps.result = slots[result.0];
        steps
    }
}

#[derive(Clone, Copy, Debug)]
enum Make {
    Cell(usize, i32),
    Sum(usize, usize),
    Difference(usize, usize),
    Product(usize, usize),
}

/// What a row's value is made by, and the slot of each intermediate value; constants have the first slots.
#[derive(Debug)]
pub(super) struct Steps {
    constants: Vec<Fr>,
    steps: Vec<(Make, usize)>,
    slots: usize,
    result: usize,
}

impl Steps {
    /// The values on all rows, SCALE times, of columns that hold SCALE times theirs; the first row follows the last one.
    pub fn values(&self, width: Width, columns: &[Vec<Fr>]) -> Vec<Fr> {
        let mut values = vec![Fr::ZERO; columns.first().map_or(0, Vec::len)];
        values.par_chunks_mut(CHUNK).enumerate().for_each(|(i, to)| {
            width.run(Rows { steps: self, columns, first: i * CHUNK, to });
        });
        values
    }
}

struct Rows<'a> {
    steps: &'a Steps,
    columns: &'a [Vec<Fr>],
    first: usize,
    to: &'a mut [Fr],
}

impl Work for Rows<'_> {
    type Result = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let scale = Fr::from(L::SCALE);
        let mut slots = vec![L::all(&L::factor(&Fr::ZERO)); self.steps.slots];
        for (slot, constant) in slots.iter_mut().zip(&self.steps.constants) {
            *slot = L::all(&L::factor(&(scale * constant)));
        }
        for (row, to) in self.to.chunks_exact_mut(L::WIDTH).enumerate() {
            let row = self.first + row * L::WIDTH;
            for (make, slot) in &self.steps.steps {
                slots[*slot] = match *make {
                    Make::Cell(column, rotation) => cell(&self.columns[column], row, rotation),
                    Make::Sum(a, b) => slots[a].add(slots[b]),
                    Make::Difference(a, b) => slots[a].sub(slots[b]),
                    Make::Product(a, b) => slots[a].mul(slots[b]),
                };
            }
            slots[self.steps.result].store(to);
        }
    }
}

#[inline(always)]
fn cell<L: Lanes>(column: &[Fr], row: usize, rotation: i32) -> L {
    let n = column.len();
    let from = (row as i64 + i64::from(rotation)).rem_euclid(n as i64) as usize;
    if from + L::WIDTH <= n {
        return L::load(&column[from..]);
    }
    let around: [Fr; MOST] = std::array::from_fn(|lane| column[(from + lane) % n]);
    L::load(&around)
}

#[cfg(test)]
#[path = "formula_tests.rs"]
mod tests;
