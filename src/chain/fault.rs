//! From what a transport or node says to a [`ChainError`]: one place knows the texts of geth, anvil and their kin.

use super::error::ChainError;
use super::http::{MAX_ANSWER, TooLarge};
use super::revert::Revert;
use alloy::primitives::Bytes;
use alloy::rpc::json_rpc::ErrorPayload;
use alloy::transports::http::reqwest;
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use std::error::Error;

/// What a node's text means. The first line that matches decides, so the more specific ones come first.
const TEXTS: [(&str, Kind); 20] = [
    ("nonce too low", Kind::NonceTooLow),
    ("nonce is too low", Kind::NonceTooLow),
    ("already been used", Kind::NonceTooLow),
    ("nonce too high", Kind::NonceTooHigh),
    ("nonce is too high", Kind::NonceTooHigh),
    ("nonce gap", Kind::NonceTooHigh),
    ("underpriced", Kind::Underpriced),
    ("less than block base fee", Kind::Underpriced),
    ("fee cap less than", Kind::Underpriced),
    ("fee too low", Kind::Underpriced),
    ("gas price too low", Kind::Underpriced),
    ("insufficient funds", Kind::InsufficientFunds),
    ("insufficient balance", Kind::InsufficientFunds),
    ("gas required exceeds", Kind::GasLimit),
    ("exceeds block gas limit", Kind::GasLimit),
    ("intrinsic gas too", Kind::GasLimit),
    ("gas limit too high", Kind::GasLimit),
    ("exceeds transaction gas cap", Kind::GasLimit),
    ("floor data gas", Kind::GasLimit),
    ("out of gas", Kind::GasLimit),
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
        let text = payload.message.to_lowercase();
        text.contains("already known") || text.contains("already imported") || text.contains("known transaction")
    })
}

fn refused(endpoint: String, what: String, payload: &ErrorPayload) -> ChainError {
    let text = payload.message.to_lowercase();
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
fn shorten(text: &str) -> String {
    const MOST: usize = 300;
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}
