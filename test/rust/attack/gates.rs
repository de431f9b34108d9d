//! Every gate on its own: mutation of all cells, rank of the second phase, exhaustive uniqueness at small widths, and the harness
//! itself (a circuit without one of its constraints must be caught).

use super::bench::{
    End, MATRICES, Sample, conv_sample, every_gate, function_sample, hash_sample, in_place_sample, layer_sample, linear,
    maximum_sample, pool_sample, product_sample, range_sample, shape, stencils, tiny, tiny_function, tiny_function_sample,
    tiny_maximum_sample, two_pools,
};
use super::enumerate::{Choice, witnesses};
use super::lab::Lab;
use super::mutation::{Effort, attack};
use super::rank::{hash_cells, phase2_cells};
use halo2_proofs::{arithmetic::Field, dev::MockProver, halo2curves::bn256::Fr};
use zkml_evm::{
    circuit::InferenceCircuit,
    gates::{Shape, field::to_field},
};

#[test]
fn no_cell_of_any_gate_has_a_second_value() {
    let mut tried = 0;
    for sample in every_gate() {
        let name = sample.name.clone();
        let mut lab = sample.lab();
        let start = std::time::Instant::now();
        let report = attack(&mut lab, Effort::FULL);
        eprintln!(
            "{:?} {name}: {} cells, {} forgeries, {} late",
            start.elapsed(),
            report.cells.values().sum::<usize>(),
            report.tried,
            report.late
        );
        report.assert_sound(20);
        tried += report.tried;
    }
    assert!(tried > 20_000, "{tried}");
}

#[test]
fn the_second_phase_is_determined() {
    for sample in every_gate() {
        let name = sample.name.clone();
        let lab = sample.lab();
        let (total, free) = phase2_cells(&lab);
        assert!(free.is_empty(), "{name}: {} of {total} phase-2 cells are free: {:?}", free.len(), lab.place(free[0]));
        assert!(total >= 2 * lab.trace.end, "{name}: fold and sum stand on every row");
    }
}

#[test]
fn no_gate_reads_an_unusable_row_or_a_cell_that_nobody_assigned() {
    for sample in every_gate() {
        let name = sample.name.clone();
        let lab = sample.lab();
        assert_reads_are_assigned(&lab, &name);
    }
}

/// Every cell that some constraint reads was assigned, apart from the lanes and the multiplicities, which count on every row,
/// and from phase 2, which `the_second_phase_is_determined` covers. Cells of unusable rows never are.
pub fn assert_reads_are_assigned(lab: &Lab, name: &str) {
    let columns = &lab.trace.columns;
    for constraint in &lab.constraints {
        for cell in constraint.cells() {
            let (column, row) = lab.place(cell);
            assert!(row <= lab.trace.end, "{name}: `{}` of row {} reads row {row}", constraint.name, constraint.row);
            let counted = lab.is_limb(cell) || column == columns.multiplicity.index() || lab.is_late(cell);
            let assigned = counted || lab.trace.assigned[column][row];
            assert!(assigned, "{name}: `{}` of row {} reads column {column}, row {row}", constraint.name, constraint.row);
        }
    }
}

#[test]
fn the_evaluator_agrees_with_mock_prover() {
    let mut rejected = 0;
    for Sample { name, trace, instances } in every_gate() {
        let mock = |trace: zkml_evm::gates::Trace| {
            MockProver::run(trace.shape.k, &InferenceCircuit::new(trace), vec![instances.clone()]).unwrap().verify()
        };
        assert!(mock(trace.clone()).is_ok(), "{name}");
        let mut lab = Lab::new(trace, &instances, 3);
        let cells = lab.assigned();
        for cell in cells.iter().step_by(cells.len() / 9) {
            for step in [Fr::ONE, -Fr::ONE] {
                let changes = vec![(*cell, lab.values[*cell as usize] + step)];
                let accepted = mock(lab.completed(&changes)).is_ok();
                assert_eq!(lab.survives(&changes), accepted, "{name}, cell {:?}", lab.place(*cell));
                rejected += usize::from(!accepted);
            }
        }
    }
    assert!(rejected > 200, "{rejected}");
}

#[test]
fn a_circuit_without_one_of_its_constraints_is_caught() {
    let three = linear(&[&[300, -200], &[-411, 77], &[5, 901]], &[1000, -70_000, 12]);
    let inputs = [-1000, 3000];
    let signed = || layer_sample(shape(), End::Signed, &three, &[417, 1055], inputs);
    let relu = || layer_sample(shape(), End::Relu, &three, &[417, -55], inputs);
    let zero = || layer_sample(shape(), End::Relu, &linear(&[&[0, 0], &[0, 1]], &[0, 0]), &[0, 0], inputs);
    let argmax = || layer_sample(shape(), End::Argmax, &three, &[417, 600], inputs);
    let hash = || hash_sample(shape(), &[0, 200, -5, 17]);
    let range_in = |lanes| range_sample(Shape { lanes, ..shape() }, inputs, 17);
    let range = || range_in(1);
    let in_place = || in_place_sample(shape(), &three, &[417, -55], -1000);
    let maximum = || maximum_sample(shape(), &[17, -3, 17, 99, -100]);
    let pools = || two_pools(shape(), [417, -55]);
    let zero_pool = || pool_sample(shape(), &linear(&[&[0, 0], &[0, 1]], &[0, 0]), &[1, 1], &[0, 0], inputs);
    let walk = || stencils().into_iter().map(|(stencil, steps)| conv_sample(shape(), stencil, &steps)).next().unwrap();
    let samples: Vec<(&str, Sample)> = vec![
        ("a - lo is made of limbs", range()),
        ("hi - a is made of limbs", range()),
        ("lookup step", range()),
        ("lookup step", range_in(3)),
        ("lookup step", range_in(5)),
        ("running sum starts and ends at zero", range()),
        ("fold starts and ends at zero", signed()),
        ("fold of the linear layers", signed()),
        ("b is a bit", zero()),
        ("a = max(q, 0)", relu()),
        ("a = q", signed()),
        ("copy", layer_sample(shape(), End::Signed, &linear(&[&[1, 0], &[0, 1]], &[0, 0]), &[20, 33], inputs)),
        ("instance", range()),
        ("s is the prefix sum of e", argmax()),
        ("one class is chosen", argmax()),
        ("the maximum is the chosen score", argmax()),
        ("no score is larger", argmax()),
        ("linear step", function_sample(shape(), 21)),
        ("x - lo is made of limbs", in_place()),
        ("lo + span - x is made of limbs", in_place()),
        ("packed sum", hash()),
        ("absorb: right", hash()),
        ("square of state 1", hash()),
        ("square of state 2", hash()),
        ("full round", hash()),
        ("partial round", hash()),
        ("no element is larger", maximum()),
        ("product of the distances", maximum()),
        ("the maximum is an element", maximum()),
        ("product of the accumulators' distances", pools()),
        ("one maximum for a window", pools()),
        ("some accumulator is the maximum", pools()),
        ("the maximum is split", pools()),
        ("b is a bit", zero_pool()),
        ("a is the pooled result", pools()),
        ("fold of the linear layers", pools()),
        ("fold of the linear layers", product_sample(shape(), MATRICES)),
        ("fold of the linear layers", walk()),
        ("a = q", walk()),
    ];
    let mut unseen = Vec::new();
    for (name, sample) in samples {
        let mut lab = sample.lab().without(name);
        let start = std::time::Instant::now();
        let caught =
            !attack(&mut lab, Effort { stop: true, ..Effort::FULL }).survivors.is_empty() || !phase2_cells(&lab).1.is_empty();
        eprintln!("{name}: {:?}", start.elapsed());
        if !caught {
            unseen.push(name);
        }
    }
    assert!(unseen.is_empty(), "the harness sees nothing without {unseen:?}");
    for (name, sample) in [
        ("folded weights", signed()),
        ("helper", range_in(3)),
        ("helper", range_in(5)),
        ("walked weights", walk()),
        ("walked weights", product_sample(shape(), MATRICES)),
        ("square of state 0", hash()),
    ] {
        assert!(!phase2_cells(&sample.lab().without(name)).1.is_empty(), "without `{name}` the second phase is free");
    }
    assert!(hash_cells(&hash().lab()).1.is_empty(), "a hash is determined by what it absorbs");
    for name in ["absorb: capacity is zero", "absorb: left", "absorb: right", "full round", "partial round"] {
        assert!(!hash_cells(&hash().lab().without(name)).1.is_empty(), "without `{name}` a hash is free");
    }
}

/// The forger can do what it is for: where an input is bound to nothing it finds another whole witness of the same statement,
/// through range check, copies, layer and rescale.
#[test]
fn the_forger_finds_another_private_input() {
    let mut sample = layer_sample(shape(), End::Signed, &linear(&[&[3, 4]], &[100]), &[417, 55], [-1000, 3000]);
    sample.trace.exposed.clear();
    let mut lab = sample.lab();
    let report = attack(&mut lab, Effort::FULL);
    let kinds: std::collections::BTreeSet<&str> = report.survivors.iter().map(|(kind, _)| kind.as_str()).collect();
    for kind in ["a of range", "limb of range", "a of linear", "limb of signed"] {
        assert!(kinds.contains(kind), "no other witness found from `{kind}`, only from {kinds:?}");
    }
    assert!(report.survivors.iter().all(|(_, changes)| lab.survives(changes)));
}

/// The exhaustive search on the function table, the result unknown and not only an integer: one witness, the true one. In a
/// circuit without the result's range row every remainder has its fraction.
#[test]
fn a_function_has_one_result() {
    let function = tiny_function();
    for q in -8..=7 {
        let expected = to_field(function.eval(q));
        assert_eq!(results_of(q, true), [expected], "q = {q}");
        let unchecked = results_of(q, false);
        assert_eq!(unchecked.len(), 4, "q = {q}: a remainder each");
        assert!(unchecked.contains(&expected));
    }
}

/// Every result of the tiny function that some witness has, among the integers and the fractions that the linear step permits.
fn results_of(q: i128, checked: bool) -> Vec<Fr> {
    let function = tiny_function();
    let sample = tiny_function_sample(q, checked);
    let columns = sample.trace.columns.clone();
    let [a, b, limb] = [columns.a, columns.b, columns.limbs[0]].map(|c| c.index());
    let row = sample.trace.shape.range_rows();
    let check = row + sample.trace.shape.function_rows();
    let mut lab = sample.lab().open(&[1]);
    let pairs = function.values.windows(2).map(|pair| (to_field(pair[0]), to_field(pair[1] - pair[0])));
    let (values, mut slopes): (Vec<Fr>, Vec<Fr>) = pairs.unzip();
    slopes.sort_unstable();
    slopes.dedup();
    let quarter = Fr::from(4).invert().unwrap();
    let results: Vec<Fr> = (-20..=80).map(|n| to_field(n) * quarter).collect();
    let digits = domain(0..=3);
    let mut choices = vec![
        Choice::new(&lab, limb, row, &digits),
        Choice::new(&lab, limb, row + 1, &digits),
        Choice::new(&lab, b, row, &values),
        Choice::new(&lab, b, row + 1, &slopes),
        Choice::new(&lab, limb, row + 2, &digits),
        Choice::new(&lab, a, row + 1, &results),
    ];
    if checked {
        choices.extend((check..check + row).map(|row| Choice::new(&lab, limb, row, &digits)));
    }
    let found = witnesses(&mut lab, &choices);
    let mut results: Vec<Fr> = found.iter().map(|changes| lab.published(changes, 1)).collect();
    results.sort_unstable();
    results
}

#[test]
fn a_segment_that_is_not_the_inputs_is_refused_by_one_constraint() {
    let (mut sample, other) = (function_sample(shape(), 21), function_sample(shape(), -90));
    sample.instances[1] = other.instances[1];
    let row = sample.trace.shape.range_rows();
    let check = row + sample.trace.shape.function_rows();
    let [a, b, limb] = [sample.trace.columns.a, sample.trace.columns.b, sample.trace.columns.limbs[0]].map(|c| c.index());
    let mut lab = Lab::forced(sample.trace, &sample.instances, 5);
    let cells = [(a, row + 1), (b, row), (b, row + 1), (limb, row), (limb, row + 1), (limb, row + 2), (a, check)];
    // The range row of the result goes along.
    let limbs = (check..check + row).map(|row| (limb, row));
    let cells = cells.into_iter().chain(limbs);
    let changes: Vec<_> = cells.map(|(column, row)| (lab.cell(column, row), other.trace.advice[column][row])).collect();
    assert!(!lab.survives(&changes));
    assert!(lab.without("segment and place").survives(&changes));
}

#[test]
fn a_class_that_was_not_chosen_is_refused_by_one_constraint() {
    let three = linear(&[&[300, -200], &[-411, 77], &[5, 901]], &[1000, -70_000, 12]);
    let mut sample = layer_sample(shape(), End::Argmax, &three, &[417, 600], [-1000, 3000]);
    let (honest, wrong) = (sample.instances[2], sample.instances[2] - Fr::ONE);
    assert_ne!(honest, Fr::ZERO);
    sample.instances[2] = wrong;
    let (exposed, _) = sample.trace.exposed[2];
    let mut lab = Lab::forced(sample.trace, &sample.instances, 5);
    let changes: Vec<_> = lab.class(lab.cell(lab.trace.columns.a.index(), exposed.row)).iter().map(|&c| (c, wrong)).collect();
    assert!(!lab.survives(&changes));
    assert!(lab.without("the class is the chosen index").survives(&changes));
}

fn domain(range: std::ops::RangeInclusive<i128>) -> Vec<Fr> {
    range.map(to_field).collect()
}

#[test]
fn a_range_accepts_exactly_its_values() {
    for (lo, hi) in [(0i128, 0), (-3, 4), (2, 9), (-7, 8), (0, 15)] {
        for value in lo - 17..=hi + 17 {
            // Another public value than the honest trace's `lo`: only the limbs may make up for it.
            let mut sample = range_sample(tiny(), [lo, hi], lo);
            sample.instances[0] = to_field(value);
            let (a, limb) = (sample.trace.columns.a.index(), sample.trace.columns.limbs[0].index());
            let mut lab = Lab::forced(sample.trace, &sample.instances, 5);
            let mut choices = vec![Choice::new(&lab, a, 0, &[to_field(value)])];
            choices.extend((0..4).map(|row| Choice::new(&lab, limb, row, &domain(0..=3))));
            let count = witnesses(&mut lab, &choices).len();
            assert_eq!(count, usize::from(lo <= value && value <= hi), "{value} in {lo}..={hi}");
        }
    }
}

#[test]
fn every_accumulator_has_one_quotient_remainder_and_sign() {
    let identity = linear(&[&[1]], &[0]);
    for end in [End::Relu, End::Signed] {
        // y = x in [-18, 13]: exactly what 2 bits of magnitude hold at a shift of 2.
        for y in -18..=13 {
            let shape = zkml_evm::gates::Shape { range_limbs: 3, ..tiny() };
            let sample = layer_sample(shape, end, &identity, &[y], [-18, 13]);
            let first = shape.range_rows();
            let columns = sample.trace.columns.clone();
            let mut lab = sample.lab();
            let choices = [
                Choice::new(&lab, columns.limbs[0].index(), first, &domain(0..=3)),
                Choice::new(&lab, columns.limbs[0].index(), first + 1, &domain(0..=3)),
                Choice::new(&lab, columns.b.index(), first, &domain(-1..=2)),
                Choice::new(&lab, columns.a.index(), first, &domain(-6..=6)),
            ];
            let found = witnesses(&mut lab, &choices);
            assert_eq!(found.len(), 1, "{end:?}, y = {y}");
            let q = (y + 2) >> 2;
            let expected = if end == End::Relu { q.max(0) } else { q };
            let a = lab.cell(columns.a.index(), first);
            assert!(found[0].contains(&(a, to_field(expected))), "{end:?}, y = {y}");
        }
    }
}

#[test]
fn a_threshold_is_reached_or_not() {
    let identity = linear(&[&[1]], &[0]);
    for y in -10..=5 {
        let shape = zkml_evm::gates::Shape { range_limbs: 2, ..tiny() };
        let q = (y + 2) >> 2;
        for threshold in -4..=3i128 {
            // The honest threshold -2 is always reached; the forged statement changes it, with its range check.
            let mut sample = layer_sample(shape, End::Threshold(-2), &identity, &[y], [-10, 5]);
            sample.instances[1] = to_field(threshold);
            let columns = sample.trace.columns.clone();
            let rows = shape.range_rows();
            let mut lab = Lab::forced(sample.trace, &sample.instances, 5);
            let mut choices = vec![Choice::new(&lab, columns.a.index(), rows, &[to_field(threshold)])];
            choices.extend((rows..2 * rows + 2).map(|row| Choice::new(&lab, columns.limbs[0].index(), row, &domain(0..=3))));
            let expected = usize::from((-2..=1).contains(&threshold) && q >= threshold);
            assert_eq!(witnesses(&mut lab, &choices).len(), expected, "y = {y}, q = {q}, T = {threshold}");
        }
    }
}

#[test]
fn argmax_has_one_witness_and_ties_go_to_the_lowest_index() {
    let shape = zkml_evm::gates::Shape { range_limbs: 3, ..tiny() };
    let identity = linear(&[&[4, 0, 0], &[0, 4, 0], &[0, 0, 4]], &[0, 0, 0]);
    for code in 0..64i128 {
        let scores = [code % 4 - 2, code / 4 % 4 - 2, code / 16 - 2];
        let mut sample = layer_sample(shape, End::Argmax, &identity, &scores, [-2, 1]);
        let expected = zkml_evm::op::Argmax.eval(&scores);
        let columns = sample.trace.columns.clone();
        let rows: Vec<usize> = (0..sample.trace.end).filter(|&row| sample.trace.is_enabled(columns.argmax, row)).collect();
        for class in 0..3 {
            sample.instances[3] = Fr::from(class as u64);
            let mut lab = Lab::forced(sample.trace.clone(), &sample.instances, 5);
            let mut choices = vec![
                Choice::new(&lab, columns.a.index(), rows[0] + 2, &[Fr::from(class as u64)]),
                Choice::new(&lab, columns.a.index(), rows[0] + 1, &domain(-3..=2)),
            ];
            for &row in &rows {
                choices.push(Choice::new(&lab, columns.b.index(), row, &domain(-1..=2)));
                choices.push(Choice::new(&lab, columns.b.index(), row + 1, &domain(-1..=3)));
                choices.push(Choice::new(&lab, columns.limbs[0].index(), row, &domain(0..=3)));
            }
            assert_eq!(witnesses(&mut lab, &choices).len(), usize::from(class == expected), "{scores:?}, class {class}");
        }
    }
}

/// Every window of one to three elements, with a maximum from a domain wider than theirs.
#[test]
fn a_maximum_has_one_witness() {
    let choices = |lab: &Lab| {
        let columns = lab.trace.columns.clone();
        let selector = columns.maximum;
        let rows: Vec<usize> = (0..lab.trace.end).filter(|&row| lab.trace.is_enabled(selector, row)).collect();
        let mut choices = vec![Choice::new(lab, columns.a.index(), rows[0] + 1, &domain(-4..=7))];
        for &row in &rows {
            choices.push(Choice::new(lab, columns.limbs[0].index(), row, &domain(0..=3)));
            choices.push(Choice::new(lab, columns.b.index(), row, &domain(-1..=28)));
        }
        choices
    };
    for (length, code) in (1..=3u32).flat_map(|length| (0..4i128.pow(length)).map(move |code| (length, code))) {
        let x: Vec<i128> = (0..length).map(|i| code / 4i128.pow(i) % 4).collect();
        let sample = tiny_maximum_sample(&x);
        let mut lab = Lab::new(sample.trace, &sample.instances, 5);
        let all = choices(&lab);
        let found = witnesses(&mut lab, &all);
        assert_eq!(found.len(), 1, "{x:?}");
        let m = lab.place(found[0][0].0);
        assert_eq!(m.0, lab.trace.columns.a.index());
        assert_eq!(found[0][0].1, to_field(*x.iter().max().unwrap()), "{x:?}");
        // Without membership every larger value within reach of the smallest element is a witness too.
        let mut broken = lab.without("the maximum is an element");
        let all = choices(&broken);
        let reach = 4 - (x.iter().max().unwrap() - x.iter().min().unwrap());
        assert_eq!(witnesses(&mut broken, &all).len(), reach as usize, "{x:?}");
    }
}

/// Every window of two small accumulators: one maximum, one result. Limbs of 2 bits, all of a distance in one row.
#[test]
fn a_pool_has_one_witness() {
    let shape = Shape { range_limbs: 3, lanes: 3, ..tiny() };
    let identity = linear(&[&[1, 0], &[0, 1]], &[0, 0]);
    for (x, rectifies) in
        (0..49i128).flat_map(|code| [([code % 7 - 3, code / 7 - 3], false), ([code % 7 - 3, code / 7 - 3], true)])
    {
        // The second window is rectified; the first of one accumulator stands before it.
        let layer = if rectifies { linear(&[&[0, 0], &[1, 0], &[0, 1]], &[0; 3]) } else { identity.clone() };
        let windows: &[usize] = if rectifies { &[1, 2] } else { &[2] };
        let sample = pool_sample(shape, &layer, windows, &x, [-8, 8]);
        let mut lab = Lab::new(sample.trace, &sample.instances, 5);
        let columns = lab.trace.columns.clone();
        let rows = |selector| (0..lab.trace.end).filter(|&row| lab.trace.is_enabled(selector, row)).collect::<Vec<usize>>();
        let (distances, pooled) = (rows(columns.distance), rows(columns.pooled));
        let (a, b) = (columns.a.index(), columns.b.index());
        let limb = |row: usize, index: u32| {
            let (column, row) = columns.limb_at(row, index);
            Choice::new(&lab, column.index(), row, &domain(0..=3))
        };
        let mut choices = vec![];
        for &row in &distances[distances.len() - 2..] {
            choices.push(Choice::new(&lab, a, row, &domain(-9..=9)));
            choices.extend((0..3).map(|index| limb(row, index)));
            choices.push(Choice::new(&lab, b, row, &domain(-1..=80)));
        }
        let row = pooled[pooled.len() - 1];
        choices.extend((0..2).map(|index| limb(row, index)));
        choices.push(Choice::new(&lab, b, row, &domain(-1..=2)));
        choices.push(Choice::new(&lab, a, row, &domain(-5..=5)));
        let found = witnesses(&mut lab, &choices);
        assert_eq!(found.len(), 1, "{x:?} {rectifies}");
        let q = (x[0].max(x[1]) + 2) >> 2;
        let result = lab.cell(a, row);
        let published = found[0].iter().find(|(cell, _)| *cell == result).unwrap().1;
        assert_eq!(published, to_field(if rectifies { q.max(0) } else { q }), "{x:?} {rectifies}");
        // Without membership larger maxima are witnesses too.
        let mut broken = lab.without("some accumulator is the maximum");
        assert!(witnesses(&mut broken, &choices).len() > 1, "{x:?}");
    }
}
