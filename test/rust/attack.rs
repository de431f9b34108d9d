//! The attack suite: a cheating prover against every gate and against whole circuits (`docs/soundness.md`).

#[path = "attack/agreement.rs"]
mod agreement;
#[path = "attack/batches.rs"]
mod batches;
#[path = "attack/bench.rs"]
mod bench;
#[path = "attack/credit.rs"]
mod credit;
#[path = "attack/digits.rs"]
mod digits;
#[path = "attack/enumerate.rs"]
mod enumerate;
#[path = "attack/forgeries.rs"]
mod forgeries;
#[path = "attack/gates.rs"]
mod gates;
#[path = "attack/hidden.rs"]
mod hidden;
#[path = "attack/hostile.rs"]
mod hostile;
#[path = "attack/known_bugs.rs"]
mod known_bugs;
#[path = "attack/lab.rs"]
mod lab;
#[path = "attack/lattice.rs"]
mod lattice;
#[path = "attack/mutation.rs"]
mod mutation;
#[path = "attack/outputs.rs"]
mod outputs;
#[path = "attack/phases.rs"]
mod phases;
#[path = "attack/poseidon.rs"]
mod poseidon;
#[path = "attack/programs.rs"]
mod programs;
#[path = "attack/rank.rs"]
mod rank;
#[path = "attack/stack.rs"]
mod stack;
mod support;
#[path = "attack/system.rs"]
mod system;
