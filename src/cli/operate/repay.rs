//! `repay --loan ID --rpc-url URL`.

use super::Pool;
use crate::{
    chain::settle,
    cli::{failure::Failure, output::Console},
};
use alloy::primitives::U256;
use clap::Args;
use serde_json::json;

/// Pay back all that is owed on a loan, as anybody.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    target: Pool,
    /// The loan, as `submit` names it
    #[arg(long, value_name = "ID")]
    loan: U256,
}

/// Two transactions at most: the approval, with room for a day's interest, and the payment, which pulls what is owed.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (chain, lending) = arguments.target.open().await?;
    let send = &arguments.target.send;
    let sender = send.sender(&chain)?;
    if send.broadcast {
        chain.settled(sender.address).await?;
        let repaid = settle::repay(&chain, sender.account()?, lending, arguments.loan).await?;
        let value = json!({
            "broadcast": true, "loan": arguments.loan.to_string(), "sent": repaid.is_some(),
            "principal": repaid.map(|r| r.principal.to_string()), "interest": repaid.map(|r| r.interest.to_string()),
            "left": repaid.map(|r| r.left.to_string()), "tx": repaid.map(|r| r.mined.tx),
        });
        let human = match repaid {
            Some(paid) => format!("{} and {} interest paid back, transaction {}", paid.principal, paid.interest, paid.mined.tx),
            None => "nothing is owed, nothing was sent".to_owned(),
        };
        return console.result("repay", &value, &human);
    }
    let loan = settle::loan(&chain, lending, arguments.loan).await?;
    let needed = settle::repayment(&chain, lending, arguments.loan).await?.is_some();
    let value = json!({
        "broadcast": false, "loan": arguments.loan.to_string(), "borrower": loan.borrower, "principal": loan.principal.to_string(),
        "interest": loan.interest.to_string(), "needed": needed,
    });
    let human =
        format!("{} and {} interest are owed by {}; add --broadcast to pay", loan.principal, loan.interest, loan.borrower);
    console.result("repay", &value, &human)
}
