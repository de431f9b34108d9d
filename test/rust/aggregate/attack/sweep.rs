//! Every assigned cell of the first phase, changed: alone, with what its row makes of it, and with all of its copies.

use super::{
    HONEST, JUDGE,
    bench::{At, Bench, Changes},
    forger::packed,
    refusals,
    small::{accumulated, published},
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use zkml_evm::outer::{
    Sheet, accumulator_words,
    shape::{CARRY_LANES, ELEMENT_LANES, LIMB_LANES, TOP_SHIFT},
};

/// What is refused, by the column and what refuses it; and what is not.
#[derive(Default)]
struct Report {
    refused: BTreeMap<(String, String), usize>,
    survivors: BTreeMap<String, usize>,
}

impl Report {
    fn attempt(&mut self, bench: &mut Bench<'_>, kind: String, changes: &[(At, Fr)]) {
        match bench.refusal(changes) {
            Some(by) => *self.refused.entry((kind, by)).or_default() += 1,
            None => *self.survivors.entry(kind).or_default() += 1,
        }
    }

    fn count(&self) -> usize {
        self.refused.values().chain(self.survivors.values()).sum()
    }
}

fn column_names() -> Vec<String> {
    let [advice, _] = HONEST.sheet.columns.names();
    advice.iter().map(|name| name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_').to_owned()).collect()
}

fn early() -> Vec<usize> {
    HONEST.sheet.columns.early().iter().map(Column::index).collect()
}

#[test]
fn no_assigned_cell_can_be_changed() {
    let report = swept(&HONEST.sheet, 1);
    assert_eq!(report.survivors, BTreeMap::new());
    assert!(report.count() > 400_000, "{}", report.count());
}

/// The words of an accumulator among them; of the rows of its points, which are those of every point, each fifth.
#[test]
fn no_assigned_cell_of_a_slot_that_takes_an_aggregate_can_be_changed() {
    let (sheet, sums) = accumulated(None);
    assert_eq!(published(&sheet)[1..], accumulator_words(sums));
    let report = swept(&sheet, 5);
    assert_eq!(report.survivors, BTreeMap::new());
    let words = |kind: &str| report.refused.keys().any(|(column, _)| column == kind);
    assert!(["SCALAR_A", "RESULT", "STATE and its copies"].into_iter().all(words), "{:?}", report.refused.keys());
    assert!(report.count() > 60_000, "{}", report.count());
}

/// Every assigned cell on the rows of scalars and permutations, and on each `nth` of those that come after them.
fn swept(sheet: &Sheet, nth: usize) -> Report {
    assert_eq!(JUDGE.refusals(sheet, &published(sheet)), BTreeSet::new());
    let (mut bench, mut report, names) = (Bench::new(&JUDGE, sheet.clone()), Report::default(), column_names());
    let classes = classes(sheet);
    let columns = &sheet.columns;
    let of_points: HashSet<usize> =
        columns.lanes.iter().chain(&columns.element).chain(&columns.operand).map(Column::index).collect();
    for column in early() {
        let step = if of_points.contains(&column) { nth } else { 1 };
        for row in (0..sheet.end).filter(|&row| sheet.assigned[column][row]).step_by(step) {
            let value = sheet.advice[column][row];
            for forged in [value + Fr::ONE, value - Fr::ONE, -value] {
                if forged == value {
                    continue;
                }
                let single = ((column, row), forged);
                report.attempt(&mut bench, names[column].clone(), &[single]);
                if let Some(changes) = repacked(sheet, single) {
                    report.attempt(&mut bench, format!("{} and what it makes", names[column]), &changes);
                }
                if let Some(class) = classes.get(&(column, row)) {
                    let all: Changes = class.iter().map(|&cell| (cell, forged)).collect();
                    report.attempt(&mut bench, format!("{} and its copies", names[column]), &all);
                }
            }
        }
    }
    eprintln!("{} forgeries: {:#?}", report.count(), report.refused);
    report
}

/// Another word of an accumulator in the transcript and in everything that follows from it, the points as they are.
#[test]
fn words_that_are_not_the_accumulators_are_refused() {
    let (honest, _) = accumulated(None);
    assert_eq!(refusals(&honest, &published(&honest)), BTreeSet::new());
    for at in 0..8 {
        for other in [Fr::ONE, -Fr::ONE, Fr::from(2).pow([130])] {
            let (sheet, _) = accumulated(Some((at, other)));
            assert_eq!(refusals(&sheet, &published(&sheet)), super::names(["copy"]), "word {at}");
        }
    }
}

/// A lane, the limb or carry that holds it, and the repeated top lane.
fn repacked(sheet: &Sheet, ((column, row), value): (At, Fr)) -> Option<Changes> {
    let columns = &sheet.columns;
    let lane = columns.lanes.iter().position(|lane| lane.index() == column)?;
    let made_of = |from: usize, count: usize, of: Column<Advice>| {
        let lanes = (from..from + count).map(|at| match at == lane {
            true => value,
            false => sheet.advice[columns.lanes[at].index()][row],
        });
        vec![((column, row), value), ((of.index(), row), packed(&lanes.collect::<Vec<_>>()))]
    };
    match lane {
        ELEMENT_LANES => None,
        lane if lane < ELEMENT_LANES => {
            let limb = lane / LIMB_LANES;
            let mut changes = made_of(limb * LIMB_LANES, LIMB_LANES, columns.element[limb]);
            if lane + 1 == ELEMENT_LANES {
                changes.push(((columns.lanes[ELEMENT_LANES].index(), row), value * Fr::from(1 << TOP_SHIFT)));
            }
            Some(changes)
        }
        _ => Some(made_of(ELEMENT_LANES + 1, CARRY_LANES, columns.carry)),
    }
}

/// All cells that copies tie together, by each of them.
fn classes(sheet: &Sheet) -> HashMap<At, BTreeSet<At>> {
    let mut classes: HashMap<At, BTreeSet<At>> = HashMap::new();
    for (from, to) in &sheet.copies {
        let [from, to] = [from, to].map(|cell| (cell.column.index(), cell.row));
        let of = |cell: At| classes.get(&cell).cloned().unwrap_or(BTreeSet::from([cell]));
        let all = &of(from) | &of(to);
        for cell in &all {
            classes.insert(*cell, all.clone());
        }
    }
    classes
}

/// Survivors. Cells that nothing assigned and that no constraint reads where they stand; what each would have to be read by is off there.
#[test]
fn free_cells_are_the_ones_that_nothing_reads() {
    let sheet = &HONEST.sheet;
    let (mut bench, mut report, names) = (Bench::new(&JUDGE, sheet.clone()), Report::default(), column_names());
    for column in early() {
        for row in (0..sheet.end).filter(|&row| !sheet.assigned[column][row]).step_by(7) {
            report.attempt(&mut bench, names[column].clone(), &[((column, row), Fr::ONE)]);
        }
    }
    eprintln!("{} forgeries: {:#?} {:#?}", report.count(), report.refused, report.survivors);
    let free: Vec<&str> = report.survivors.keys().map(String::as_str).collect();
    // The repeated lane on rows of quotients, which stays in the table; operands, digits and witnesses of rows that add nothing; operands
    // of scalar rows that have no factor for them; the sponge's cells where no round is.
    assert_eq!(free, ["APART", "BOXED", "DIGIT", "LANE", "OPERAND", "SCALAR_A", "SCALAR_B", "SCALAR_D", "SQUARE", "STATE"]);
}
