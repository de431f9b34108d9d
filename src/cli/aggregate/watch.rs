//! `aggregate --watch DIR --artifacts DIR`: a process that aggregates what is put into a folder.

use crate::{
    artifact::{
        ArtifactError, ProofFile,
        aggregate::{AggregateFile, AggregateFolder, Aggregator, ModelSlots},
    },
    cli::{blocking, failure::Failure, measure::Meter, output::Console},
    error::{ExitCode, Explain},
    service::{Cost, Service, Settings, Work},
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
}

/// An aggregator whose work is measured.
#[derive(Debug)]
struct Measured(Aggregator);

impl Work for Measured {
    fn aggregate_id(&self) -> B256 {
        self.0.facts.aggregate_id
    }

    fn models(&self) -> Vec<ModelSlots> {
        self.0.models()
    }

    fn longest_file(&self) -> usize {
        self.0.longest_file()
    }

    fn check(&self, proof: &ProofFile) -> Result<(), ArtifactError> {
        self.0.check_one(proof)
    }

    fn aggregate(&self, proofs: &[ProofFile], out: &Path) -> Result<Cost, ArtifactError> {
        let meter = Meter::start();
        self.0.aggregate(proofs, &|_| ())?.save(out)?;
        let cost = meter.stop();
        Ok(Cost { cpu_seconds: cost.cpu_seconds, wall_seconds: cost.wall_seconds })
    }

    fn verify(&self, aggregate: &Path) -> Result<(), ArtifactError> {
        self.0.verify(&AggregateFile::load(aggregate)?)
    }
}

pub(super) async fn run(
    folder: &Path,
    artifacts: &Path,
    arguments: &WatchArguments,
    console: &Console,
) -> Result<ExitCode, Failure> {
    let patience = Duration::from_secs(if arguments.once { 0 } else { arguments.wait });
    let settings = Settings { patience, queue: arguments.queue as usize };
    let (root, artifacts) = (folder.to_path_buf(), artifacts.to_path_buf());
    let console = *console;
    let mut service = blocking(move || {
        let aggregator = AggregateFolder::open(&artifacts)?.aggregator()?;
        if aggregator.srs.provenance.is_insecure() {
            console.warn("the keys come from a development SRS: aggregates of forged proofs could be made");
        }
        Ok(Service::open(&root, Measured(aggregator), settings)?)
    })
    .await?;
    console.note(format!("watching {}", folder.join("incoming").display()));
    let before = service.counts();
    let mut rest = REST[0];
    loop {
        let (back, outcome) = blocking(move || {
            let outcome = service.run(&|line| console.note(line));
            Ok((service, outcome))
        })
        .await?;
        service = back;
        if arguments.once {
            outcome?;
            break;
        }
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
    let now = service.counts();
    let (groups, refused) = (now.groups - before.groups, now.refused - before.refused);
    let value = json!({ "folder": folder, "groups": groups, "refused": refused, "waiting": now.waiting });
    console.result(
        "aggregate",
        &value,
        &format!("{groups} groups done, {refused} files refused, {} proofs wait", now.waiting),
    )?;
    Ok(if refused == 0 { ExitCode::Ok } else { ExitCode::No })
}
