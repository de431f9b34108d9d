//! The rows of permutations against the permutation.

use super::*;
use crate::outer::shape::Widths;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

#[test]
fn rows_agree_with_the_permutation() {
    let mut rng = ChaCha20Rng::seed_from_u64(41);
    let mut sheet = Sheet::new(Widths { k: 15, stack: 2 }).unwrap();
    let mut sponge = Sponge::default();
    let columns = sheet.columns.clone();
    for length in [1, 4, 2] {
        sponge.start(&mut sheet).unwrap();
        let mut state = [domain(), Fr::ZERO, Fr::ZERO];
        for _ in 0..length {
            for (cell, at) in sponge.inputs(&sheet).into_iter().zip([1, 2]) {
                let value = Fr::random(&mut rng);
                sheet.assign(cell.column, cell.row, value).unwrap();
                state[at] += value;
            }
            let cell = sponge.permute(&mut sheet).unwrap();
            state = Parameters::get().permute(state);
            assert_eq!(columns.state.map(|column| sheet.advice[column.index()][cell.row]), state);
            assert_eq!(cell.column, columns.state[1]);
        }
    }
    // Three rows for a full round, one for a partial one, and the rows of what is absorbed.
    assert_eq!(sponge.steps.len(), 3 * 8 + 57);
    assert_eq!(sponge.rows(), 7 * 82 + 2);
}
