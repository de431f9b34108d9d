//! For fixed phase-1 cells and challenges the constraints are linear in the phase-2 cells. When equations can be picked one after
//! the other so that each holds exactly one cell not yet determined, the system is triangular: it has full column rank, and no
//! helper, running sum or fold is free.
//!
//! Poseidon's squares are the exception in degree (the rounds hold their squares), but each has an equation in which it stands
//! linearly and alone, so the same picking determines them.

use super::lab::Lab;
use super::system::CellId;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use std::collections::{HashMap, HashSet};

/// The phase-2 cells that some constraint reads, and those of them that the constraints leave undetermined.
pub fn phase2_cells(lab: &Lab) -> (usize, Vec<CellId>) {
    undetermined(lab, |cell| lab.is_late(cell) || lab.is_square(cell))
}

/// The cells of a hash other than its inputs (range-checked values, packed sums, the salt), and those left undetermined by these.
pub fn hash_cells(lab: &Lab) -> (usize, Vec<CellId>) {
    let columns = &lab.trace.columns;
    let [full, partial, absorb] = [columns.full, columns.partial, columns.absorb];
    let at = |selector, row: usize| lab.trace.is_enabled(selector, row);
    undetermined(lab, |cell| {
        let (column, row) = lab.place(cell);
        let inside = row > 0 && row < lab.trace.end && {
            let before = row - 1;
            let long = columns.powers.is_none() && row > 1 && at(full, row - 2);
            at(full, row) || at(partial, row) || at(full, before) || at(partial, before) || long
        };
        inside && !lab.is_limb(cell) && (column == columns.folded.index() || lab.trace.assigned[column][row])
            || (at(absorb, row) && column == columns.a.index())
    })
}

/// The cells chosen that some constraint reads, and those of them that the others do not determine.
fn undetermined(lab: &Lab, chosen: impl Fn(CellId) -> bool) -> (usize, Vec<CellId>) {
    let mut unknown: HashSet<CellId> = HashSet::new();
    let mut watching: HashMap<CellId, Vec<usize>> = HashMap::new();
    for (i, constraint) in lab.constraints.iter().enumerate() {
        for cell in constraint.cells().into_iter().filter(|&cell| chosen(cell)) {
            unknown.insert(cell);
            watching.entry(cell).or_default().push(i);
        }
    }
    let total = unknown.len();
    let mut queue: Vec<usize> = (0..lab.constraints.len()).collect();
    while let Some(i) = queue.pop() {
        let constraint = &lab.constraints[i];
        let open: Vec<CellId> = constraint.cells().into_iter().filter(|c| unknown.contains(c)).collect();
        let [cell] = open[..] else { continue };
        let determined = constraint.linear_in(cell, &lab.values).is_some_and(|(a, _)| a != Fr::ZERO);
        if determined {
            unknown.remove(&cell);
            queue.extend(&watching[&cell]);
        }
    }
    let mut free: Vec<CellId> = unknown.into_iter().collect();
    free.sort_unstable();
    (total, free)
}
