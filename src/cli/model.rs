//! What `deploy` and `register` have in common: a model or an aggregate, who signs for it, where, and its verifier made anew from its keys.

use super::{
    aggregate, blocking,
    chains::RecordArguments,
    contracts::{aggregate_item, family_item, verifier_item},
    failure::Failure,
    output::Console,
    project,
    send::SendArguments,
};
use crate::{
    artifact::{ArtifactError, Folder, aggregate::AggregateFolder},
    chain::{
        Chain, ChainError,
        deploy::{self, DeployItem},
        registry::label,
    },
    verifier::Compiler,
};
use alloy::primitives::{Address, B256, keccak256};
use clap::Args;
use std::path::{Path, PathBuf};

/// A model or an aggregate, and where it goes.
#[derive(Clone, Debug, Args)]
pub struct ModelArguments {
    /// The artifact folder, of a model or of an aggregate
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

/// What has a verifier.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A model.
    Model(Box<Folder>),
    /// An aggregate of models.
    Aggregate(Box<AggregateFolder>),
}

/// The deployment of a verifier.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// The code of its family, which it calls; to be deployed first.
    pub family: Option<DeployItem>,
    /// Its own.
    pub own: DeployItem,
}

impl Subject {
    /// Opens a folder, whichever it is.
    ///
    /// # Errors
    /// Those of opening; an uncompiled one.
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        if aggregate::is_aggregate(path) {
            let folder = AggregateFolder::open(path)?;
            folder.contract()?;
            return Ok(Self::Aggregate(Box::new(folder)));
        }
        let folder = Folder::open(path)?;
        folder.contract()?;
        Ok(Self::Model(Box::new(folder)))
    }

    /// Whether it is an aggregate.
    pub fn is_aggregate(&self) -> bool {
        matches!(self, Self::Aggregate(_))
    }

    /// The verifier's label in the record.
    fn label(&self) -> String {
        match self {
            Self::Model(folder) => label::verifier(&folder.manifest.facts.model_id),
            Self::Aggregate(folder) => label::aggregate(&folder.manifest.facts.aggregate_id),
        }
    }

    fn srs(&self) -> &str {
        match self {
            Self::Model(folder) => &folder.manifest.facts.srs,
            Self::Aggregate(folder) => &folder.manifest.facts.srs,
        }
    }

    fn rebuilt(&self, compiler: &Compiler) -> Result<Verifier, ArtifactError> {
        let srs = self.srs();
        match self {
            Self::Model(folder) => {
                let made = folder.rebuilt(compiler)?;
                let family = made.family.map(|family| family_item(&family, srs));
                Ok(Verifier { family, own: verifier_item(&made.verifier, folder.manifest.facts.model_id, srs) })
            }
            Self::Aggregate(folder) => {
                let own = aggregate_item(&folder.rebuilt(compiler)?, folder.manifest.facts.aggregate_id, srs);
                Ok(Verifier { family: None, own })
            }
        }
    }
}

impl ModelArguments {
    /// Opens the folder and connects; a development SRS is refused on a public chain.
    ///
    /// # Errors
    /// Those of both, an uncompiled folder, [`ChainError::InsecureSrs`].
    pub async fn open(&self) -> Result<(Subject, Chain), Failure> {
        let subject = Subject::open(&self.artifacts)?;
        let chain = self.send.connect(self.project.as_deref()).await?;
        deploy::refuse_insecure(&chain, &subject.label(), subject.srs(), self.allow_insecure_srs)?;
        Ok((subject, chain))
    }

    /// The verifier's deployment, from keys and SRS: nothing of what the folder says of it is taken on trust.
    pub async fn verifier(&self, subject: &Subject, console: &Console) -> Result<Verifier, Failure> {
        let (subject, solc) = (subject.clone(), self.solc.clone());
        let root = project::find_or_here(self.project.as_deref());
        let _progress = console.progress("rebuilding the verifier from its keys");
        blocking(move || Ok(subject.rebuilt(&Compiler::find(solc.as_deref(), &root)?)?)).await
    }

    /// Address and codehash of the verifier on the chain. Not from the record: the address is a function of creation code that we made
    /// ourselves, so what lies there is what that code made.
    ///
    /// # Errors
    /// As [`ModelArguments::verifier`]; [`ChainError::NoContract`] where it is not deployed.
    pub async fn deployed(&self, subject: &Subject, chain: &Chain, console: &Console) -> Result<(Address, B256), Failure> {
        let verifier = self.verifier(subject, console).await?.own.address();
        let what = "reading the verifier's code";
        let code = chain.code(what, verifier).await?;
        match code.is_empty() {
            true => Err(ChainError::NoContract { what: what.into(), address: verifier }.into()),
            false => Ok((verifier, keccak256(&code))),
        }
    }
}
