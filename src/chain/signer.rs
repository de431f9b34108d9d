//! Who signs: a development account on a local chain, or anywhere a keystore in foundry's format, a signer behind a socket or a
//! Ledger device.

use super::dev_accounts;
use super::error::ChainError;
use super::keystore::{self, Password};
use super::ledger::LedgerAccount;
use super::remote::RemoteSigner;
use alloy::consensus::TxEnvelope;
use alloy::consensus::transaction::SignerRecoverable;
use alloy::network::{EthereumWallet, NetworkTransactionBuilder};
use alloy::primitives::{Address, B256, Signature};
use alloy::rpc::types::TransactionRequest;
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
    /// An account whose key another program holds (`--remote-signer`).
    Remote {
        /// The program's Unix socket.
        socket: PathBuf,
        /// The account.
        address: Address,
    },
    /// An account of a Ledger device (`--ledger`).
    Ledger {
        /// Its derivation path, such as `m/44'/60'/0'/0/0`.
        path: String,
        /// The account.
        address: Address,
    },
}

impl AccountSource {
    /// Loads the key. `chain_is_local` is [`super::Chain::is_local`] of the chain that it will sign for.
    ///
    /// # Errors
    /// [`ChainError::DevAccountRefused`] away from local chains, [`ChainError::WrongPassword`], and the other
    /// keystore and password errors; [`ChainError::Ledger`] for a path that is none or a program built without. Nothing is ever read from the command line's arguments.
    pub fn unlock(&self, password: &Password, chain_is_local: bool) -> Result<Account, ChainError> {
        match self {
            Self::Development(index) if !chain_is_local => Err(ChainError::DevAccountRefused { index: *index }),
            Self::Development(index) => Account::development(*index),
            Self::Named(name) => keystore::unlock(&keystore::named(name)?, password).map(Account::local),
            Self::Keystore(path) => keystore::unlock(path, password).map(Account::local),
            Self::Remote { socket, address } => {
                Ok(Account { key: Key::Remote(RemoteSigner { socket: socket.clone(), address: *address }) })
            }
            Self::Ledger { path, address } => Ok(Account { key: Key::Ledger(LedgerAccount::new(path, *address)?) }),
        }
    }
}

/// An account that signs. A key that is here is zeroised when it is dropped, and `Debug` shows the address only.
#[derive(Clone)]
pub struct Account {
    key: Key,
}

#[derive(Clone)]
enum Key {
    Local(PrivateKeySigner),
    Remote(RemoteSigner),
    Ledger(LedgerAccount),
}

impl Account {
    fn local(signer: PrivateKeySigner) -> Self {
        Self { key: Key::Local(signer) }
    }

    fn development(index: usize) -> Result<Self, ChainError> {
        let missing = || ChainError::NoDevAccount { index, last: dev_accounts::COUNT - 1 };
        let key = dev_accounts::key(index).ok_or_else(missing)?;
        PrivateKeySigner::from_bytes(&key).map(Self::local).map_err(|_| missing())
    }

    /// The account's address.
    pub fn address(&self) -> Address {
        match &self.key {
            Key::Local(signer) => signer.address(),
            Key::Remote(remote) => remote.address,
            Key::Ledger(ledger) => ledger.address,
        }
    }

    /// Signs a digest, such as that of EIP-712 data, as it is.
    ///
    /// # Errors
    /// A remote signer and a Ledger device sign transactions only.
    pub fn sign_digest(&self, what: &str, digest: &B256) -> Result<Signature, ChainError> {
        let failed = |reason: String| ChainError::Signing { what: what.to_owned(), reason };
        match &self.key {
            Key::Local(signer) => signer.sign_hash_sync(digest).map_err(|e| failed(e.to_string())),
            Key::Remote(_) => Err(failed("a remote signer signs transactions only".to_owned())),
            Key::Ledger(_) => Err(failed("a Ledger device signs transactions only here".to_owned())),
        }
    }

    /// Signs a transaction whose fields are all set.
    pub(super) async fn sign_transaction(&self, what: &str, request: TransactionRequest) -> Result<TxEnvelope, ChainError> {
        match &self.key {
            Key::Local(signer) => {
                let wallet = EthereumWallet::from(signer.clone());
                let failed = |reason: String| ChainError::Signing { what: what.to_owned(), reason };
                request.build(&wallet).await.map_err(|e| failed(e.to_string()))
            }
            Key::Remote(remote) => remote.sign(what, request).await,
            Key::Ledger(ledger) => ledger.sign(what, request).await,
        }
    }
}

/// What comes from a signer elsewhere is not trusted: it must be exactly the transaction with the hash `asked` for, signed by `account`.
pub(super) fn require_signed(envelope: TxEnvelope, asked: B256, account: Address) -> Result<TxEnvelope, String> {
    if envelope.signature_hash() != asked {
        return Err("it signed another transaction than the one that it was asked to sign".to_owned());
    }
    match envelope.recover_signer() {
        Ok(signer) if signer == account => Ok(envelope),
        Ok(signer) => Err(format!("it signed as {signer}, expected {account}")),
        Err(error) => Err(format!("its signature is invalid: {error}")),
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.address())
    }
}
