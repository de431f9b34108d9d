//! The client's everyday work, on the embedded chain and on a real anvil: the same calls have to give the same answers.

mod chain_support;

use alloy::eips::eip2718::Encodable2718;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::{EthereumWallet, NetworkTransactionBuilder, TransactionBuilder};
use alloy::primitives::{Address, Bytes, U256, b256, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolEvent;
use chain_support::proxy::{self, Say};
use chain_support::{connect, dev, router_item};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use zkml_evm::chain::bindings::{IGuarded, IInferenceRouter, Ownable2Step};
use zkml_evm::chain::embedded::{EmbeddedOptions, Hardfork};
use zkml_evm::chain::{Call, Chain, ChainError, ChainTarget, Offer, Patience, Registry, Spending, deploy};
use zkml_evm::error::Explain;

on_both!(
    transfer,
    facts,
    nonce_too_low,
    ceilings_are_kept,
    offers_are_sent_as_given,
    underpriced,
    insufficient_funds,
    gas_limit_out_of_range,
    reverts_are_decoded,
    a_call_to_no_code_is_refused,
    logs_are_found,
    time_moves,
    wrong_chain_signature_is_refused,
);

async fn transfer(chain: Chain) {
    let to = Address::repeat_byte(0x11);
    let receipt = chain.send(&dev(0), &Call::transfer("paying", to, U256::from(12_345))).await.unwrap();
    assert_eq!(receipt.gas_used, 21_000);
    assert_eq!(receipt.block_number, Some(1));
    let provider = chain.provider();
    assert_eq!(provider.get_balance(to).await.unwrap(), U256::from(12_345));
    assert_eq!(provider.get_transaction_count(dev(0).address()).await.unwrap(), 1);
    let found = provider.get_transaction_by_hash(receipt.transaction_hash).await.unwrap().unwrap();
    assert_eq!(found.block_number, Some(1));
    let block = provider.get_block_by_number(BlockNumberOrTag::Latest).full().await.unwrap().unwrap();
    assert_eq!(block.header.hash, receipt.block_hash.unwrap());
    assert_eq!(block.header.inner.hash_slow(), block.header.hash, "the header hashes to the block's hash");
    assert_eq!(block.transactions.len(), 1);
    let paid = U256::from(receipt.effective_gas_price) * U256::from(21_000) + U256::from(12_345);
    let before = U256::from(10_000) * U256::from(10).pow(U256::from(18));
    assert_eq!(provider.get_balance(dev(0).address()).await.unwrap(), before - paid);
}

async fn facts(chain: Chain) {
    assert_eq!(chain.id(), 31_337);
    assert!(chain.is_local());
    assert!(!chain.client_version().await.unwrap().is_empty());
    assert_eq!(chain.provider().get_net_version().await.unwrap(), 31_337);
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 0);
    assert!(chain.provider().get_gas_price().await.unwrap() >= 1_000_000_000);
    assert!(chain.provider().get_block_by_number(BlockNumberOrTag::Number(99)).await.unwrap().is_none());
    assert!(chain.provider().get_block_by_number(BlockNumberOrTag::Pending).await.unwrap().is_some());
    assert!(chain.provider().get_transaction_receipt(keccak256("none")).await.unwrap().is_none());
    assert_eq!(chain.provider().get_storage_at(Address::ZERO, U256::ZERO).await.unwrap(), U256::ZERO);
    let history = chain.provider().get_fee_history(5, BlockNumberOrTag::Latest, &[20.0]).await.unwrap();
    assert_eq!(history.base_fee_per_gas.len(), history.gas_used_ratio.len() + 1);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(chain.timestamp().await.unwrap().abs_diff(now) < 60);
}

async fn nonce_too_low(chain: Chain) {
    let first = chain.prepare(&dev(0), &Call::transfer("first", Address::repeat_byte(1), U256::ONE)).await.unwrap();
    let second = chain.prepare(&dev(0), &Call::transfer("second", Address::repeat_byte(2), U256::ONE)).await.unwrap();
    let receipt = chain.broadcast(&first).await.unwrap();
    assert_eq!(chain.broadcast(&first).await.unwrap(), receipt, "sending one twice is harmless");
    let error = chain.broadcast(&second).await.unwrap_err();
    assert!(matches!(error, ChainError::NonceTooLow { .. }), "{error}");
    assert!(error.retryable());
}

/// Signs a request as it is and sends it, past all of the client's care.
async fn send_raw(chain: &Chain, request: TransactionRequest) -> ChainError {
    let key = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    let wallet = EthereumWallet::from(PrivateKeySigner::from_bytes(&key).unwrap());
    let raw = request.build(&wallet).await.unwrap().encoded_2718();
    let error = chain.provider().send_raw_transaction(&raw).await.map(|_| ()).unwrap_err();
    chain.explain("sending", error)
}

fn request(chain_id: u64) -> TransactionRequest {
    TransactionRequest::default()
        .with_to(Address::repeat_byte(1))
        .with_chain_id(chain_id)
        .with_nonce(0)
        .with_gas_limit(21_000)
        .with_max_fee_per_gas(10_000_000_000)
        .with_max_priority_fee_per_gas(0)
}

/// Fees come from the node: above a ceiling nothing is signed, let alone sent.
async fn ceilings_are_kept(chain: Chain) {
    let (from, call) = (dev(0), Call::transfer("paying", dev(1).address(), U256::from(5)));
    assert_eq!(chain.spending(), Spending::UNLIMITED, "nothing is worth anything here");
    let plan = chain.simulate(from.address(), &call).await.unwrap();
    let chain = chain.limited(Some(1), None);
    let error = chain.send(&from, &call).await.unwrap_err();
    assert!(matches!(&error, ChainError::FeeTooHigh { limit, .. } if limit == "0.000000001"), "{error}");
    assert_eq!(error.exit_code(), zkml_evm::error::ExitCode::No);
    let chain = chain.limited(Some(u128::MAX), Some(U256::from(20_999)));
    let error = chain.send(&from, &call).await.unwrap_err();
    assert!(matches!(&error, ChainError::CostTooHigh { limit, .. } if limit == "0.000000000000020999"), "{error}");
    assert!(error.hint().contains("--max-cost"));
    assert_eq!(chain.provider().get_transaction_count(from.address()).await.unwrap(), 0);
    chain.limited(None, Some(plan.max_cost)).send(&from, &call).await.unwrap();
}

async fn offers_are_sent_as_given(chain: Chain) {
    use alloy::consensus::Transaction;
    const GWEI: u128 = 1_000_000_000;
    let call = Call::transfer("paying", dev(1).address(), U256::from(5));
    let offers = [
        (Offer { gas_price: Some(7 * GWEI), priority: Some(3), legacy: false }, (7 * GWEI, Some(3))),
        (Offer { gas_price: Some(7 * GWEI), priority: None, legacy: true }, (7 * GWEI, None)),
    ];
    let mut chain = chain;
    for (offer, expected) in offers {
        chain = chain.offering(offer);
        let receipt = chain.send(&dev(0), &call).await.unwrap();
        let sent = chain.provider().get_transaction_by_hash(receipt.transaction_hash).await.unwrap().unwrap();
        assert_eq!((sent.max_fee_per_gas(), sent.max_priority_fee_per_gas()), expected, "{offer:?}");
    }
    // A price alone leaves the tip to the node, and a tip alone the price; neither tip is more than the price.
    let plan = chain.offering(Offer { gas_price: Some(2 * GWEI), ..Offer::default() });
    let cost = plan.simulate(dev(0).address(), &call).await.unwrap();
    assert_eq!(cost.max_cost, U256::from(2 * GWEI * u128::from(cost.gas_limit) + 5));
    let tipped = plan.offering(Offer { priority: Some(100 * GWEI), ..Offer::default() });
    assert!(tipped.simulate(dev(0).address(), &call).await.unwrap().max_cost > U256::from(100 * GWEI * 25_200));
    // The ceiling holds for what the user offers as well.
    let error = tipped.limited(Some(GWEI), None).send(&dev(0), &call).await.unwrap_err();
    assert!(matches!(error, ChainError::FeeTooHigh { .. }), "{error}");
}

/// A transaction that a reorganisation throws out counts from the block that takes it again.
#[tokio::test(flavor = "multi_thread")]
async fn confirmations_outlive_a_reorganisation() {
    let patience = Patience { confirm: Duration::from_secs(4), ..Patience::default() };
    let chain = ChainTarget::anvil().connect(None, patience).await.unwrap().confirming(3);
    let ask = async |method: &'static str, parameters: serde_json::Value| {
        let _: serde_json::Value = chain.provider().raw_request(method.into(), parameters).await.unwrap();
    };
    let mine = async || ask("evm_mine", serde_json::json!([])).await;
    let call = Call::transfer("paying", dev(1).address(), U256::from(5));
    let signed = chain.prepare(&dev(0), &call).await.unwrap();
    // In a block, and no further one comes.
    let error = chain.broadcast(&signed).await.unwrap_err();
    assert!(matches!(error, ChainError::NotDeep { depth: 1, expected: 3, .. }), "{error}");
    assert!(error.retryable());

    let waiting = chain.broadcast(&signed);
    let events = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        mine().await;
        ask("anvil_reorg", serde_json::json!([2, []])).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(chain.provider().get_transaction_count(dev(0).address()).await.unwrap(), 0, "it is out of the chain");
        // Blocks come, and nobody hands it to the node again but the one who waits.
        let start = std::time::Instant::now();
        while chain.provider().get_transaction_count(dev(0).address()).await.unwrap() == 0 {
            assert!(start.elapsed() < Duration::from_secs(10));
            mine().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for _ in 0..3 {
            mine().await;
        }
    };
    let (receipt, ()) = tokio::join!(waiting, events);
    let receipt = receipt.unwrap();
    let block = chain.provider().get_block_by_number(receipt.block_number.unwrap().into()).await.unwrap().unwrap();
    assert_eq!(Some(block.header.hash), receipt.block_hash, "the block is in the chain");
    assert_eq!(chain.provider().get_transaction_count(dev(0).address()).await.unwrap(), 1);
}

/// An anvil that mines when it is told to.
async fn idle(confirm: Duration) -> Chain {
    let chain = ChainTarget::anvil().connect(None, Patience { confirm, ..Patience::default() }).await.unwrap();
    let _: serde_json::Value = chain.provider().raw_request("evm_setAutomine".into(), [false]).await.unwrap();
    chain
}

/// What is stuck is replaced by the same with an eighth more; whichever of the two is mined counts, and only one is.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stuck_is_replaced() {
    let ask = async |chain: &Chain, method: &'static str, parameters: serde_json::Value| {
        let _: serde_json::Value = chain.provider().raw_request(method.into(), parameters).await.unwrap();
    };
    let call = Call::transfer("paying", Address::repeat_byte(1), U256::from(5));
    for the_first_is_mined in [false, true] {
        let chain = idle(Duration::from_secs(20)).await.replacing(Some(Duration::from_millis(400)));
        let first = chain.prepare(&dev(0), &call).await.unwrap();
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let account = dev(0);
        let carried = chain.carry(&account, first.clone(), |raised| {
            told.send((raised.hash(), raised.max_fee_per_gas())).unwrap();
            Ok(())
        });
        let events = async {
            let (hash, fee) = heard.recv().await.unwrap();
            assert!(fee * 8 >= first.max_fee_per_gas() * 9 && hash != first.hash());
            // Told before it is sent: give it the time.
            while chain.provider().get_transaction_by_hash(hash).await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            if the_first_is_mined {
                ask(&chain, "anvil_dropAllTransactions", serde_json::json!([])).await;
                let _pending = chain.provider().send_raw_transaction(&first.encoded()).await.unwrap();
            }
            ask(&chain, "evm_mine", serde_json::json!([])).await;
        };
        let (receipt, ()) = tokio::join!(carried, events);
        assert_eq!(receipt.unwrap().transaction_hash == first.hash(), the_first_is_mined);
        assert_eq!(chain.provider().get_transaction_count(dev(0).address()).await.unwrap(), 1);
    }
    // Within the ceiling only, and not unless asked.
    let chain = idle(Duration::from_secs(2)).await.replacing(Some(Duration::from_millis(300)));
    let first = chain.prepare(&dev(0), &call).await.unwrap();
    let chain = chain.limited(Some(first.max_fee_per_gas() * 9 / 8), None);
    let error = chain.carry(&dev(0), first, |_| panic!("above the ceiling")).await.unwrap_err();
    assert!(matches!(error, ChainError::NotMined { .. }), "{error}");
    let chain = idle(Duration::from_secs(1)).await;
    let first = chain.prepare(&dev(0), &call).await.unwrap();
    let error = chain.carry(&dev(0), first, |_| panic!("nobody asked")).await.unwrap_err();
    assert!(matches!(error, ChainError::NotMined { .. }), "{error}");
}

/// A node that knows no words of ours refuses a transaction that it has been handed before, and forgets that it has it: it is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_handing_over_may_fail() {
    let anvil = idle(Duration::from_secs(20)).await;
    let sent = AtomicUsize::new(0);
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let url = proxy::before(anvil.anvil_url().unwrap(), move |method, _| match method {
        "eth_sendRawTransaction" if sent.fetch_add(1, Ordering::SeqCst) > 0 => {
            count.fetch_add(1, Ordering::SeqCst);
            Say::Error("NotToday")
        }
        "eth_getTransactionByHash" => Say::Result(serde_json::Value::Null),
        _ => Say::Same,
    });
    let chain = ChainTarget::Rpc { url }.connect(None, anvil.patience()).await.unwrap();
    let (account, call) = (dev(0), Call::transfer("paying", Address::repeat_byte(1), U256::from(5)));
    let mine = async {
        while told.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let _: serde_json::Value = anvil.provider().raw_request("evm_mine".into(), ()).await.unwrap();
    };
    let (receipt, ()) = tokio::join!(chain.send(&account, &call), mine);
    assert!(receipt.unwrap().status());
}

/// The answer to the first handing over is lost, and the node has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for() {
    let anvil = connect(ChainTarget::anvil()).await;
    let url = proxy::before(anvil.anvil_url().unwrap(), |method, _| match method {
        "eth_sendRawTransaction" => Say::Lost,
        _ => Say::Same,
    });
    let chain = connect(ChainTarget::Rpc { url }).await;
    let call = Call::transfer("paying", Address::repeat_byte(1), U256::from(5));
    assert!(chain.send(&dev(0), &call).await.unwrap().status());
}

/// Each node has its own words.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_other_nodes() {
    let anvil = connect(ChainTarget::anvil()).await;
    let call = Call::transfer("paying", Address::repeat_byte(1), U256::from(5));
    let cases = [
        ("FeeTooLow, MaxFeePerGas: 1", "chain/underpriced"),
        ("FeeTooLowToCompete", "chain/underpriced"),
        ("ReplacementNotAllowed", "chain/underpriced"),
        ("InsufficientFunds, Balance is 0", "chain/insufficient-funds"),
        ("OldNonce, Current nonce: 3", "chain/nonce-too-low"),
        ("NonceGap", "chain/nonce-too-high"),
        ("GasLimitExceeded", "chain/gas-limit"),
        ("Unknown transaction type", "chain/rpc"),
    ];
    for (words, code) in cases {
        let url = proxy::before(anvil.anvil_url().unwrap(), move |method, _| match method {
            "eth_sendRawTransaction" => Say::Error(words),
            _ => Say::Same,
        });
        let error = connect(ChainTarget::Rpc { url }).await.send(&dev(0), &call).await.unwrap_err();
        assert_eq!(error.code(), code, "{words}: {error}");
    }
    let url = proxy::before(anvil.anvil_url().unwrap(), |method, _| match method {
        "eth_sendRawTransaction" => Say::Error("AlreadyKnown"),
        _ => Say::Same,
    });
    let chain = ChainTarget::Rpc { url };
    let patience = Patience { confirm: Duration::from_millis(300), ..Patience::default() };
    let error = chain.connect(None, patience).await.unwrap().send(&dev(0), &call).await.unwrap_err();
    assert!(matches!(error, ChainError::NotMined { .. }), "it is waited for: {error}");
}

/// A chain as long as a number can say.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_block_of_all() {
    let anvil = connect(ChainTarget::anvil()).await;
    let url = proxy::before(anvil.anvil_url().unwrap(), |method, parameters| match method {
        "eth_blockNumber" => Say::Result("0xffffffffffffffff".into()),
        "eth_getBlockByNumber" if parameters[0] == "0xffffffffffffffff" => Say::Lost,
        _ => Say::Same,
    });
    let chain = connect(ChainTarget::Rpc { url }).await.confirming(3);
    let call = Call::transfer("paying", Address::repeat_byte(1), U256::from(5));
    assert!(chain.send(&dev(0), &call).await.unwrap().status());
}

/// A contract that takes nearly all gas of a block gets no more than a block has, and one that takes more is refused here.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_gas_than_a_block_has() {
    let anvil = connect(ChainTarget::anvil()).await;
    let call = Call::transfer("paying", Address::repeat_byte(1), U256::from(5));
    for (gas, limit) in [("0x1b00000", Some(30_000_000)), ("0x1d00000", None)] {
        let url = proxy::before(anvil.anvil_url().unwrap(), move |method, _| match method {
            "eth_estimateGas" => Say::Result(gas.into()),
            _ => Say::Same,
        });
        let chain = connect(ChainTarget::Rpc { url }).await;
        match (chain.simulate(dev(0).address(), &call).await, limit) {
            (Ok(plan), Some(limit)) => assert_eq!(plan.gas_limit, limit),
            (Err(error), None) => assert!(matches!(error, ChainError::GasLimit { .. }), "{error}"),
            (other, _) => panic!("{other:?}"),
        }
    }
}

async fn underpriced(chain: Chain) {
    let dynamic = request(31_337).with_max_fee_per_gas(1);
    let error = send_raw(&chain, dynamic).await;
    assert!(matches!(error, ChainError::Underpriced { .. }), "{error}");
    assert!(error.retryable());
    let mut legacy = request(31_337);
    (legacy.max_fee_per_gas, legacy.max_priority_fee_per_gas) = (None, None);
    let error = send_raw(&chain, legacy.with_gas_price(1)).await;
    assert!(matches!(error, ChainError::Underpriced { .. }), "{error}");
}

async fn insufficient_funds(chain: Chain) {
    let call = Call::transfer("paying too much", Address::repeat_byte(1), U256::MAX >> 1);
    let error = chain.send(&dev(0), &call).await.unwrap_err();
    assert!(matches!(error, ChainError::InsufficientFunds { .. }), "{error}");
    assert!(!error.retryable());
    let error = send_raw(&chain, request(31_337).with_value(U256::MAX >> 1)).await;
    assert!(matches!(error, ChainError::InsufficientFunds { .. }), "{error}");
}

async fn gas_limit_out_of_range(chain: Chain) {
    for limit in [20_999, (1 << 24) + 1, 30_000_001] {
        let error = send_raw(&chain, request(31_337).with_gas_limit(limit)).await;
        assert!(matches!(error, ChainError::GasLimit { .. }), "{limit}: {error:?}");
    }
}

async fn wrong_chain_signature_is_refused(chain: Chain) {
    let error = send_raw(&chain, request(1)).await;
    assert!(matches!(error, ChainError::Rpc { .. }), "{error:?}");
}

async fn deploy_router(chain: &Chain) -> Address {
    let items = [router_item(dev(0).address())];
    let mut registry = Registry::in_memory(chain.id());
    deploy::execute(chain, &dev(0), &items, &mut registry, false, |_, _| {}).await.unwrap()[0].address
}

async fn reverts_are_decoded(chain: Chain) {
    let router = deploy_router(&chain).await;
    let owner = chain.read("reading the owner", router, &Ownable2Step::ownerCall {}).await.unwrap();
    assert_eq!(owner, dev(0).address());

    let register = IInferenceRouter::registerModelCall {
        modelId: keccak256("m"),
        registration: IInferenceRouter::Registration {
            familyId: keccak256("f"),
            verifier: Address::repeat_byte(3),
            codehash: keccak256("c"),
            statement: IInferenceRouter::Statement {
                input: IInferenceRouter::InputMode::Committed,
                output: IInferenceRouter::OutputMode::Threshold,
                outputs: 1,
            },
        },
    };
    let error = chain.send(&dev(1), &Call::new("registering", router, &register)).await.unwrap_err();
    let revert = error.revert().expect("a revert");
    assert_eq!(revert.name, "OwnableUnauthorizedAccount");
    assert_eq!(revert.args, [("account".to_owned(), dev(1).address().to_string())]);
    assert!(!error.retryable());

    let error = chain.send(&dev(0), &Call::new("registering", router, &register)).await.unwrap_err();
    assert_eq!(error.revert().unwrap().to_string(), format!("NoCode(account={})", Address::repeat_byte(3)));
    // A call brings the same as an estimate.
    let frozen = IInferenceRouter::freezeModelCall { modelId: keccak256("m") };
    let error = chain.read("freezing", router, &frozen).await.err().unwrap();
    assert_eq!(error.revert().unwrap().name, "NotOwnerOrGuardian");
    // A transaction that is mined and fails says why, too: its gas limit is past the estimate that refused.
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 1, "nothing that reverts was sent");
}

async fn a_call_to_no_code_is_refused(chain: Chain) {
    let nobody = Address::repeat_byte(0x77);
    let call = Call::new("freezing", nobody, &IInferenceRouter::freezeModelCall { modelId: keccak256("m") });
    let error = chain.send(&dev(0), &call).await.unwrap_err();
    assert!(matches!(error, ChainError::NoContract { address, .. } if address == nobody), "{error}");
    let error = chain.read("reading the owner", nobody, &Ownable2Step::ownerCall {}).await.unwrap_err();
    assert!(matches!(error, ChainError::NoContract { .. }), "{error}");
}

async fn logs_are_found(chain: Chain) {
    let router = deploy_router(&chain).await;
    chain.send(&dev(0), &Call::transfer("another block", Address::repeat_byte(1), U256::ONE)).await.unwrap();
    let set = IGuarded::setGuardianCall { newGuardian: dev(2).address() };
    chain.send(&dev(0), &Call::new("setting the guardian", router, &set)).await.unwrap();

    let all = Filter::new().address(router).from_block(0);
    let guardians = all.clone().event_signature(IGuarded::GuardianSet::SIGNATURE_HASH);
    let logs = chain.provider().get_logs(&guardians).await.unwrap();
    assert_eq!(logs.len(), 2);
    assert_eq!(logs[1].block_number, Some(3));
    let event = IGuarded::GuardianSet::decode_log(&logs[1].inner).unwrap();
    assert_eq!((event.previous, event.current), (dev(0).address(), dev(2).address()));
    let exact = guardians.clone().topic2(dev(2).address());
    assert_eq!(chain.provider().get_logs(&exact).await.unwrap().len(), 1);
    let early = guardians.to_block(2);
    assert_eq!(chain.provider().get_logs(&early).await.unwrap().len(), 1);
    let by_hash = Filter::new().at_block_hash(logs[1].block_hash.unwrap());
    assert_eq!(chain.provider().get_logs(&by_hash).await.unwrap().len(), 1);
    assert!(chain.provider().get_logs(&Filter::new().address(Address::repeat_byte(9)).from_block(0)).await.unwrap().is_empty());
}

async fn time_moves(chain: Chain) {
    let before = chain.timestamp().await.unwrap();
    let _: serde_json::Value = chain.provider().raw_request("evm_increaseTime".into(), [1_000u64]).await.unwrap();
    let _: serde_json::Value = chain.provider().raw_request("evm_mine".into(), ()).await.unwrap();
    let after = chain.timestamp().await.unwrap();
    assert!((before + 1_000..before + 1_060).contains(&after), "{before} to {after}");
    let exact = after + 5_000;
    let _: serde_json::Value = chain.provider().raw_request("evm_setNextBlockTimestamp".into(), [exact]).await.unwrap();
    chain.send(&dev(0), &Call::transfer("mining", Address::repeat_byte(1), U256::ONE)).await.unwrap();
    assert_eq!(chain.timestamp().await.unwrap(), exact);
}

/// The embedded chain and anvil agree on gas to the last unit, and on estimates to the search's tolerance.
#[tokio::test(flavor = "multi_thread")]
async fn gas_agrees_with_anvil() {
    let mut used = Vec::new();
    let mut estimated = Vec::new();
    for target in [ChainTarget::embedded(), ChainTarget::anvil()] {
        let chain = connect(target).await;
        let router = deploy_router(&chain).await;
        let set = IGuarded::setGuardianCall { newGuardian: dev(2).address() };
        let call = Call::new("setting the guardian", router, &set);
        estimated.push(chain.simulate(dev(0).address(), &call).await.unwrap().gas);
        let receipt = chain.send(&dev(0), &call).await.unwrap();
        let deployment = chain.provider().get_block_by_number(BlockNumberOrTag::Number(1)).await.unwrap().unwrap();
        used.push((deployment.header.gas_used, receipt.gas_used));
    }
    assert_eq!(used[0], used[1]);
    assert!(estimated[0] >= used[0].1);
    assert!(estimated[0].abs_diff(estimated[1]) <= estimated[1] / 32, "{estimated:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_can_be_prague() {
    let prague = EmbeddedOptions { hardfork: Hardfork::Prague, ..EmbeddedOptions::default() };
    let chain = connect(ChainTarget::Embedded(prague)).await;
    let more_than_osaka_allows = request(31_337).with_gas_limit((1 << 24) + 1).with_value(U256::MAX >> 1);
    let error = send_raw(&chain, more_than_osaka_allows).await;
    assert!(matches!(error, ChainError::InsufficientFunds { .. }), "{error}");
    // modexp of 32-byte numbers costs three times as much under Osaka.
    let mut gas = Vec::new();
    for chain in [chain, connect(ChainTarget::embedded()).await] {
        let word = U256::MAX.to_be_bytes::<32>();
        let mut input = [U256::from(32).to_be_bytes::<32>(); 3].concat();
        input.extend([word, word, word].concat());
        let request = TransactionRequest::default().with_to(Address::with_last_byte(5)).with_input(Bytes::from(input));
        gas.push(chain.provider().estimate_gas(request).await.unwrap());
    }
    assert!(gas[1] > gas[0] + 1_000, "{gas:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_chain_is_refused() {
    let error = ChainTarget::embedded().connect(Some(1), Patience::default()).await.err().unwrap();
    assert!(matches!(error, ChainError::WrongChain { expected: 1, got: 31_337, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_chain_refuses_nonsense() {
    let chain = connect(ChainTarget::embedded()).await;
    let ask = |method: &'static str, params: serde_json::Value| {
        let provider = chain.provider().clone();
        async move {
            provider.raw_request::<_, serde_json::Value>(method.into(), params).await.unwrap_err().as_error_resp().unwrap().code
        }
    };
    assert_eq!(ask("eth_notAMethod", serde_json::json!([])).await, -32601);
    assert_eq!(ask("eth_getBalance", serde_json::json!([])).await, -32602);
    assert_eq!(ask("eth_getBalance", serde_json::json!(["0x12"])).await, -32602);
    assert_eq!(ask("eth_getBalance", serde_json::json!({"address": 1})).await, -32602);
    assert_eq!(ask("eth_call", serde_json::json!([{"to": "nobody"}])).await, -32602);
    assert_eq!(ask("evm_setNextBlockTimestamp", serde_json::json!([1])).await, -32602);
    for raw in ["0x", "0x02", "0x02c0", "0xdeadbeef", "0xf8ff", "0x03c0"] {
        assert_eq!(ask("eth_sendRawTransaction", serde_json::json!([raw])).await, -32602, "{raw}");
    }
    // The state of an older block is refused, not answered with today's.
    chain.send(&dev(0), &Call::transfer("mining", Address::repeat_byte(1), U256::ONE)).await.unwrap();
    assert!(chain.provider().get_balance(dev(0).address()).block_id(BlockId::number(0)).await.is_err());
    assert!(chain.provider().get_balance(dev(0).address()).block_id(BlockId::number(1)).await.is_ok());
    assert!(chain.provider().get_balance(dev(0).address()).block_id(BlockId::number(2)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn anvil_ends_with_its_chain() {
    let chain = connect(ChainTarget::anvil()).await;
    let url = chain.anvil_url().unwrap().to_owned();
    assert!(ChainTarget::Rpc { url: url.clone() }.connect(Some(31_337), Patience::default()).await.unwrap().is_local());
    drop(chain);
    let error = ChainTarget::Rpc { url }.connect(None, Patience::default()).await.err().unwrap();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anvil_that_is_none_is_a_typed_error() {
    for (path, expected) in
        [("/nowhere/anvil", "chain/anvil-missing"), ("/bin/false", "chain/anvil-failed"), ("Cargo.toml", "chain/anvil-failed")]
    {
        let target = ChainTarget::Anvil { binary: Some(path.into()), hardfork: Hardfork::Osaka };
        let error = target.connect(None, Patience::default()).await.err().unwrap();
        assert_eq!(error.code(), expected, "{error}");
    }
}
