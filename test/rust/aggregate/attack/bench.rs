//! What the circuit says of a sheet, row by row, for the layout's own constraints: `gates/stack.rs` commits these and no others.
//!
//! There are two judges. The first takes the lookups for set membership, and so grants a forger the best multiplicities and the best second
//! phase; it is fast enough for every cell. The second takes the sheet as a prover would: challenges drawn, multiplicities counted, the second
//! phase computed, every constraint evaluated.

use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column, ConstraintSystem, Expression},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use zkml_evm::outer::{Sheet, columns::Columns, lookup, points::MULTIPLES, shape::LANE_BITS, sheet::Cell};

/// An advice cell: column index and row.
pub type At = (usize, usize);
/// Cells with forged values.
pub type Changes = Vec<(At, Fr)>;
/// Names of what refuses a sheet.
pub type Refusals = BTreeSet<String>;
/// A multiple as the lookup compares it.
type Tuple = Vec<[u8; 32]>;

/// A constraint of the layout.
#[derive(Debug)]
struct Constraint {
    name: String,
    polynomial: Expression<Fr>,
    needs_challenges: bool,
}

/// The layout's constraints.
#[derive(Debug)]
pub struct Judge {
    constraints: Vec<Constraint>,
    /// The constraints without challenges that read a column, and at which rotation.
    readers: HashMap<usize, Vec<(usize, i32)>>,
}

impl Judge {
    pub fn new() -> Self {
        let mut cs = ConstraintSystem::default();
        Columns::configure(&mut cs);
        let mut constraints = Vec::new();
        let mut readers: HashMap<usize, Vec<(usize, i32)>> = HashMap::new();
        for gate in cs.gates() {
            for (i, polynomial) in gate.polynomials().iter().enumerate() {
                let (mut queries, mut needs_challenges) = (HashSet::new(), false);
                reads(polynomial, &mut queries, &mut needs_challenges);
                let name = gate.constraint_name(i).to_owned();
                // The pins read the running sum alone, which follows from challenges too.
                let needs_challenges = needs_challenges || gate.name() == "lookup";
                if !needs_challenges {
                    let at = constraints.len();
                    queries.into_iter().for_each(|(column, by)| readers.entry(column).or_default().push((at, by)));
                }
                constraints.push(Constraint { name, polynomial: polynomial.clone(), needs_challenges });
            }
        }
        Self { constraints, readers }
    }

    /// The first judge, on the whole sheet.
    pub fn refusals(&self, sheet: &Sheet, public: &[Fr]) -> Refusals {
        let mut refused = self.violated(sheet, None);
        refused.extend(lanes_refused(sheet).then(|| "lane".to_owned()));
        refused.extend(multiples_refused(sheet).then(|| "multiple".to_owned()));
        refused.extend(outside(sheet, public));
        refused
    }

    /// The second judge, with multiplicities counted.
    pub fn refusals_of_a_prover(&self, mut sheet: Sheet, public: &[Fr], challenges: [Fr; 2]) -> Refusals {
        count(&mut sheet);
        self.refusals_as_it_stands(sheet, public, challenges)
    }

    /// The second judge, with the multiplicities that stand there.
    pub fn refusals_as_it_stands(&self, mut sheet: Sheet, public: &[Fr], challenges: [Fr; 2]) -> Refusals {
        lookup::assign_phase2(&mut sheet, challenges[0], challenges[1]);
        let mut refused = self.violated(&sheet, Some(challenges));
        refused.extend(outside(&sheet, public));
        refused
    }

    /// Names of the violated constraints on all rows; without challenges only of those that need none.
    pub fn violated(&self, sheet: &Sheet, challenges: Option<[Fr; 2]>) -> Refusals {
        let judged = self.constraints.iter().filter(|constraint| challenges.is_some() || !constraint.needs_challenges);
        let grid = Grid::of(sheet, challenges.unwrap_or([Fr::ZERO; 2]));
        let broken = |c: &&Constraint| (0..sheet.widths.rows()).any(|row| grid.eval(&c.polynomial, row) != Fr::ZERO);
        judged.filter(broken).map(|constraint| constraint.name.clone()).collect()
    }

    /// The first violated constraint without challenges that a change of these cells alone can violate.
    fn touched(&self, sheet: &Sheet, cells: &[(At, Fr)]) -> Option<&str> {
        let (rows, grid) = (sheet.widths.rows() as i64, Grid::of(sheet, [Fr::ZERO; 2]));
        for ((column, row), _) in cells {
            for (at, by) in self.readers.get(column).into_iter().flatten() {
                let base = (*row as i64 - i64::from(*by)).rem_euclid(rows) as usize;
                if grid.eval(&self.constraints[*at].polynomial, base) != Fr::ZERO {
                    return Some(&self.constraints[*at].name);
                }
            }
        }
        None
    }
}

/// A sheet that is changed cell by cell.
pub struct Bench<'a> {
    judge: &'a Judge,
    pub sheet: Sheet,
    tied: HashMap<At, Vec<At>>,
    exposed: HashSet<At>,
    lanes: HashSet<usize>,
    counted: HashSet<usize>,
}

impl<'a> Bench<'a> {
    pub fn new(judge: &'a Judge, sheet: Sheet) -> Self {
        let mut tied: HashMap<At, Vec<At>> = HashMap::new();
        for (from, to) in &sheet.copies {
            tied.entry(at(from)).or_default().push(at(to));
            tied.entry(at(to)).or_default().push(at(from));
        }
        let exposed = sheet.exposed.iter().map(|(cell, _)| at(cell)).collect();
        let columns = &sheet.columns;
        let lanes = columns.lanes.iter().map(Column::index).collect();
        let counted = [columns.multiplicity, columns.plus, columns.minus].iter().map(Column::index).collect();
        Self { judge, sheet, tied, exposed, lanes, counted }
    }

    /// What refuses the changes. Multiplicities and the second phase are the best there can be, unless multiplicities are what is changed.
    pub fn refusal(&mut self, changes: &[(At, Fr)]) -> Option<String> {
        let before: Changes = changes.iter().map(|&((c, r), _)| ((c, r), self.sheet.advice[c][r])).collect();
        let balanced = self.balance(changes);
        changes.iter().for_each(|&((c, r), value)| self.sheet.advice[c][r] = value);
        let refusal = (!balanced).then(|| "sum".to_owned()).or_else(|| self.refused(changes));
        before.iter().rev().for_each(|&((c, r), value)| self.sheet.advice[c][r] = value);
        refusal
    }

    fn refused(&self, changes: &[(At, Fr)]) -> Option<String> {
        if let Some(name) = self.judge.touched(&self.sheet, changes) {
            return Some(name.to_owned());
        }
        let value = |(c, r): At| self.sheet.advice[c][r];
        let torn = |&(cell, value_of): &(At, Fr)| {
            self.exposed.contains(&cell)
                || self.tied.get(&cell).is_some_and(|others| others.iter().any(|&o| value(o) != value_of))
        };
        if changes.iter().any(torn) {
            return Some("copy".to_owned());
        }
        if changes.iter().any(|((column, _), value)| self.lanes.contains(column) && !in_table(value)) {
            return Some("lane".to_owned());
        }
        let of_lanes = |((column, _), _): &(At, Fr)| self.lanes.contains(column);
        (!changes.iter().all(of_lanes) && multiples_refused(&self.sheet)).then(|| "multiple".to_owned())
    }

    /// Whether changed multiplicities, by themselves, leave every table entry the same number of lookups. Unused rows of the table repeat
    /// its entry 0.
    fn balance(&self, changes: &[(At, Fr)]) -> bool {
        let columns = &self.sheet.columns;
        let mut off: BTreeMap<Tuple, Fr> = BTreeMap::new();
        for &((column, row), value) in changes.iter().filter(|((column, _), _)| self.counted.contains(column)) {
            let entry = if column == columns.multiplicity.index() {
                vec![self.sheet.fixed[columns.table.index()][row].to_bytes()]
            } else {
                offered(&self.sheet, row, column == columns.minus.index())
            };
            *off.entry(entry).or_insert(Fr::ZERO) += value - self.sheet.advice[column][row];
        }
        off.values().all(|sum| *sum == Fr::ZERO)
    }
}

fn reads(expression: &Expression<Fr>, queries: &mut HashSet<(usize, i32)>, challenges: &mut bool) {
    match expression {
        Expression::Advice(query) => drop(queries.insert((query.column_index(), query.rotation().0))),
        Expression::Challenge(_) => *challenges = true,
        Expression::Negated(e) | Expression::Scaled(e, _) => reads(e, queries, challenges),
        Expression::Sum(a, b) | Expression::Product(a, b) => [a, b].into_iter().for_each(|e| reads(e, queries, challenges)),
        _ => {}
    }
}

/// The cells that an expression reads.
pub struct Grid<'a> {
    pub fixed: &'a [Vec<Fr>],
    pub advice: &'a [Vec<Fr>],
    pub challenges: [Fr; 2],
}

impl<'a> Grid<'a> {
    pub fn of(sheet: &'a Sheet, challenges: [Fr; 2]) -> Self {
        Self { fixed: &sheet.fixed, advice: &sheet.advice, challenges }
    }

    /// The value on a row; behind the last row stands the first.
    pub fn eval(&self, expression: &Expression<Fr>, row: usize) -> Fr {
        let at = |column: &[Fr], by: i32| match row.checked_add_signed(by as isize) {
            Some(row) if row < column.len() => column[row],
            Some(row) => column[row - column.len()],
            None => column[column.len() - (by.unsigned_abs() as usize - row)],
        };
        match expression {
            Expression::Constant(value) => *value,
            Expression::Fixed(query) => at(&self.fixed[query.column_index()], query.rotation().0),
            Expression::Advice(query) => at(&self.advice[query.column_index()], query.rotation().0),
            Expression::Challenge(challenge) => self.challenges[challenge.index()],
            Expression::Negated(e) => -self.eval(e, row),
            Expression::Scaled(e, factor) => self.eval(e, row) * factor,
            Expression::Sum(a, b) => self.eval(a, row) + self.eval(b, row),
            Expression::Product(a, b) => {
                let left = self.eval(a, row);
                if left == Fr::ZERO { left } else { left * self.eval(b, row) }
            }
            Expression::Selector(_) | Expression::Instance(_) => panic!("no gate uses halo2's selectors or queries an instance"),
        }
    }
}

/// What ties cells to each other and to the public values.
pub fn outside(sheet: &Sheet, public: &[Fr]) -> Refusals {
    let torn = sheet.copies.iter().any(|(from, to)| sheet.value(*from) != sheet.value(*to));
    let told = sheet.exposed.iter().any(|(cell, index)| sheet.value(*cell) != public[*index]);
    torn.then(|| "copy".to_owned()).into_iter().chain(told.then(|| "instance".to_owned())).collect()
}

fn lanes_refused(sheet: &Sheet) -> bool {
    sheet.columns.lanes.iter().any(|lane| sheet.advice[lane.index()][..sheet.end].iter().any(|value| !in_table(value)))
}

fn in_table(value: &Fr) -> bool {
    small(value).is_some_and(|value| value < 1 << LANE_BITS)
}

pub fn small(value: &Fr) -> Option<u64> {
    let bytes = value.to_bytes();
    bytes[8..].iter().all(|&byte| byte == 0).then(|| u64::from_le_bytes(std::array::from_fn(|i| bytes[i])))
}

fn multiples_refused(sheet: &Sheet) -> bool {
    let offers = offers(sheet);
    finding_rows(sheet).any(|row| !offers.contains_key(&wanted(sheet, row)))
}

/// The rows that look up a multiple.
pub fn finding_rows(sheet: &Sheet) -> impl Iterator<Item = usize> + '_ {
    let wanted = &sheet.fixed[sheet.columns.wanted.index()];
    (0..sheet.end).filter(|&row| wanted[row] != Fr::ZERO)
}

/// Every multiple that is offered, with its row and whether it is the negative.
fn offers(sheet: &Sheet) -> HashMap<Tuple, (usize, bool)> {
    let ids = &sheet.fixed[sheet.columns.offered.index()];
    let rows = (0..sheet.end).filter(|&row| ids[row] != Fr::ZERO);
    rows.flat_map(|row| [false, true].map(|negated| (offered(sheet, row, negated), (row, negated)))).collect()
}

fn wanted(sheet: &Sheet, row: usize) -> Tuple {
    let columns = &sheet.columns;
    let id = sheet.fixed[columns.wanted.index()][row];
    let limbs = [row + 2, row].map(|row| columns.operand.map(|c| sheet.advice[c.index()][row]));
    tuple(id, sheet.advice[columns.digit.index()][row], limbs)
}

fn offered(sheet: &Sheet, row: usize, negated: bool) -> Tuple {
    let (columns, rows) = (&sheet.columns, sheet.widths.rows());
    let [id, digit] = [columns.offered, columns.offered_digit].map(|c| sheet.fixed[c.index()][row]);
    let [x, y] = [(row + rows - 2) % rows, row].map(|row| columns.element.map(|c| sheet.advice[c.index()][row]));
    match negated {
        false => tuple(id, digit, [x, y]),
        true => tuple(id, Fr::from(2 * MULTIPLES as u64 - 1) - digit, [x, y.map(|limb| -limb)]),
    }
}

fn tuple(id: Fr, digit: Fr, limbs: [[Fr; 4]; 2]) -> Tuple {
    [id, digit].iter().chain(limbs.iter().flatten()).map(Fr::to_bytes).collect()
}

/// Counts every lookup afresh.
pub fn count(sheet: &mut Sheet) {
    let (columns, end) = (sheet.columns.clone(), sheet.end);
    let mut counts = vec![0u64; sheet.widths.rows()];
    for lane in &columns.lanes {
        let values = sheet.advice[lane.index()][..end].iter().filter_map(small).filter(|&v| v < 1 << LANE_BITS);
        values.for_each(|value| counts[value as usize] += 1);
    }
    sheet.advice[columns.multiplicity.index()] = counts.into_iter().map(Fr::from).collect();
    let offers = offers(sheet);
    let [plus, minus] = [columns.plus, columns.minus].map(|column: Column<Advice>| column.index());
    let ids = &sheet.fixed[columns.wanted.index()];
    let found: Vec<_> = finding_rows(sheet).filter_map(|row| Some((*offers.get(&wanted(sheet, row))?, ids[row]))).collect();
    for column in [plus, minus] {
        sheet.advice[column].iter_mut().for_each(|count| *count = Fr::ZERO);
    }
    for ((row, negated), id) in found {
        sheet.advice[if negated { minus } else { plus }][row] += id;
    }
}

fn at(cell: &Cell) -> At {
    (cell.column.index(), cell.row)
}
