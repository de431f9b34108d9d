//! The arguments that name a signing account.

use super::failure::{CliError, Failure};
use crate::chain::{Account, AccountSource, Password};
use alloy::primitives::Address;
use clap::Args;
use std::path::PathBuf;

/// Who signs.
#[derive(Clone, Debug, Args)]
pub struct AccountArguments {
    /// A keystore by its name in foundry's folder
    #[arg(long, value_name = "NAME", group = "signer")]
    pub account: Option<String>,
    /// A keystore file
    #[arg(long, value_name = "FILE", group = "signer")]
    pub keystore: Option<PathBuf>,
    /// A development account, 0 to 9 (local chains only)
    #[arg(long, value_name = "INDEX", group = "signer")]
    pub dev_account: Option<usize>,
    /// The Unix socket of a program that holds the key and answers eth_signTransaction, such as geth, also in front of clef
    #[arg(long, value_name = "SOCKET", group = "signer", requires = "signer_address")]
    pub remote_signer: Option<PathBuf>,
    /// An account of a Ledger device by its derivation path, in a program built with the feature `ledger`
    #[arg(long, value_name = "PATH", group = "signer", requires = "signer_address", num_args = 0..=1, default_missing_value = "m/44'/60'/0'/0/0")]
    pub ledger: Option<String>,
    /// The account that the remote signer or the Ledger device signs for
    #[arg(long, value_name = "ADDRESS", requires = "signer", conflicts_with_all = ["account", "keystore", "dev_account"])]
    pub signer_address: Option<Address>,
    /// The keystore's password is the first line of this file
    #[arg(long, value_name = "FILE", requires = "signer")]
    pub password_file: Option<PathBuf>,
}

impl AccountArguments {
    /// Unlocks the account; `local` is whether the chain that it signs for is a local one.
    ///
    /// # Errors
    /// No account named; those of keystores and passwords; a development account away from local chains.
    pub fn unlock(&self, local: bool) -> Result<Account, Failure> {
        let source = match (&self.account, &self.keystore, self.dev_account) {
            (Some(name), ..) => AccountSource::Named(name.clone()),
            (_, Some(path), _) => AccountSource::Keystore(path.clone()),
            (_, _, Some(index)) => AccountSource::Development(index),
            _ => self.elsewhere()?,
        };
        let password = self.password_file.clone().map_or(Password::Ask, Password::File);
        Ok(source.unlock(&password, local)?)
    }

    fn elsewhere(&self) -> Result<AccountSource, CliError> {
        match (&self.remote_signer, &self.ledger, self.signer_address) {
            (Some(socket), _, Some(address)) => Ok(AccountSource::Remote { socket: socket.clone(), address }),
            (_, Some(path), Some(address)) => Ok(AccountSource::Ledger { path: path.clone(), address }),
            _ => {
                let how = "give `--account NAME`, `--keystore FILE`, `--remote-signer SOCKET`, `--ledger`, or on a local chain `--dev-account INDEX`";
                Err(CliError::Missing { what: "a signing account", how })
            }
        }
    }
}
