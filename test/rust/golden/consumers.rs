//! Golden proofs of the worked consumers, one file each: a model of examples/consumers, its verifier's code, and proofs bound to the
//! very calls that the forge tests make.

use super::{
    HOW,
    cases::{CASES, Case},
    credit_support::{
        golden::{field_elements, read, try_read, write},
        in_project,
        loan::{CHAIN_ID, deployer},
    },
};
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use halo2_proofs::{SerdeFormat, halo2curves::ff::PrimeField};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zkml_evm::{
    artifact::{Binding, Prover, Quantised, Recipe, Source},
    chain::attest::Context,
    circuit::{Item, Witness},
    proof::{Purpose, verify},
    quant::{
        ThresholdScale,
        input::{self, Row},
    },
    verifier::{Compiler, render},
};

/// `test/fixtures/consumers/NAME.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fixture {
    version: u32,
    #[serde(flatten)]
    identity: Identity,
    call: Call,
    /// In the order of the case's calls.
    proofs: Vec<Proof>,
    /// The compiler of `creation_code`.
    solc: String,
    /// Creation code of the verifier; its constructor takes no arguments.
    creation_code: Bytes,
}

/// What the keys must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    schema_id: B256,
    /// SHA-256 of the verifying key in halo2's `Processed` form.
    vk_sha256: B256,
    model_id: B256,
    /// keccak256 of the rendered verifier.
    source_keccak: B256,
}

/// Where the calls are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Call {
    chain_id: u64,
    /// Its first creation is the attestation registry, its second the consumer.
    deployer: Address,
    consumer: Address,
    subject: Address,
    policy_id: B256,
}

/// One proof, bound to one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Proof {
    nonce: u64,
    expiry: u64,
    public_inputs: Vec<B256>,
    proof: Bytes,
}

/// A consumer's model and proofs as this checkout makes them.
struct Made {
    case: &'static Case,
    prover: Prover,
    identity: Identity,
    call: Call,
    source: String,
}

impl Made {
    fn of(case: &'static Case) -> Self {
        let [model, data, schema] = ["model.onnx", "calibration.json", "schema.json"].map(|name| file_of(case, name));
        let origin = Source::read(&model, &data, Some(&schema)).expect("the example's files");
        let Case { input, output, objective, .. } = *case;
        let recipe = Recipe { input, output, objective, items: case.items(), ..Recipe::default() };
        let quantised = Quantised::new(&origin, &recipe, None).expect("a program");
        let prover = Prover::generate(&origin, &quantised, &recipe).expect("keys");
        let facts = &prover.facts;
        let source = render(&prover.program, &prover.keys, &prover.srs, facts.model_id, None).expect("a verifier");
        let vk = prover.keys.vk().to_bytes(SerdeFormat::Processed);
        let identity = Identity {
            schema_id: facts.schema_id,
            vk_sha256: B256::from_slice(&Sha256::digest(vk)),
            model_id: facts.model_id,
            source_keccak: keccak256(&source),
        };
        let consumer = deployer().create(1);
        let policy_id = (case.policy)(consumer, &prover);
        let call = Call { chain_id: CHAIN_ID, deployer: deployer(), consumer, subject: case.subject(), policy_id };
        Self { case, prover, identity, call, source }
    }

    /// The calls of the case: context and items of each.
    fn calls(&self) -> impl Iterator<Item = (Context, Vec<Item>)> {
        self.case.calls.iter().map(|call| {
            let context = Context {
                chain_id: self.call.chain_id,
                consumer: self.call.consumer,
                subject: self.call.subject,
                model_id: self.identity.model_id,
                policy_id: self.call.policy_id,
                nonce: U256::from(call.nonce),
                expiry: call.expiry,
            };
            let items = call.items.iter().map(|item| {
                let threshold = item.threshold.map(|text| {
                    let scale = ThresholdScale::of(&self.prover.program).expect("a threshold");
                    scale.from_value(text).expect("a threshold that some input reaches")
                });
                Item { values: self.row(item.input), salt: self.case.salt(), threshold }
            });
            (context, items.collect())
        })
    }

    /// An input of the case: the example's own, or one that is written out.
    fn row(&self, text: Option<&str>) -> Row {
        let own = || input::read(&file_of(self.case, "input.json")).expect("the example's input");
        input::one(&self.prover.schema, &text.map_or_else(own, str::to_owned)).expect("an input of the schema")
    }

    fn public_inputs(&self, context: &Context, items: &[Item]) -> Vec<B256> {
        let instance = Binding::Call(*context).instance().expect("a context");
        let witness = Witness::of(&self.prover.program, items, instance, None).expect("a witness");
        witness.statement.instances().iter().map(|v| U256::from_le_bytes(v.to_repr()).into()).collect()
    }

    fn verifies(&self, proof: &Proof) -> bool {
        verify(&self.prover.keys, &self.prover.srs, &field_elements(&proof.public_inputs), &proof.proof).is_ok()
    }

    /// Writes the file. A stored proof that still holds stays, so that an update changes no more than it must.
    fn update(&self) {
        let stored = try_read::<Fixture>(&path_of(self.case)).map(|f| f.proofs).unwrap_or_default();
        let proofs = self.calls().map(|(context, items)| {
            let expected = self.public_inputs(&context, &items);
            let kept = stored.iter().find(|proof| proof.public_inputs == expected && self.verifies(proof)).cloned();
            kept.unwrap_or_else(|| {
                let made =
                    self.prover.prove_items(Purpose::Chain, &items, Binding::Call(context), None, &|_| ()).expect("a proof");
                Proof { nonce: context.nonce.to(), expiry: context.expiry, public_inputs: made.public_inputs, proof: made.proof }
            })
        });
        let proofs = proofs.collect();
        let compiler = Compiler::find(None, &in_project("")).expect("solc: run `npm ci`");
        let code = compiler.compile_verifier(&self.source).expect("a contract").creation;
        let (identity, call) = (self.identity.clone(), self.call.clone());
        let (solc, creation_code) = (compiler.version(), code.into());
        write(&path_of(self.case), &Fixture { version: 1, identity, call, proofs, solc, creation_code });
    }
}

fn file_of(case: &Case, name: &str) -> std::path::PathBuf {
    in_project(case.folder).join(name)
}

fn path_of(case: &Case) -> String {
    format!("test/fixtures/consumers/{}.json", case.name)
}

#[test]
fn fixtures_of_the_worked_consumers_are_the_golden_ones() {
    for case in &CASES {
        let made = Made::of(case);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            made.update();
        }
        let path = path_of(case);
        let golden: Fixture = read(&path);
        assert_eq!((&golden.identity, &golden.call), (&made.identity, &made.call), "{path} is of another circuit. {HOW}");
        assert_eq!(golden.proofs.len(), case.calls.len(), "{path}. {HOW}");
        for (proof, (context, items)) in golden.proofs.iter().zip(made.calls()) {
            assert_eq!((proof.nonce, proof.expiry), (context.nonce.to(), context.expiry), "{path}. {HOW}");
            assert_eq!(proof.public_inputs, made.public_inputs(&context, &items), "{path} is of another statement. {HOW}");
            assert!(made.verifies(proof), "a proof in {path} no longer verifies. {HOW}");
        }
    }
}
