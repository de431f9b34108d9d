//! Revert data, read: the custom error's name and arguments, for every error that the contracts of this project declare.

use super::bindings;
use super::fault::shorten;
use alloy::dyn_abi::{DynSolValue, ErrorExt};
use alloy::json_abi;
use alloy::primitives::{Bytes, Selector, U256, hex};
use alloy::sol_types::{Panic, PanicKind, Revert as RevertString, SolError};
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// How deep revert data inside revert data is followed.
const MAX_DEPTH: usize = 4;

static ERRORS: LazyLock<HashMap<Selector, json_abi::Error>> =
    LazyLock::new(|| bindings::all_errors().into_iter().map(|error| (error.selector(), error)).collect());

/// A decoded revert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// The error's name; `Error` for a revert string, `Panic` for a failed check of the compiler, `Unknown` for an
    /// error that no contract here declares, `Empty` where the contract gave no reason.
    pub name: String,
    /// Name and value of each argument, in order.
    pub args: Vec<(String, String)>,
    /// What the error wraps, where one of its arguments is itself revert data.
    pub inner: Option<Box<Revert>>,
    /// The bytes as they came.
    pub data: Bytes,
}

impl Revert {
    /// Reads revert data of any origin; bytes that fit no known error keep their selector in `args`.
    pub fn decode(data: &Bytes) -> Self {
        Self::decode_at(data, 0)
    }

    fn decode_at(data: &Bytes, depth: usize) -> Self {
        let Some(selector) = data.get(..4).map(Selector::from_slice) else {
            let (name, args) = match data.is_empty() {
                true => ("Empty", Vec::new()),
                false => ("Unknown", vec![("data".to_owned(), hex::encode_prefixed(data))]),
            };
            return Self { name: name.to_owned(), args, inner: None, data: data.clone() };
        };
        Self::standard(selector, data).or_else(|| Self::declared(selector, data, depth)).unwrap_or_else(|| Self {
            name: "Unknown".to_owned(),
            args: vec![("selector".to_owned(), selector.to_string())],
            inner: None,
            data: data.clone(),
        })
    }

    fn standard(selector: Selector, data: &Bytes) -> Option<Self> {
        let (name, arg) = if selector == RevertString::SELECTOR {
            ("Error", ("message".to_owned(), shorten(&RevertString::abi_decode(data).ok()?.reason)))
        } else if selector == Panic::SELECTOR {
            let code = Panic::abi_decode(data).ok()?.code;
            ("Panic", ("code".to_owned(), panic_text(code)))
        } else {
            return None;
        };
        Some(Self { name: name.to_owned(), args: vec![arg], inner: None, data: data.clone() })
    }

    fn declared(selector: Selector, data: &Bytes, depth: usize) -> Option<Self> {
        let error = ERRORS.get(&selector)?;
        let values = error.decode_error(data).ok()?.body;
        let inner = values.iter().filter(|_| depth < MAX_DEPTH).find_map(|value| match value {
            DynSolValue::Bytes(bytes) if bytes.len() % 32 == 4 => {
                Some(Box::new(Self::decode_at(&Bytes::copy_from_slice(bytes), depth + 1)))
            }
            _ => None,
        });
        let args = error.inputs.iter().zip(&values).map(|(input, value)| (input.name.clone(), show(value))).collect();
        Some(Self { name: error.name.clone(), args, inner, data: data.clone() })
    }

    /// The innermost error: the reason behind wrappers.
    pub fn root(&self) -> &Self {
        self.inner.as_deref().map_or(self, Self::root)
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self
            .args
            .iter()
            .map(|(name, value)| match name.is_empty() {
                true => value.clone(),
                false => format!("{name}={value}"),
            })
            .collect();
        write!(f, "{}({})", self.name, args.join(", "))?;
        self.inner.as_ref().map_or(Ok(()), |inner| write!(f, " because of {inner}"))
    }
}

fn panic_text(code: U256) -> String {
    match u32::try_from(code).ok().and_then(PanicKind::from_number) {
        Some(kind) => format!("{code:#04x} ({})", kind.as_str()),
        None => format!("{code:#04x}"),
    }
}

/// A value in words.
pub(super) fn show(value: &DynSolValue) -> String {
    let list = |values: &[DynSolValue]| values.iter().map(show).collect::<Vec<_>>().join(", ");
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(word, size) => hex::encode_prefixed(word.get(..*size).unwrap_or_default()),
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::Function(function) => function.to_string(),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::String(text) => format!("{text:?}"),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => format!("[{}]", list(values)),
        DynSolValue::Tuple(values) => format!("({})", list(values)),
        #[allow(unreachable_patterns)]
        other => format!("{other:?}"),
    }
}
