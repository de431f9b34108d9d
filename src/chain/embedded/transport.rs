//! alloy's transport over the embedded chain: a request packet in, a response packet out, no socket between.

use super::EmbeddedOptions;
use super::methods::dispatch;
use super::node::Node;
use alloy::rpc::json_rpc::{RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest};
use alloy::transports::{TransportError, TransportFut};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A transport whose every clone speaks to the same chain, which lives as long as one of them does.
#[derive(Clone)]
pub struct EmbeddedTransport {
    node: Arc<Mutex<Node>>,
}

impl EmbeddedTransport {
    /// Starts a chain of its own.
    pub fn new(options: EmbeddedOptions) -> Self {
        Self { node: Arc::new(Mutex::new(Node::new(options))) }
    }

    fn answer(&self, request: &SerializedRequest) -> Response {
        let mut node = self.node.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = dispatch(&mut node, request.method(), request.params().map(RawValue::get));
        let payload = match answer.map(|value| to_raw_value(&value)) {
            Ok(Ok(value)) => ResponsePayload::Success(value),
            Ok(Err(_)) => ResponsePayload::internal_error(),
            Err(fault) => ResponsePayload::Failure(fault.into_payload()),
        };
        Response { id: request.id().clone(), payload }
    }

    fn answer_packet(&self, packet: &RequestPacket) -> ResponsePacket {
        match packet {
            RequestPacket::Single(request) => ResponsePacket::Single(self.answer(request)),
            RequestPacket::Batch(requests) => {
                ResponsePacket::Batch(requests.iter().map(|request| self.answer(request)).collect())
            }
        }
    }
}

impl tower::Service<RequestPacket> for EmbeddedTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.answer_packet(&packet)) })
    }
}
