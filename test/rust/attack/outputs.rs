//! Public outputs as unknowns: whatever a forger publishes, with whatever witness, must be what the program gives for his input.
//!
//! With the public values held fixed a forger must find another witness of the *same* statement. A gate that lets a wrong result
//! stand beside it, such as a fraction in the field for a probability, shows only when the result may go along.

use super::bench::{End, Sample, function_sample, layer_sample, linear, shape, unchecked_function_sample};
use super::lab::{Changes, Lab};
use super::mutation::{Effort, attack};
use super::programs::{MODES, OUTPUTS, program_of, random_witness};
use super::support::{Output, input, mlp};
use halo2_proofs::halo2curves::bn256::Fr;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use zkml_evm::{
    circuit::{Objective, Witness, lay_out, plan},
    gates::field::to_field,
    op::{InputMode, Op},
    quant::{Hidden, Program, run},
};

/// A whole model on the bench, its outputs unknown.
struct Open {
    program: Program,
    lab: Lab,
    /// Positions of the outputs among the public values.
    outputs: std::ops::Range<usize>,
    /// Cells of the input, by column and row, in the program's order.
    inputs: Vec<(usize, usize)>,
}

impl Open {
    fn new(mode: InputMode, output: Output) -> Self {
        let widths: &[usize] = if output == Output::Threshold { &[3, 2, 1] } else { &[3, 2, 2] };
        let program = mlp(widths, mode, output, 1);
        let values = input(&program, 2);
        let threshold = (output == Output::Threshold).then(|| run(&program, &values).unwrap().output()[0] - 3);
        let salt = (mode == InputMode::Committed).then(|| Fr::from(99));
        let witness = Witness::new(&program, &values, Fr::from(42), salt, threshold).unwrap();
        Self::of(program, &witness)
    }

    fn of(program: Program, witness: &Witness) -> Self {
        let shape = plan(&program, Objective::Balanced).unwrap().shape;
        let (mode, values) = (program.input().unwrap().mode, witness.run.tensors[0].clone());
        let trace = lay_out(&program, shape, Some(witness)).unwrap();
        let instances = witness.statement.instances();
        let count = statement_outputs(&program);
        let outputs = instances.len() - count..instances.len();
        let a = trace.columns.a.index();
        let mut ranges = (0..trace.end).filter(|&row| trace.is_enabled(trace.columns.range, row));
        let mut inputs: Vec<(usize, usize)> = ranges.by_ref().take(values.len()).map(|row| (a, row)).collect();
        // Features are packed from the last to the first.
        if mode == InputMode::Committed {
            inputs.reverse();
        }
        let lab = Lab::new(trace, &instances, 7).open(&outputs.clone().collect::<Vec<_>>());
        for (&(column, row), &value) in inputs.iter().zip(&values) {
            assert_eq!(lab.values[lab.cell(column, row) as usize], to_field(value), "the input stands in row {row}");
        }
        Self { program, lab, outputs, inputs }
    }

    /// Whether the program gives the published outputs for the input that the changes stand for.
    fn is_true(&mut self, changes: &Changes) -> bool {
        let published: Vec<Fr> = self.outputs.clone().map(|index| self.lab.published(changes, index)).collect();
        let cells: Vec<_> = self.inputs.iter().map(|&(column, row)| self.lab.cell(column, row) as usize).collect();
        let forged: Vec<Fr> = self.lab.with(changes, |lab| cells.iter().map(|&cell| lab.values[cell]).collect());
        let ranges = &self.program.input().unwrap().ranges;
        let values: Option<Vec<i128>> =
            forged.iter().zip(ranges).map(|(&value, range)| integer_in(value, range.lo, range.hi)).collect();
        // Whatever fits or does not fit between the layers: the meaning is that of the integers.
        let meaning = Program { hidden: Hidden::WorstCase, ..self.program.clone() };
        let Some(result) = values.and_then(|values| run(&meaning, &values).ok()) else { return false };
        match &self.program.output().unwrap().op {
            Op::Threshold(t) => {
                let threshold = integer_in(published[0], t.range.lo, t.range.hi);
                threshold.is_some_and(|threshold| t.accepts(result.output()[0], threshold))
            }
            _ => result.output().iter().map(|&v| to_field(v)).eq(published),
        }
    }
}

fn statement_outputs(program: &Program) -> usize {
    match &program.output().unwrap().op {
        Op::Reveal => program.width(program.nodes.len() - 1).unwrap(),
        _ => 1,
    }
}

/// The integer of `lo..=hi` that a field element stands for.
fn integer_in(value: Fr, lo: i128, hi: i128) -> Option<i128> {
    let offset = (value - to_field(lo)).to_bytes();
    let low = u64::from_le_bytes(std::array::from_fn(|i| offset[i]));
    let integer = lo + i128::from(low);
    (offset[8..].iter().all(|&byte| byte == 0) && integer <= hi).then_some(integer)
}

/// Every output mode with every input mode: nothing false can be published. In the private mode the forger finds other inputs and
/// their outputs, and under a threshold lower thresholds; those are true, and show that he gets through to the public values.
#[test]
fn no_false_output_has_a_witness() {
    for output in OUTPUTS {
        for mode in [InputMode::Public, InputMode::Committed, InputMode::Private] {
            let mut open = Open::new(mode, output);
            let start = std::time::Instant::now();
            let report = attack(&mut open.lab, Effort { stride: 2, depth: 12, nodes: 40, stop: false });
            let (mut lies, mut truths) = (Vec::new(), 0);
            for (kind, changes) in &report.survivors {
                if open.is_true(changes) { truths += 1 } else { lies.push((kind, changes)) }
            }
            eprintln!(
                "{:?} {mode:?} {output:?}: {} forgeries, {} late, {truths} true",
                start.elapsed(),
                report.tried,
                report.late
            );
            assert!(lies.is_empty(), "{mode:?} {output:?}: {} forged statements: {:?}", lies.len(), lies[0]);
            assert!(report.late > 20, "{mode:?} {output:?}: only {} forgeries reached fold and lookup", report.late);
            let others = output == Output::Threshold || mode == InputMode::Private;
            assert!((truths > 0) == others, "{mode:?} {output:?}: {truths} other true statements");
        }
    }
}

/// The same for random programs: residual connections, moves and constants among layers.
#[test]
fn no_false_output_of_a_random_program_has_a_witness() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for (mode, output) in MODES.into_iter().flat_map(|mode| OUTPUTS.map(|output| (mode, output))) {
        let program = program_of(&mut rng, mode, output);
        let witness = random_witness(&program, &mut rng);
        let mut open = Open::of(program, &witness);
        let start = std::time::Instant::now();
        // A cell costs as much as there are rows.
        let stride = 7 << (open.lab.trace.shape.k - 9);
        let report = attack(&mut open.lab, Effort { stride, depth: 6, nodes: 20, stop: false });
        let lies: Vec<_> = report.survivors.iter().filter(|(_, changes)| !open.is_true(changes)).collect();
        eprintln!("{:?} {mode:?} {output:?}: {} forgeries, {} late", start.elapsed(), report.tried, report.late);
        assert!(lies.is_empty(), "{mode:?} {output:?}: {} forged statements: {:?}", lies.len(), lies[0]);
        assert!(report.late > 20, "{mode:?} {output:?}: only {} forgeries reached fold and lookup", report.late);
    }
}

/// The forgery that this mode is for: without the range row of its result a function gives a fraction in the field.
#[test]
fn a_function_without_its_range_row_is_forgeable_and_with_it_is_not() {
    for q in [-128, -1, 21, 127] {
        let mut lab = unchecked_function_sample(shape(), q).lab().open(&[1]);
        let honest = lab.published(&[], 1);
        let report = attack(&mut lab, Effort::FULL);
        let published: Vec<Fr> = report.survivors.iter().map(|(_, changes)| lab.published(changes, 1)).collect();
        assert!(published.iter().any(|&value| value != honest), "q = {q}: {} survivors", published.len());
        assert!(published.iter().all(|&value| value == honest || integer_in(value, 0, 1 << 17).is_none()), "q = {q}: fractions");

        let mut lab = function_sample(shape(), q).lab().open(&[1]);
        attack(&mut lab, Effort::FULL).assert_sound(20);
    }
}

/// What else the mode finds, in circuits without one of their constraints.
#[test]
fn an_output_gate_without_one_of_its_constraints_is_forgeable() {
    let three = linear(&[&[300, -200], &[-411, 77], &[5, 901]], &[1000, -70_000, 12]);
    let one = linear(&[&[300, -200]], &[1000]);
    let inputs = [-1000, 3000];
    let argmax = || layer_sample(shape(), End::Argmax, &three, &[417, 600], inputs);
    // The score is exactly 33.
    let threshold = || layer_sample(shape(), End::Threshold(33), &one, &[417, -55], inputs);
    let cases: [(&str, Sample, bool); 3] = [
        ("the class is the chosen index", argmax(), false),
        ("no score is larger", argmax(), false),
        ("fold starts and ends at zero", threshold(), true),
    ];
    let reached = |value: Fr| integer_in(value, -128, 33).is_some();
    for (name, sample, compared) in cases {
        let honest = sample.instances[2];
        let mut lab = sample.lab().open(&[2]).without(name);
        let report = attack(&mut lab, Effort::FULL);
        let published: Vec<Fr> = report.survivors.iter().map(|(_, changes)| lab.published(changes, 2)).collect();
        let lies = published.iter().filter(|&&value| value != honest && !(compared && reached(value)));
        assert!(lies.count() > 0, "without `{name}` nothing false could be published");
    }
}
