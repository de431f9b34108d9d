//! `replace TX --rpc-url URL`: the same transaction with higher fees, in the place of one that is stuck.

use super::{failure::Failure, output::Console, send::SendArguments};
use alloy::primitives::TxHash;
use clap::Args;
use serde_json::json;

/// Raise the fees of a transaction that is stuck.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The transaction, sent by the signing account
    #[arg(value_name = "TX")]
    tx: TxHash,
    #[command(flatten)]
    send: SendArguments,
}

/// An eighth more of each fee, or what the node asks where that is more, within the ceilings; whichever of the two is mined counts.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let chain = arguments.send.connect(None).await?;
    let sender = arguments.send.sender(&chain)?;
    let Some(stuck) = chain.stuck(sender.address, arguments.tx).await? else {
        let value = json!({ "broadcast": arguments.send.broadcast, "tx": arguments.tx, "sent": false });
        return console.result("replace", &value, &format!("{} is in a block: nothing to replace", arguments.tx));
    };
    if !arguments.send.broadcast {
        let (nonce, fee) = (stuck.nonce(), stuck.max_fee_per_gas());
        let value = json!({ "broadcast": false, "tx": arguments.tx, "nonce": nonce, "maxFeePerGas": fee.to_string() });
        let human = format!("nonce {nonce} waits with at most {fee} wei per gas; add --broadcast to raise it");
        return console.result("replace", &value, &human);
    }
    let receipt = chain.replace(sender.account()?, &stuck).await?;
    let (tx, gas) = (receipt.transaction_hash, receipt.gas_used);
    let value = json!({
        "broadcast": true, "tx": arguments.tx, "sent": true, "mined": tx, "block": receipt.block_number, "gasUsed": gas,
    });
    console.result("replace", &value, &format!("transaction {tx}, {gas} gas"))
}
