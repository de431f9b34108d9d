//! From what a transport or node says to a [`ChainError`]: one place knows the texts of geth, anvil and their kin.

use super::error::ChainError;
use super::http::{MAX_ANSWER, TooLarge};
use super::revert::Revert;
use alloy::primitives::Bytes;
use alloy::rpc::json_rpc::ErrorPayload;
use alloy::transports::http::reqwest;
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use std::error::Error;

/// What a node's text means, letters and digits alone: some write `nonce too low`, others `NonceTooLow`. The first line that matches
/// decides, so the more specific ones come first.
const TEXTS: [(&str, Kind); 23] = [
    ("noncetoolow", Kind::NonceTooLow),
    ("nonceistoolow", Kind::NonceTooLow),
    ("alreadybeenused", Kind::NonceTooLow),
    ("oldnonce", Kind::NonceTooLow),
    ("noncetoohigh", Kind::NonceTooHigh),
    ("nonceistoohigh", Kind::NonceTooHigh),
    ("noncegap", Kind::NonceTooHigh),
    ("underpriced", Kind::Underpriced),
    ("lessthanblockbasefee", Kind::Underpriced),
    ("feecaplessthan", Kind::Underpriced),
    ("feetoolow", Kind::Underpriced),
    ("gaspricetoolow", Kind::Underpriced),
    ("replacementnotallowed", Kind::Underpriced),
    ("insufficientfunds", Kind::InsufficientFunds),
    ("insufficientbalance", Kind::InsufficientFunds),
    ("gasrequiredexceeds", Kind::GasLimit),
    ("exceedsblockgaslimit", Kind::GasLimit),
    ("gaslimitexceeded", Kind::GasLimit),
    ("intrinsicgastoo", Kind::GasLimit),
    ("gaslimittoohigh", Kind::GasLimit),
    ("exceedstransactiongascap", Kind::GasLimit),
    ("floordatagas", Kind::GasLimit),
    ("outofgas", Kind::GasLimit),
];

#[derive(Clone, Copy)]
enum Kind {
    NonceTooLow,
    NonceTooHigh,
    Underpriced,
    InsufficientFunds,
    GasLimit,
}

/// Turns a failed request into the error that says what it means; `what` is the step, `endpoint` its printable name.
pub(super) fn explain(endpoint: &str, what: &str, timeout_s: u64, error: TransportError) -> ChainError {
    let (endpoint, what) = (endpoint.to_owned(), what.to_owned());
    match error {
        RpcError::ErrorResp(payload) => refused(endpoint, what, &payload),
        RpcError::NullResp => ChainError::MalformedAnswer { endpoint, what, reason: "null".to_owned() },
        RpcError::DeserError { err, text } => {
            let reason = format!("{err} in `{}`", shorten(&text));
            ChainError::MalformedAnswer { endpoint, what, reason }
        }
        RpcError::UnsupportedFeature(feature) => {
            ChainError::MalformedAnswer { endpoint, what, reason: format!("the node does not support {feature}") }
        }
        RpcError::LocalUsageError(error) => ChainError::Signing { what, reason: error.to_string() },
        RpcError::SerError(error) => ChainError::Signing { what, reason: error.to_string() },
        RpcError::Transport(kind) => transport(endpoint, what, timeout_s, kind),
    }
}

/// Whether a node refuses a transaction only because it has it already.
pub(super) fn is_already_known(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|payload| {
        let text = letters(&payload.message);
        text.contains("alreadyknown") || text.contains("alreadyimported") || text.starts_with("knowntransaction")
    })
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn refused(endpoint: String, what: String, payload: &ErrorPayload) -> ChainError {
    let text = letters(&payload.message);
    if payload.code == 3 || text.contains("revert") {
        let data = payload.as_revert_data().or_else(|| payload.try_data_as::<Bytes>().and_then(Result::ok)).unwrap_or_default();
        return ChainError::Reverted { what, revert: Box::new(Revert::decode(&data)), tx: None };
    }
    let message = shorten(&payload.message);
    match TEXTS.iter().find(|(part, _)| text.contains(part)).map(|(_, kind)| kind) {
        Some(Kind::NonceTooLow) => ChainError::NonceTooLow { what, message },
        Some(Kind::NonceTooHigh) => ChainError::NonceTooHigh { what, message },
        Some(Kind::Underpriced) => ChainError::Underpriced { what, message },
        Some(Kind::InsufficientFunds) => ChainError::InsufficientFunds { what, message },
        Some(Kind::GasLimit) => ChainError::GasLimit { what, message },
        None => ChainError::Rpc { endpoint, what, code: payload.code, message },
    }
}

fn transport(endpoint: String, what: String, seconds: u64, kind: TransportErrorKind) -> ChainError {
    match kind {
        TransportErrorKind::HttpError(error) | TransportErrorKind::HttpErrorWithRetryAfter { error, .. } => {
            ChainError::Http { endpoint, what, status: error.status }
        }
        TransportErrorKind::Custom(error) | TransportErrorKind::NonRetryable(error) => {
            match error.downcast_ref::<reqwest::Error>() {
                Some(error) if error.is_timeout() => ChainError::Timeout { endpoint, what, seconds },
                Some(error) => ChainError::Unreachable { endpoint, reason: root_cause(error) },
                None if error.is::<TooLarge>() => ChainError::AnswerTooLarge { endpoint, what, limit: MAX_ANSWER },
                None => ChainError::Unreachable { endpoint, reason: shorten(&error.to_string()) },
            }
        }
        other => ChainError::Unreachable { endpoint, reason: shorten(&other.to_string()) },
    }
}

/// The innermost source's text. The outer ones repeat the URL, which may hold an API key.
fn root_cause(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = "the request failed".to_owned();
    while let Some(error) = source {
        text = error.to_string();
        source = error.source();
    }
    shorten(&text)
}

/// A peer's text, cut to a line of bounded length and without control characters.
pub(super) fn shorten(text: &str) -> String {
    const MOST: usize = 300;
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}
