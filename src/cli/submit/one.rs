//! `submit --proof FILE --attestation FILE [--permit FILE] --rpc-url URL`.

use super::{Arguments, Evidence};
use crate::{
    chain::settle,
    cli::{
        failure::{CliError, Failure},
        output::Console,
    },
};

pub(super) async fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let (Some(proof), Some(attestation)) = (&arguments.proof, &arguments.attestation) else {
        let how = "give --proof and --attestation, or --many";
        return Err(CliError::Missing { what: "what to submit", how }.into());
    };
    let evidence = Evidence::read(proof, attestation, arguments.permit.as_deref())?;
    let chain = arguments.send.connect(None).await?;
    let sender = arguments.send.sender(&chain)?;
    let request = evidence.request(&chain, arguments.tier, arguments.amount).await?;
    if !arguments.send.broadcast {
        let simulation = settle::simulate_loan(&chain, sender.address, &request).await?;
        let value =
            serde_json::json!({ "broadcast": false, "gas": simulation.gas, "maxCostWei": simulation.max_cost.to_string() });
        let human = format!("the loan would open, for about {} gas; add --broadcast to send", simulation.gas);
        return console.result("submit", &value, &human);
    }
    // An interrupted run may have sent it: what is under way is waited for, and a second one then refused before it is sent.
    chain.settled(sender.address).await?;
    let loan = settle::open_loan(&chain, sender.account()?, &request).await?;
    let value = serde_json::json!({
        "broadcast": true, "loanId": loan.id.to_string(), "borrower": loan.borrower, "amount": loan.amount.to_string(),
        "nullifier": loan.nullifier, "tx": loan.mined.tx, "block": loan.mined.block, "gasUsed": loan.mined.gas_used,
        "events": loan.events,
    });
    let human = format!(
        "loan {} of {} to {}\ntransaction {}, {} gas",
        loan.id, loan.amount, loan.borrower, loan.mined.tx, loan.mined.gas_used
    );
    console.result("submit", &value, &human)
}
