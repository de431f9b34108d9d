//! The arguments that name a chain and its record.

use super::{
    failure::{CliError, Failure},
    output::Console,
    project,
};
use crate::chain::{Chain, ChainError, ChainTarget, Patience, Registry, anvil as process, embedded::Hardfork};
use alloy::primitives::Address;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// A chain that is started for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Local {
    /// revm in this process
    Embedded,
    /// An anvil of its own, on a free port
    Anvil,
}

/// Which chain.
#[derive(Clone, Debug, Args)]
pub struct ChainArguments {
    /// Start a chain for this run; its state is lost at the end
    #[arg(long, value_enum, conflicts_with = "rpc_url")]
    pub chain: Option<Local>,
    /// A node's http(s) address
    #[arg(long, value_name = "URL")]
    pub rpc_url: Option<String>,
    /// Refuse any other chain than this one
    #[arg(long, value_name = "ID")]
    pub expect_chain_id: Option<u64>,
}

impl ChainArguments {
    /// Connects; `default` is what is used when no chain is named, `project` where an anvil may lie besides the usual places.
    ///
    /// # Errors
    /// No chain named, and those of connecting.
    pub async fn connect(&self, default: Option<Local>, project: Option<&Path>) -> Result<Chain, Failure> {
        let target = match (&self.rpc_url, self.chain.or(default)) {
            (Some(url), _) => ChainTarget::Rpc { url: url.clone() },
            (None, Some(Local::Embedded)) => ChainTarget::embedded(),
            (None, Some(Local::Anvil)) => {
                let root = project::find_or_here(project);
                ChainTarget::Anvil { binary: Some(anvil(&root)?), hardfork: Hardfork::default() }
            }
            (None, None) => {
                let how = "give `--rpc-url URL`, `--chain anvil` or `--chain embedded`";
                return Err(CliError::Missing { what: "a chain", how }.into());
            }
        };
        Ok(target.connect(self.expect_chain_id, Patience::default()).await?)
    }
}

/// An anvil: where the chain client looks, else what `npm ci` put into the project.
pub fn anvil(root: &Path) -> Result<PathBuf, ChainError> {
    process::locate(None).or_else(|missing| project::bundled(root, "anvil").ok_or(missing))
}

/// Where deployments are recorded.
#[derive(Clone, Debug, Args)]
pub struct RecordArguments {
    /// Folder of the deployment records, one `<chainId>.json` per chain
    #[arg(long, value_name = "DIR", default_value = "deployments")]
    pub deployments: PathBuf,
}

impl RecordArguments {
    /// The record to write: in memory where the chain ends with this process.
    pub fn open(&self, chain: &Chain, console: &Console) -> Result<Registry, Failure> {
        if chain.is_ephemeral() {
            console.warn("this chain ends with this command: what is deployed on it is lost, and nothing is recorded");
            return Ok(Registry::in_memory(chain.id()));
        }
        Ok(Registry::open(&self.deployments, chain.id())?)
    }

    /// The record to read.
    pub fn view(&self, chain: &Chain) -> Result<Registry, Failure> {
        match chain.is_ephemeral() {
            true => Ok(Registry::in_memory(chain.id())),
            false => Ok(Registry::view(&self.deployments, chain.id())?),
        }
    }
}

/// The address recorded under a label, unless one is given.
///
/// # Errors
/// Neither given nor recorded.
pub fn address(registry: &Registry, label: &str, given: Option<Address>) -> Result<Address, CliError> {
    given.or_else(|| registry.get(label).map(|d| d.address)).ok_or_else(|| {
        CliError::Conflict(format!(
            "{label} is not in the record of chain {}: deploy it first, or name its address",
            registry.chain_id()
        ))
    })
}
