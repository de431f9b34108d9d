//! Events, read: name and arguments, for every event that the contracts of this project emit.

use super::bindings;
use super::revert::show;
use alloy::dyn_abi::EventExt;
use alloy::json_abi;
use alloy::primitives::{Address, B256, LogData};
use alloy::rpc::types::TransactionReceipt;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

static EVENTS: LazyLock<HashMap<B256, json_abi::Event>> =
    LazyLock::new(|| bindings::all_events().into_iter().map(|event| (event.selector(), event)).collect());

/// A decoded event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its name.
    pub event: String,
    /// Its arguments by name, as text.
    pub arguments: Map<String, Value>,
}

impl Event {
    /// Reads a log; nothing where no contract here declares such an event.
    pub fn decode(log: &LogData) -> Option<Self> {
        let declared = EVENTS.get(log.topics().first()?)?;
        let decoded = declared.decode_log(log).ok()?;
        let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
        let mut arguments = Map::new();
        for input in &declared.inputs {
            let value = if input.indexed { indexed.next() } else { body.next() }?;
            arguments.insert(input.name.clone(), show(&value).into());
        }
        Some(Self { event: declared.name.clone(), arguments })
    }
}

/// An event of a transaction, and the contract that emitted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Emitted {
    /// The contract.
    pub contract: Address,
    /// What it says.
    #[serde(flatten)]
    pub event: Event,
}

impl Emitted {
    /// All events of a transaction that contracts here declare, in their order.
    pub fn all(receipt: &TransactionReceipt) -> Vec<Self> {
        let read = |log: &alloy::rpc::types::Log| Some(Self { contract: log.address(), event: Event::decode(log.data())? });
        receipt.logs().iter().filter_map(read).collect()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> =
            self.arguments.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
        write!(f, "{}({})", self.event, arguments.join(", "))
    }
}
