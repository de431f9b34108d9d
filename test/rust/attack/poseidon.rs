//! The permutation against published values: the zero hashes of binary Merkle trees over circomlib's `poseidon([left, right])`.

use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use zkml_evm::gates::poseidon_params::Parameters;

const ZEROS: [&str; 4] = [
    "0",
    "14744269619966411208579211824598458697587494354926760081771325075741142829156",
    "7423237065226347324353380772367382631490014989348495481811164164159255474657",
    "11286972368698509976183087595462810875513684078608517520839298933882497716792",
];

#[test]
fn a_tree_of_zeros_has_the_published_nodes() {
    let parameters = Parameters::get();
    for pair in ZEROS.windows(2) {
        let [below, above] = [pair[0], pair[1]].map(|text| Fr::from_str_vartime(text).unwrap());
        assert_eq!(parameters.hash2(below, below), above);
    }
}
