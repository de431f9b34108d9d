//! Who decides over a settlement on a public chain, how quickly, and who can stop it meanwhile. The same rules as in `script/Deploy.s.sol`.

use super::error::ChainError;
use super::provider::Chain;
use alloy::primitives::Address;

/// Least seconds between a model's registration and its first verification on a public chain: a day.
pub const LEAST_DELAY: u32 = 86_400;

/// What EIP-7702 puts before the address that an account delegates to; 23 bytes in all.
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

/// What is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// A key decides, also where it delegates its execution (EIP-7702).
    Plain,
    /// Code decides: a timelock or a multisig, or nothing that could own anything.
    Contract,
}

impl AccountKind {
    fn of(code: &[u8]) -> Self {
        let delegated = code.len() == 23 && code.starts_with(&DELEGATION);
        if code.is_empty() || delegated { Self::Plain } else { Self::Contract }
    }

    /// Asks the chain.
    pub async fn at(chain: &Chain, address: Address) -> Result<Self, ChainError> {
        Ok(Self::of(&chain.code("reading the owner's code", address).await?))
    }
}

impl std::fmt::Display for AccountKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "a plain account",
            Self::Contract => "a contract",
        })
    }
}

/// Refuses on a public chain what would let one key decide at once, or leave nobody who can stop things.
///
/// # Errors
/// [`ChainError::Unguarded`] unless the chain is local or `allow` is set; those of reading the owner's code.
pub async fn refuse_unguarded(
    chain: &Chain,
    owner: Address,
    guardian: Address,
    activation_delay: u32,
    allow: bool,
) -> Result<(), ChainError> {
    if allow || chain.is_local() {
        return Ok(());
    }
    let refused = |what, expected: &str, got: String| {
        Err(ChainError::Unguarded { chain_id: chain.id(), what, expected: expected.to_owned(), got })
    };
    if AccountKind::at(chain, owner).await? == AccountKind::Plain {
        return refused("the owner", "a contract, a timelock or a multisig", format!("{owner}, a plain account"));
    }
    if guardian.is_zero() || guardian == owner {
        let got = if guardian.is_zero() { "none".to_owned() } else { format!("{guardian}, the owner") };
        return refused("the guardian", "an account besides the owner", got);
    }
    if activation_delay < LEAST_DELAY {
        return refused("the activation delay", &format!("{LEAST_DELAY} s or more"), format!("{activation_delay} s"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::AccountKind;

    #[test]
    fn a_delegation_is_no_contract() {
        let delegation = [&[0xef, 0x01, 0x00][..], &[7; 20]].concat();
        assert_eq!(AccountKind::of(&[]), AccountKind::Plain);
        assert_eq!(AccountKind::of(&delegation), AccountKind::Plain);
        assert_eq!(AccountKind::of(&delegation[..22]), AccountKind::Contract);
        assert_eq!(AccountKind::of(&[&delegation[..], &[0]].concat()), AccountKind::Contract);
        assert_eq!(AccountKind::of(&[0xef, 0x01, 0x01].repeat(8)[..23]), AccountKind::Contract);
        assert_eq!(AccountKind::of(&[0]), AccountKind::Contract);
    }
}
