//! The settlement contracts: compiled from the project's sources, ready to deploy.

use super::failure::Failure;
use crate::{
    artifact::{Contract, FamilyCode},
    chain::{
        CompiledContract,
        deploy::{DeployItem, Source},
        registry::{Governance, label},
    },
    verifier::Compiler,
};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::{SolType, SolValue, abi::TokenSeq},
};
use std::{path::Path, sync::Arc};

/// The compiled settlement contracts.
#[derive(Clone, Debug)]
pub struct Contracts {
    router: Made,
    attestations: Made,
    lending: Made,
    token: Made,
}

/// A compiled contract and where it comes from.
#[derive(Clone, Debug)]
struct Made {
    contract: CompiledContract,
    source: Source,
}

impl Made {
    /// Its deployment with constructor arguments.
    fn item<T: SolValue>(&self, arguments: &T) -> DeployItem
    where
        for<'a> <T::SolType as SolType>::Token<'a>: TokenSeq<'a>,
    {
        let contract = &self.contract;
        let source = Source { arguments: arguments.abi_encode_params().into(), ..self.source.clone() };
        let item = DeployItem::new(&contract.name, contract.with_args(arguments), contract.runtime_size);
        DeployItem { source: Some(source), ..item }
    }
}

/// Who owns the settlement contracts, and what they lend.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Owner of router, registry and pool.
    pub owner: Address,
    /// May freeze models, remove attestors and pause besides the owner; zero for nobody.
    pub guardian: Address,
    /// The token that is lent; a worthless one is deployed where there is none.
    pub token: Option<Address>,
    /// Seconds between a model's registration and its first verification.
    pub activation_delay: u32,
}

/// Addresses of one settlement.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Addresses {
    /// The model's verifier.
    pub verifier: Address,
    /// The registry of approved models.
    pub router: Address,
    /// The registry of attestors.
    pub attestations: Address,
    /// The token that is lent.
    pub token: Address,
    /// The lending pool.
    pub lending: Address,
}

impl Contracts {
    /// Compiles the project's contracts, in one run of the compiler.
    ///
    /// # Errors
    /// Missing sources, a refusal of the compiler.
    pub fn compile(compiler: &Compiler, root: &Path) -> Result<Self, Failure> {
        let all = [
            ("contracts/InferenceRouter.sol", label::ROUTER),
            ("contracts/attestation/InputAttestation.sol", label::ATTESTATIONS),
            ("contracts/consumers/LendingThreshold.sol", label::LENDING),
            ("contracts/mocks/MockERC20.sol", label::TOKEN),
        ];
        let compiled = compiler.compile_contracts(root, all)?;
        let input = Arc::new(compiled[0].input.clone());
        let [router, attestations, lending, token] = compiled.map(|compiled| {
            let contract = format!("{}:{}", compiled.file, compiled.name);
            let source = Source { input: Arc::clone(&input), contract, compiler: compiler.version(), arguments: Bytes::new() };
            Made { contract: compiled.into(), source }
        });
        Ok(Self { router, attestations, lending, token })
    }

    /// What to deploy, in order, and where it will be.
    pub fn items(&self, verifier: DeployItem, settings: &Settings) -> (Vec<DeployItem>, Addresses) {
        let Settings { owner, guardian, .. } = *settings;
        let governance = Governance { owner, guardian, delay: None };
        let governed = |item: DeployItem, delay| DeployItem { governance: Some(Governance { delay, ..governance }), ..item };
        let delay = settings.activation_delay;
        let router = governed(self.router.item(&(owner, guardian, delay)), Some(delay.into()));
        let attestations = governed(self.attestations.item(&(owner, guardian)), None);
        let token = settings.token.is_none().then(|| {
            let arguments = ("Demo Dollar".to_owned(), "DUSD".to_owned(), U256::from(6));
            self.token.item(&arguments)
        });
        let token_address = settings.token.or(token.as_ref().map(DeployItem::address)).unwrap_or_default();
        let arguments = (owner, guardian, token_address, router.address(), attestations.address());
        let lending = governed(self.lending.item(&arguments), None);
        let addresses = Addresses {
            verifier: verifier.address(),
            router: router.address(),
            attestations: attestations.address(),
            token: token_address,
            lending: lending.address(),
        };
        (vec![verifier, router, attestations].into_iter().chain(token).chain([lending]).collect(), addresses)
    }
}

/// The deployment of a model's verifier.
pub fn verifier_item(contract: &Contract, model_id: B256, srs: &str) -> DeployItem {
    generated(contract, label::verifier(&model_id), Some(model_id), srs)
}

/// The deployment of the code that a family's verifiers call.
pub fn family_item(family: &FamilyCode, srs: &str) -> DeployItem {
    generated(&family.contract, label::family(&family.id), None, srs)
}

/// The deployment of an aggregate's verifier.
pub fn aggregate_item(contract: &Contract, aggregate_id: B256, srs: &str) -> DeployItem {
    generated(contract, label::aggregate(&aggregate_id), Some(aggregate_id), srs)
}

fn generated(contract: &Contract, label: String, model_id: Option<B256>, srs: &str) -> DeployItem {
    let source = Source {
        input: Arc::new(contract.input.clone()),
        contract: format!("{0}.sol:{0}", contract.contract_name),
        compiler: contract.solc.clone(),
        arguments: Bytes::new(),
    };
    DeployItem {
        source: (!contract.input.is_null()).then_some(source),
        label,
        model_id,
        srs: Some(srs.to_owned()),
        ..DeployItem::new(&contract.contract_name, contract.bytecode.object.clone(), contract.runtime_size)
    }
}
