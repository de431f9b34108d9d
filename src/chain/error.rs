//! What can go wrong between here and a chain, and whether another try makes sense.

use super::revert::Revert;
use crate::error::{ExitCode, Explain};
use alloy::primitives::{Address, B256, TxHash, U256};
use std::path::PathBuf;
use thiserror::Error;

/// Every failure of the chain client. Endpoints are named by scheme, host and port only: the rest may hold an API key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChainError {
    #[error("{endpoint} cannot be reached: {reason}")]
    Unreachable { endpoint: String, reason: String },
    #[error("{what}: {endpoint} did not answer within {seconds} s")]
    Timeout { endpoint: String, what: String, seconds: u64 },
    #[error("{what}: {endpoint} answered with HTTP status {status}")]
    Http { endpoint: String, what: String, status: u16 },
    #[error("{what}: the answer of {endpoint} is not what the method returns: {reason}")]
    MalformedAnswer { endpoint: String, what: String, reason: String },
    #[error("{what}: the answer of {endpoint} is larger than {limit} bytes")]
    AnswerTooLarge { endpoint: String, what: String, limit: usize },
    #[error("{what}: {endpoint} refused with code {code}: {message}")]
    Rpc { endpoint: String, what: String, code: i64, message: String },
    #[error("`{url}` is not an RPC address: {reason}")]
    BadUrl { url: String, reason: String },
    #[error("{endpoint} serves chain {got}, expected chain {expected}")]
    WrongChain { endpoint: String, expected: u64, got: u64 },

    #[error("{what}: the nonce is already used ({message})")]
    NonceTooLow { what: String, message: String },
    #[error("{what}: the nonce is ahead of the account's ({message})")]
    NonceTooHigh { what: String, message: String },
    #[error("{what}: the offered fee is too low ({message})")]
    Underpriced { what: String, message: String },
    #[error("{what}: it may cost {fee} gwei per gas, the limit is {limit} gwei")]
    FeeTooHigh { what: String, fee: String, limit: String },
    #[error("{what}: it may cost {cost} ether, the limit is {limit} ether")]
    CostTooHigh { what: String, cost: String, limit: String },
    #[error("the run's next transaction may bring its cost to {cost} ether, the limit is {limit} ether")]
    RunTooDear { cost: String, limit: String },
    #[error("{what}: the account cannot pay for it ({message})")]
    InsufficientFunds { what: String, message: String },
    #[error("{what}: the gas limit does not fit ({message})")]
    GasLimit { what: String, message: String },
    #[error("{loans} loans do not fit in one transaction, and {because}: {message}")]
    Undivided { loans: usize, because: &'static str, message: String },
    #[error("{borrower}'s loan of nonce {got} would come after that of nonce {before}: in one transaction they go in this order")]
    OutOfTurn { borrower: Address, before: U256, got: U256 },
    #[error("{item} waits for {first}: both have loans of one borrower")]
    HeldBack { item: String, first: String },
    #[error("{item} was signed, and another transaction of {account} has its nonce")]
    LostNonce { item: String, account: Address },
    #[error("{account} has {pending} transactions in all, expected at most {expected}: it is used elsewhere, too")]
    UsedElsewhere { account: Address, expected: u64, pending: u64 },
    #[error("{what}: reverted with {revert}")]
    Reverted { what: String, revert: Box<Revert>, tx: Option<TxHash> },
    #[error("{what}: transaction {tx} is not in a block after {seconds} s")]
    NotMined { what: String, tx: TxHash, seconds: u64 },
    #[error("{what}: transaction {tx} is {depth} blocks deep, expected {expected}, and no block came for {seconds} s")]
    NotDeep { what: String, tx: TxHash, expected: u64, depth: u64, seconds: u64 },
    #[error("the node knows no transaction {tx}")]
    NoTransaction { tx: TxHash },
    #[error("the next nonce of {borrower} in the pool is {got}, expected {expected} or more")]
    NonceAhead { borrower: Address, expected: U256, got: U256 },
    #[error("{count} transactions of {account} are still under way after {seconds} s")]
    UnderWay { account: Address, count: u64, seconds: u64 },
    #[error("{what}: no contract at {address}")]
    NoContract { what: String, address: Address },
    #[error("{what}: transaction {tx} succeeded without the event {event}")]
    MissingEvent { what: String, tx: TxHash, event: &'static str },

    #[error(
        "{what} was made with a development SRS ({provenance}), whose secret is known, and chain {chain_id} is not a local one"
    )]
    InsecureSrs { what: String, provenance: String, chain_id: u64 },
    #[error("{what} on the public chain {chain_id} is {got}, expected {expected}")]
    Unguarded { chain_id: u64, what: &'static str, expected: String, got: String },
    #[error("the pool {pool} lends the token {got}, expected {expected}")]
    OtherToken { pool: Address, expected: Address, got: Address },
    #[error("{attestor} for schema {schema_id}: {found}")]
    AttestorWas { attestor: Address, schema_id: B256, found: &'static str, relistable: bool },
    #[error("the record holds model {got} under {label}, expected model {expected}")]
    LabelTaken { label: String, expected: B256, got: B256 },
    #[error("{name}: {what} is {size} bytes, the limit is {limit}")]
    CodeTooLarge { name: String, what: &'static str, size: usize, limit: usize },
    #[error("{name} at {address}: codehash is {got}, expected {expected}")]
    CodehashMismatch { name: String, address: Address, expected: B256, got: B256 },
    #[error("chain {chain_id} has no deterministic deployer at {factory}")]
    NoFactory { chain_id: u64, factory: Address },

    #[error("development account {index} does not sign here: its key is public and this chain is not a local one")]
    DevAccountRefused { index: usize },
    #[error("there is no development account {index}: they are 0 to {last}")]
    NoDevAccount { index: usize, last: usize },
    #[error("keystore {path}: {reason}", path = path.display())]
    Keystore { path: PathBuf, reason: String },
    #[error("keystore {path}: wrong password", path = path.display())]
    WrongPassword { path: PathBuf },
    #[error("password file {path}: {reason}", path = path.display())]
    PasswordFile { path: PathBuf, reason: String },
    #[error("password file {path} has mode {mode:04o}: others can read it", path = path.display())]
    PasswordFileOpen { path: PathBuf, mode: u32 },
    #[error("no password: {reason}")]
    NoPassword { reason: String },
    #[error("{what}: cannot sign: {reason}")]
    Signing { what: String, reason: String },
    #[error("{what}: the signer at {socket}: {reason}", socket = socket.display())]
    RemoteSigner { what: String, socket: PathBuf, reason: String },
    #[error("the Ledger account at {path}: {reason}")]
    Ledger { path: String, reason: String },

    #[error("{path} is not a journal of this program: {reason}", path = path.display())]
    JournalForeign { path: PathBuf, reason: String },
    #[error("{path}, line {line}: {reason}", path = path.display())]
    JournalDamaged { path: PathBuf, line: usize, reason: String },
    #[error("{path} is being written by another process", path = path.display())]
    JournalBusy { path: PathBuf },
    #[error("{path} has {length} of the {limit} bytes that a journal may have: there is no room for another transaction", path = path.display())]
    JournalFull { path: PathBuf, length: u64, limit: u64 },
    #[error("{path} is not a permit: {reason}", path = path.display())]
    PermitForeign { path: PathBuf, reason: String },

    #[error("anvil was not found (looked at {looked})")]
    AnvilMissing { looked: String },
    #[error("anvil at {path} did not start: {reason}", path = path.display())]
    AnvilFailed { path: PathBuf, reason: String },

    #[error("{path}: {reason}", path = path.display())]
    File { path: PathBuf, reason: String },
    #[error("{path} is not a deployment record: {reason}", path = path.display())]
    RegistryForeign { path: PathBuf, reason: String },
    #[error("{path} has version {got}, this program reads version {expected}", path = path.display())]
    RegistryVersion { path: PathBuf, expected: u32, got: u64 },
    #[error("{path} records chain {got}, expected chain {expected}", path = path.display())]
    RegistryChain { path: PathBuf, expected: u64, got: u64 },
    #[error("{path} is being written by another process", path = path.display())]
    RegistryBusy { path: PathBuf },
    #[error("compiled contract {path}: {reason}", path = path.display())]
    Artifact { path: PathBuf, reason: String },
    #[error("the contract's gas cannot be measured: {reason}")]
    Profile { reason: String },
}

impl ChainError {
    /// The revert behind this error, where it is one.
    pub fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Reverted { revert, .. } => Some(revert),
            _ => None,
        }
    }
}

impl Explain for ChainError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "chain/unreachable",
            Self::Timeout { .. } => "chain/timeout",
            Self::Http { .. } => "chain/http",
            Self::MalformedAnswer { .. } => "chain/malformed-answer",
            Self::AnswerTooLarge { .. } => "chain/answer-too-large",
            Self::Rpc { .. } => "chain/rpc",
            Self::BadUrl { .. } => "chain/bad-url",
            Self::WrongChain { .. } => "chain/wrong-chain",
            Self::NonceTooLow { .. } => "chain/nonce-too-low",
            Self::NonceTooHigh { .. } => "chain/nonce-too-high",
            Self::Underpriced { .. } => "chain/underpriced",
            Self::FeeTooHigh { .. } => "chain/fee-too-high",
            Self::CostTooHigh { .. } => "chain/cost-too-high",
            Self::RunTooDear { .. } => "chain/run-too-dear",
            Self::InsufficientFunds { .. } => "chain/insufficient-funds",
            Self::GasLimit { .. } => "chain/gas-limit",
            Self::Undivided { .. } => "chain/undivided",
            Self::OutOfTurn { .. } => "chain/out-of-turn",
            Self::HeldBack { .. } => "chain/held-back",
            Self::LostNonce { .. } => "chain/lost-nonce",
            Self::UsedElsewhere { .. } => "chain/used-elsewhere",
            Self::Reverted { .. } => "chain/reverted",
            Self::NotMined { .. } => "chain/not-mined",
            Self::NotDeep { .. } => "chain/not-deep",
            Self::NoTransaction { .. } => "chain/no-transaction",
            Self::NonceAhead { .. } => "chain/nonce-ahead",
            Self::UnderWay { .. } => "chain/under-way",
            Self::NoContract { .. } => "chain/no-contract",
            Self::MissingEvent { .. } => "chain/missing-event",
            Self::InsecureSrs { .. } => "chain/insecure-srs",
            Self::Unguarded { .. } => "chain/unguarded",
            Self::OtherToken { .. } => "chain/other-token",
            Self::AttestorWas { .. } => "chain/attestor-was-listed",
            Self::LabelTaken { .. } => "chain/label-taken",
            Self::CodeTooLarge { .. } => "chain/code-too-large",
            Self::CodehashMismatch { .. } => "chain/codehash-mismatch",
            Self::NoFactory { .. } => "chain/no-factory",
            Self::DevAccountRefused { .. } => "chain/dev-account-refused",
            Self::NoDevAccount { .. } => "chain/no-dev-account",
            Self::Keystore { .. } => "chain/keystore",
            Self::WrongPassword { .. } => "chain/wrong-password",
            Self::PasswordFile { .. } => "chain/password-file",
            Self::PasswordFileOpen { .. } => "chain/password-file-open",
            Self::NoPassword { .. } => "chain/no-password",
            Self::Signing { .. } => "chain/signing",
            Self::RemoteSigner { .. } => "chain/remote-signer",
            Self::Ledger { .. } => "chain/ledger",
            Self::JournalForeign { .. } => "chain/journal-foreign",
            Self::JournalDamaged { .. } => "chain/journal-damaged",
            Self::JournalBusy { .. } => "chain/journal-busy",
            Self::JournalFull { .. } => "chain/journal-full",
            Self::PermitForeign { .. } => "chain/permit-foreign",
            Self::AnvilMissing { .. } => "chain/anvil-missing",
            Self::AnvilFailed { .. } => "chain/anvil-failed",
            Self::File { .. } => "chain/file",
            Self::RegistryForeign { .. } => "chain/registry-foreign",
            Self::RegistryVersion { .. } => "chain/registry-version",
            Self::RegistryChain { .. } => "chain/registry-chain",
            Self::RegistryBusy { .. } => "chain/registry-busy",
            Self::Artifact { .. } => "chain/artifact",
            Self::Profile { .. } => "chain/profile",
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Reverted { .. }
            | Self::InsecureSrs { .. }
            | Self::Unguarded { .. }
            | Self::OtherToken { .. }
            | Self::RunTooDear { .. }
            | Self::AttestorWas { .. }
            | Self::LabelTaken { .. }
            | Self::CodehashMismatch { .. }
            | Self::FeeTooHigh { .. }
            | Self::CostTooHigh { .. } => ExitCode::No,
            Self::BadUrl { .. }
            | Self::DevAccountRefused { .. }
            | Self::NoDevAccount { .. }
            | Self::CodeTooLarge { .. }
            | Self::WrongPassword { .. }
            | Self::RegistryForeign { .. }
            | Self::RegistryVersion { .. }
            | Self::RegistryChain { .. }
            | Self::NonceAhead { .. }
            | Self::Undivided { .. }
            | Self::OutOfTurn { .. }
            | Self::JournalForeign { .. }
            | Self::JournalDamaged { .. }
            | Self::PermitForeign { .. }
            | Self::Artifact { .. }
            | Self::Profile { .. } => ExitCode::Usage,
            Self::AnvilMissing { .. }
            | Self::AnvilFailed { .. }
            | Self::File { .. }
            | Self::JournalFull { .. }
            | Self::Keystore { .. }
            | Self::PasswordFile { .. }
            | Self::PasswordFileOpen { .. }
            | Self::NoPassword { .. }
            | Self::RemoteSigner { .. }
            | Self::Ledger { .. } => ExitCode::Environment,
            _ => ExitCode::Chain,
        }
    }

    fn retryable(&self) -> bool {
        match self {
            Self::Http { status, .. } => *status == 408 || *status == 429 || *status >= 500,
            Self::Rpc { code, message, .. } => {
                matches!(code, 429 | -32005) || message.contains("rate limit") || message.contains("header not found")
            }
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::NonceTooLow { .. }
            | Self::NonceTooHigh { .. }
            | Self::Underpriced { .. }
            | Self::FeeTooHigh { .. }
            | Self::NotMined { .. }
            | Self::NotDeep { .. }
            | Self::UnderWay { .. }
            | Self::UsedElsewhere { .. }
            | Self::RemoteSigner { .. }
            | Self::Ledger { .. }
            | Self::JournalBusy { .. }
            | Self::RegistryBusy { .. } => true,
            _ => false,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => "check the address and that the node runs; `--chain embedded` needs no node",
            Self::Timeout { .. } | Self::Http { .. } => "try again, or use another RPC address",
            Self::MalformedAnswer { .. } => "is this address an Ethereum JSON-RPC endpoint?",
            Self::AnswerTooLarge { .. } => "no honest answer is that long: use another RPC address",
            Self::Rpc { .. } => "the node's own message says why",
            Self::BadUrl { .. } => "give an http:// or https:// address",
            Self::WrongChain { .. } => "point `--rpc-url` at the intended chain, or name the chain that you mean",
            Self::NonceTooLow { .. } | Self::NonceTooHigh { .. } => {
                "another transaction of this account is under way; run the same command again when it is mined"
            }
            Self::Underpriced { .. } => "fees rose, or a pending transaction has the same nonce; run the same command again",
            Self::FeeTooHigh { .. } => "nothing was sent; wait for lower fees, or allow them with `--max-fee GWEI`",
            Self::CostTooHigh { .. } => "nothing was sent; if the gas is plausible, allow it with `--max-cost ETHER`",
            Self::RunTooDear { .. } => "what was sent before is in its blocks; run the same command again, or allow more with `--max-total ETHER`",
            Self::InsufficientFunds { .. } => "send the account some of the chain's currency",
            Self::GasLimit { .. } => "the call needs more gas than the chain allows for one transaction, or less was offered than it needs",
            Self::Undivided { .. } => "nothing was sent; send fewer loans at once, or give less gas for each by `--gas-per-item GAS`",
            Self::OutOfTurn { .. } => "send the one of the lower nonce first",
            Self::HeldBack { .. } => "nothing was sent; run the same command again when the other one is mined",
            Self::LostNonce { .. } => "nothing was opened; stop what else sends by this account, and run the same command again",
            Self::UsedElsewhere { .. } => "stop what else sends by this account, and run the same command again when its transactions are mined",
            Self::Reverted { .. } => "the contract refused; the error's name and arguments say which condition failed",
            Self::NotMined { .. } => "run the same command again: it waits for this transaction and does not send a second one; `--replace-after SECONDS` raises its fees within `--max-fee`",
            Self::NotDeep { .. } => "run the same command again when the chain goes on, or ask for fewer `--confirmations`",
            Self::NoTransaction { .. } => "it was dropped, or the chain was reset: run again what sent it",
            Self::NonceAhead { .. } => "nothing was sent; what was made for a later nonce is taken back when that nonce is the next one",
            Self::UnderWay { .. } => "run the same command again when they are mined, or raise their fees with `zkml-evm replace TX`",
            Self::NoContract { .. } => "is it deployed on this chain? see `zkml-evm status`",
            Self::MissingEvent { .. } => "is the contract at this address one of ours?",
            Self::InsecureSrs { .. } => "import a public ceremony with `zkml-evm srs import` and generate the verifier again, or accept forgeable proofs with `--allow-insecure-srs`",
            Self::Unguarded { .. } => "name a timelock by `--owner`, somebody who can act at once by `--guardian`, and leave `--activation-delay` at a day or more; or accept the risk with `--allow-unguarded`",
            Self::OtherToken { .. } => "nothing was paid; is it the pool that you mean, and who wrote the record?",
            Self::AttestorWas { relistable: true, .. } => "find out why first; `--relist` lists it again",
            Self::AttestorWas { .. } => "a source answers by its contract, a signer by its key: call `removeAttestor` first, if that is what you mean",
            Self::LabelTaken { .. } => "two models share the label's 32 bits: record this one in another folder with `--deployments DIR`",
            Self::CodeTooLarge { .. } => "plan for `gas`, which makes the contract smaller",
            Self::CodehashMismatch { .. } => "do not use the contract; find out who changed what",
            Self::NoFactory { .. } => "see github.com/Arachnid/deterministic-deployment-proxy for how to put it there",
            Self::Profile { .. } => "was the contract generated by this version of zkml-evm?",
            Self::DevAccountRefused { .. } => "use `--account NAME` or `--keystore PATH`",
            Self::NoDevAccount { .. } => "choose one of them, or use `--account NAME`",
            Self::Keystore { .. } => "`cast wallet list` shows foundry's keystores; `cast wallet import NAME` makes one",
            Self::WrongPassword { .. } => "check the password; nothing was sent",
            Self::PasswordFile { .. } => "give a readable file whose first line is the password",
            Self::PasswordFileOpen { .. } => "chmod 600 it",
            Self::NoPassword { .. } => "give `--password-file FILE`, or run in a terminal",
            Self::Signing { .. } => "",
            Self::RemoteSigner { .. } => "nothing was sent; does the program run, does it hold the account's key, and did somebody agree?",
            Self::Ledger { .. } => "nothing was sent; build with `--features ledger`, plug the device in, unlock it, open its Ethereum application, and agree there",
            Self::JournalForeign { .. } => "name the journal of this chain and account, or another file, with `--journal FILE`",
            Self::JournalDamaged { .. } => "nothing was sent; with the account at rest, move the file away: open loans are found on the chain, and what failed there is tried again",
            Self::JournalBusy { .. } => "wait for the other run to end",
            Self::JournalFull { .. } => "nothing more was sent; with the account at rest, move the file away: open loans are found on the chain, and what failed there is tried again",
            Self::PermitForeign { .. } => "the borrower makes one with `zkml-evm permit`",
            Self::AnvilMissing { .. } => "run `npm ci` in the project, or install foundry; `--chain embedded` needs neither",
            Self::AnvilFailed { .. } => "run it by hand to see why; `--chain embedded` needs no anvil",
            Self::File { .. } => "check that the folder exists, is writable, and has space",
            Self::RegistryForeign { .. } | Self::RegistryVersion { .. } | Self::RegistryChain { .. } => {
                "move the file away; the contracts are found again by their addresses"
            }
            Self::RegistryBusy { .. } => "wait for the other run to end",
            Self::Artifact { .. } => "compile the contracts again",
        }
        .to_owned()
    }
}
