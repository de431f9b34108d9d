use super::*;
use crate::{
    circuit::{Objective, plan::plan},
    op::{Input, InputMode, Interval, Linear, Op, Rescale},
    proof::{lanes::Width, verify},
    quant::{Node, Precision},
};
use std::collections::HashSet;

/// Three features, hashed, a hidden layer of two and two outputs: columns of both phases, copies, a table.
fn program() -> Program {
    let layer = |inputs: usize| {
        Op::Linear(Linear {
            outputs: 2,
            inputs,
            weights: (0..2 * inputs as i128).map(|i| 3_700 * i - 5_000).collect(),
            bias: vec![9, -4],
        })
    };
    let ranges = vec![Interval::new(0, 255); 3];
    let ops = [
        Op::Input(Input { ranges, width_bytes: 1, mode: InputMode::Committed }),
        layer(3),
        Op::Rescale(Rescale { shift: 16, relu: true }),
        layer(2),
        Op::Rescale(Rescale { shift: 16, relu: false }),
        Op::Reveal,
    ];
    let node = |(index, op): (usize, Op)| Node {
        name: index.to_string(),
        op,
        inputs: index.checked_sub(1).into_iter().collect(),
        scale_log2: 0,
    };
    let nodes = ops.into_iter().enumerate().map(node).collect();
    let precision = Precision { shift_bits: 16, magnitude_bits: 16 };
    Program { schema_id: [9; 32], precision, items: 1, hidden: Default::default(), nodes }
}

struct Made {
    keys: Keys,
    srs: Srs,
    witness: Witness,
    program: Program,
}

impl Made {
    fn new(objective: Objective) -> Self {
        let program = program();
        let shape = plan(&program, objective).unwrap().shape;
        let srs = Srs::development(shape.k);
        let keys = Keys::generate(&program, shape, &srs).unwrap();
        let witness = Witness::new(&program, &[1, 200, 77], Fr::from(42), Some(Fr::from(5)), None).unwrap();
        Self { keys, srs, witness, program }
    }

    fn circuit(&self) -> EitherCircuit {
        let trace = lay_out(&self.program, self.keys.shape, Some(&self.witness)).unwrap();
        EitherCircuit::Inference(Box::new(InferenceCircuit::new(trace)))
    }

    fn instances(&self) -> Vec<Fr> {
        self.witness.statement.instances()
    }

    /// The rows that hide a column, the last of them.
    fn blinding(&self) -> usize {
        self.keys.vk().cs().blinding_factors()
    }
}

/// A processor without vectors makes proofs as one with them does.
#[test]
fn proofs_of_any_lanes_are_valid() {
    for objective in [Objective::Prover, Objective::Gas] {
        let made = Made::new(objective);
        let (k, omega) = (made.srs.k(), made.keys.vk().get_domain().get_omega());
        let committer = Committer::of(&made.srs).unwrap();
        let widths = [Width::ONE, Width::of(k)];
        eprintln!("2^{k} rows, lanes: {:?}", widths.map(Width::lanes));
        for width in widths {
            let domain = Domain::with(width, k, omega);
            let proof = written(Purpose::Chain, &made.keys.pk, &committer, &domain, made.circuit(), &made.instances()).unwrap();
            verify(&made.keys, &made.srs, &made.instances(), &proof).unwrap();
        }
    }
}

/// Every advice column, of either phase, ends in as many random rows as halo2 has there, fresh in each proof.
#[test]
fn every_column_ends_in_random_rows() {
    for objective in [Objective::Prover, Objective::Gas] {
        let made = Made::new(objective);
        let (cs, n) = (made.keys.vk().cs(), 1usize << made.srs.k());
        let committer = Committer::of(&made.srs).unwrap();
        let mut seen = HashSet::new();
        for seed in 0..2 {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let mut transcript = Transcript::new(Purpose::Chain, Vec::new());
            let (advice, _) = assign(&mut transcript, cs, &committer, &mut rng, made.circuit(), &made.instances(), n).unwrap();
            assert_eq!(advice.len(), cs.num_advice_columns());
            for column in &advice {
                let random = &column[n - made.blinding() - 1..];
                assert!(random.iter().all(|value| seen.insert(format!("{value:?}"))), "twice, or zero");
            }
        }
        assert!(!seen.contains(&format!("{:?}", Fr::ZERO)));
        assert_eq!(cs.advice_column_phase().into_iter().max(), Some(1));
    }
}

/// The permutation's products follow from the columns on the usable rows, and are random behind them.
#[test]
fn every_product_ends_in_random_rows() {
    let made = Made::new(Objective::Prover);
    let n = 1usize << made.srs.k();
    let column: Vec<Fr> = (0..n as u64).map(Fr::from).collect();
    let challenges = [Fr::from(3), Fr::from(4)];
    let [first, second] = [1, 2].map(|seed| {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        products::make(&made.keys.pk, challenges, |_| Cow::Borrowed(&column[..]), &mut rng, |_| Ok::<(), io::Error>(())).unwrap()
    });
    assert!(!first.is_empty());
    let mut seen = HashSet::new();
    for product in first.iter().chain(&second) {
        assert_eq!(product.len(), n);
        assert!(product[n - made.blinding()..].iter().all(|value| seen.insert(format!("{value:?}"))));
    }
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(first[..n - made.blinding()], second[..n - made.blinding()]);
    }
}

#[test]
fn the_random_polynomial_is_random_in_every_coefficient() {
    let made = random_polynomial(64, &mut ChaCha20Rng::seed_from_u64(1));
    let seen: HashSet<String> = made.iter().map(|value| format!("{value:?}")).collect();
    assert_eq!((made.len(), seen.len()), (64, 64));
}

#[test]
fn a_circuit_of_another_size_than_its_keys_is_refused() {
    let [made, other] = [Objective::Prover, Objective::Gas].map(Made::new);
    let trace = lay_out(&other.program, other.keys.shape, Some(&other.witness)).unwrap();
    let refused = prove_trace(&made.keys, &other.srs, trace, &other.instances()).unwrap_err();
    assert!(refused.to_string().contains("its keys are for"), "{refused}");
}
