//! alloy's transport over HTTP. Unlike alloy's own it reads no answer beyond a limit: a node is a stranger, and memory is ours.

use super::error::ChainError;
use super::provider::Patience;
use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::transports::http::reqwest;
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use std::net::IpAddr;
use std::task::{Context, Poll};

/// Bytes of an answer that are read. The largest honest ones, a block's transaction hashes or a contract's code, stay below 1 MB.
pub const MAX_ANSWER: usize = 16 << 20;

/// The answer goes on beyond [`MAX_ANSWER`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer is larger than {MAX_ANSWER} bytes")]
pub(super) struct TooLarge;

#[derive(Clone, Debug)]
struct BoundedHttp {
    client: reqwest::Client,
    url: reqwest::Url,
}

impl BoundedHttp {
    async fn ask(self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let mut response = self.client.post(self.url).json(&packet).send().await.map_err(TransportErrorKind::custom)?;
        let status = response.status();
        if response.content_length().is_some_and(|stated| stated > MAX_ANSWER as u64) {
            return Err(TransportErrorKind::custom(TooLarge));
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(part)) if body.len() + part.len() > MAX_ANSWER => return Err(TransportErrorKind::custom(TooLarge)),
                Ok(Some(part)) => body.extend_from_slice(&part),
                Ok(None) => break,
                Err(_) if !status.is_success() => break,
                Err(error) => return Err(TransportErrorKind::custom(error)),
            }
        }
        let text = || String::from_utf8_lossy(&body);
        match serde_json::from_slice::<ResponsePacket>(&body) {
            Ok(answer) if status.is_success() || answer.is_error() => Ok(answer),
            _ if !status.is_success() => Err(TransportErrorKind::http_error(status.as_u16(), text().into_owned())),
            Ok(answer) => Ok(answer),
            Err(error) => Err(TransportError::deser_err(error, text())),
        }
    }
}

impl tower::Service<RequestPacket> for BoundedHttp {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        Box::pin(self.clone().ask(packet))
    }
}

/// A client that gives up in time, the endpoint's printable name, and whether it is on this machine.
///
/// # Errors
/// [`ChainError::BadUrl`].
pub(super) fn client(text: &str, patience: Patience) -> Result<(RpcClient, String, bool), ChainError> {
    // The rest of the address may hold a password or an API key.
    let bad = |reason: String| ChainError::BadUrl { url: format!("{}…", text.chars().take(8).collect::<String>()), reason };
    let url: reqwest::Url = text.parse().map_err(|e| bad(format!("{e}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(format!("the scheme is {}, expected http or https", url.scheme())));
    }
    let host = url.host_str().unwrap_or_default();
    let loopback = host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let endpoint = format!("{}://{host}{port}", url.scheme());
    let mut builder = reqwest::Client::builder().connect_timeout(patience.connect).timeout(patience.request);
    if loopback {
        // A proxy for the outside world does not reach this machine.
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(|e| bad(format!("{e}")))?;
    Ok((RpcClient::new(BoundedHttp { client, url }, loopback), endpoint, loopback))
}
