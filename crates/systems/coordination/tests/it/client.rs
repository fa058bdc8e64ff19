//! A client of a few lines: what goes over the wire is seen.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidemill_coordination::Coordination;
use tidemill_runtime::System as _;
use tidemill_zookeeper_wire::session::{
    ConnectRequest, ConnectResponse, ReplyHeader, RequestHeader,
};
use tidemill_zookeeper_wire::{ErrorCode, Jute as _, Reader, Request, Response, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const FRAME_BYTES_MAX: usize = 1 << 20;

/// A connection, frame by frame.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    buffer: BytesMut,
}

impl Client {
    pub(crate) async fn open(server: &Coordination) -> Client {
        let socket = TcpStream::connect(server.address()).await.unwrap();
        Client { socket, buffer: BytesMut::new() }
    }

    /// With a session.
    pub(crate) async fn connect(server: &Coordination) -> Client {
        let mut client = Client::open(server).await;
        let request = ConnectRequest { timeout_ms: 10_000, ..ConnectRequest::default() };
        client.socket.write_all(&frame::of(&request)).await.unwrap();
        let answer: ConnectResponse = Reader::new(client.frame().await.unwrap()).take().unwrap();
        assert_eq!(answer.timeout_ms, 10_000);
        client
    }

    pub(crate) async fn ask(&mut self, xid: i32, request: &Request) {
        let bytes = frame::build(|to| {
            RequestHeader { xid, op: request.op().number() }.write(to);
            request.write(to);
        });
        self.socket.write_all(&bytes).await.unwrap();
    }

    /// The next frame; none if the server has closed the connection.
    pub(crate) async fn frame(&mut self) -> Option<Bytes> {
        let next = async {
            loop {
                if let Some(frame) = frame::take(&mut self.buffer, FRAME_BYTES_MAX).unwrap() {
                    return Some(frame);
                }
                match self.socket.read_buf(&mut self.buffer).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("the server says something")
    }

    pub(crate) async fn reply(&mut self) -> ReplyHeader {
        Reader::new(self.frame().await.unwrap()).take().unwrap()
    }

    /// The answer to a request that must succeed.
    pub(crate) async fn done(&mut self, request: &Request) -> Response {
        self.ask(1, request).await;
        let mut reader = Reader::new(self.frame().await.unwrap());
        let header: ReplyHeader = reader.take().unwrap();
        assert_eq!(header.error, 0, "{request:?}");
        Response::read(request.op(), &mut reader).unwrap()
    }

    /// The error of a request that must fail.
    pub(crate) async fn refused(&mut self, request: &Request) -> Option<ErrorCode> {
        self.ask(1, request).await;
        ErrorCode::from_number(self.reply().await.error)
    }

    pub(crate) async fn is_closed(&mut self) -> bool {
        self.frame().await.is_none()
    }
}
