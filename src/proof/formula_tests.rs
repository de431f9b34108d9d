use super::*;
use rand::{Rng, rngs::OsRng};

/// Formulas of random parts, on two chunks of rows and at their ends, against the same computed row by row.
#[test]
fn formulas_are_computed_on_every_row() {
    let n = 2 * CHUNK;
    for width in [Width::ONE, Width::of(10)] {
        for _ in 0..10 {
            let columns: Vec<Vec<Fr>> = (0..3).map(|_| (0..n).map(|_| Fr::random(OsRng)).collect()).collect();
            let scaled: Vec<Vec<Fr>> = columns.iter().map(|c| c.iter().map(|v| *v * width.scale()).collect()).collect();
            let (mut formula, mut parts, mut expected) = (Formula::default(), Vec::new(), Vec::new());
            for value in [Fr::ZERO, Fr::ONE, Fr::from(2), Fr::random(OsRng)] {
                parts.push(formula.constant(value));
                expected.push(vec![value; n]);
            }
            for (column, rotation) in [(0, 0), (1, 1), (2, -1), (0, 17), (1, -9)] {
                parts.push(formula.cell(column, rotation));
                let row = |i: usize| (i as i64 + i64::from(rotation)).rem_euclid(n as i64) as usize;
                expected.push((0..n).map(|i| columns[column][row(i)]).collect());
            }
            for _ in 0..60 {
                let [a, b] = [(); 2].map(|()| OsRng.gen_range(0..parts.len()));
                let of = |f: fn(Fr, Fr) -> Fr| expected[a].iter().zip(&expected[b]).map(|(a, b)| f(*a, *b)).collect();
                let (part, values) = match OsRng.gen_range(0..3) {
                    0 => (formula.add(parts[a], parts[b]), of(|a, b| a + b)),
                    1 => (formula.sub(parts[a], parts[b]), of(|a, b| a - b)),
                    _ => (formula.mul(parts[a], parts[b]), of(|a, b| a * b)),
                };
                parts.push(part);
                expected.push(values);
            }
            for (part, expected) in parts.iter().zip(&expected) {
                let got = formula.steps(*part).values(width, &scaled);
                assert!(got.iter().zip(expected).all(|(got, expected)| *got == *expected * width.scale()));
            }
        }
    }
}

/// What appears twice is computed once, and slots are used again.
#[test]
fn what_is_common_is_computed_once() {
    let mut formula = Formula::default();
    let cell = formula.cell(0, 0);
    let mut sum = cell;
    for _ in 0..100 {
        let square = formula.mul(cell, cell);
        sum = formula.mul(sum, square);
    }
    let steps = formula.steps(sum);
    assert_eq!((steps.steps.len(), steps.slots), (102, 2));
}
