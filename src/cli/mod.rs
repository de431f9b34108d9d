//! The command line: one file per verb. stdout carries the result only, stderr the rest.
//!
//! A verb's `run` reads its arguments, calls the rooms below, and hands one result to [`output::Console`]; it computes nothing itself.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod accounts;
pub mod aggregate;
pub mod attest;
pub mod batch;
mod candidates;
pub mod chains;
pub mod completions;
pub mod contracts;
pub mod demo;
pub mod deploy;
pub mod deployments;
pub mod doctor;
pub mod failure;
pub mod gas;
pub mod gen_verifier;
pub mod init;
pub mod inspect;
mod machine;
pub mod measure;
pub mod model;
pub mod operate;
pub mod output;
pub mod permit;
pub mod progress;
pub mod project;
pub mod prove;
pub mod register;
pub mod replace;
pub mod send;
pub mod size;
pub mod srs;
pub mod status;
pub mod submit;
pub mod submit_batch;
pub mod verify;
pub mod verify_contract;

use crate::{error::ExitCode, proof::unfinished};
use clap::{Parser, Subcommand};
use failure::{CliError, Failure};
use output::Console;
use std::{future::Future, task::Poll, time::Duration};

/// How long an interrupted verb may clean up.
const GRACE: Duration = Duration::from_millis(500);

/// From an ONNX model to a proof of inference, a Solidity verifier, and its settlement on an EVM chain.
#[derive(Debug, Parser)]
#[command(name = "zkml-evm", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Arguments {
    /// Print one versioned JSON document on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Print nothing but results and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 no (an invalid proof, a score below the threshold, a refused transaction), 2 usage or \
input, 3 unsupported model, 4 environment, 5 chain (see `retryable`), 130 interrupted.";

/// The verbs.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Begin a Foundry project: a consumer contract with its test and a small model
    Init(init::Arguments),
    /// Compile a model: integer program, keys, Solidity verifier, in one artifact folder
    GenVerifier(gen_verifier::Arguments),
    /// Prove the model's statement about one input
    Prove(prove::Arguments),
    /// Make one proof of many, or watch a folder and aggregate what comes
    Aggregate(aggregate::Arguments),
    /// Check a proof, without a chain
    Verify(verify::Arguments),
    /// Compare a verifier on a chain with the one that an artifact folder's keys give
    VerifyContract(verify_contract::Arguments),
    /// Sign a statement about an applicant's input, as an attestor
    Attest(attest::Arguments),
    /// Put verifier, router, attestation registry and lending pool on a chain (dry run unless --broadcast)
    Deploy(deploy::Arguments),
    /// Approve the model on the router; add attestors and a lending policy (dry run unless --broadcast)
    Register(Box<register::Arguments>),
    /// Open a loan with a proof and an attestation, or many (dry run unless --broadcast)
    Submit(Box<submit::Arguments>),
    /// Open many loans in one transaction, or as few as hold them (dry run unless --broadcast)
    SubmitBatch(submit_batch::Arguments),
    /// Let somebody else send your loan's transaction, as the borrower
    Permit(permit::Arguments),
    /// Stop a model at once and for good (dry run unless --broadcast)
    Freeze(operate::freeze::Arguments),
    /// Announce a model's end (dry run unless --broadcast)
    Deprecate(operate::deprecate::Arguments),
    /// Stop new loans (dry run unless --broadcast)
    Pause(operate::pause::Arguments),
    /// Allow new loans again (dry run unless --broadcast)
    Unpause(operate::pause::Arguments),
    /// End a lending policy for good (dry run unless --broadcast)
    RetirePolicy(operate::retire_policy::Arguments),
    /// Take back an attestation (dry run unless --broadcast)
    Revoke(operate::revoke::Arguments),
    /// End an attestor in good order (dry run unless --broadcast)
    RetireAttestor(operate::attestor::RetireArguments),
    /// Take an attestor off the list, with all that it ever signed (dry run unless --broadcast)
    RemoveAttestor(operate::attestor::RemoveArguments),
    /// Stop a model by two proofs that contradict each other, as anybody (dry run unless --broadcast)
    Contradict(operate::contradict::Arguments),
    /// Pay back all that is owed on a loan (dry run unless --broadcast)
    Repay(operate::repay::Arguments),
    /// Take back your permits and proofs for a nonce, as a borrower (dry run unless --broadcast)
    CancelNonce(operate::cancel_nonce::Arguments),
    /// Raise the fees of a transaction that is stuck (dry run unless --broadcast)
    Replace(replace::Arguments),
    /// What is deployed on a chain, and in which state
    Status(status::Arguments),
    /// Compare the record of deployments with the chain
    Deployments(deployments::Arguments),
    /// What a verification costs on chain, by part
    Gas(gas::Arguments),
    /// Read and check a ceremony's powers of tau
    Srs(srs::Arguments),
    /// What an artifact folder holds
    Inspect(inspect::Arguments),
    /// What this machine has and lacks
    Doctor(doctor::Arguments),
    /// The whole road on the example: credit model in, settled loan out
    Demo(demo::Arguments),
    /// Completions for a shell
    Completions(completions::Arguments),
}

/// Parses, runs, prints; returns the process's exit code.
pub fn main() -> std::process::ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let console = Console::new(arguments.json, arguments.quiet);
    machine::one_arena();
    machine::forget_pages();
    if let Some(lacking) = machine::lacking() {
        return console.failure(&CliError::Processor { lacking }.into());
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return console.failure(&CliError::Runtime(error).into()),
    };
    let outcome = runtime.block_on(until_interrupted(arguments.verb, console));
    // Proving cannot be stopped in the middle; the process ends without waiting for it.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => code(exit),
        Err(failure) => console.failure(&failure),
    }
}

/// Runs the verb on a task of its own, so that Ctrl-C is heard even while the verb computes or asks for a password.
async fn until_interrupted(verb: Verb, console: Console) -> Result<ExitCode, Failure> {
    // Registered before the verb starts: from here on no Ctrl-C kills the process behind the verb's back.
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    let refused = std::future::poll_fn(|context| Poll::Ready(interrupt.as_mut().poll(context).is_ready())).await;
    if refused {
        // The system takes no handler: Ctrl-C ends the process its own way.
        return run(verb, &console).await;
    }
    let mut task = tokio::spawn(async move { run(verb, &console).await });
    tokio::select! {
        outcome = &mut task => outcome.map_err(|e| CliError::Crashed(e.to_string()))?,
        _ = interrupt => {
            // Dropping the verb ends an anvil that it started and removes half-written folders; a verb that computes is left.
            task.abort();
            let _ = tokio::time::timeout(GRACE, task).await;
            unfinished::remove();
            Err(CliError::Interrupted.into())
        }
    }
}

async fn run(verb: Verb, console: &Console) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Init(arguments) => init::run(arguments, console).await,
        Verb::GenVerifier(arguments) => gen_verifier::run(arguments, console).await,
        Verb::Prove(arguments) => prove::run(arguments, console).await,
        Verb::Aggregate(arguments) => return aggregate::run(arguments, console).await,
        Verb::Verify(arguments) => verify::run(&arguments, console),
        Verb::VerifyContract(arguments) => return verify_contract::run(arguments, console).await,
        Verb::Attest(arguments) => attest::run(&arguments, console),
        Verb::Deploy(arguments) => deploy::run(arguments, console).await,
        Verb::Register(arguments) => register::run(*arguments, console).await,
        Verb::Submit(arguments) => return submit::run(*arguments, console).await,
        Verb::SubmitBatch(arguments) => return submit_batch::run(arguments, console).await,
        Verb::Permit(arguments) => permit::run(&arguments, console),
        Verb::Freeze(arguments) => operate::freeze::run(arguments, console).await,
        Verb::Deprecate(arguments) => operate::deprecate::run(arguments, console).await,
        Verb::Pause(arguments) => operate::pause::pause(arguments, console).await,
        Verb::Unpause(arguments) => operate::pause::unpause(arguments, console).await,
        Verb::RetirePolicy(arguments) => operate::retire_policy::run(arguments, console).await,
        Verb::Revoke(arguments) => operate::revoke::run(arguments, console).await,
        Verb::RetireAttestor(arguments) => operate::attestor::retire(arguments, console).await,
        Verb::RemoveAttestor(arguments) => operate::attestor::remove(arguments, console).await,
        Verb::Contradict(arguments) => operate::contradict::run(arguments, console).await,
        Verb::Repay(arguments) => operate::repay::run(arguments, console).await,
        Verb::CancelNonce(arguments) => operate::cancel_nonce::run(arguments, console).await,
        Verb::Replace(arguments) => replace::run(arguments, console).await,
        Verb::Status(arguments) => status::run(arguments, console).await,
        Verb::Deployments(arguments) => return deployments::run(arguments, console).await,
        Verb::Gas(arguments) => gas::run(&arguments, console),
        Verb::Srs(arguments) => srs::run(arguments, console).await,
        Verb::Inspect(arguments) => inspect::run(&arguments, console),
        Verb::Doctor(arguments) => return doctor::run(arguments, console).await,
        Verb::Demo(arguments) => demo::run(arguments, console).await,
        Verb::Completions(arguments) => completions::run(&arguments, console),
    }?;
    Ok(ExitCode::Ok)
}

/// Help and version go to stdout; everything else is an error, in the form that was asked for.
fn usage(error: &clap::Error) -> std::process::ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    let console = Console::new(json, true);
    match error.use_stderr() {
        false => {
            console.text(&error.to_string());
            code(ExitCode::Ok)
        }
        true => console.failure(&CliError::Arguments(error.to_string()).into()),
    }
}

/// The library's exit code as the process's.
pub(crate) fn code(code: ExitCode) -> std::process::ExitCode {
    std::process::ExitCode::from(code as u8)
}

/// Runs long work on a thread of its own, so that Ctrl-C is heard.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(|e| CliError::Crashed(e.to_string()))?
}
