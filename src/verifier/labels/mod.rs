//! What a circuit calls its columns and challenges: names that the contract's reader sees.

mod inference;
mod outer;

use super::VerifierError;
use crate::{
    gates::{Shape, Stack},
    outer::Widths,
};
use halo2_proofs::{halo2curves::bn256::Fr, plonk::ConstraintSystem};
use std::collections::BTreeMap;

/// The names of a circuit's columns and challenges. Each becomes part of constants' names in the contract, so no two are alike.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Of each committed fixed column, in the key's order, the columns of the layout that stand under each other in it, by offset: one where
    /// nothing is stacked.
    pub fixed: Vec<Vec<String>>,
    /// Likewise of each advice column, in the constraint system's order.
    pub advice: Vec<Vec<String>>,
    /// The circuit's own challenges, in the constraint system's order.
    pub challenges: Vec<String>,
    /// Rows of the circuit that one row of the layout takes.
    pub stack: u32,
}

impl Labels {
    /// The names of an inference circuit's layout.
    pub fn of_shape(shape: &Shape) -> Self {
        inference::labels(shape)
    }

    /// The names of an aggregation circuit's layout.
    pub fn of_widths(widths: &Widths) -> Self {
        outer::labels(widths)
    }

    /// The names of the committed columns by those of the layout's columns, which are in the order of their indices.
    fn of_stack<L>(stack: &Stack<L>, fixed: Vec<String>, advice: Vec<String>, challenges: Vec<String>, height: u32) -> Self {
        let of_fixed = stack.fixed.iter().map(|place| (place.column.index(), place.offset));
        let of_advice = stack.advice.iter().map(|place| (place.column.index(), place.offset));
        Self { fixed: stacked(of_fixed, fixed), advice: stacked(of_advice, advice), challenges, stack: height }
    }

    /// The names of a circuit whose columns are committed as they are.
    pub fn plain(fixed: &[&str], advice: &[&str], challenges: &[&str]) -> Self {
        let columns = |names: &[&str]| names.iter().map(|name| vec![(*name).to_owned()]).collect();
        let challenges = challenges.iter().map(|name| (*name).to_owned()).collect();
        Self { fixed: columns(fixed), advice: columns(advice), challenges, stack: 1 }
    }

    /// Each column and each challenge has a name.
    ///
    /// # Errors
    /// [`VerifierError::Render`].
    pub fn check(&self, cs: &ConstraintSystem<Fr>) -> Result<(), VerifierError> {
        let named = [self.fixed.len(), self.advice.len(), self.challenges.len()];
        let there = [cs.num_fixed_columns(), cs.num_advice_columns(), cs.num_challenges()];
        if named == there && self.stack > 0 {
            return Ok(());
        }
        let what = format!("names for {named:?} fixed columns, advice columns and challenges, the circuit has {there:?}");
        Err(VerifierError::Render(what))
    }
}

/// The names of the columns that stand in each committed one, by offset.
fn stacked(places: impl Iterator<Item = (usize, usize)>, names: Vec<String>) -> Vec<Vec<String>> {
    let mut columns: BTreeMap<usize, BTreeMap<usize, String>> = BTreeMap::new();
    for ((column, offset), name) in places.zip(names) {
        columns.entry(column).or_default().insert(offset, name);
    }
    columns.into_values().map(|names| names.into_values().collect()).collect()
}
