//! The mutation harness: every assigned phase-1 cell is changed in every way that a bug would let pass, and repaired as far as
//! linear algebra goes; what still satisfies the circuit is a survivor and must be explained.
//!
//! ```ignore
//! let mut lab = Lab::new(trace, &instances, seed);
//! let report = attack(&mut lab, Effort::FULL);
//! report.assert_sound(20);
//! ```

use super::digits::{digits_of, redigit, reinterpolate, requotient, requotiented, signed, sum};
use super::lab::{Changes, Lab};
use super::system::CellId;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, HashMap};
use zkml_evm::gates::field::{power_of_two, to_field};

/// How much of a circuit is attacked.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Attack one in this many cells of each kind (a kind is a column and the gate that owns the row).
    pub stride: usize,
    /// Repairs in a row that the adaptive forger tries.
    pub depth: usize,
    /// Constraints that the adaptive forger looks at for one start.
    pub nodes: usize,
    /// Whether one survivor is enough.
    pub stop: bool,
}

impl Effort {
    /// Every cell.
    pub const FULL: Self = Self { stride: 1, depth: 4, nodes: 40, stop: false };
}

/// What an attack did.
#[derive(Debug, Default)]
pub struct Report {
    /// Cells attacked, by kind.
    pub cells: BTreeMap<String, usize>,
    /// Forged assignments tried.
    pub tried: usize,
    /// Of these, the ones that passed every challenge-free constraint, so that fold and lookup had to refuse them.
    pub late: usize,
    /// Accepted assignments, with the kind of the cell where each began.
    pub survivors: Vec<(String, Changes)>,
}

impl Report {
    /// Nothing survived, and the attack was one: at least `late` forgeries had to be refused by fold or lookup.
    pub fn assert_sound(&self, late: usize) {
        assert!(self.survivors.is_empty(), "{} forgeries accepted: {:?}", self.survivors.len(), self.survivors);
        assert!(self.late >= late, "only {} forgeries reached fold and lookup: {self:?}", self.late);
    }
}

/// Attacks the cells of a lab.
pub fn attack(lab: &mut Lab, effort: Effort) -> Report {
    let mut report = Report::default();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let kinds = Kinds::of(lab);
    let mut seen: HashMap<String, usize> = HashMap::new();
    for cell in lab.assigned() {
        let kind = kinds.name(lab, cell);
        let count = seen.entry(kind.clone()).or_default();
        *count += 1;
        if !(*count - 1).is_multiple_of(effort.stride) {
            continue;
        }
        *report.cells.entry(kind.clone()).or_default() += 1;
        for start in single(lab, cell, &mut rng)
            .into_iter()
            .chain(carries(lab, cell))
            .chain(quotients(lab, cell))
            .chain(windows(lab, cell))
        {
            let whole = whole_classes(lab, &start);
            let starts = if whole.len() == start.len() { vec![start] } else { vec![start, whole] };
            for start in starts {
                attempt(lab, &kind, &start, &mut report);
                let mut nodes = effort.nodes;
                repair(lab, &kind, start, effort.depth, &mut nodes, &mut report);
            }
            if effort.stop && !report.survivors.is_empty() {
                return report;
            }
        }
    }
    report
}

fn attempt(lab: &mut Lab, kind: &str, changes: &[(CellId, Fr)], report: &mut Report) {
    report.tried += 1;
    let new = changes.iter().any(|&(cell, value)| lab.values[cell as usize] != value);
    if new && lab.survives_locally(changes) {
        report.late += 1;
        if lab.survives_globally(changes) {
            report.survivors.push((kind.into(), changes.to_vec()));
        }
    }
}

/// The adaptive forger: while a challenge-free constraint or a coefficient equation of a layer fails, solve it for another of its
/// cells (with all copies of that cell) or for a whole run of limbs, and go on.
fn repair(lab: &mut Lab, kind: &str, changes: Changes, depth: usize, nodes: &mut usize, report: &mut Report) {
    if *nodes == 0 {
        return;
    }
    *nodes -= 1;
    let changes = lab.with_squares(&changes);
    let (late, options): (bool, Vec<Changes>) = lab.with(&changes, |lab| {
        let local = lab.locally_violated(&changes);
        let late = local.is_none();
        let Some(violated) = local.or_else(|| lab.violated_identity(&changes)) else { return (late, vec![]) };
        let free = |cell: &CellId| !changes.iter().any(|(c, _)| c == cell) && !lab.is_square(*cell);
        let mut cells: Vec<CellId> = violated.cells().into_iter().filter(free).collect();
        // Cells that little else depends on come first: the cheapest repairs.
        cells.sort_by_key(|&cell| lab.readers(cell));
        let solved = cells.into_iter().filter_map(|cell| {
            let (a, b) = violated.linear_in(cell, &lab.values)?;
            Some(vec![(cell, -b * Option::<Fr>::from(a.invert())?)])
        });
        let honest = requotient(lab, violated, &changes).or_else(|| reinterpolate(lab, violated, &changes));
        let natural = honest.into_iter().chain(redigit(lab, violated, &changes));
        (late, natural.chain(solved).collect())
    });
    // With a layer's equation still broken it is for the fold to refuse.
    if late && lab.looked_up(&changes) {
        attempt(lab, kind, &changes, report);
    }
    if depth == 0 {
        return;
    }
    for option in options {
        if !lab.looked_up(&option) {
            continue;
        }
        let mut next = changes.clone();
        next.extend(whole_classes(lab, &option));
        repair(lab, kind, next, depth - 1, nodes, report);
    }
}

/// ±1, negation, powers of two and their inverses, a random value, 0, 1, the neighbour's value (and the swap with it).
fn single(lab: &Lab, cell: CellId, rng: &mut ChaCha20Rng) -> Vec<Changes> {
    let value = lab.values[cell as usize];
    let shape = &lab.trace.shape;
    let steps = [0, shape.limb_bits, shape.shift_bits(), shape.magnitude_bits()].map(power_of_two);
    // Fractions too: what is bound only by an equation in the field need not be an integer.
    let fractions = [1, shape.limb_bits, shape.shift_bits()].map(|bits| power_of_two(bits).invert().unwrap_or(Fr::ONE));
    let shifted = steps.iter().chain(&fractions).flat_map(|&step| [value + step, value - step]);
    let others = [-value, Fr::random(rng), Fr::ZERO, Fr::ONE, value.double(), -value - Fr::ONE];
    let mut all: Vec<Changes> = shifted.chain(others).map(|forged| vec![(cell, forged)]).collect();
    let neighbour = cell + 1;
    if lab.place(neighbour).0 == lab.place(cell).0 && lab.place(neighbour).1 < lab.trace.end {
        let other = lab.values[neighbour as usize];
        all.push(vec![(cell, other)]);
        all.push(vec![(cell, other), (neighbour, value)]);
    }
    all
}

/// A unit moved between neighbouring limbs, so that their weighted sum stays.
fn carries(lab: &Lab, cell: CellId) -> Vec<Changes> {
    let lanes = lab.trace.columns.limbs.len();
    let Some(order) = lab.limb_order(cell) else { return vec![] };
    let next = lab.limb(order / lanes, (order % lanes) as u32 + 1);
    let (column, row) = lab.place(next);
    if !lab.trace.assigned[column][row] {
        return vec![];
    }
    let unit = power_of_two(lab.trace.shape.limb_bits);
    let [low, high] = [cell, next].map(|c| lab.values[c as usize]);
    vec![
        vec![(cell, low + unit), (next, high - Fr::ONE)],
        vec![(cell, low - unit), (next, high + Fr::ONE)],
        vec![(cell, low + Fr::ONE), (next, high - unit.invert().unwrap_or(Fr::ZERO))],
    ]
}

/// On the first row of a rescale: `q ± 1` with `R ∓ 2^s`, and the other sign with the magnitude that gives the same quotient.
fn quotients(lab: &Lab, cell: CellId) -> Vec<Changes> {
    let (_, row) = lab.place(cell);
    let columns = &lab.trace.columns;
    let starts = [columns.relu, columns.signed, columns.threshold, columns.pooled].iter().any(|&s| lab.trace.is_enabled(s, row));
    if cell != lab.limb(row, 0) || !starts {
        return vec![];
    }
    let shape = &lab.trace.shape;
    let g_limb = |i: u32| lab.limb(row, shape.remainder_limbs + i);
    let (top, g) = (lab.limb(row, shape.remainder_limbs - 1), g_limb(0));
    let value = |cell: CellId| lab.values[cell as usize];
    let unit = power_of_two(shape.limb_bits);
    let mut all =
        vec![vec![(g, value(g) + Fr::ONE), (top, value(top) - unit)], vec![(g, value(g) - Fr::ONE), (top, value(top) + unit)]];
    if lab.trace.is_enabled(columns.threshold, row) {
        return all;
    }
    let b = lab.cell(columns.b.index(), row);
    let magnitude: Fr = (0..shape.magnitude_limbs).map(|i| value(g_limb(i)) * power_of_two(shape.limb_bits * i)).sum();
    let mut flipped: Changes = (1..shape.magnitude_limbs).map(|i| (g_limb(i), Fr::ZERO)).collect();
    flipped.extend([(b, Fr::ONE - value(b)), (g, -Fr::ONE - magnitude)]);
    all.push(flipped);
    all.push(vec![(b, Fr::ONE - value(b))]);
    all
}

/// On the first row of a pooled window: another maximum in all of its rows or in the last only, with the distances, the products (or the
/// honest ones) and the rescale that follow from it.
fn windows(lab: &Lab, cell: CellId) -> Vec<Changes> {
    let (columns, shape, row) = (&lab.trace.columns, &lab.trace.shape, lab.place(cell).1);
    let starts = |row: usize| lab.trace.is_enabled(columns.distance, row) && lab.fixed(columns.weights[0], row) == Fr::ZERO;
    if cell != lab.limb(row, 0) || !starts(row) {
        return vec![];
    }
    let h = shape.pool_rows();
    let rows: Vec<usize> =
        (row..).step_by(h).take_while(|&r| lab.trace.is_enabled(columns.distance, r) && (r == row || !starts(r))).collect();
    let value = |column: usize, row: usize| lab.values[lab.cell(column, row) as usize];
    let (a, b) = (columns.a.index(), columns.b.index());
    let Some(largest) = signed(value(a, row)) else { return vec![] };
    let mut all = vec![];
    let steps = [1, -1, 1 << shape.shift_bits(), -(1 << shape.shift_bits())];
    for (step, first) in steps.into_iter().flat_map(|step| [(step, 0), (step, rows.len() - 1)]) {
        let result = requotiented(lab, rows[rows.len() - 1] + h, largest + step);
        let distances: Option<Vec<i128>> = rows.iter().map(|&r| signed(value(a, r) - accumulator(lab, r))).collect();
        let (Some(mut changes), Some(distances)) = (result, distances) else { continue };
        let mut product = Fr::ONE;
        let mut products = vec![];
        for (i, (&row, distance)) in rows.iter().zip(&distances).enumerate() {
            let distance = if i >= first { distance + step } else { *distance };
            if i >= first {
                changes.push((lab.cell(a, row), to_field(largest + step)));
                changes.extend(digits_of(lab, row, 0..shape.pool_limbs(), distance));
            }
            product *= to_field(distance);
            products.push((lab.cell(b, row), product));
        }
        all.push(changes.clone());
        all.push([changes, products].concat());
    }
    all
}

/// What a distance row stands for.
fn accumulator(lab: &Lab, row: usize) -> Fr {
    let (columns, shape) = (&lab.trace.columns, &lab.trace.shape);
    lab.values[lab.cell(columns.a.index(), row) as usize] - sum(lab, row, 0..shape.pool_limbs())
}

fn whole_classes(lab: &Lab, changes: &[(CellId, Fr)]) -> Changes {
    let mut all = changes.to_vec();
    for &(cell, value) in changes {
        let others: Vec<CellId> = lab.class(cell).iter().copied().filter(|c| !changes.iter().any(|(d, _)| d == c)).collect();
        all.extend(others.into_iter().map(|c| (c, value)));
    }
    all
}

/// What a cell is: its column, and the gate that owns its row.
struct Kinds {
    columns: HashMap<usize, &'static str>,
    owners: Vec<&'static str>,
}

impl Kinds {
    fn of(lab: &Lab) -> Self {
        let columns = &lab.trace.columns;
        let mut names: HashMap<usize, &'static str> =
            HashMap::from([(columns.a.index(), "a"), (columns.b.index(), "b"), (columns.multiplicity.index(), "multiplicity")]);
        names.extend(columns.limbs.iter().map(|lane| (lane.index(), "limb")));
        names.extend(columns.c.iter().map(|c| (c.index(), "c")));
        let function = columns.function.as_ref().map(|f| f.selector);
        let mut selectors = vec![(columns.range, "range"), (columns.relu, "relu"), (columns.signed, "signed")];
        selectors.extend([(columns.threshold, "threshold"), (columns.argmax, "argmax"), (function, "function")]);
        selectors.extend([(columns.in_place, "input in place"), (columns.border, "border"), (columns.maximum, "maximum")]);
        selectors.extend([(columns.distance, "distance"), (columns.pooled, "pooled")]);
        selectors.extend([(columns.full, "full round"), (columns.partial, "partial round"), (columns.absorb, "absorb")]);
        let mut owner = "none";
        let owners = (0..lab.trace.end).map(|row| {
            let selected = selectors.iter().find(|(s, _)| lab.trace.is_enabled(*s, row)).map(|(_, name)| *name);
            let walks = columns.shift.is_some_and(|shift| lab.fixed(shift, row) == Fr::ONE);
            let linear = (lab.fixed(columns.linear, row) == Fr::ONE).then_some("linear");
            owner = selected.or(linear).or(walks.then_some("walk")).unwrap_or(owner);
            owner
        });
        Self { columns: names, owners: owners.collect() }
    }

    fn name(&self, lab: &Lab, cell: CellId) -> String {
        let (column, row) = lab.place(cell);
        match self.columns[&column] {
            "multiplicity" => "multiplicity".into(),
            name => format!("{name} of {}", self.owners[row]),
        }
    }
}
