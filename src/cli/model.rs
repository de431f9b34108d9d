//! What `deploy` and `register` have in common: a model, who signs for it, where, and its verifier made anew from its keys.

use super::{
    blocking, chains::RecordArguments, contracts::verifier_item, failure::Failure, output::Console, project, send::SendArguments,
};
use crate::{
    artifact::Folder,
    chain::{
        Chain,
        deploy::{self, DeployItem},
        registry::label,
    },
    verifier::Compiler,
};
use clap::Args;
use std::path::PathBuf;

/// A model and where it goes.
#[derive(Clone, Debug, Args)]
pub struct ModelArguments {
    /// The artifact folder
    #[arg(long, value_name = "DIR")]
    pub artifacts: PathBuf,
    #[command(flatten)]
    pub send: SendArguments,
    #[command(flatten)]
    pub record: RecordArguments,
    /// Accept a verifier made with a development SRS on a public chain: anybody can forge its proofs
    #[arg(long)]
    pub allow_insecure_srs: bool,
    /// The Solidity compiler
    #[arg(long, value_name = "FILE")]
    pub solc: Option<PathBuf>,
    /// The checkout with contracts/ and tools/
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
}

impl ModelArguments {
    /// Opens the folder and connects; a development SRS is refused on a public chain.
    ///
    /// # Errors
    /// Those of both, an uncompiled folder, [`crate::chain::ChainError::InsecureSrs`].
    pub async fn open(&self) -> Result<(Folder, Chain), Failure> {
        let folder = Folder::open(&self.artifacts)?;
        folder.contract()?;
        let chain = self.send.connect(self.project.as_deref()).await?;
        let facts = &folder.manifest.facts;
        deploy::refuse_insecure(&chain, &label::verifier(&facts.model_id), &facts.srs, self.allow_insecure_srs)?;
        Ok((folder, chain))
    }

    /// The verifier's deployment, from keys and SRS: nothing of what the folder says of it is taken on trust.
    pub async fn verifier(&self, folder: &Folder, console: &Console) -> Result<DeployItem, Failure> {
        let (folder, solc) = (folder.clone(), self.solc.clone());
        let root = project::find_or_here(self.project.as_deref());
        let _progress = console.progress("rebuilding the verifier from its keys");
        blocking(move || {
            let contract = folder.rebuilt(&Compiler::find(solc.as_deref(), &root)?)?;
            let facts = &folder.manifest.facts;
            Ok(verifier_item(&contract, facts.model_id, &facts.srs))
        })
        .await
    }
}
