//! Real forgers against real keys: each makes a proof as a cheating prover would, and none verifies.

use super::credit::credit;
use super::lab::Lab;
use super::lattice::cancelling;
use super::support::{walk, walking_shape};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use zkml_evm::{
    circuit::{InferenceCircuit, Witness, build::Completion, build::assign_phase2, lay_out},
    gates::{Selector, Shape, Trace, lookup::multiplicities},
    proof::{Keys, ProofError, Srs, prove::prove_circuit, verify},
    quant::{Program, run},
};

/// Keys of the credit circuit with an honest trace.
struct Mint {
    program: Program,
    keys: Keys,
    srs: Srs,
    trace: Trace,
    witness: Witness,
}

impl Mint {
    fn new() -> Self {
        let (program, shape, witness) = credit(2);
        Self::of(program, shape, witness)
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

    fn instances(&self) -> Vec<Fr> {
        self.witness.statement.instances()
    }

    /// Makes a real proof and checks it.
    fn try_forge(&self, trace: &Trace, completion: Completion, instances: &[Fr]) -> Result<(), ProofError> {
        let circuit = InferenceCircuit { trace: trace.clone(), completion };
        let proof = prove_circuit(&self.keys, &self.srs, circuit, instances)?;
        verify(&self.keys, &self.srs, instances, &proof)
    }

    fn assert_refused(&self, what: &str, trace: &Trace, completion: Completion) {
        let result = self.try_forge(trace, completion, &self.instances());
        assert!(matches!(result, Err(ProofError::Invalid(_))), "{what}: {result:?}");
    }

    fn limb(&mut self, row: usize) -> &mut Fr {
        let column = self.trace.columns.limb.index();
        &mut self.trace.advice[column][row]
    }

    /// Adds `error` to the remainder of the rescale at `row`, if it stays one.
    fn shift_remainder(&mut self, row: usize, error: i64) -> bool {
        let shape = self.trace.shape;
        let digit = |value: Fr| i64::from(u16::from_le_bytes(std::array::from_fn(|i| value.to_bytes()[i])));
        let count = shape.remainder_limbs as usize;
        let before: i64 = (0..count).map(|i| digit(*self.limb(row + i)) << (shape.limb_bits as usize * i)).sum();
        let after = before + error;
        if after < 0 || after >> shape.shift_bits() != 0 {
            return false;
        }
        for i in 0..count {
            *self.limb(row + i) = Fr::from((after >> (shape.limb_bits as usize * i)) as u64 & ((1 << shape.limb_bits) - 1));
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

/// Nothing at all in the running columns.
fn zeros(trace: &mut Trace, _: Fr, _: Fr, _: Fr) {
    for column in [trace.columns.folded, trace.columns.fold, trace.columns.sum] {
        trace.advice[column.index()].iter_mut().for_each(|cell| *cell = Fr::ZERO);
    }
}

/// Folded as if γ were the challenge that the forger hoped for.
fn hoped(trace: &mut Trace, _: Fr, beta: Fr, theta: Fr) {
    assign_phase2(trace, known(), beta, theta);
}

/// A challenge of full size, as if it had been drawn before the outputs were committed.
fn known() -> Fr {
    Fr::from(37).pow_vartime([1_000_003])
}

#[test]
fn no_forged_proof_verifies() {
    let mint = Mint::new();
    mint.try_forge(&mint.trace, assign_phase2, &mint.instances()).unwrap();
    mint.assert_refused("empty running columns", &mint.trace, zeros);
    the_known_challenge(again(&mint));
    a_limb_outside_the_table(again(&mint));
    dropped_rows(again(&mint));
    a_score_below_the_threshold(again(&mint));
    a_short_statement(again(&mint));
}

/// An output of a convolution that is wrong by one step of its remainder, with a border output that takes the error back under the
/// challenge that the forger hopes for: refused, since the real one depends on both. So is every completion that hides it otherwise.
#[test]
fn no_forged_convolution_verifies() {
    let mut mint = Mint::of_a_walk();
    mint.try_forge(&mint.trace, assign_phase2, &mint.instances()).unwrap();
    let (outputs, borders) = (mint.rows(mint.trace.columns.relu), mint.rows(mint.trace.columns.border));
    assert_eq!((outputs.len(), borders.len()), (2 * 25, 2 * (49 - 25)));
    let (output, border) = (outputs[7], borders[20]);
    let error = if mint.shift_remainder(output, 1) { Fr::ONE } else { -Fr::ONE };
    assert!(error == Fr::ONE || mint.shift_remainder(output, -1));
    let power = |row: usize| known().pow_vartime([outputs.iter().chain(&borders).filter(|&&other| other > row).count() as u64]);
    let a = mint.trace.columns.a.index();
    mint.trace.advice[a][border] -= error * power(output) * power(border).invert().unwrap();
    recount(&mut mint.trace);
    let lab = Lab::forced_with(mint.trace.clone(), &mint.instances(), 3, Some([known(), Fr::from(1 << 40)]));
    assert_eq!(lab.first_violated(&lab.values), None, "a challenge known in advance is forgeable");
    mint.assert_refused("an honest second phase", &mint.trace, assign_phase2);
    mint.assert_refused("the hoped-for challenge", &mint.trace, hoped);
    mint.assert_refused("the end of the fold", &mint.trace, pinned);
    mint.assert_refused("empty running columns", &mint.trace, zeros);
}

fn again(mint: &Mint) -> Mint {
    Mint {
        program: mint.program.clone(),
        keys: mint.keys.clone(),
        srs: mint.srs.clone(),
        trace: mint.trace.clone(),
        witness: mint.witness.clone(),
    }
}

/// Twenty-four remainders wrong by small amounts that cancel in the fold: accepted under the challenge that they were made for, refused
/// under the real one.
fn the_known_challenge(mut mint: Mint) {
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

/// The same value from limbs outside the table, with every way to hide it in multiplicities and sums.
fn a_limb_outside_the_table(mut mint: Mint) {
    let entry = mint.rows(mint.trace.columns.relu).into_iter().find(|&row| *mint.limb(row + 1) != Fr::ZERO).unwrap();
    let unit = Fr::from(1 << mint.trace.shape.limb_bits);
    *mint.limb(entry) += unit;
    *mint.limb(entry + 1) -= Fr::ONE;
    mint.assert_refused("stale multiplicities", &mint.trace, assign_phase2);
    recount(&mut mint.trace);
    mint.assert_refused("recounted multiplicities", &mint.trace, assign_phase2);
    mint.assert_refused("a running sum that ends at zero", &mint.trace, pinned);
    mint.assert_refused("a running sum that starts elsewhere", &mint.trace, backwards);
    mint.assert_refused("a running sum that jumps", &mint.trace, halves);
    let multiplicity = mint.trace.columns.multiplicity.index();
    mint.trace.advice[multiplicity][0] += Fr::ONE;
    mint.assert_refused("counted as a zero", &mint.trace, assign_phase2);
    mint.trace.advice[multiplicity][0] = -Fr::ONE;
    mint.assert_refused("a negative multiplicity", &mint.trace, assign_phase2);
}

/// The end moved up: the rows of the last layer and the pins are left empty.
fn dropped_rows(mut mint: Mint) {
    mint.trace.end = mint.trace.row - 8;
    mint.assert_refused("dropped rows", &mint.trace, assign_phase2);
    mint.assert_refused("dropped rows, pinned above", &mint.trace, pinned);
}

/// The public threshold one above the score: the distance is -1.
fn a_score_below_the_threshold(mint: Mint) {
    let values = mint.witness.run.tensors[0].clone();
    let score = run(&mint.program, &values).unwrap().output()[0];
    let salt = mint.witness.salt;
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
    *forged.limb(source) += Fr::ONE;
    *forged.limb(source + shape.range_limbs as usize) -= Fr::ONE;
    forged.trace.advice[packed][row] += Fr::ONE;
    *forged.limb(row + shape.remainder_limbs as usize) -= Fr::ONE;
    *forged.witness.statement.values.last_mut().unwrap() += 1;
    recount(&mut forged.trace);
    for (what, completion) in [("as it comes", assign_phase2 as Completion), ("pinned", pinned), ("jumping", halves)] {
        forged.assert_refused(&format!("a score below the threshold, {what}"), &forged.trace, completion);
    }
}

/// halo2 pads a short instance column with zeros: a statement without its threshold would read as one with threshold 0.
fn a_short_statement(mut mint: Mint) {
    let values = mint.witness.run.tensors[0].clone();
    let score = run(&mint.program, &values).unwrap().output()[0];
    mint.witness = Witness::new(&mint.program, &values, Fr::from(42), mint.witness.salt, Some(score.min(0))).unwrap();
    let trace = lay_out(&mint.program, mint.keys.shape, Some(&mint.witness)).unwrap();
    let full = mint.instances();
    mint.try_forge(&trace, assign_phase2, &full).unwrap();
    for instances in [full[..2].to_vec(), full[..1].to_vec(), vec![], [full.clone(), vec![Fr::ZERO]].concat()] {
        let refused = mint.try_forge(&trace, assign_phase2, &instances);
        let named = matches!(&refused, Err(ProofError::Invalid(problem)) if problem.contains("public values"));
        assert!(named, "{} instances: {refused:?}", instances.len());
    }
}
