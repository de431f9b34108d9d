//! The whole credit-sized circuit under attack: every kind of cell, the second phase, and what the layout depends on.

use super::gates::assert_reads_are_assigned;
use super::lab::Lab;
use super::mutation::{Effort, attack};
use super::rank::{hash_cells, phase2_cells};
use super::support::{Output, input, mlp};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use zkml_evm::{
    circuit::{Objective, Witness, lay_out, plan},
    gates::{Shape, Trace},
    op::InputMode,
    quant::{Program, run},
};

/// The program of the credit example's size, its planned shape, and a witness.
pub fn credit(seed: u64) -> (Program, Shape, Witness) {
    let program = mlp(&[12, 32, 16, 1], InputMode::Committed, Output::Threshold, 1);
    let shape = plan(&program, Objective::Balanced).unwrap().shape;
    let values = input(&program, seed);
    let threshold = run(&program, &values).unwrap().output()[0] - 3;
    let witness = Witness::new(&program, &values, Fr::from(42), Some(Fr::from(99 + seed)), Some(threshold)).unwrap();
    (program, shape, witness)
}

fn trace_of(seed: u64) -> (Trace, Vec<Fr>) {
    let (program, shape, witness) = credit(seed);
    (lay_out(&program, shape, Some(&witness)).unwrap(), witness.statement.instances())
}

#[test]
fn no_cell_of_the_credit_circuit_has_a_second_value() {
    let (trace, instances) = trace_of(2);
    let mut lab = Lab::new(trace, &instances, 7);
    assert_eq!(lab.identities.len(), 32 + 16 + 1, "every output has its coefficient equation");
    let report = attack(&mut lab, Effort { nodes: 12, ..Effort::FULL });
    eprintln!("{report:?}");
    let kinds = [
        "a of absorb",
        "a of full round",
        "a of linear",
        "a of partial round",
        "a of range",
        "a of relu",
        "a of threshold",
        "b of absorb",
        "b of full round",
        "b of partial round",
        "b of range",
        "b of relu",
        "b of threshold",
        "c of full round",
        "c of partial round",
        "limb of range",
        "limb of relu",
        "limb of threshold",
        "multiplicity",
    ];
    for kind in kinds {
        assert!(report.cells.contains_key(kind), "no `{kind}` was attacked: {:?}", report.cells);
    }
    report.assert_sound(500);
}

#[test]
fn the_second_phase_of_the_credit_circuit_is_determined() {
    let (trace, instances) = trace_of(2);
    let lab = Lab::new(trace, &instances, 7);
    let (total, free) = phase2_cells(&lab);
    assert!(free.is_empty(), "{} of {total} phase-2 cells are free", free.len());
    assert!(hash_cells(&lab).1.is_empty());
    assert_reads_are_assigned(&lab, "credit");
}

/// The documented free cells: limb cells that no gate reads hold any table value, and the multiplicity of entry 0 may be split
/// over the rows that repeat it. Neither is read by anything else, so a second witness of this kind says nothing else.
#[test]
fn the_documented_free_cells_are_free_and_bound_in_sum() {
    let (trace, instances) = trace_of(2);
    let mut lab = Lab::new(trace, &instances, 7);
    let columns = lab.trace.columns.clone();
    let (limb, multiplicity) = (columns.limbs[0].index(), columns.multiplicity.index());
    let entries = 1usize << lab.trace.shape.limb_bits;
    let unused: Vec<usize> = (0..lab.trace.end).filter(|&row| !lab.trace.assigned[limb][row]).collect();
    assert!(!unused.is_empty());
    for &row in unused.iter().step_by(7) {
        let cell = lab.cell(limb, row);
        assert!(lab.survives(&[(cell, Fr::from(entries as u64 - 1))]), "row {row} takes a table value");
        assert!(!lab.survives(&[(cell, Fr::from(entries as u64))]), "row {row} takes no other value");
        assert!(!lab.survives(&[(cell, -Fr::ONE)]), "row {row} takes no other value");
    }
    let first = lab.cell(multiplicity, 0);
    for row in (entries..lab.trace.end).step_by(50) {
        let other = lab.cell(multiplicity, row);
        let count = lab.values[first as usize];
        assert!(lab.survives(&[(first, count - Fr::from(3)), (other, Fr::from(3))]), "row {row} shares entry 0");
        assert!(!lab.survives(&[(first, count - Fr::from(3)), (other, Fr::from(4))]), "the sum is bound");
        assert!(!lab.survives(&[(first + 1, lab.values[first as usize + 1] - Fr::ONE), (other, Fr::ONE)]), "no other entry");
    }
}

#[test]
fn the_layout_does_not_depend_on_the_witness() {
    for output in [Output::Reveal, Output::Threshold, Output::Argmax] {
        for mode in [InputMode::Committed, InputMode::Public, InputMode::Private] {
            let widths: &[usize] = if output == Output::Threshold { &[5, 4, 1] } else { &[5, 4, 3] };
            let program = mlp(widths, mode, output, 1);
            let shape = plan(&program, Objective::Balanced).unwrap().shape;
            let keygen = lay_out(&program, shape, None).unwrap();
            for seed in 0..4 {
                let values = input(&program, seed);
                let threshold =
                    (output == Output::Threshold).then(|| run(&program, &values).unwrap().output()[0] - i128::from(seed as u32));
                let salt = (mode == InputMode::Committed).then(|| Fr::from(seed));
                let witness = Witness::new(&program, &values, Fr::from(seed), salt, threshold).unwrap();
                let trace = lay_out(&program, shape, Some(&witness)).unwrap();
                assert!(trace.fixed == keygen.fixed && trace.copies == keygen.copies && trace.exposed == keygen.exposed);
                assert!(trace.assigned == keygen.assigned && (trace.row, trace.end) == (keygen.row, keygen.end));
            }
        }
    }
}
