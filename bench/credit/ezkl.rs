//! EZKL's figures: bench/ezkl_credit.py's document, and the gas of its contracts on the same chain as ours.

use crate::gas::{self, Gas};
use alloy::{hex, primitives::Bytes};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, error::Error, path::Path};

/// One mode of EZKL.
#[derive(Clone, Debug, Serialize)]
pub struct Peer {
    /// `hashed` or `private`.
    pub mode: String,
    pub tool_version: String,
    #[serde(flatten)]
    pub figures: Figures,
    pub gas: Gas,
}

/// What the document says of a mode.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    pub k: u32,
    pub stages: BTreeMap<String, Stage>,
    pub proof_bytes: usize,
    pub error: Difference,
    pub contract_bytes: usize,
    pub calldata_bytes: usize,
    files: Files,
}

/// What a stage cost; EZKL's stages read their files as ours do.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Stage {
    pub cpu_seconds: f64,
    pub peak_rss_kib: f64,
}

/// Against the float model, as probabilities.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Difference {
    pub inputs: usize,
    pub max: Option<f64>,
    pub mean: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Files {
    initcode: String,
    calldata: String,
}

#[derive(Deserialize)]
struct Document {
    version: u32,
    tool_version: String,
    modes: BTreeMap<String, Figures>,
}

impl Figures {
    /// CPU seconds of several stages together.
    pub fn cpu(&self, stages: &[&str]) -> Option<f64> {
        stages.iter().map(|stage| self.stages.get(*stage).map(|s| s.cpu_seconds)).sum()
    }

    /// Peak memory of a stage, in MB.
    pub fn peak_mb(&self, stage: &str) -> Option<f64> {
        self.stages.get(stage).map(|s| s.peak_rss_kib * 1024.0 / 1e6)
    }
}

/// Reads the document and runs its contracts.
///
/// # Errors
/// A missing or foreign file; a contract that refuses its own proof.
pub async fn read(path: &Path) -> Result<Vec<Peer>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let document: Document = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    if document.version != 1 {
        return Err(format!("{}: expected version 1, got {}", path.display(), document.version).into());
    }
    let artifacts = path.with_extension("");
    let mut peers = Vec::new();
    for (mode, figures) in document.modes {
        eprintln!("EZKL {mode}: gas");
        let bytes = |name: &str| -> Result<Bytes, Box<dyn Error>> {
            let path = artifacts.join(name);
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            Ok(hex::decode(text.trim())?.into())
        };
        let (creation, calldata) = (bytes(&figures.files.initcode)?, bytes(&figures.files.calldata)?);
        let gas = gas::measure("EZKL's verifier", creation, figures.contract_bytes, calldata).await?;
        peers.push(Peer { mode, tool_version: document.tool_version.clone(), figures, gas });
    }
    Ok(peers)
}
