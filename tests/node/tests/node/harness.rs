//! A node as a test starts it.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

fn post(port: u16, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the node listens");
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the request goes out");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer comes");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// A running node, stopped when dropped.
pub struct Node {
    process: Child,
    /// Of its own JSON-RPC.
    pub port: u16,
    /// Of Ethereum's.
    pub eth_port: Option<u16>,
}

impl Node {
    pub fn start(flags: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rivulet-node"))
            .args(["--rpc-port", "0"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the node starts");
        let mut ready = String::new();
        BufReader::new(process.stdout.take().expect("stdout is a pipe")).read_line(&mut ready).expect("a line is printed");
        let port = ready.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        let eth_port = ready.split_once("eth http://127.0.0.1:").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
        Self { port: port.unwrap_or_else(|| panic!("no port in: {ready}")), eth_port, process }
    }

    pub fn request(&self, method: &str, params: Value) -> Value {
        post(self.port, method, params)
    }

    /// Asks Ethereum's JSON-RPC.
    pub fn eth(&self, method: &str, params: Value) -> Value {
        let answer = post(self.eth_port.expect("it was not told to do without"), method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub fn number(&self, hash: &Value) -> u64 {
        let header = self.call("chain_getHeader", json!([hash]));
        let digits = header["number"].as_str().expect("a number").trim_start_matches("0x").to_string();
        u64::from_str_radix(&digits, 16).expect("in hexadecimal")
    }

    pub fn best(&self) -> (u64, Value) {
        let hash = self.call("chain_getBlockHash", json!([]));
        (self.number(&hash), hash)
    }

    pub fn finalized(&self) -> u64 {
        self.number(&self.call("chain_getFinalizedHead", json!([])))
    }

    /// Timestamp of the best block, in milliseconds.
    pub fn time_ms(&self) -> u64 {
        // twox_128("Timestamp") ++ twox_128("Now")
        let key = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb";
        let value = self.call("state_getStorage", json!([key]));
        let digits = value.as_str().expect("a block was made").trim_start_matches("0x").to_string();
        u64::from_str_radix(&digits, 16).expect("in hexadecimal").swap_bytes()
    }

    pub fn signal(&mut self, name: &str) -> bool {
        // The shell's own: a bare machine has no program of that name.
        Command::new("sh").args(["-c", &format!("kill {name} {}", self.process.id())]).status().expect("the shell runs");
        self.process.wait().expect("it ends").success()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Not killed: it removes its directory.
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal("-TERM");
        }
    }
}

pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}
