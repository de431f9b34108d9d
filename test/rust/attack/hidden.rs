//! Hidden values that limbs keep in range, and not the worst case: what fits is proven, what does not has no witness and a named error.

use super::bench::Sample;
use super::lab::Lab;
use super::mutation::{Effort, attack};
use super::support::{Output, input, mlp};
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_evm::{
    circuit::{CircuitError, Objective, Witness, lay_out, plan},
    gates::TraceError,
    op::{InputMode, Interval, Op},
    quant::{Hidden, Program, QuantError, range, run},
};

/// A network whose first layer leaves the magnitude bits on most inputs.
fn overflowing(output: Output) -> Program {
    let mut program = mlp(&[2, 3, 3], InputMode::Public, output, 5);
    let Op::Linear(first) = &mut program.nodes[1].op else { panic!("a layer") };
    first.weights.iter_mut().for_each(|w| *w *= 40);
    program
}

#[test]
fn a_worst_case_that_does_not_fit_is_refused_or_enforced() {
    let worst = overflowing(Output::Reveal);
    assert!(matches!(range::check(&worst), Err(QuantError::Interval { .. })));
    let enforced = Program { hidden: Hidden::Calibrated, ..worst };
    let p = enforced.precision.quotient_interval();
    for (node, intervals) in enforced.nodes.iter().zip(range::check(&enforced).unwrap()) {
        let rescaled = matches!(node.op, Op::Rescale(_));
        assert!(!rescaled || intervals.iter().all(|i| i.within(&Interval::new(p.lo, p.hi))), "{}", node.name);
    }
}

#[test]
fn what_limbs_cannot_hold_has_no_witness() {
    for output in [Output::Reveal, Output::Argmax] {
        let unchecked = overflowing(output);
        let program = Program { hidden: Hidden::Calibrated, ..unchecked.clone() };
        let shape = plan(&program, Objective::Prover).unwrap().shape;
        let (mut proven, mut refused) = (0, 0);
        for seed in 0..60 {
            let x = input(&program, seed);
            match Witness::new(&program, &x, Fr::from(1), None, None) {
                Ok(witness) => {
                    let trace = lay_out(&program, shape, Some(&witness)).unwrap();
                    Lab::new(trace, &witness.statement.instances(), seed);
                    proven += 1;
                }
                Err(CircuitError::Quant(QuantError::Hidden { value, lo, hi, .. })) => {
                    assert!(!(lo..=hi).contains(&value));
                    // The same values without the check: no limbs for them.
                    let inside = (0..).map(|seed| input(&program, seed)).find(|x| run(&program, x).is_ok()).unwrap();
                    let mut witness = Witness::new(&program, &inside, Fr::from(1), None, None).unwrap();
                    witness.run = run(&unchecked, &x).unwrap();
                    let forged = lay_out(&program, shape, Some(&witness));
                    assert!(matches!(forged, Err(CircuitError::Trace(TraceError::DoesNotFit { .. }))), "{:?}", forged.err());
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(proven >= 5 && refused >= 5, "{output:?}: {proven} proven, {refused} refused");
    }
}

/// A logit that its rescale holds and the function's table does not is refused by name too.
#[test]
fn a_logit_beyond_the_table_is_named() {
    let mut program = mlp(&[1, 1], InputMode::Public, Output::Sigmoid, 5);
    let Op::Linear(layer) = &mut program.nodes[1].op else { panic!("a layer") };
    (layer.weights[0], layer.bias[0]) = (1 << 22, 0);
    program.hidden = Hidden::Calibrated;
    assert!(run(&program, &[500]).is_ok());
    let refused = run(&program, &[600]);
    let beyond = |e: &QuantError| matches!(e, QuantError::Hidden { value: 38400, hi: 32767, .. });
    assert!(refused.as_ref().is_err_and(beyond), "{refused:?}");
}

#[test]
fn no_cell_of_an_enforced_circuit_has_a_second_value() {
    let program = Program { hidden: Hidden::Calibrated, ..overflowing(Output::Reveal) };
    let x = (0..).map(|seed| input(&program, seed)).find(|x| run(&program, x).is_ok()).unwrap();
    let witness = Witness::new(&program, &x, Fr::from(1), None, None).unwrap();
    let trace = lay_out(&program, plan(&program, Objective::Prover).unwrap().shape, Some(&witness)).unwrap();
    let sample = Sample { name: "enforced".into(), trace, instances: witness.statement.instances() };
    attack(&mut sample.lab(), Effort::FULL).assert_sound(20);
}
