//! Who signs: a development account on a local chain, or a keystore in foundry's format anywhere.

use super::dev_accounts;
use super::error::ChainError;
use super::keystore::{self, Password};
use alloy::primitives::{Address, B256, Signature};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use std::path::PathBuf;

/// Where a signing key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountSource {
    /// A development account, 0 to 9; local chains only.
    Development(usize),
    /// A keystore by its name in foundry's folder (`--account`).
    Named(String),
    /// A keystore by its path (`--keystore`).
    Keystore(PathBuf),
}

impl AccountSource {
    /// Loads the key. `chain_is_local` is [`super::Chain::is_local`] of the chain that it will sign for.
    ///
    /// # Errors
    /// [`ChainError::DevAccountRefused`] away from local chains, [`ChainError::WrongPassword`], and the other
    /// keystore and password errors. Nothing is ever read from the command line's arguments.
    pub fn unlock(&self, password: &Password, chain_is_local: bool) -> Result<Account, ChainError> {
        match self {
            Self::Development(index) if !chain_is_local => Err(ChainError::DevAccountRefused { index: *index }),
            Self::Development(index) => Account::development(*index),
            Self::Named(name) => Ok(Account { signer: keystore::unlock(&keystore::named(name)?, password)? }),
            Self::Keystore(path) => Ok(Account { signer: keystore::unlock(path, password)? }),
        }
    }
}

/// An unlocked account. The key is zeroised when it is dropped, and `Debug` shows the address only.
#[derive(Clone)]
pub struct Account {
    signer: PrivateKeySigner,
}

impl Account {
    fn development(index: usize) -> Result<Self, ChainError> {
        let missing = || ChainError::NoDevAccount { index, last: dev_accounts::COUNT - 1 };
        let key = dev_accounts::key(index).ok_or_else(missing)?;
        PrivateKeySigner::from_bytes(&key).map(|signer| Self { signer }).map_err(|_| missing())
    }

    /// The account's address.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Signs a digest, such as that of EIP-712 data, as it is.
    pub fn sign_digest(&self, what: &str, digest: &B256) -> Result<Signature, ChainError> {
        self.signer.sign_hash_sync(digest).map_err(|e| ChainError::Signing { what: what.to_owned(), reason: e.to_string() })
    }

    pub(super) fn signer(&self) -> &PrivateKeySigner {
        &self.signer
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.address())
    }
}
