//! What is committed before which challenge, the degree of every shape the planner can choose, and a forger who knows the challenge.

use super::bench::{End, MATRICES, Sample, conv_sample, fold_order, layer_sample, linear, product_sample, shape, stencils};
use super::lab::Lab;
use super::support::{Output, mlp};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use zkml_evm::{
    circuit::{Objective, plan},
    gates::{Columns, Shape, Steps, field::to_field},
    op::InputMode,
    proof::keys::{MAX_DEGREE, constraint_system},
};

/// Every combination of gates with the smallest and largest widths.
fn shapes() -> Vec<Shape> {
    let widths = [(8, 3, 2, 2, 3), (12, 2, 1, 32, 1), (9, 3, 2, 3, 7), (8, 8, 6, 16, 8)];
    let mut all = Vec::new();
    for bits in 0..256u32 {
        let on = |bit: u32| bits >> bit & 1 == 1;
        for (i, (limb_bits, remainder_limbs, magnitude_limbs, weights, range_limbs)) in widths.into_iter().enumerate() {
            let lanes = [1, 2, 5, 8][(i + bits.count_ones() as usize) % 4];
            let pack_bits = if on(0) { 24 } else { 0 };
            let [relu, signed, threshold, argmax, function, border, maximum] = [1, 2, 3, 4, 5, 6, 7].map(on);
            // A function table splits its input in two limbs or more.
            if function && magnitude_limbs < 2 {
                continue;
            }
            if border && weights < Steps::COLUMNS {
                continue;
            }
            let steps = if border { Steps::new(&[2, 8, 64]) } else { Steps::default() };
            let k = 13;
            all.push(Shape {
                k,
                weights,
                limb_bits,
                lanes,
                remainder_limbs,
                magnitude_limbs,
                range_limbs,
                pack_bits,
                relu,
                signed,
                threshold,
                argmax,
                function,
                steps,
                span: if 2 * range_limbs <= lanes { 1 + u64::from(bits % 2) } else { 0 },
                border,
                maximum,
                pooled: maximum
                    && Shape { limb_bits, remainder_limbs, magnitude_limbs, ..Shape::default() }.pool_limbs() * limb_bits <= 120,
                ..Shape::default()
            });
        }
    }
    let stacked: Vec<Shape> = all.iter().map(|shape| Shape { stack: 11, ..*shape }).collect();
    all.extend(stacked);
    all
}

#[test]
fn every_column_is_committed_in_its_phase() {
    for shape in shapes() {
        let mut cs = Default::default();
        let columns = Columns::configure(&mut cs, &shape);
        let early =
            [columns.a, columns.b, columns.multiplicity].into_iter().chain(columns.limbs.iter().copied()).chain(columns.c);
        for column in early {
            assert_eq!(column.column_type().phase(), 0, "{column:?}");
        }
        for column in [columns.folded, columns.fold, columns.sum].into_iter().chain(columns.helpers.iter().copied()) {
            assert_eq!(column.column_type().phase(), 1, "{column:?}");
        }
        // halo2 counts phases from 0: these are drawn when the columns of phase 0 are committed.
        assert_eq!((columns.gamma.phase(), columns.beta.phase()), (0, 0));
        assert_ne!(columns.gamma.index(), columns.beta.index(), "one challenge, one purpose");
        let phases = cs.advice_column_phase();
        assert_eq!(phases.iter().filter(|&&p| p == 1).count(), 3 + shape.helped_lanes().len() + columns.powers.map_or(0, |_| 5));
        assert!(cs.challenge_phase().iter().all(|&phase| phase == 0));
        assert_eq!(cs.challenge_phase().len(), if shape.function { 3 } else { 2 });
        assert!(cs.lookups().is_empty(), "nothing is looked up but by our own argument");
    }
}

#[test]
fn no_gate_exceeds_the_degree() {
    for shape in shapes() {
        let (cs, degree) = constraint_system(&shape);
        assert!(degree <= MAX_DEGREE, "{degree}: {shape:?}");
        assert!(cs.degree() <= MAX_DEGREE && degree <= cs.degree(), "halo2's own figure is not capped: {shape:?}");
    }
}

#[test]
fn the_planner_chooses_shapes_that_the_gates_are_sound_for() {
    for mode in [InputMode::Committed, InputMode::Public, InputMode::Private] {
        for output in [Output::Reveal, Output::Sigmoid, Output::Threshold, Output::Argmax] {
            let program = mlp(if output == Output::Threshold { &[5, 4, 1] } else { &[5, 4, 3] }, mode, output, 1);
            for objective in [Objective::Prover, Objective::Gas, Objective::Balanced] {
                let shape = plan(&program, objective).unwrap().shape;
                assert!(shape.is_sound(), "{shape:?}");
            }
        }
    }
}

/// The forgery that a constant or early challenge permits: two wrong outputs whose errors cancel in the fold, `γ * 1 + 1 * (-γ) = 0`.
#[test]
fn a_forger_who_knows_the_challenge_succeeds_and_one_who_does_not_fails() {
    let known = 37;
    let layer = linear(&[&[300, -200], &[-411, 77]], &[1000, -70_000]);
    let (x, ranges) = ([417, 55], [-1000, 3000]);
    let honest = layer_sample(shape(), End::Signed, &layer, &x, ranges);
    let instances = honest.instances.clone();
    // The same weights and public inputs; outputs as if the accumulators were y_0 + 1 and y_1 - γ.
    let mut forged = honest.trace.clone();
    let wrong = linear(&[&[300, -200], &[-411, 77]], &[1001, -70_000 - known]);
    let lie = layer_sample(shape(), End::Signed, &wrong, &x, ranges).trace;
    forged.advice = lie.advice;
    assert_ne!(forged.advice, honest.trace.advice);

    let accepts = |challenges: Option<[Fr; 2]>, seed: u64| {
        let lab = Lab::forced_with(forged.clone(), &instances, seed, challenges);
        lab.first_violated(&lab.values)
    };
    assert_eq!(accepts(Some([to_field(known), Fr::from(1234567)]), 0), None, "the known challenge is forgeable");
    for seed in 1..20 {
        let refused = accepts(None, seed);
        assert_eq!(refused.map(|(name, _)| name).as_deref(), Some("fold starts and ends at zero"));
    }
}

/// The forgery that a known challenge permits beside a walk: one output of a convolution is wrong by one step of its remainder, and
/// a border output, which no range check bounds, takes the error back at its own power of γ. Under any other challenge it does not.
#[test]
fn a_border_output_hides_an_error_from_a_known_challenge_only() {
    for (stencil, steps) in stencils() {
        let Sample { name, trace: honest, instances } = conv_sample(shape(), stencil, &steps);
        let known = Fr::from(37).pow_vartime([1_000_003]);
        let columns = honest.columns.clone();
        let limb = columns.limbs[0].index();
        let order = fold_order(&honest);
        // The power of γ of an output is the number of outputs behind it, for walks and blocks place their inputs later.
        let power = |output: (usize, usize)| order.iter().rev().position(|&other| other == output).unwrap() as u64;
        let (outputs, borders): (Vec<_>, Vec<_>) = order.iter().copied().partition(|(column, _)| *column == limb);
        assert!(borders.iter().any(|(column, _)| *column == columns.b.index()), "{name}: two border outputs in one row");
        // A group's outputs stand together; any border of the circuit will do.
        for &(_, output) in &outputs {
            let mut forged = honest.clone();
            let digit = &mut forged.advice[limb][output];
            *digit = if *digit == Fr::ZERO { Fr::ONE } else { *digit - Fr::ONE };
            let error = forged.advice[limb][output] - honest.advice[limb][output];
            let border = borders[output % borders.len()];
            let powers = [power((limb, output)), power(border)].map(|p| known.pow_vartime([p]));
            forged.advice[border.0][border.1] -= error * powers[0] * powers[1].invert().unwrap();
            let multiplicity = columns.multiplicity.index();
            for (row, count) in zkml_evm::gates::lookup::multiplicities(&forged).into_iter().enumerate() {
                forged.advice[multiplicity][row] = Fr::from(count);
            }
            let accepts = |challenges: Option<[Fr; 2]>, seed: u64| {
                let lab = Lab::forced_with(forged.clone(), &instances, seed, challenges);
                lab.first_violated(&lab.values).is_none()
            };
            assert!(accepts(Some([known, Fr::from(1 << 40)]), 1), "{name}: the known challenge is forgeable");
            assert!(!accepts(None, 2) && !accepts(Some([known + Fr::ONE, Fr::from(1 << 40)]), 3), "{name}");
        }
    }
}

/// The same for a product of two computed matrices: errors of 1 and -γ in neighbouring outputs cancel under a γ known in advance.
#[test]
fn a_product_is_forgeable_under_a_known_challenge_only() {
    let known = 37i64;
    let Sample { trace: honest, instances, .. } = product_sample(shape(), MATRICES);
    let (shape, limb) = (honest.shape, honest.columns.limbs[0].index());
    let outputs: Vec<usize> = (0..honest.end).filter(|&row| honest.is_enabled(honest.columns.signed, row)).collect();
    let digit = |row: usize| i64::from(honest.advice[limb][row].to_bytes()[0]);
    let remainder = |row: usize| (0..shape.remainder_limbs as usize).map(|i| digit(row + i) << (4 * i)).sum::<i64>();
    let mut forged_pairs = 0;
    for pair in outputs.windows(2) {
        let mut forged = honest.clone();
        let wrong = [remainder(pair[0]) + 1, remainder(pair[1]) - known];
        if wrong[0] >> shape.shift_bits() != 0 || wrong[1] < 0 {
            continue;
        }
        for (row, value) in pair.iter().zip(wrong) {
            (0..3).for_each(|i| forged.advice[limb][row + i] = Fr::from((value >> (4 * i)) as u64 & 15));
        }
        let counts = zkml_evm::gates::lookup::multiplicities(&forged);
        for (row, count) in counts.into_iter().enumerate() {
            forged.advice[honest.columns.multiplicity.index()][row] = Fr::from(count);
        }
        let accepts = |gamma: Option<u64>| {
            let challenges = gamma.map(|gamma| [Fr::from(gamma), Fr::from(1 << 40)]);
            let lab = Lab::forced_with(forged.clone(), &instances, 9, challenges);
            lab.first_violated(&lab.values).is_none()
        };
        assert!(accepts(Some(37)) && !accepts(Some(38)) && !accepts(None));
        forged_pairs += 1;
    }
    assert!(forged_pairs > 3, "{forged_pairs}");
}
