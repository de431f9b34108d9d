//! The table of `inspect --candidates`: every shape that the planner could have chosen, with what it predicts of each.

use super::{
    failure::Failure,
    output::{Console, table},
};
use crate::{
    chain::{
        embedded::Hardfork,
        gas::{Form, calldata_bound, measure},
    },
    circuit::{Memory, Plan, statement},
    proof::verify::ProofLayout,
    quant::Program,
    verifier::{Compiler, VerifierError, placeholder},
};
use serde::Serialize;

/// A plan with what it costs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate {
    #[serde(flatten)]
    plan: Plan,
    chosen: bool,
    /// Of a proof, predicted.
    cpu_seconds: f64,
    memory: Memory,
    proof_bytes: usize,
    /// Of one verification, at most.
    calldata_gas: u64,
    /// Of one verification, exact, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<Contract>,
}

/// What a verifier without keys told.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Contract {
    /// Absent where the code exceeds the chain's limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_gas: Option<u64>,
    code_bytes: usize,
}

impl Candidate {
    fn of(plan: &Plan, chosen: &Plan) -> Self {
        Self {
            plan: *plan,
            chosen: plan == chosen,
            cpu_seconds: plan.seconds(),
            memory: Memory::of(plan),
            proof_bytes: ProofLayout::of(&plan.shape).length(),
            calldata_gas: calldata_bound(&plan.shape),
            contract: None,
        }
    }

    fn row(&self) -> Vec<String> {
        let (plan, shape) = (&self.plan, &self.plan.shape);
        let gas = self.contract.map_or(String::new(), |c| c.execution_gas.map_or("too large".into(), |gas| gas.to_string()));
        let [limb_bits, lanes, weights] = [shape.limb_bits, shape.lanes, shape.weights].map(|width| width.to_string());
        vec![
            if self.chosen { "chosen" } else { "" }.to_owned(),
            shape.k.to_string(),
            plan.rows.to_string(),
            limb_bits,
            lanes,
            weights,
            plan.advice.to_string(),
            plan.fixed.to_string(),
            format!("{:.2}", self.cpu_seconds),
            self.memory.most().div_ceil(1_000_000).to_string(),
            self.calldata_gas.to_string(),
            gas,
        ]
    }
}

/// All candidates for the objective of `chosen`, best first. Of the chosen one and of the first `measured` the execution's gas is measured
/// too: a contract is rendered, compiled and run for each.
pub(super) fn all(
    program: &Program,
    plans: &[Plan],
    chosen: &Plan,
    measured: usize,
    compiler: Option<&Compiler>,
    console: &Console,
) -> Result<Vec<Candidate>, Failure> {
    let mut all: Vec<Candidate> = plans.iter().map(|plan| Candidate::of(plan, chosen)).collect();
    if let Some(compiler) = compiler {
        let wanted = |(at, candidate): &(usize, &mut Candidate)| *at < measured || candidate.chosen;
        let _progress = console.progress("compiling and running the candidates' verifiers");
        for (_, candidate) in all.iter_mut().enumerate().filter(wanted) {
            candidate.contract = Some(contract(program, &candidate.plan, compiler)?);
        }
    }
    Ok(all)
}

fn contract(program: &Program, plan: &Plan, compiler: &Compiler) -> Result<Contract, Failure> {
    match compiler.compile_verifier(&placeholder::render(program, &plan.shape)?) {
        Ok(compiled) => {
            let form = Form::of_shape(&plan.shape).with_weights(&statement::layout(program)?, placeholder::weights(program));
            let execution_gas = Some(measure(&compiled, &form, Hardfork::Osaka)?.execution);
            Ok(Contract { execution_gas, code_bytes: compiled.runtime_size })
        }
        Err(VerifierError::TooLarge { size, .. }) => Ok(Contract { execution_gas: None, code_bytes: size }),
        Err(error) => Err(error.into()),
    }
}

/// For people.
pub(super) fn show(all: &[Candidate]) -> String {
    let header =
        ["", "k", "rows", "limb bits", "lanes", "weights", "advice", "fixed", "CPU s", "MB", "calldata gas <=", "execution gas"];
    let mut table = table(header);
    for candidate in all {
        table.add_row(candidate.row());
    }
    table.to_string()
}
