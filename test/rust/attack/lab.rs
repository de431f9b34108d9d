//! A cheating prover with a fixed pair of challenges: it may write any phase-1 cells, then recomputes multiplicities and every
//! phase-2 cell as well as it can.

use super::system::{CellId, Constraint, constraints, layer_identities};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Column, Fixed},
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use zkml_evm::{
    circuit::build::assign_phase2,
    gates::{Trace, lookup::multiplicities},
};

/// Cells with their forged values.
pub type Changes = Vec<(CellId, Fr)>;

/// A trace under attack.
pub struct Lab {
    /// The honest trace, phase 2 filled for the lab's challenges and random values in the blinding rows.
    pub trace: Trace,
    /// Every constraint that is not identically zero.
    pub constraints: Vec<Constraint>,
    /// The challenges γ, β and θ.
    pub challenges: [Fr; 3],
    /// The honest values of all advice cells; [`Lab::survives`] leaves them as they are.
    pub values: Vec<Fr>,
    /// `touching[cell]`: the constraints that a change of this cell alone can violate and that no challenge enters.
    touching: Vec<Vec<u32>>,
    /// The coefficient equations of the linear layers, and which of them each cell stands in.
    pub identities: Vec<Constraint>,
    in_identity: Vec<Vec<u32>>,
    classes: Vec<Vec<CellId>>,
    class_of: Vec<u32>,
    rows: usize,
}

impl Lab {
    /// Puts an honest trace on the bench: every constraint must hold.
    pub fn new(trace: Trace, instances: &[Fr], seed: u64) -> Self {
        let lab = Self::forced(trace, instances, seed);
        assert_eq!(lab.first_violated(&lab.values), None, "the honest trace satisfies every constraint");
        for identity in &lab.identities {
            assert_eq!(identity.eval(&lab.values), Fr::ZERO, "the layer identity of row {}", identity.row);
        }
        lab
    }

    /// Puts a trace on the bench beside public values that need not be its own: the search is for a witness of these.
    pub fn forced(trace: Trace, instances: &[Fr], seed: u64) -> Self {
        Self::forced_with(trace, instances, seed, None)
    }

    /// The same with given challenges γ, β: what happens when they are known before phase 1 is committed.
    pub fn forced_with(mut trace: Trace, instances: &[Fr], seed: u64, challenges: Option<[Fr; 2]>) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let [gamma, beta] = challenges.unwrap_or([Fr::random(&mut rng), Fr::random(&mut rng)]);
        let challenges = [gamma, beta, Fr::random(&mut rng)];
        assign_phase2(&mut trace, challenges[0], challenges[1], challenges[2]);
        for column in &mut trace.advice {
            column[trace.end + 1..].iter_mut().for_each(|cell| *cell = Fr::random(&mut rng));
        }
        let rows = trace.shape.rows();
        let constraints = constraints(&trace, instances, challenges);
        let identities = layer_identities(&trace, &constraints);
        let values = trace.advice.concat();
        let cells = values.len();
        let (classes, class_of) = copy_classes(&trace, rows, cells);
        let mut lab = Self {
            trace,
            constraints,
            challenges,
            values,
            touching: vec![],
            identities,
            in_identity: vec![],
            classes,
            class_of,
            rows,
        };
        lab.index();
        lab
    }

    /// The same lab without the constraints of this name: what a circuit with that bug would accept.
    pub fn without(mut self, name: &str) -> Self {
        let before = self.constraints.len();
        self.constraints.retain(|c| c.name != name);
        assert!(self.constraints.len() < before, "there is a constraint `{name}`");
        self.index();
        self
    }

    /// The same lab with these public values unknown: the forger publishes there what he likes.
    pub fn open(mut self, instances: &[usize]) -> Self {
        let exposed = self.trace.exposed.clone();
        for &index in instances {
            let rows: Vec<usize> = exposed.iter().filter(|(_, at)| *at == index).map(|(cell, _)| cell.row).collect();
            let others = exposed.iter().filter(|(cell, _)| rows.contains(&cell.row)).count();
            assert!(!rows.is_empty() && others == rows.len(), "public value {index} has cells of its own");
            self.constraints.retain(|c| c.name != "instance" || !rows.contains(&c.row));
        }
        self.index();
        self
    }

    /// What the changes publish as public value `index`.
    pub fn published(&mut self, changes: &[(CellId, Fr)], index: usize) -> Fr {
        let (exposed, _) = self.trace.exposed.iter().find(|(_, at)| *at == index).expect("an exposed cell");
        let cell = self.cell(self.trace.columns.a.index(), exposed.row);
        self.with(changes, |lab| lab.values[cell as usize])
    }

    fn index(&mut self) {
        self.touching = vec![vec![]; self.values.len()];
        self.in_identity = vec![vec![]; self.values.len()];
        for (i, constraint) in self.constraints.iter().enumerate() {
            let cells = constraint.cells();
            if !cells.iter().any(|&c| self.is_late(c)) {
                cells.iter().for_each(|&c| self.touching[c as usize].push(i as u32));
            }
        }
        for (i, identity) in self.identities.iter().enumerate() {
            identity.cells().iter().for_each(|&c| self.in_identity[c as usize].push(i as u32));
        }
    }

    /// The id of a cell.
    pub fn cell(&self, column: usize, row: usize) -> CellId {
        (column * self.rows + row) as CellId
    }

    /// Column and row of a cell.
    pub fn place(&self, cell: CellId) -> (usize, usize) {
        (cell as usize / self.rows, cell as usize % self.rows)
    }

    /// The value of a fixed cell.
    pub fn fixed(&self, column: Column<Fixed>, row: usize) -> Fr {
        self.trace.fixed[column.index()][row]
    }

    /// All cells that copies tie to this one, itself included.
    pub fn class(&self, cell: CellId) -> &[CellId] {
        &self.classes[self.class_of[cell as usize] as usize]
    }

    /// The cell of limb `index` of a value whose limbs start at `row`.
    pub fn limb(&self, row: usize, index: u32) -> CellId {
        let (column, row) = self.trace.columns.limb_at(row, index);
        self.cell(column.index(), row)
    }

    /// Where a limb stands among all: first by row, then by lane. Nothing for other cells.
    pub fn limb_order(&self, cell: CellId) -> Option<usize> {
        let (column, row) = self.place(cell);
        let lanes = &self.trace.columns.limbs;
        lanes.iter().position(|lane| lane.index() == column).map(|lane| row * lanes.len() + lane)
    }

    /// Whether a cell is looked up in the range table.
    pub fn is_limb(&self, cell: CellId) -> bool {
        self.limb_order(cell).is_some()
    }

    /// Whether a cell depends on the challenges. Poseidon's squares and fourth powers stand in phase-2 columns and do not.
    pub fn is_late(&self, cell: CellId) -> bool {
        let (column, _) = self.place(cell);
        let columns = &self.trace.columns;
        column == columns.fold.index()
            || column == columns.sum.index()
            || columns.helpers.iter().any(|helper| helper.index() == column)
            || (column == columns.folded.index() && !self.is_square(cell))
    }

    /// Whether a cell is one of Poseidon's squares or fourth powers, which a cheating prover recomputes.
    pub fn is_square(&self, cell: CellId) -> bool {
        let (column, row) = self.place(cell);
        let columns = &self.trace.columns;
        let mut powers = columns.powers.iter().flatten().flatten().chain([&columns.folded]);
        powers.any(|power| power.index() == column) && self.is_permutation_row(row)
    }

    fn is_permutation_row(&self, row: usize) -> bool {
        [self.trace.columns.full, self.trace.columns.partial].iter().any(|&s| self.trace.is_enabled(s, row))
    }

    /// The changes, with the squares and fourth powers that follow from them.
    pub fn with_squares(&self, changes: &[(CellId, Fr)]) -> Changes {
        let mut all = changes.to_vec();
        let columns = &self.trace.columns;
        let keys = [columns.weights[0], columns.weights[1], columns.constant];
        for &(cell, value) in changes {
            let (column, row) = self.place(cell);
            let state = [Some(columns.a), Some(columns.b), columns.c];
            let Some(i) = state.iter().flatten().position(|c| c.index() == column).filter(|_| self.is_permutation_row(row))
            else {
                continue;
            };
            let square = (value + self.fixed(keys[i], row)).square();
            match columns.powers {
                // In a partial round nothing reads those of the second and third.
                Some(powers) => {
                    let [of_square, of_fourth] = powers[i].map(|power| self.cell(power.index(), row));
                    all.extend([(of_square, square), (of_fourth, square.square())]);
                }
                None if i == 0 => all.push((self.cell(columns.folded.index(), row), square)),
                None => {}
            }
        }
        all
    }

    /// Whether a forged phase 1 satisfies every constraint that no challenge enters.
    pub fn survives_locally(&mut self, changes: &[(CellId, Fr)]) -> bool {
        let changes = self.with_squares(changes);
        self.with(&changes, |lab| lab.locally_violated(&changes).is_none())
    }

    /// Whether a forged phase 1, completed in the best way, satisfies every constraint.
    pub fn survives(&mut self, changes: &[(CellId, Fr)]) -> bool {
        self.survives_locally(changes) && self.survives_globally(changes)
    }

    /// Runs `f` with the changes applied to [`Lab::values`].
    pub fn with<T>(&mut self, changes: &[(CellId, Fr)], f: impl FnOnce(&mut Self) -> T) -> T {
        let before: Changes = changes.iter().map(|&(cell, _)| (cell, self.values[cell as usize])).collect();
        changes.iter().for_each(|&(cell, value)| self.values[cell as usize] = value);
        let result = f(self);
        before.iter().rev().for_each(|&(cell, value)| self.values[cell as usize] = value);
        result
    }

    /// The first challenge-free constraint that the applied changes violate.
    pub fn locally_violated(&self, changes: &[(CellId, Fr)]) -> Option<&Constraint> {
        let touched = changes.iter().flat_map(|&(cell, _)| &self.touching[cell as usize]);
        touched.map(|&i| &self.constraints[i as usize]).find(|c| c.eval(&self.values) != Fr::ZERO)
    }

    /// The first coefficient equation that the applied changes violate.
    pub fn violated_identity(&self, changes: &[(CellId, Fr)]) -> Option<&Constraint> {
        let touched = changes.iter().flat_map(|&(cell, _)| &self.in_identity[cell as usize]);
        touched.map(|&i| &self.identities[i as usize]).find(|c| c.eval(&self.values) != Fr::ZERO)
    }

    /// Completes phase 2 as a cheating prover would, step by step or with the end pins written as they should be, and evaluates
    /// everything. (`rank.rs` shows that no other completion can do better.)
    pub fn survives_globally(&self, changes: &[(CellId, Fr)]) -> bool {
        let mut values = self.completed(changes).advice.concat();
        if self.first_violated(&values).is_none() {
            return true;
        }
        for column in [self.trace.columns.fold, self.trace.columns.sum] {
            values[self.cell(column.index(), self.trace.end) as usize] = Fr::ZERO;
        }
        self.first_violated(&values).is_none()
    }

    /// The forged trace with multiplicities (unless they are what was forged), squares and phase 2 recomputed.
    pub fn completed(&self, changes: &[(CellId, Fr)]) -> Trace {
        let mut trace = self.trace.clone();
        for (cell, value) in self.with_squares(changes) {
            let (column, row) = self.place(cell);
            trace.advice[column][row] = value;
        }
        let multiplicity = self.trace.columns.multiplicity.index();
        let changed = |column: usize| changes.iter().any(|&(cell, _)| self.place(cell).0 == column);
        if changes.iter().any(|&(cell, _)| self.is_limb(cell)) && !changed(multiplicity) {
            for (row, count) in multiplicities(&trace).into_iter().enumerate() {
                trace.advice[multiplicity][row] = Fr::from(count);
            }
        }
        assign_phase2(&mut trace, self.challenges[0], self.challenges[1], self.challenges[2]);
        trace
    }

    /// The name and row of the first violated constraint.
    pub fn first_violated(&self, values: &[Fr]) -> Option<(String, usize)> {
        // The pins stand last and fail first.
        self.constraints.iter().rev().find(|c| c.eval(values) != Fr::ZERO).map(|c| (c.name.clone(), c.row))
    }

    /// The assigned phase-1 cells.
    pub fn assigned(&self) -> Vec<CellId> {
        let phase1 = zkml_evm::circuit::build::phase1_columns(&self.trace.columns);
        let cells = phase1.iter().flat_map(|c| (0..self.rows).map(move |row| (c.index(), row)));
        cells.filter(|&(column, row)| self.trace.assigned[column][row]).map(|(column, row)| self.cell(column, row)).collect()
    }

    /// How many challenge-free constraints and coefficient equations read a cell or a copy of it.
    pub fn readers(&self, cell: CellId) -> usize {
        self.class(cell).iter().map(|&c| self.touching[c as usize].len() + self.in_identity[c as usize].len()).sum()
    }

    /// Whether every changed limb is in the range table.
    pub fn looked_up(&self, changes: &[(CellId, Fr)]) -> bool {
        changes.iter().filter(|&&(cell, _)| self.is_limb(cell)).all(|&(_, value)| self.in_table(value))
    }

    /// Whether a value is in the range table.
    fn in_table(&self, value: Fr) -> bool {
        let bytes = value.to_bytes();
        let low = u64::from_le_bytes(std::array::from_fn(|i| bytes[i]));
        bytes[8..].iter().all(|&b| b == 0) && low >> self.trace.shape.limb_bits == 0
    }
}

fn copy_classes(trace: &Trace, rows: usize, cells: usize) -> (Vec<Vec<CellId>>, Vec<u32>) {
    let mut parent: Vec<u32> = (0..cells as u32).collect();
    fn root(parent: &mut [u32], mut cell: u32) -> u32 {
        while parent[cell as usize] != cell {
            cell = parent[cell as usize];
        }
        cell
    }
    for (from, to) in &trace.copies {
        let [from, to] = [from.row, to.row].map(|row| root(&mut parent, (trace.columns.a.index() * rows + row) as u32));
        parent[to as usize] = from;
    }
    let mut classes = vec![vec![]; cells];
    let class_of: Vec<u32> = (0..cells as u32).map(|cell| root(&mut parent, cell)).collect();
    class_of.iter().enumerate().for_each(|(cell, &class)| classes[class as usize].push(cell as u32));
    (classes, class_of)
}
