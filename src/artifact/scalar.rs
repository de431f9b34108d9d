//! Field elements as people and contracts write them: 32 bytes, big-endian, below r.

use alloy::primitives::{B256, U256};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{bn256::Fr, ff::PrimeField},
};
use rand::rngs::OsRng;

/// The big-endian bytes of a field element.
pub fn to_word(value: &Fr) -> B256 {
    let mut bytes = [0u8; 32];
    bytes.copy_from_slice(value.to_repr().as_ref());
    bytes.reverse();
    bytes.into()
}

/// The field element of canonical bytes; `None` for r and above.
pub fn from_word(word: &B256) -> Option<Fr> {
    let mut repr = <Fr as PrimeField>::Repr::default();
    repr.as_mut().copy_from_slice(word.as_slice());
    repr.as_mut().reverse();
    Fr::from_repr(repr).into_option()
}

/// The same as the integer that contracts take.
pub fn to_integer(value: &Fr) -> U256 {
    U256::from_be_bytes(to_word(value).0)
}

/// A uniform salt from the operating system's generator.
pub fn random_salt() -> Fr {
    Fr::random(OsRng)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_canonical() {
        assert_eq!(to_word(&Fr::from(258)), B256::from(U256::from(258)));
        let salt = random_salt();
        assert_eq!(from_word(&to_word(&salt)), Some(salt));
        let minus_one = to_integer(&-Fr::ONE);
        assert!(from_word(&minus_one.to_be_bytes().into()).is_some());
        assert!(from_word(&(minus_one + U256::ONE).to_be_bytes().into()).is_none(), "r itself");
        assert!(from_word(&B256::repeat_byte(0xff)).is_none());
    }
}
