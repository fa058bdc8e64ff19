//! The smallest HTTP client, for tests.

use std::net::SocketAddr;

use serde_json::Value;
use tidemill_runtime::{Tasks, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{SampleApi, serve};

/// A service on a free port; it ends with the test's runtime.
pub(crate) async fn start(what: SampleApi) -> SocketAddr {
    let any = "127.0.0.1:0".parse().unwrap();
    serve(any, what, World::real(), &Tasks::new()).await.unwrap()
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    get_from(address, "localhost", path).await
}

/// With a `Host` header of one's own.
pub(crate) async fn get_from(address: SocketAddr, host: &str, path: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}
