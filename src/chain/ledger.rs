//! An account of a Ledger device, through alloy, in a program built with the feature `ledger`.
//!
//! The device shows each transaction and asks. What it signs is checked like a remote signer's: see [`require_signed`].

use super::error::ChainError;
use super::signer::require_signed;
use alloy::consensus::{SignableTransaction, TxEnvelope};
use alloy::network::NetworkTransactionBuilder;
use alloy::primitives::Address;
use alloy::rpc::types::TransactionRequest;

/// Parts of a derivation path that the device's application takes.
const MAX_DEPTH: usize = 10;

/// An account that a device holds.
#[derive(Clone, Debug)]
pub(super) struct LedgerAccount {
    path: String,
    pub address: Address,
}

impl LedgerAccount {
    /// The account at `path`, which must be `address` when the device is asked.
    ///
    /// # Errors
    /// [`ChainError::Ledger`]: a path that is none, a program built without support for the device.
    pub fn new(path: &str, address: Address) -> Result<Self, ChainError> {
        let failed = |reason: &str| ChainError::Ledger { path: path.to_owned(), reason: reason.to_owned() };
        if !is_path(path) {
            return Err(failed("not a derivation path such as m/44'/60'/0'/0/0"));
        }
        if !cfg!(feature = "ledger") {
            return Err(failed("this program was built without support for Ledger devices (feature `ledger`)"));
        }
        Ok(Self { path: path.to_owned(), address })
    }

    /// Asks the device for a signature.
    ///
    /// # Errors
    /// [`ChainError::Ledger`]: no device, locked, another application open, a refusal, another account or transaction.
    pub async fn sign(&self, what: &str, request: TransactionRequest) -> Result<TxEnvelope, ChainError> {
        let failed = |reason: String| ChainError::Ledger { path: self.path.clone(), reason: format!("{what}: {reason}") };
        let asked = request.clone().build_unsigned().map_err(|e| failed(e.to_string()))?.signature_hash();
        // A task of its own: the transport panics where the system has no USB, and on an answer cut short.
        let device = tokio::spawn(device::sign(self.clone(), request));
        let envelope = device.await.map_err(|_| failed("the USB transport broke down".to_owned()))?.map_err(failed)?;
        require_signed(envelope, asked, self.address).map_err(failed)
    }
}

/// `m`, then one to ten numbers below 2^31, each with or without a prime.
fn is_path(path: &str) -> bool {
    let is_part = |part: &str| {
        let digits = part.strip_suffix('\'').unwrap_or(part);
        digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u32>().is_ok_and(|index| index < 1 << 31)
    };
    path.strip_prefix("m/").is_some_and(|parts| parts.split('/').count() <= MAX_DEPTH && parts.split('/').all(is_part))
}

#[cfg(feature = "ledger")]
mod device {
    use super::LedgerAccount;
    use alloy::consensus::TxEnvelope;
    use alloy::network::{EthereumWallet, NetworkTransactionBuilder};
    use alloy::rpc::types::TransactionRequest;
    use alloy::signers::Signer;
    use alloy::signers::ledger::{HDPath, LedgerSigner};

    pub async fn sign(account: LedgerAccount, request: TransactionRequest) -> Result<TxEnvelope, String> {
        let path = HDPath::Other(account.path);
        let device = LedgerSigner::new(path, request.chain_id).await.map_err(|e| e.to_string())?;
        let found = Signer::address(&device);
        if found != account.address {
            return Err(format!("the device's account is {found}, expected {}", account.address));
        }
        request.build(&EthereumWallet::from(device)).await.map_err(|e| e.to_string())
    }
}

#[cfg(not(feature = "ledger"))]
mod device {
    use super::LedgerAccount;
    use alloy::consensus::TxEnvelope;
    use alloy::rpc::types::TransactionRequest;

    /// Never reached: [`LedgerAccount::new`] refuses.
    pub async fn sign(_: LedgerAccount, _: TransactionRequest) -> Result<TxEnvelope, String> {
        Err("no support for Ledger devices".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{LedgerAccount, is_path};
    use alloy::primitives::Address;

    #[test]
    fn paths_are_read_strictly() {
        for good in ["m/44'/60'/0'/0/0", "m/44'/60'/0'/7", "m/2147483647'", "m/1/2/3/4/5/6/7/8/9/10"] {
            assert!(is_path(good), "{good}");
        }
        let long = "m/1/2/3/4/5/6/7/8/9/10/11";
        for bad in ["", "m", "m/", "44'/60'", "m/-1", "m/+1", "m/1''", "m/'", "m/a", "m/1//2", "m/2147483648", "m/1 ", long] {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn what_stops_a_device_is_told() {
        let told = |path: &str| LedgerAccount::new(path, Address::ZERO).map(|_| ()).map_err(|e| e.to_string());
        assert!(told("m/x").is_err_and(|e| e.contains("not a derivation path")));
        let good = told("m/44'/60'/0'/0/0");
        if cfg!(feature = "ledger") {
            assert_eq!(good, Ok(()));
        } else {
            assert!(good.is_err_and(|e| e.contains("built without support")));
        }
    }
}
