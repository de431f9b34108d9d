//! Real forgers against real keys: each makes a proof as a cheating prover would, and none verifies.

use super::bench::fold_order;
use super::credit::credit;
use super::lab::Lab;
use super::lattice::cancelling;
use super::support::{walk, walking_shape};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use std::sync::OnceLock;
use zkml_evm::{
    circuit::{InferenceCircuit, Objective, Witness, build::Completion, build::assign_phase2, lay_out, plan::candidates},
    gates::{Selector, Shape, Trace, lookup::multiplicities},
    proof::{Keys, ProofError, Srs, prove::prove_circuit, verify},
    quant::{Program, run},
};

/// Keys of the credit circuit with an honest trace.
#[derive(Clone)]
pub struct Mint {
    pub program: Program,
    pub keys: Keys,
    pub srs: Srs,
    pub trace: Trace,
    pub witness: Witness,
}

impl Mint {
    /// The keys are made once for all tests.
    pub fn new() -> Self {
        static MINT: OnceLock<Mint> = OnceLock::new();
        let make = || {
            let (program, shape, witness) = credit(2);
            let srs = Srs::development(shape.k);
            let keys = Keys::generate(&program, shape, &srs).unwrap();
            let trace = lay_out(&program, shape, Some(&witness)).unwrap();
            Mint { program, keys, srs, trace, witness }
        };
        MINT.get_or_init(make).clone()
    }

    /// The same in the shallowest stack.
    fn stacked() -> Self {
        static MINT: OnceLock<Mint> = OnceLock::new();
        let make = || {
            let Mint { program, witness, .. } = Self::new();
            let shapes = candidates(&program, Objective::Gas).unwrap().into_iter().map(|plan| plan.shape);
            let shape = shapes.filter(Shape::is_stacked).min_by_key(|shape| shape.k).unwrap();
            Self::of(program, shape, witness)
        };
        MINT.get_or_init(make).clone()
    }

    /// A convolution of an image, revealed, with kernels that walk.
    fn of_a_walk() -> Self {
        let program = walk();
        let shape = walking_shape(&program);
        let image: Vec<i128> = (0..25).map(|i| i * 83 % 256).collect();
        let witness = Witness::new(&program, &image, Fr::from(42), None, None).unwrap();
        Self::of(program, shape, witness)
    }

    fn of(program: Program, shape: Shape, witness: Witness) -> Self {
        let srs = Srs::development(shape.k);
        let keys = Keys::generate(&program, shape, &srs).unwrap();
        let trace = lay_out(&program, shape, Some(&witness)).unwrap();
        Self { program, keys, srs, trace, witness }
    }

    /// The public values of the honest trace.
    pub fn instances(&self) -> Vec<Fr> {
        self.witness.statement.instances()
    }

    /// Makes a real proof.
    pub fn prove(&self, trace: &Trace, completion: Completion, instances: &[Fr]) -> Result<Vec<u8>, ProofError> {
        let circuit = InferenceCircuit { trace: trace.clone(), completion };
        prove_circuit(&self.keys, &self.srs, circuit, instances)
    }

    /// Makes a real proof and checks it.
    fn try_forge(&self, trace: &Trace, completion: Completion, instances: &[Fr]) -> Result<(), ProofError> {
        let proof = self.prove(trace, completion, instances)?;
        verify(&self.keys, &self.srs, instances, &proof)
    }

    fn assert_refused(&self, what: &str, trace: &Trace, completion: Completion) {
        let result = self.try_forge(trace, completion, &self.instances());
        assert!(matches!(result, Err(ProofError::Invalid(_))), "{what}: {result:?}");
    }

    /// The credit circuit in `lanes` lanes.
    fn in_lanes(lanes: u32) -> Self {
        let Mint { program, witness, .. } = Self::new();
        let plans = candidates(&program, Objective::Gas).unwrap();
        let shape = plans
            .into_iter()
            .map(|plan| plan.shape)
            .find(|shape| shape.lanes == lanes && shape.limb_bits == 8 && !shape.is_stacked())
            .unwrap();
        Self::of(program, shape, witness)
    }

    /// Limb `index` of the value whose limbs start at `row`.
    fn limb(&mut self, row: usize, index: u32) -> &mut Fr {
        let (column, row) = self.trace.columns.limb_at(row, index);
        &mut self.trace.advice[column.index()][row]
    }

    /// Adds `error` to the remainder of the rescale at `row`, if it stays one.
    fn shift_remainder(&mut self, row: usize, error: i64) -> bool {
        let shape = self.trace.shape;
        let digit = |value: Fr| i64::from(u16::from_le_bytes(std::array::from_fn(|i| value.to_bytes()[i])));
        let count = shape.remainder_limbs;
        let before: i64 = (0..count).map(|i| digit(*self.limb(row, i)) << (shape.limb_bits * i)).sum();
        let after = before + error;
        if after < 0 || after >> shape.shift_bits() != 0 {
            return false;
        }
        for i in 0..count {
            *self.limb(row, i) = Fr::from((after >> (shape.limb_bits * i)) as u64 & ((1 << shape.limb_bits) - 1));
        }
        true
    }

    /// Rows of the selector's gates.
    fn rows(&self, selector: Option<Selector>) -> Vec<usize> {
        (0..self.trace.end).filter(|&row| self.trace.is_enabled(selector, row)).collect()
    }
}

fn recount(trace: &mut Trace) {
    let column = trace.columns.multiplicity.index();
    for (row, count) in multiplicities(trace).into_iter().enumerate() {
        trace.advice[column][row] = Fr::from(count);
    }
}

/// Both running columns filled honestly, then their end written as the pin wants it.
fn pinned(trace: &mut Trace, gamma: Fr, beta: Fr, theta: Fr) {
    assign_phase2(trace, gamma, beta, theta);
    for column in [trace.columns.fold, trace.columns.sum] {
        trace.advice[column.index()][trace.end] = Fr::ZERO;
    }
}

/// Both columns shifted by what is left over at the end: every step of `sum` holds, the start does not.
fn backwards(trace: &mut Trace, gamma: Fr, beta: Fr, theta: Fr) {
    assign_phase2(trace, gamma, beta, theta);
    let end = trace.end;
    let sum = trace.columns.sum.index();
    let over = trace.advice[sum][end];
    trace.advice[sum][..=end].iter_mut().for_each(|cell| *cell -= over);
}

/// Honest in the first half, shifted in the second: one step in the middle is wrong, both pins hold.
fn halves(trace: &mut Trace, gamma: Fr, beta: Fr, theta: Fr) {
    assign_phase2(trace, gamma, beta, theta);
    let (end, sum) = (trace.end, trace.columns.sum.index());
    let over = trace.advice[sum][end];
    trace.advice[sum][end / 2..=end].iter_mut().for_each(|cell| *cell -= over);
}

/// What the running sum has left over taken back by a helper of the last row: every step of the sum holds, and both pins.
fn by_helpers(trace: &mut Trace, gamma: Fr, beta: Fr, theta: Fr) {
    assign_phase2(trace, gamma, beta, theta);
    let (end, sum) = (trace.end, trace.columns.sum.index());
    let over = std::mem::replace(&mut trace.advice[sum][end], Fr::ZERO);
    if let Some(helper) = trace.columns.helpers.first() {
        trace.advice[helper.index()][end - 1] -= over;
    }
}

/// Nothing at all in the running columns; Poseidon's squares stay, which stand in one of them.
fn zeros(trace: &mut Trace, _: Fr, _: Fr, _: Fr) {
    let columns = trace.columns.clone();
    for column in [columns.folded, columns.fold, columns.sum].into_iter().chain(columns.helpers) {
        for row in 0..=trace.end {
            let squares = column == columns.folded && [columns.full, columns.partial].iter().any(|&s| trace.is_enabled(s, row));
            if !squares {
                trace.advice[column.index()][row] = Fr::ZERO;
            }
        }
    }
}

/// The row that the limb outside the table stands on left out of the sum.
fn skipped(trace: &mut Trace, gamma: Fr, beta: Fr, theta: Fr) {
    assign_phase2(trace, gamma, beta, theta);
    let (end, sum, limb) = (trace.end, trace.columns.sum.index(), trace.columns.limbs[0].index());
    let over = trace.advice[sum][end];
    let outside = |value: &Fr| value.to_bytes()[1..].iter().any(|&byte| byte != 0);
    let row = trace.advice[limb][..end].iter().position(outside).unwrap_or(0);
    trace.advice[sum][row + 1..=end].iter_mut().for_each(|cell| *cell -= over);
}

/// The fold shifted so that it ends at zero: every step holds, the start does not.
fn fold_backwards(trace: &mut Trace, gamma: Fr, beta: Fr, theta: Fr) {
    assign_phase2(trace, gamma, beta, theta);
    shift_fold(trace, gamma, 0);
}

/// The same in the second half alone: one step in the middle is wrong, both pins hold.
fn fold_halves(trace: &mut Trace, gamma: Fr, beta: Fr, theta: Fr) {
    assign_phase2(trace, gamma, beta, theta);
    shift_fold(trace, gamma, trace.end / 2);
}

/// What is left over at the end, divided by γ for each output on the way back.
fn shift_fold(trace: &mut Trace, gamma: Fr, from: usize) {
    let (columns, fold) = (trace.columns.clone(), trace.columns.fold.index());
    let mut over = trace.advice[fold][trace.end];
    for row in (from..=trace.end).rev() {
        if [columns.relu, columns.signed, columns.threshold].iter().any(|&s| trace.is_enabled(s, row)) {
            over *= gamma.invert().unwrap_or(Fr::ONE);
        }
        trace.advice[fold][row] -= over;
    }
}

/// Filled as if γ and β were the challenges that the forger hoped for.
fn hoped(trace: &mut Trace, _: Fr, _: Fr, theta: Fr) {
    assign_phase2(trace, known(), hoped_beta(), theta);
}

/// As [`known`], for the lookup.
fn hoped_beta() -> Fr {
    Fr::from(41).pow_vartime([1_000_033])
}

/// A challenge of full size, as if it had been drawn before the outputs were committed.
fn known() -> Fr {
    Fr::from(37).pow_vartime([1_000_003])
}

#[test]
fn an_honest_proof_verifies_and_one_with_empty_running_columns_does_not() {
    for mint in [Mint::new(), Mint::stacked()] {
        mint.try_forge(&mint.trace, assign_phase2, &mint.instances()).unwrap();
        mint.assert_refused("empty running columns", &mint.trace, zeros);
    }
}

/// An output of a convolution that is wrong by one step of its remainder, with a border output that takes the error back under the
/// challenge that the forger hopes for: refused, since the real one depends on both. So is every completion that hides it otherwise.
#[test]
fn no_forged_convolution_verifies() {
    let mut mint = Mint::of_a_walk();
    mint.try_forge(&mint.trace, assign_phase2, &mint.instances()).unwrap();
    let order = fold_order(&mint.trace);
    let (outputs, borders) = (mint.rows(mint.trace.columns.relu), mint.rows(mint.trace.columns.border));
    // Seven lines of six positions and one: those behind a line are those before the next.
    assert_eq!((outputs.len(), order.len()), (2 * 25, 2 * 43));
    let (output, border) = (outputs[7], borders[10]);
    let error = if mint.shift_remainder(output, 1) { Fr::ONE } else { -Fr::ONE };
    assert!(error == Fr::ONE || mint.shift_remainder(output, -1));
    let [a, limb] = [mint.trace.columns.a, mint.trace.columns.limbs[0]].map(|column| column.index());
    let power = |output| known().pow_vartime([order.iter().rev().position(|&other| other == output).unwrap() as u64]);
    mint.trace.advice[a][border] -= error * power((limb, output)) * power((a, border)).invert().unwrap();
    recount(&mut mint.trace);
    let lab = Lab::forced_with(mint.trace.clone(), &mint.instances(), 3, Some([known(), Fr::from(1 << 40)]));
    assert_eq!(lab.first_violated(&lab.values), None, "a challenge known in advance is forgeable");
    mint.assert_refused("an honest second phase", &mint.trace, assign_phase2);
    mint.assert_refused("the hoped-for challenge", &mint.trace, hoped);
    mint.assert_refused("the end of the fold", &mint.trace, pinned);
    mint.assert_refused("empty running columns", &mint.trace, zeros);
}

/// Twenty-four remainders wrong by small amounts that cancel in the fold: accepted under the challenge that they were made for, refused
/// under the real one.
#[test]
fn outputs_made_for_a_known_challenge_are_refused() {
    let mut mint = Mint::new();
    let errors = cancelling(known(), 24);
    assert!(errors.iter().any(|&e| e != 0) && errors.iter().all(|e| e.abs() < 1 << 14), "{errors:?}");
    // Outputs of the same layer stand under each other, so their powers of γ differ by one.
    let rows = mint.rows(mint.trace.columns.relu)[..32].to_vec();
    let mut windows = rows.windows(errors.len()).flat_map(|window| [(window, 1), (window, -1)]);
    let forged = windows.any(|(window, sign)| {
        let before = mint.trace.clone();
        let fits = window.iter().zip(&errors).all(|(&row, &error)| mint.shift_remainder(row, sign * error));
        if !fits {
            mint.trace = before;
        }
        fits
    });
    assert!(forged, "some outputs have room for the errors {errors:?}");
    recount(&mut mint.trace);
    let known = Lab::forced_with(mint.trace.clone(), &mint.instances(), 3, Some([known(), Fr::from(1 << 40)]));
    assert_eq!(known.first_violated(&known.values), None, "a challenge known in advance is forgeable");
    mint.assert_refused("an honest second phase", &mint.trace, assign_phase2);
    mint.assert_refused("the hoped-for challenge", &mint.trace, hoped);
    mint.assert_refused("the end of the fold", &mint.trace, pinned);
}

/// The same value from limbs outside the table: a unit more in one, one less in the next.
fn with_a_limb_outside_the_table(mut mint: Mint, index: u32) -> (Mint, usize) {
    let rows = mint.rows(mint.trace.columns.relu);
    let row = rows.into_iter().find(|&row| *mint.limb(row, index + 1) != Fr::ZERO).unwrap();
    let unit = Fr::from(1 << mint.trace.shape.limb_bits);
    *mint.limb(row, index) += unit;
    *mint.limb(row, index + 1) -= Fr::ONE;
    (mint, row)
}

/// A limb outside the table in each of the lanes, some of them behind a helper; and the helper itself as it would have to be.
#[test]
fn no_lane_takes_a_limb_outside_the_table() {
    for lanes in [2, 4] {
        let honest = Mint::in_lanes(lanes);
        honest.try_forge(&honest.trace, assign_phase2, &honest.instances()).unwrap();
        for index in 0..lanes - 1 {
            let (mut mint, row) = with_a_limb_outside_the_table(honest.clone(), index);
            let lane = mint.trace.columns.limb_at(row, index).0;
            assert_eq!(lane, mint.trace.columns.limbs[index as usize]);
            recount(&mut mint.trace);
            for (how, completion) in
                [("as it comes", assign_phase2 as Completion), ("pinned", pinned), ("a helper that takes it back", by_helpers)]
            {
                mint.assert_refused(&format!("lane {index} of {lanes}, {how}"), &mint.trace, completion);
            }
        }
    }
}

#[test]
fn forged_multiplicities_are_refused() {
    let (mut mint, _) = with_a_limb_outside_the_table(Mint::new(), 0);
    mint.assert_refused("stale", &mint.trace, assign_phase2);
    recount(&mut mint.trace);
    mint.assert_refused("recounted", &mint.trace, assign_phase2);
    let column = mint.trace.columns.multiplicity.index();
    let honest = mint.trace.clone();
    let beyond = 1 << mint.trace.shape.limb_bits;
    let forged = |change: &dyn Fn(&mut Vec<Fr>)| {
        let mut trace = honest.clone();
        change(&mut trace.advice[column]);
        trace
    };
    let half = Fr::from(2).invert().unwrap();
    let cases: [(&str, Trace); 6] = [
        ("the limb counted as a zero", forged(&|m| m[0] += Fr::ONE)),
        ("the limb counted below the table", forged(&|m| m[beyond + 3] += Fr::ONE)),
        ("a negative count", forged(&|m| m[0] = -Fr::ONE)),
        ("half a count each for two entries", forged(&|m| (254..256).for_each(|v| m[v] += half))),
        ("no counts", forged(&|m| m.iter_mut().for_each(|m| *m = Fr::ZERO))),
        ("all counts twice", forged(&|m| m.iter_mut().for_each(|m| *m = m.double()))),
    ];
    for (what, trace) in &cases {
        for (how, completion) in [("as it comes", assign_phase2 as Completion), ("pinned", pinned)] {
            mint.assert_refused(&format!("{what}, {how}"), trace, completion);
        }
    }
}

/// One count that cancels the pole at the challenge hoped for, `1 / (β - limb) = Δ / (β - 0)`: accepted under that, refused under the
/// real one, which depends on the count.
#[test]
fn a_multiplicity_made_for_a_known_challenge_is_refused() {
    let (mut mint, row) = with_a_limb_outside_the_table(Mint::new(), 0);
    recount(&mut mint.trace);
    let (beta, limb) = (hoped_beta(), *mint.limb(row, 0));
    let column = mint.trace.columns.multiplicity.index();
    mint.trace.advice[column][0] += beta * (beta - limb).invert().unwrap();
    let known = Lab::forced_with(mint.trace.clone(), &mint.instances(), 3, Some([Fr::from(1 << 40), beta]));
    assert_eq!(known.first_violated(&known.values), None, "a challenge known in advance is forgeable");
    mint.assert_refused("the hoped-for challenge", &mint.trace, hoped);
    mint.assert_refused("an honest second phase", &mint.trace, assign_phase2);
}

#[test]
fn forged_running_sums_are_refused() {
    forged_running_sums_of(Mint::new());
    forged_running_sums_of(Mint::stacked());
}

fn forged_running_sums_of(honest: Mint) {
    let (mut mint, _) = with_a_limb_outside_the_table(honest.clone(), 0);
    recount(&mut mint.trace);
    mint.assert_refused("a running sum that ends at zero", &mint.trace, pinned);
    mint.assert_refused("a running sum that starts elsewhere", &mint.trace, backwards);
    mint.assert_refused("a running sum that jumps half-way", &mint.trace, halves);
    mint.assert_refused("a running sum without the limb's row", &mint.trace, skipped);
    mint.assert_refused("a running sum for another challenge", &mint.trace, hoped);

    // An honest lookup, and one output of the first layer wrong by one.
    let mut mint = honest;
    let rows = mint.rows(mint.trace.columns.relu);
    assert!(rows.into_iter().any(|row| mint.shift_remainder(row, 1)), "some remainder has room");
    recount(&mut mint.trace);
    mint.assert_refused("a wrong output", &mint.trace, assign_phase2);
    mint.assert_refused("a fold that ends at zero", &mint.trace, pinned);
    mint.assert_refused("a fold that starts elsewhere", &mint.trace, fold_backwards);
    mint.assert_refused("a fold that jumps half-way", &mint.trace, fold_halves);
}

/// The end moved up: the rows of the last layer and the pins are left empty.
#[test]
fn dropped_rows_are_refused() {
    for mut mint in [Mint::new(), Mint::stacked()] {
        let rows = mint.trace.row;
        for dropped in [1, 8, rows / 2, rows] {
            mint.trace.end = rows - dropped;
            mint.assert_refused(&format!("{dropped} rows dropped"), &mint.trace, assign_phase2);
            mint.assert_refused(&format!("{dropped} rows dropped, pinned above"), &mint.trace, pinned);
        }
    }
}

/// The public threshold one above the score: the distance is -1.
#[test]
fn a_score_below_the_threshold_is_refused() {
    no_score_below_the_threshold(Mint::new());
    no_score_below_the_threshold(Mint::stacked());
}

fn no_score_below_the_threshold(mint: Mint) {
    let values = mint.witness.run.tensors[0].clone();
    let score = run(&mint.program, &values).unwrap().output()[0];
    let salt = mint.witness.salts.first().copied();
    let refused = Witness::new(&mint.program, &values, Fr::from(42), salt, Some(score + 1));
    assert!(refused.is_err(), "an honest prover does not even start");
    let honest = Witness::new(&mint.program, &values, Fr::from(42), salt, Some(score)).unwrap();
    let mut forged = Mint { trace: lay_out(&mint.program, mint.keys.shape, Some(&honest)).unwrap(), witness: honest, ..mint };
    let row = forged.rows(forged.trace.columns.threshold)[0];
    let a = forged.trace.columns.a.index();
    let source = forged.trace.exposed.last().unwrap().0.row;
    for at in [source, row] {
        forged.trace.advice[a][at] += Fr::ONE;
    }
    // The range check of the threshold and the distance, as if the limbs were free.
    let (shape, packed) = (forged.trace.shape, forged.trace.columns.b.index());
    *forged.limb(source, 0) += Fr::ONE;
    *forged.limb(source, shape.range_limbs) -= Fr::ONE;
    forged.trace.advice[packed][row] += Fr::ONE;
    *forged.limb(row, shape.remainder_limbs) -= Fr::ONE;
    *forged.witness.statement.values.last_mut().unwrap() += 1;
    recount(&mut forged.trace);
    for (what, completion) in [("as it comes", assign_phase2 as Completion), ("pinned", pinned), ("jumping", halves)] {
        forged.assert_refused(&format!("a score below the threshold, {what}"), &forged.trace, completion);
    }
}

/// halo2 pads a short instance column with zeros: a statement without its threshold would read as one with threshold 0.
#[test]
fn a_short_statement_is_not_padded() {
    let mut mint = Mint::new();
    let values = mint.witness.run.tensors[0].clone();
    let score = run(&mint.program, &values).unwrap().output()[0];
    mint.witness =
        Witness::new(&mint.program, &values, Fr::from(42), mint.witness.salts.first().copied(), Some(score.min(0))).unwrap();
    let trace = lay_out(&mint.program, mint.keys.shape, Some(&mint.witness)).unwrap();
    let full = mint.instances();
    mint.try_forge(&trace, assign_phase2, &full).unwrap();
    for instances in [full[..2].to_vec(), full[..1].to_vec(), vec![], [full.clone(), vec![Fr::ZERO]].concat()] {
        let refused = mint.try_forge(&trace, assign_phase2, &instances);
        let named = matches!(&refused, Err(ProofError::Invalid(problem)) if problem.contains("public values"));
        assert!(named, "{} instances: {refused:?}", instances.len());
    }
}
