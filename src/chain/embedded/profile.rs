//! The gas of one call by the functions of the called contract: revm with a look at every step.

use super::{Hardfork, block::GAS_LIMIT, evm};
use crate::chain::ChainError;
use alloy::primitives::{Address, Bytes, TxKind};
use revm::{
    Context, DatabaseCommit, InspectEvm, Inspector, MainBuilder, MainContext,
    bytecode::Bytecode,
    context::{BlockEnv, CfgEnv, TxEnv, result::ExecutionResult},
    database::InMemoryDB,
    interpreter::{
        Interpreter,
        interpreter_types::{InterpreterTypes, Jumps},
    },
    state::AccountInfo,
};

/// What one call used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The whole transaction.
    pub total: u64,
    /// Gas from each function's first entry to the next function's, in the order of `entries`; what comes before the first is
    /// the last number.
    pub functions: Vec<u64>,
    /// Whether the call succeeded.
    pub succeeded: bool,
}

/// Deploys `creation` on an empty state and calls it; `entries` are positions in its runtime code, each the entry of a function that
/// is called once, or again right after itself.
///
/// # Errors
/// A contract whose constructor fails, or a call that revm refuses to run.
pub fn profile(creation: &[u8], entries: &[usize], calldata: Bytes, hardfork: Hardfork) -> Result<Profile, ChainError> {
    profile_beside(None, creation, entries, calldata, hardfork)
}

/// The same on a state that has one contract already, by address and code. What `creation`'s contract calls there counts for the whole
/// transaction, not for its functions: give no entries.
///
/// # Errors
/// As [`profile`].
pub fn profile_beside(
    present: Option<(Address, &[u8])>,
    creation: &[u8],
    entries: &[usize],
    calldata: Bytes,
    hardfork: Hardfork,
) -> Result<Profile, ChainError> {
    let failed = |what: &str| ChainError::Profile { reason: what.to_owned() };
    let cfg = || CfgEnv::new_with_spec(hardfork.spec());
    // Two senders, so that both start with nonce 0; at price 0 neither needs a balance.
    let transaction = |sender: u8, kind: TxKind, data: Bytes| TxEnv {
        caller: Address::repeat_byte(sender),
        gas_limit: hardfork.transaction_gas_cap().min(GAS_LIMIT),
        gas_price: 0,
        kind,
        data,
        ..TxEnv::default()
    };
    let mut db = InMemoryDB::default();
    if let Some((address, code)) = present {
        let code = Bytecode::new_raw(Bytes::copy_from_slice(code));
        db.insert_account_info(address, AccountInfo::default().with_code(code));
    }
    let block = BlockEnv { basefee: 0, gas_limit: GAS_LIMIT, ..BlockEnv::default() };
    let deployed = evm::run(&db, cfg(), block.clone(), transaction(1, TxKind::Create, creation.to_vec().into()))
        .map_err(|e| failed(&format!("the contract is refused: {e}")))?;
    let address = deployed.result.created_address().ok_or_else(|| failed("the contract's constructor fails"))?;
    db.commit(deployed.state);
    let meter = Meter { entries, current: entries.len(), used: vec![0; entries.len() + 1], remaining: None };
    let mut evm = Context::mainnet().with_ref_db(&db).with_cfg(cfg()).with_block(block).build_mainnet_with_inspector(meter);
    let done = evm
        .inspect_one_tx(transaction(2, TxKind::Call(address), calldata))
        .map_err(|e| failed(&format!("the call is refused: {e}")))?;
    let succeeded = matches!(done, ExecutionResult::Success { .. });
    Ok(Profile { total: done.tx_gas_used(), functions: evm.inspector.used, succeeded })
}

/// Adds what each step used to the function it belongs to.
struct Meter<'a> {
    entries: &'a [usize],
    current: usize,
    used: Vec<u64>,
    remaining: Option<u64>,
}

impl<CTX, INTR: InterpreterTypes<Bytecode: Jumps>> Inspector<CTX, INTR> for Meter<'_> {
    fn step(&mut self, interpreter: &mut Interpreter<INTR>, _: &mut CTX) {
        self.account(interpreter.gas.remaining());
        let at = interpreter.bytecode.pc();
        if let Some(entered) = self.entries.iter().position(|&entry| entry == at) {
            self.current = entered;
        }
    }
}

impl Meter<'_> {
    fn account(&mut self, remaining: u64) {
        if let Some(before) = self.remaining.replace(remaining) {
            self.used[self.current] += before.saturating_sub(remaining);
        }
    }
}
