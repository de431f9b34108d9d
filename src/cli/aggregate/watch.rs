//! `aggregate --watch DIR --artifacts DIR`: a process that aggregates what is put into a folder.

use super::submit::{SubmitArguments, Submitter};
use crate::{
    artifact::{
        ArtifactError,
        aggregate::{AggregateFile, AggregateFolder, Aggregator, KindSlots, Part},
    },
    cli::{
        blocking,
        failure::{CliError, Failure},
        measure::Meter,
        output::Console,
    },
    error::{ExitCode, Explain},
    proof::Purpose,
    service::{Cost, PAPERS_TEXT, Service, ServiceError, Settings, Work},
};
use alloy::primitives::B256;
use clap::Args;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long the process rests after an error of the machine; twice as long after each further one, up to the second number.
const REST: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(300)];

/// What a folder is watched with.
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// Aggregate what is put into DIR/incoming, until Ctrl-C: written elsewhere on the same file system and renamed there
    #[arg(long, value_name = "DIR")]
    pub watch: Option<PathBuf>,
    /// How long a proof waits for others before it is aggregated with slots left empty
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "watch", conflicts_with_all = ["once", "proofs"])]
    wait: u64,
    /// Most proofs that wait; the others stay in DIR/incoming until a group has left
    #[arg(long, value_name = "N", default_value_t = 256, requires = "watch", conflicts_with = "proofs", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    queue: u32,
    /// Aggregate what is there, without waiting for more, and end
    #[arg(long, requires = "watch", conflicts_with = "proofs")]
    once: bool,
    #[command(flatten)]
    submit: SubmitArguments,
}

/// An aggregator whose work is measured, and whom its aggregates are for.
#[derive(Debug)]
struct Measured(Aggregator, Purpose);

impl Work for Measured {
    fn aggregate_id(&self) -> B256 {
        self.0.facts.aggregate_id
    }

    fn kinds(&self) -> Vec<KindSlots> {
        self.0.kinds()
    }

    fn longest_file(&self) -> usize {
        self.0.longest_file()
    }

    fn check(&self, proof: &Part) -> Result<(), ArtifactError> {
        self.0.check_one(proof)
    }

    fn aggregate(&self, proofs: &[Part], out: &Path) -> Result<Cost, ArtifactError> {
        let meter = Meter::start();
        self.0.aggregate(self.1, proofs, &|_| ())?.save(out)?;
        let cost = meter.stop();
        Ok(Cost { cpu_seconds: cost.cpu_seconds, wall_seconds: cost.wall_seconds })
    }

    fn verify(&self, aggregate: &Path) -> Result<(), ArtifactError> {
        self.0.verify(&AggregateFile::load_for(self.1, aggregate)?)
    }
}

pub(super) async fn run(
    folder: &Path,
    artifacts: &Path,
    purpose: Purpose,
    arguments: &WatchArguments,
    console: &Console,
) -> Result<ExitCode, Failure> {
    if purpose == Purpose::Aggregation && arguments.submit.submit.is_some() {
        return Err(CliError::Conflict("an aggregate for aggregation is sent to no pool".to_owned()).into());
    }
    let patience = Duration::from_secs(if arguments.once { 0 } else { arguments.wait });
    let settings = Settings { patience, queue: arguments.queue as usize };
    let (root, artifacts) = (folder.to_path_buf(), artifacts.to_path_buf());
    let console = *console;
    let (service, watched) = blocking(move || {
        let aggregator = AggregateFolder::open(&artifacts)?.aggregator()?;
        let watched = (aggregator.facts.aggregate_id, aggregator.longest_file() + PAPERS_TEXT);
        if aggregator.srs.provenance.is_insecure() {
            console.warn("the keys come from a development SRS: aggregates of forged proofs could be made");
        }
        Ok((Service::open(&root, Measured(aggregator, purpose), settings)?, watched))
    })
    .await?;
    let submitter = Submitter::new(&arguments.submit, folder, watched, &console).await?;
    console.note(format!("watching {}", folder.join("incoming").display()));
    if !arguments.once {
        return Err(match submitter {
            None => aggregate_forever(service, console).await,
            Some(submitter) => tokio::select! {
                failure = aggregate_forever(service, console) => failure,
                never = submitter.watch(LOOK, REST) => match never {},
            },
        });
    }
    let before = service.counts();
    let (service, outcome) = run_once(service, console).await?;
    outcome?;
    let now = service.counts();
    let all_settled = match submitter {
        Some(submitter) => submitter.once(REST).await?,
        None => true,
    };
    let (groups, refused) = (now.groups - before.groups, now.refused - before.refused);
    let value = json!({ "folder": folder, "groups": groups, "refused": refused, "waiting": now.waiting, "settled": all_settled });
    console.result(
        "aggregate",
        &value,
        &format!("{groups} groups done, {refused} files refused, {} proofs wait", now.waiting),
    )?;
    Ok(if refused == 0 && all_settled { ExitCode::Ok } else { ExitCode::No })
}

async fn run_once(
    mut service: Service<Measured>,
    console: Console,
) -> Result<(Service<Measured>, Result<(), ServiceError>), Failure> {
    blocking(move || {
        let outcome = service.run(&|line| console.note(one_line(&line)));
        Ok((service, outcome))
    })
    .await
}

/// What comes is aggregated as it comes; after an error of the machine the process rests.
async fn aggregate_forever(mut service: Service<Measured>, console: Console) -> Failure {
    let mut rest = REST[0];
    loop {
        let (back, outcome) = match run_once(service, console).await {
            Ok(done) => done,
            Err(failure) => return failure,
        };
        service = back;
        let pause = match outcome {
            Ok(()) => {
                rest = REST[0];
                LOOK
            }
            Err(error) => {
                console.warn(format!("[{}] {error}; trying again in {} s", error.code(), rest.as_secs()));
                let next = (2 * rest).min(REST[1]);
                std::mem::replace(&mut rest, next)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Names of files stand in what is told: they forge no line of it, and reach no terminal's escapes.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
