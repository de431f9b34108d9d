//! What the chain tests share: chains, accounts, and a verifier small enough to write by hand.

#![allow(dead_code)]

pub mod proxy;

use alloy::primitives::{Address, B256, Bytes, keccak256};
use std::path::Path;
use zkml_evm::chain::artifact::CompiledContract;
use zkml_evm::chain::deploy::DeployItem;
use zkml_evm::chain::keystore::Password;
use zkml_evm::chain::{Account, AccountSource, Chain, ChainTarget, Patience};

/// Runs one test body on the embedded chain and on a real anvil.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_embedded { $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
            super::$name($crate::chain_support::connect(zkml_evm::chain::ChainTarget::embedded()).await).await;
        })+ }
        mod on_anvil { $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
            super::$name($crate::chain_support::connect(zkml_evm::chain::ChainTarget::anvil()).await).await;
        })+ }
    };
}

pub async fn connect(target: ChainTarget) -> Chain {
    target.connect(None, Patience::default()).await.unwrap()
}

/// A development account.
pub fn dev(index: usize) -> Account {
    AccountSource::Development(index).unlock(&Password::Ask, true).unwrap()
}

/// A contract as forge compiled it; `forge build` has to have run.
pub fn compiled(file: &str, name: &str) -> CompiledContract {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("out");
    CompiledContract::from_forge(&out, file, name).expect("run `forge build` first")
}

pub fn router_item(owner: Address) -> DeployItem {
    let router = compiled("InferenceRouter", "InferenceRouter");
    DeployItem::new(&router.name, router.with_args(&(owner, owner, 0_u32)), router.runtime_size)
}

/// A verifier that calls itself a production one, and accepts the proof that repeats the first public input.
///
/// `verifierKind()` returns the kind; anything else compares the last word of calldata with the word at 0x64, which is
/// `publicInputs[0]` in `verifyProof(uint256[],bytes)`.
pub fn tiny_verifier() -> DeployItem {
    let kind = keccak256("zkml-evm.verifier.v1");
    let kind_selector = &keccak256("verifierKind()")[..4];
    let rejected = &keccak256("PairingFailed()")[..4];
    let mut code = Vec::new();
    code.extend([0x5f, 0x35, 0x60, 0xe0, 0x1c, 0x63]); // selector of the call
    code.extend(kind_selector);
    code.extend([0x14, 0x60, 42, 0x57]); // == verifierKind: jump to 42
    code.extend([0x60, 0x20, 0x36, 0x03, 0x35, 0x60, 0x64, 0x35, 0x14, 0x60, 40, 0x57]); // proof == inputs[0]: jump to 40
    code.push(0x63);
    code.extend(rejected);
    code.extend([0x60, 0xe0, 0x1b, 0x5f, 0x52, 0x60, 0x04, 0x5f, 0xfd]); // revert PairingFailed()
    assert_eq!(code.len(), 40);
    code.extend([0x5b, 0x00]); // 40: stop
    code.extend([0x5b, 0x7f]); // 42: return the kind
    code.extend(kind);
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    let size = u8::try_from(code.len()).unwrap();
    let mut creation = vec![0x60, size, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3];
    creation.extend(&code);
    DeployItem {
        model_id: Some(B256::repeat_byte(7)),
        srs: Some("insecure-dev".into()),
        ..DeployItem::new("InferenceVerifier", Bytes::from(creation), code.len())
    }
}
