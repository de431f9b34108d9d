//! Exhaustive search for witnesses of a small circuit: lookups as set membership, layers as their coefficient equations, and every
//! hit confirmed by the whole argument under the lab's challenges.

use super::lab::{Changes, Lab};
use super::system::CellId;
use halo2_proofs::halo2curves::bn256::Fr;

/// One choice of the search: cells (with their copies) that all take the same value, and the values to try.
pub struct Choice {
    cells: Vec<CellId>,
    domain: Vec<Fr>,
}

impl Choice {
    /// A cell with all its copies, over `domain`.
    pub fn new(lab: &Lab, column: usize, row: usize, domain: &[Fr]) -> Self {
        Self { cells: lab.class(lab.cell(column, row)).to_vec(), domain: domain.to_vec() }
    }
}

/// Every combination of the choices that the circuit accepts, all other phase-1 cells staying as they are.
pub fn witnesses(lab: &mut Lab, choices: &[Choice]) -> Vec<Changes> {
    let mut found = Vec::new();
    // Constraints are checked as soon as all choices in them are made.
    let position = |cell: CellId| choices.iter().position(|choice| choice.cells.contains(&cell));
    let last_choice = |cells: Vec<CellId>| cells.into_iter().filter_map(position).max();
    let mut due: Vec<Vec<(bool, usize)>> = vec![vec![]; choices.len()];
    for (is_identity, list) in [(false, &lab.constraints), (true, &lab.identities)] {
        for (i, constraint) in list.iter().enumerate() {
            let cells = constraint.cells();
            if !cells.iter().any(|&c| lab.is_late(c)) {
                last_choice(cells).into_iter().for_each(|p| due[p].push((is_identity, i)));
            }
        }
    }
    search(lab, choices, &due, 0, &mut found);
    let all: Vec<Changes> = found;
    all.into_iter().filter(|changes| lab.survives_globally(changes)).collect()
}

fn search(lab: &mut Lab, choices: &[Choice], due: &[Vec<(bool, usize)>], at: usize, found: &mut Vec<Changes>) {
    let Some(choice) = choices.get(at) else {
        let cells = choices.iter().flat_map(|c| &c.cells);
        found.push(cells.map(|&cell| (cell, lab.values[cell as usize])).collect());
        return;
    };
    for &value in &choice.domain {
        let changes: Changes = choice.cells.iter().map(|&cell| (cell, value)).collect();
        lab.with(&changes, |lab| {
            let holds = |&(is_identity, i): &(bool, usize)| {
                let list = if is_identity { &lab.identities } else { &lab.constraints };
                list[i].eval(&lab.values) == Fr::zero()
            };
            if due[at].iter().all(holds) {
                search(lab, choices, due, at + 1, found);
            }
        });
    }
}
