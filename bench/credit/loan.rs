//! Gas of the settling transaction: the whole road on the embedded chain, up to one loan with a real proof.

use crate::{
    credit_support::in_project,
    stage::{self, Compiled, Contract},
};
use alloy::{
    primitives::{Address, B256, U256},
    sol_types::SolValue,
};
use halo2_proofs::halo2curves::bn256::Fr;
use std::{error::Error, path::Path};
use zkml_evm::{
    chain::{
        Account, AccountSource, Chain, ChainTarget, CompiledContract, Password, Patience, Registry,
        attest::SignedAttestation,
        bindings::{
            IInferenceRouter::{InputMode, OutputMode, Registration, Statement},
            IInputAttestation::Attestation,
        },
        deploy::{self, DeployItem},
        settle::{self, LoanRequest, PolicyTerms, Tier},
    },
    circuit::Witness,
    proof::{Keys, Srs, model_id::model_id, prove},
    verifier::Compiler,
};

const AMOUNT: U256 = U256::from_limbs([1_000_000_000, 0, 0, 0]);
const EPOCH: u64 = 90 * 86_400;

/// Where the contracts are.
struct Deployed {
    verifier: Address,
    codehash: B256,
    router: Address,
    attestations: Address,
    token: Address,
    lending: Address,
}

/// The accounts: owner of everything, attestor, borrower.
struct People {
    owner: Account,
    attestor: Account,
    borrower: Account,
}

/// Opens one loan, the pool's first, and returns the transaction's gas.
pub async fn gas(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let chain = ChainTarget::embedded().connect(None, Patience::default()).await?;
    let account = |index| AccountSource::Development(index).unlock(&Password::Ask, chain.is_local());
    let people = People { owner: account(0)?, attestor: account(1)?, borrower: account(2)? };
    let at = deploy_all(&chain, &people.owner, stage::load(folder, "contract")?).await?;
    let request = request(&chain, &people, &at, folder).await?;
    Ok(settle::open_loan(&chain, &people.borrower, &request).await?.mined.gas_used)
}

async fn deploy_all(chain: &Chain, owner: &Account, verifier: Contract) -> Result<Deployed, Box<dyn Error>> {
    let compiler = Compiler::find(None, &in_project(""))?;
    let wanted = [
        ("contracts/InferenceRouter.sol", "InferenceRouter"),
        ("contracts/attestation/InputAttestation.sol", "InputAttestation"),
        ("contracts/mocks/MockERC20.sol", "MockERC20"),
        ("contracts/consumers/LendingThreshold.sol", "LendingThreshold"),
    ];
    let compiled = compiler.compile_contracts(&in_project(""), wanted)?.map(CompiledContract::from);
    let [router, attestations, token, lending] = &compiled;
    let admin = owner.address();
    let mut items = vec![
        DeployItem::new("InferenceVerifier", verifier.creation.into(), verifier.runtime_size),
        item(router, &(admin, admin, 0_u32)),
        item(attestations, &(admin,)),
        item(token, &("Dollar".to_owned(), "USD".to_owned(), U256::from(6))),
    ];
    let [router, attestations, token] = [&items[1], &items[2], &items[3]].map(DeployItem::address);
    items.push(item(lending, &(admin, token, router, attestations)));
    let done = deploy::execute(chain, owner, &items, &mut Registry::in_memory(chain.id()), false, |_, _| {}).await?;
    let codehash = done[0].codehash.ok_or("the verifier has no code")?;
    Ok(Deployed { verifier: done[0].address, codehash, router, attestations, token, lending: done[4].address })
}

fn item<T: SolValue>(contract: &CompiledContract, arguments: &T) -> DeployItem
where
    for<'a> <T::SolType as alloy::sol_types::SolType>::Token<'a>: alloy::sol_types::abi::TokenSeq<'a>,
{
    DeployItem::new(&contract.name, contract.with_args(arguments), contract.runtime_size)
}

/// Registers, funds, attests and proves.
async fn request(chain: &Chain, people: &People, at: &Deployed, folder: &Path) -> Result<LoanRequest, Box<dyn Error>> {
    let compiled: Compiled = stage::load(folder, "program")?;
    let srs = Srs::load(&folder.join("srs"))?;
    let keys = Keys::load(compiled.shape, &folder.join("keys"))?;
    let model = model_id(&compiled.program, &keys, &srs)?;
    let schema = B256::from(compiled.program.schema_id);
    let (owner, borrower) = (&people.owner, people.borrower.address());
    let registration = Registration {
        familyId: model,
        verifier: at.verifier,
        codehash: at.codehash,
        statement: Statement { input: InputMode::Committed, output: OutputMode::Threshold, outputs: 1 },
    };
    settle::register_model(chain, owner, at.router, model, &registration).await?;
    settle::set_attestor(chain, owner, at.attestations, people.attestor.address(), schema, true).await?;
    settle::mint(chain, owner, at.token, owner.address(), AMOUNT * U256::from(2)).await?;
    settle::fund(chain, owner, at.lending, AMOUNT * U256::from(2)).await?;
    let threshold = compiled.threshold.ok_or("the statement has no threshold")?;
    let tier = Tier { threshold, limit: AMOUNT, rate: 800 };
    let terms = PolicyTerms::of_one_tier(model, schema, EPOCH, tier);
    let (policy_id, _) = settle::add_policy(chain, owner, at.lending, &terms).await?;

    let now = chain.timestamp().await?;
    let expiry = now + 3_600;
    let context = settle::next_context(chain, at.lending, borrower, policy_id, model, expiry).await?;
    let bound = stage::field(context.instance().to_be_bytes()).ok_or("the context is not below r")?;
    let witness = Witness::new(&compiled.program, &compiled.input, bound, Some(Fr::from(99)), Some(threshold))?;
    let proof = prove(&compiled.program, &keys, &srs, &witness)?;
    let commitment = witness.statement.input_commitment.ok_or("the input is not committed to")?;
    let attestation = Attestation {
        subject: borrower,
        inputCommitment: stage::big_endian(&commitment).into(),
        schemaId: schema,
        issuedAt: now,
        expiresAt: now + 86_400,
    };
    let attestation = SignedAttestation::sign(&people.attestor, chain.id(), at.attestations, &attestation)?;
    let (lending, proof) = (at.lending, proof.into());
    Ok(LoanRequest { lending, policy_id, tier: 0, amount: AMOUNT, attestation, nonce: context.nonce, expiry, proof })
}
