//! A signer that is another program: geth (alone, or in front of clef and what clef holds), or whatever else answers
//! `eth_signTransaction` on a Unix socket. The key never comes here.
//!
//! What comes back is not trusted: see [`require_signed`].

use super::error::ChainError;
use super::signer::require_signed;
use alloy::consensus::{SignableTransaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::network::NetworkTransactionBuilder;
use alloy::primitives::{Address, Bytes};
use alloy::rpc::types::{TransactionInput, TransactionRequest};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

/// For a person to read the request and to agree.
const PATIENCE: Duration = Duration::from_secs(180);
/// A signed transaction is at most 128 kB, twice that in hex; geth sends its fields besides.
const MAX_ANSWER: usize = 1 << 20;

/// An account whose key another program holds.
#[derive(Clone, Debug)]
pub(super) struct RemoteSigner {
    pub socket: PathBuf,
    pub address: Address,
}

impl RemoteSigner {
    /// Asks for a signature.
    ///
    /// # Errors
    /// [`ChainError::RemoteSigner`]: no such socket, no answer, a refusal, another transaction, another account's signature.
    pub async fn sign(&self, what: &str, request: TransactionRequest) -> Result<TxEnvelope, ChainError> {
        let failed = |reason: String| ChainError::RemoteSigner { what: what.to_owned(), socket: self.socket.clone(), reason };
        let unsigned = request.clone().build_unsigned().map_err(|e| failed(e.to_string()))?;
        let data = request.input.input().cloned().unwrap_or_default();
        // Some programs read `input`, some `data`.
        let wire = TransactionRequest { from: Some(self.address), input: TransactionInput::both(data), ..request };
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_signTransaction", "params": [wire] });
        let socket = self.socket.clone();
        let answer = tokio::task::spawn_blocking(move || ask(&socket, &question, PATIENCE)).await;
        let answer = answer.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))?;
        let raw = raw_transaction(&answer).map_err(failed)?;
        let envelope = TxEnvelope::decode_2718_exact(&raw).map_err(|e| failed(format!("its answer is no transaction: {e}")))?;
        require_signed(envelope, unsigned.signature_hash(), self.address).map_err(failed)
    }
}

/// The transaction's bytes: the result itself, or its `raw` as geth answers.
fn raw_transaction(answer: &Value) -> Result<Bytes, String> {
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("without a reason");
        let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        return Err(format!("it refused: {line}"));
    }
    let result = answer.get("result").unwrap_or(&Value::Null);
    let text = result.as_str().or_else(|| result.get("raw").and_then(Value::as_str));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| "its answer holds no signed transaction".to_owned())
}

/// An answer that is whole by this time: one that comes byte by byte holds nobody up.
#[cfg(unix)]
struct Timely {
    stream: std::os::unix::net::UnixStream,
    until: Instant,
}

#[cfg(unix)]
impl std::io::Read for Timely {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

/// One question, one answer; a JSON document ends where its outermost brace does, so nothing has to close the connection.
#[cfg(unix)]
fn ask(socket: &Path, question: &Value, patience: Duration) -> std::io::Result<Value> {
    use std::io::{BufReader, Error, ErrorKind, Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(format!("{question}\n").as_bytes())?;
    let mut bounded = BufReader::new(Timely { stream, until: Instant::now() + patience }).take(MAX_ANSWER as u64);
    let mut documents = serde_json::Deserializer::from_reader(&mut bounded).into_iter::<Value>();
    match documents.next() {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) if error.is_io() => Err(error.into()),
        Some(Err(error)) => Err(Error::new(ErrorKind::InvalidData, format!("its answer is not JSON: {error}"))),
        None => Err(Error::new(ErrorKind::UnexpectedEof, "it closed the connection without an answer")),
    }
}

#[cfg(not(unix))]
fn ask(_: &Path, _: &Value, _: Duration) -> std::io::Result<Value> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "this system has no Unix sockets"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::ask;
    use serde_json::json;
    use std::io::Write;
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, Instant};

    /// A signer that says nothing, and one that never comes to an end.
    #[test]
    fn a_signer_has_its_time() {
        for trickles in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let socket = folder.path().join("socket");
            let listener = UnixListener::bind(&socket).unwrap();
            std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let start = Instant::now();
                while start.elapsed() < Duration::from_secs(5) && (!trickles || stream.write_all(b" ").is_ok()) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let start = Instant::now();
            let error = ask(&socket, &json!({}), Duration::from_millis(300)).unwrap_err();
            assert!(start.elapsed() < Duration::from_secs(3), "{error}");
        }
    }
}
