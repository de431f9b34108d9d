//! Step 7: what every step cost, and where the files are.

use super::{Places, refuse::Refusal, stage::Costs};
use crate::{
    artifact::{Manifest, ProofFile},
    cli::{
        failure::Failure,
        measure::{Cost, Meter},
        output,
    },
};
use serde_json::{Value, json};
use std::future::Future;

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Table {
    steps: Vec<(&'static str, Cost)>,
}

impl Table {
    /// Runs and measures one step.
    pub async fn step<T>(&mut self, name: &'static str, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let meter = Meter::start();
        let result = work.await;
        self.steps.push((name, meter.stop()));
        result
    }

    /// For people.
    pub fn show(&self, manifest: &Manifest, proof: &ProofFile, costs: &Costs, places: &Places) -> String {
        let mut steps = output::table(["step", "CPU s", "wall s", "peak MB"]);
        for (name, cost) in &self.steps {
            let numbers =
                [format!("{:.2}", cost.cpu_seconds), format!("{:.2}", cost.wall_seconds), format!("{:.0}", cost.peak_mb)];
            steps.add_row(std::iter::once((*name).to_owned()).chain(numbers));
        }
        let verifier = manifest.contract.as_ref().map_or(0, |c| c.runtime_size);
        let lines = [
            ("proof", format!("{} bytes", proof.proof.len())),
            ("verifier", format!("{verifier} bytes on chain")),
            ("gas", format!("deploy {} (all contracts), verify {}, settle {}", costs.deploy, costs.verify, costs.settle)),
            ("artifacts", places.artifacts().display().to_string()),
            ("alice", format!("{}/{{attestation,opening,proof}}.json", places.out.join("alice").display())),
        ];
        format!("{steps}\n{}", lines.map(|(name, value)| format!("{name:<10} {value}")).join("\n"))
    }

    /// The same for programs.
    pub fn value(&self, manifest: &Manifest, proof: &ProofFile, costs: &Costs, refusals: &[Refusal], places: &Places) -> Value {
        let steps: Vec<_> = self.steps.iter().map(|(name, cost)| json!({ "name": name, "cost": cost })).collect();
        json!({
            "steps": steps,
            "modelId": manifest.facts.model_id,
            "k": manifest.facts.plan.shape.k,
            "proofBytes": proof.proof.len(),
            "verifierBytes": manifest.contract.as_ref().map(|c| c.runtime_size),
            "gas": costs,
            "refusals": refusals,
            "files": { "artifacts": places.artifacts(), "alice": places.out.join("alice") },
        })
    }
}
