//! A node in front of anvil that says something else than anvil would, where a test wants it to.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// What becomes of a request.
pub enum Say {
    /// Anvil answers.
    Same,
    /// This is the result, and anvil hears nothing.
    Result(Value),
    /// This is the error, and anvil hears nothing.
    Error(&'static str),
    /// Anvil does it, and the answer is lost.
    Lost,
}

/// Stands before the node at `url`, asks `rule` about each method and its parameters, and says where it listens.
pub fn before(url: &str, rule: impl Fn(&str, &Value) -> Say + Send + Sync + 'static) -> String {
    let node = url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mine = format!("http://{}", listener.local_addr().unwrap());
    let rule = Arc::new(rule);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (node, rule) = (node.clone(), Arc::clone(&rule));
            // A client that hung up is the client's own choice.
            std::thread::spawn(move || serve(stream, &node, &*rule).ok());
        }
    });
    mine
}

/// Asks the node at `url` by itself, as a rule may that wants the chain to be another one by the time its request arrives.
pub fn ask(url: &str, method: &str, parameters: Value) -> Value {
    let node = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
    let mut stream = TcpStream::connect(node).unwrap();
    stream.write_all(&message(&format!("POST / HTTP/1.1\r\nhost: {node}"), body.as_bytes())).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

fn serve(mut stream: TcpStream, node: &str, rule: &dyn Fn(&str, &Value) -> Say) -> std::io::Result<()> {
    let body = read(&mut stream)?;
    let request: Value = serde_json::from_slice(&body)?;
    let answer = |what: &str, value: Value| {
        let text = json!({ "jsonrpc": "2.0", "id": request["id"], what: value }).to_string();
        message("HTTP/1.1 200 OK", text.as_bytes())
    };
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut onward = TcpStream::connect(node)?;
        onward.write_all(&message(&format!("POST / HTTP/1.1\r\nhost: {node}"), &body))?;
        let mut answer = Vec::new();
        onward.read_to_end(&mut answer)?;
        Ok(answer)
    };
    match rule(request["method"].as_str().unwrap_or_default(), &request["params"]) {
        Say::Same => stream.write_all(&ask()?),
        Say::Result(value) => stream.write_all(&answer("result", value)),
        Say::Error(message) => stream.write_all(&answer("error", json!({ "code": -32_000, "message": message }))),
        Say::Lost => ask().map(drop),
    }
}

fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap_or_default(),
            Some(_) => {}
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

fn message(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{head}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
