//! A circuit with a real proof, and its contract on the embedded chain.

use crate::support::{Output, input, mlp};
use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::Provider,
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use std::path::Path;
use zkml_evm::{
    chain::{
        AccountSource, Chain, ChainError, ChainTarget, Password, Patience, Registry,
        bindings::IProofVerifier,
        deploy::{self, DeployItem},
    },
    circuit::{Objective, Witness, plan},
    gates::Shape,
    op::InputMode,
    proof::{Keys, Srs, model_id::model_id_with, prove},
    quant::{Program, run},
    verifier::{
        Compiler, render,
        solc::{Compiled, Settings},
        split,
        split::Place,
    },
};

/// A program with its keys and one proof.
pub struct Stand {
    pub program: Program,
    pub keys: Keys,
    pub srs: Srs,
    pub instances: Vec<Fr>,
    pub proof: Vec<u8>,
}

impl Stand {
    /// A network of these widths, seeded, with a proof for one input.
    pub fn new(widths: &[usize], mode: InputMode, output: Output, objective: Objective) -> Self {
        let program = mlp(widths, mode, output, 1);
        let shape = plan(&program, objective).unwrap().shape;
        let values = input(&program, 2);
        let score = run(&program, &values).unwrap().output()[0];
        let salt = (mode == InputMode::Committed).then(|| Fr::from(99));
        let threshold = (output == Output::Threshold).then_some(score - 3);
        let witness = Witness::new(&program, &values, Fr::from(42), salt, threshold).unwrap();
        Self::of(program, shape, &witness)
    }

    /// A program in this shape, with a proof of this witness.
    pub fn of(program: Program, shape: Shape, witness: &Witness) -> Self {
        let srs = Srs::development(shape.k);
        let keys = Keys::generate(&program, shape, &srs).unwrap();
        let instances = witness.statement.instances();
        let proof = prove(&program, &keys, &srs, witness).unwrap();
        Self { program, keys, srs, instances, proof }
    }

    /// The example's sizes: 12 committed features, a threshold.
    pub fn credit_sized() -> Self {
        Self::new(&[12, 32, 16, 1], InputMode::Committed, Output::Threshold, Objective::Balanced)
    }

    /// The same statement for the least gas: columns are stacked.
    pub fn stacked() -> Self {
        let stand = Self::new(&[5, 4, 1], InputMode::Committed, Output::Threshold, Objective::Gas);
        assert!(stand.keys.shape.is_stacked());
        stand
    }

    /// The contract's source.
    pub fn source(&self) -> String {
        let commitment = self.commitment();
        let id = model_id_with(&self.program, &self.keys, &self.srs, commitment).unwrap();
        render(&self.program, &self.keys, &self.srs, id, commitment).unwrap()
    }

    /// The commitment to private weights, which stands before the one public value of these programs.
    pub fn commitment(&self) -> Option<B256> {
        self.program.weights().map(|_| self.words()[self.instances.len() - 2].into())
    }

    /// The verifier in two contracts, and their sources.
    pub fn split(&self, compiler: &Compiler, settings: Settings) -> Split {
        let split::Family { id, source } = split::family(&self.program, &self.keys, &self.srs).unwrap();
        let family = compiler.compile_family_with(&source, settings).unwrap();
        let place = Place { id, address: item(&family).address(), codehash: keccak256(&family.runtime) };
        let model_source = self.split_source(&place);
        let model = compiler.compile_verifier_with(&model_source, settings).unwrap();
        Split { place, sources: [source, model_source], family, model }
    }

    /// The source of the model's contract, where its family's code is at `place`.
    pub fn split_source(&self, place: &Place) -> String {
        let commitment = self.commitment();
        let id = model_id_with(&self.program, &self.keys, &self.srs, commitment).unwrap();
        split::render(&self.program, &self.keys, &self.srs, id, commitment, place).unwrap()
    }

    /// The public inputs as the contract takes them.
    pub fn words(&self) -> Vec<U256> {
        self.instances.iter().map(|v| U256::from_le_bytes(v.to_repr())).collect()
    }
}

/// A verifier in two contracts.
pub struct Split {
    pub place: Place,
    /// Of the family's code, then of the model's contract.
    pub sources: [String; 2],
    pub family: Compiled,
    pub model: Compiled,
}

/// The project's compiler.
pub fn compiler() -> Compiler {
    Compiler::find(None, Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn item(compiled: &Compiled) -> DeployItem {
    DeployItem::new(&compiled.name, compiled.creation.clone().into(), compiled.runtime_size)
}

async fn put(chain: &Chain, compiled: &Compiled) -> Result<Address, ChainError> {
    let account = AccountSource::Development(0).unlock(&Password::Ask, chain.is_local()).unwrap();
    let item = item(compiled);
    let mut registry = Registry::in_memory(chain.id());
    deploy::execute(chain, &account, std::slice::from_ref(&item), &mut registry, false, |_, _| {}).await?;
    Ok(item.address())
}

/// A contract on an embedded chain.
pub struct Deployed {
    chain: Chain,
    at: Address,
}

impl Deployed {
    /// Puts `compiled` on a chain of its own.
    pub async fn new(compiled: &Compiled) -> Self {
        let chain = ChainTarget::embedded().connect(None, Patience::default()).await.unwrap();
        let at = put(&chain, compiled).await.unwrap();
        Self { chain, at }
    }

    /// Puts both contracts on a chain of their own; the model's is the one that verifies.
    pub async fn split(split: &Split) -> Self {
        let mut deployed = Self::new(&split.family).await;
        deployed.add(&split.model).await.unwrap();
        deployed
    }

    /// Puts another contract on the same chain, and goes on with that.
    pub async fn add(&mut self, compiled: &Compiled) -> Result<(), ChainError> {
        self.at = put(&self.chain, compiled).await?;
        Ok(())
    }

    /// Where the contract is.
    pub fn address(&self) -> Address {
        self.at
    }

    /// Another contract of the same chain.
    pub fn at(self, at: Address) -> Self {
        Self { at, ..self }
    }

    /// What a view answers, or what it reverts with.
    pub async fn call(&self, data: Bytes) -> Result<Bytes, Bytes> {
        let request = TransactionRequest::default().to(self.at).input(data.into());
        self.chain.provider().call(request).await.map_err(|error| {
            error.as_error_resp().and_then(|e| e.as_revert_data()).unwrap_or_else(|| panic!("no answer: {error}"))
        })
    }

    /// What a view answers.
    pub async fn read(&self, data: Bytes) -> Bytes {
        self.chain.provider().call(TransactionRequest::default().to(self.at).input(data.into())).await.unwrap()
    }

    /// The gas of a whole transaction that verifies, or what the contract reverted with. A call that ends otherwise (out of gas, no
    /// answer) is no refusal.
    pub async fn verify(&self, instances: &[U256], proof: &[u8]) -> Result<u64, Bytes> {
        let data =
            IProofVerifier::verifyProofCall { publicInputs: instances.to_vec(), proof: proof.to_vec().into() }.abi_encode();
        let request = TransactionRequest::default().to(self.at).input(data.into());
        match self.chain.provider().call(request.clone()).await {
            Ok(returned) => {
                assert!(returned.is_empty());
                Ok(self.chain.provider().estimate_gas(request).await.unwrap())
            }
            Err(error) => {
                let reason = error.as_error_resp().and_then(|e| e.as_revert_data());
                Err(reason.filter(|data| data.len() >= 4).unwrap_or_else(|| panic!("not a refusal: {error}")))
            }
        }
    }
}
