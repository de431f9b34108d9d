//! What is committed: no constraint above the degree that a verifier's cost is counted for.

use super::*;

#[test]
fn no_committed_constraint_has_a_degree_above_five() {
    for height in [2, 4, 8, 16, 32] {
        let mut cs = ConstraintSystem::default();
        stack(&mut cs, &Widths { k: 20, stack: height });
        let mut highest = 0;
        for gate in cs.gates() {
            for (i, polynomial) in gate.polynomials().iter().enumerate() {
                assert!(polynomial.degree() <= 5, "{} at {height}: {}", gate.constraint_name(i), polynomial.degree());
                highest = highest.max(polynomial.degree());
            }
        }
        assert_eq!((highest, cs.degree()), (5, 5), "{height}");
    }
}

#[test]
fn a_sheet_holds_the_range_table() {
    for widths in
        [Widths { k: 17, stack: 16 }, Widths { k: 14, stack: 2 }, Widths { k: 13, stack: 2 }, Widths { k: 18, stack: 64 }]
    {
        assert!(matches!(Sheet::new(widths), Err(TraceError::NotEnoughRows { .. })), "{widths:?}");
    }
    assert!(Sheet::new(Widths { k: 15, stack: 2 }).unwrap().end >= 1 << LANE_BITS);
}
