//! Nodes that lie, break off, or say nothing: each gives a typed error in bounded time, and none a panic.

use alloy::primitives::Bytes;
use proptest::prelude::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use zkml_evm::chain::{Chain, ChainError, ChainTarget, Patience, Revert};
use zkml_evm::error::{ExitCode, Explain};

/// Serves connections with `answer` until the process ends; the request's text comes in, raw bytes go out.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> ChainTarget {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-key", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let request = read_request(&mut stream);
            // A client that hung up is the client's own choice.
            let _ = stream.write_all(&answer(&request));
        }
    });
    ChainTarget::Rpc { url }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut part = [0u8; 4096];
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    while let Ok(n @ 1..) = stream.read(&mut part) {
        text.extend_from_slice(&part[..n]);
        if text.ends_with(b"}") {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn http(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn id(request: &str) -> String {
    let at = request.find("\"id\":").map_or(request.len(), |at| at + 5);
    request[at..].chars().take_while(char::is_ascii_digit).collect()
}

fn result(request: &str, result: &str) -> Vec<u8> {
    http("200 OK", &format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{result}}}", id(request)))
}

fn quick() -> Patience {
    Patience { connect: Duration::from_millis(500), request: Duration::from_millis(800), confirm: Duration::from_millis(500) }
}

async fn connect_error(target: ChainTarget) -> ChainError {
    let start = Instant::now();
    let error = target.connect(None, quick()).await.err().expect("such a node is refused");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(!error.to_string().contains("secret-key"), "an endpoint's path may be an API key: {error}");
    assert!(!error.hint().is_empty() && error.code().starts_with("chain/"));
    error
}

#[tokio::test]
async fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = connect_error(ChainTarget::Rpc { url: format!("http://{free}/secret-key") }).await;
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
    assert!(error.retryable());
    assert_eq!(error.exit_code(), ExitCode::Chain);
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let error = connect_error(ChainTarget::Rpc { url: "http://node.invalid/secret-key".into() }).await;
    assert!(matches!(error, ChainError::Unreachable { .. } | ChainError::Timeout { .. } | ChainError::Http { .. }), "{error}");
}

#[tokio::test]
async fn addresses_that_are_none() {
    for url in ["", "localhost:8545", "ftp://localhost/secret-key", "http://", "ws://localhost", "http://user:secret-key@:80:80"]
    {
        let error = connect_error(ChainTarget::Rpc { url: url.into() }).await;
        assert!(matches!(error, ChainError::BadUrl { .. }), "{url}: {error}");
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }
}

#[tokio::test]
async fn a_node_that_never_answers() {
    let target = serve(|_| {
        std::thread::sleep(Duration::from_secs(3));
        Vec::new()
    });
    let error = connect_error(target).await;
    assert!(matches!(error, ChainError::Timeout { .. }), "{error}");
    assert!(error.retryable());
}

#[tokio::test]
async fn a_node_that_drips() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let error = connect_error(ChainTarget::Rpc { url }).await;
    assert!(matches!(error, ChainError::Timeout { .. }), "{error}");
}

/// Memory is ours: an answer is read up to a limit, whether the node says how long it is or not.
#[tokio::test]
async fn answers_without_end() {
    let stated = serve(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{".to_vec());
    let endless = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret-key", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            read_request(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            let block = vec![b' '; 1 << 20];
            while stream.write_all(&block).is_ok() {}
        });
        ChainTarget::Rpc { url }
    };
    for target in [stated, endless] {
        let error = connect_error(target).await;
        assert!(matches!(error, ChainError::AnswerTooLarge { .. }), "{error:?}");
        assert!(!error.retryable());
    }
}

#[tokio::test]
async fn http_failures_keep_their_status() {
    for (status, code, again) in
        [("500 Oops", 500, true), ("429 Slow", 429, true), ("403 No", 403, false), ("404 No", 404, false)]
    {
        let error = connect_error(serve(move |_| http(status, "<html>secret-key</html>"))).await;
        assert!(matches!(error, ChainError::Http { status, .. } if status == code), "{error}");
        assert_eq!(error.retryable(), again);
    }
}

#[tokio::test]
async fn broken_answers() {
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"\x00\xff\xfe garbage".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"jsonrpc\":".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc".to_vec(),
        http("200 OK", ""),
        http("200 OK", "<html>a portal</html>"),
        http("200 OK", "{}"),
        http("200 OK", "[]"),
        http("200 OK", "null"),
        http("200 OK", &"[".repeat(100_000)),
        http("200 OK", "{\"jsonrpc\":\"2.0\",\"id\":0}"),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let error = connect_error(serve(move |_| body.clone())).await;
        let typed =
            matches!(error, ChainError::Unreachable { .. } | ChainError::MalformedAnswer { .. } | ChainError::Timeout { .. });
        assert!(typed, "{shown}: {error:?}");
    }
}

#[tokio::test]
async fn results_of_the_wrong_type() {
    for value in ["null", "true", "[]", "{}", "\"\"", "\"0xzz\"", "\"0x10000000000000000\"", "-1", "1e400", "\"latest\""] {
        let error = serve(move |request| result(request, value)).connect(None, quick()).await.err();
        assert!(matches!(error, Some(ChainError::MalformedAnswer { .. })), "{value}: {error:?}");
    }
}

#[tokio::test]
async fn errors_of_any_shape() {
    let long = "x".repeat(10_000);
    let errors = [
        "null".to_owned(),
        "5".to_owned(),
        "{}".to_owned(),
        "{\"code\":-32601,\"message\":\"no such method\"}".to_owned(),
        "{\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x12\"}".to_owned(),
        "{\"code\":3,\"message\":\"execution reverted\",\"data\":{\"a\":[{\"b\":\"0x4e487b71\"}]}}".to_owned(),
        "{\"code\":3,\"message\":\"\\u001b[31mred\",\"data\":7}".to_owned(),
        format!("{{\"code\":1,\"message\":\"{long}\"}}"),
    ];
    for body in errors {
        let shown = body.chars().take(60).collect::<String>();
        let error = connect_error(serve(move |request| {
            http("200 OK", &format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{body}}}", id(request)))
        }))
        .await;
        let text = error.to_string();
        assert!(text.len() < 1_000 && !text.contains('\u{1b}'), "{shown}: {text}");
    }
}

/// A node with a good chain id that answers every further request with `value`.
async fn liar(value: &'static str) -> Chain {
    let target = serve(move |request| match request.contains("eth_chainId") {
        true => result(request, "\"0x7a69\""),
        false => result(request, value),
    });
    target.connect(None, quick()).await.unwrap()
}

#[tokio::test]
async fn a_liar_after_the_handshake() {
    use alloy::primitives::{Address, B256};
    for value in ["null", "{}", "\"0x\"", "[1,2]", "\"0x1\""] {
        let chain = liar(value).await;
        assert!(chain.timestamp().await.is_err(), "{value}");
        let error = chain.confirm("waiting", B256::ZERO).await.unwrap_err();
        assert!(matches!(error, ChainError::MalformedAnswer { .. } | ChainError::NotMined { .. }), "{value}: {error:?}");
        let error =
            chain.read("reading", Address::ZERO, &zkml_evm::chain::bindings::Ownable2Step::ownerCall {}).await.unwrap_err();
        assert!(matches!(error, ChainError::MalformedAnswer { .. } | ChainError::NoContract { .. }), "{value}: {error:?}");
    }
}

/// Another chain answers on the right address.
#[tokio::test]
async fn a_wrong_chain_id() {
    let target = serve(|request| result(request, "\"0x1\""));
    let error = target.connect(Some(11_155_111), quick()).await.err().unwrap();
    assert!(matches!(error, ChainError::WrongChain { expected: 11_155_111, got: 1, .. }), "{error}");
    assert!(!error.retryable());
    // A loopback address does not make a public chain a local one.
    assert!(!target.connect(Some(1), quick()).await.unwrap().is_local());
}

proptest! {
    #[test]
    fn revert_data_of_any_bytes_decodes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let revert = Revert::decode(&Bytes::from(data));
        prop_assert!(!revert.to_string().is_empty());
    }

    /// Known selectors with arbitrary bodies: the decoder sees lengths and offsets that an attacker chose.
    #[test]
    fn known_selectors_with_any_body_decode(which in 0usize..4, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let selector = ["Error(string)", "Panic(uint256)", "VerifierFailed(bytes32,address)", "FailedCall()"][which];
        let data = [&alloy::primitives::keccak256(selector)[..4], &body].concat();
        let _ = Revert::decode(&Bytes::from(data)).to_string();
    }
}

#[test]
fn standard_reverts_read_well() {
    use alloy::primitives::U256;
    use alloy::sol_types::{Panic, Revert as Text, SolError};
    let text = Revert::decode(&Text { reason: "too poor".into() }.abi_encode().into());
    assert_eq!(text.to_string(), "Error(message=too poor)");
    let panic = Revert::decode(&Panic { code: U256::from(0x11) }.abi_encode().into());
    assert!(panic.to_string().starts_with("Panic(code=0x11"), "{panic}");
    assert_eq!(Revert::decode(&Bytes::new()).name, "Empty");
    let unknown = Revert::decode(&Bytes::from_static(&[1, 2, 3, 4, 5]));
    assert_eq!(unknown.to_string(), "Unknown(selector=0x01020304)");
}
