//! A CQL client over one blocking socket: enough to ask anything and see every byte's meaning.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidemill_cql_wire::frame::{Compression, Envelope, FrameDecoder, FrameEncoder};
use tidemill_cql_wire::request::*;
use tidemill_cql_wire::response::*;
use tidemill_cql_wire::{Request, Response, Version};

/// How long an answer may take before the test fails.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Client {
    socket: TcpStream,
    version: Version,
    encoder: FrameEncoder,
    decoder: FrameDecoder,
    input: BytesMut,
    next_stream: i16,
}

impl Client {
    /// Connects without saying anything.
    pub(crate) fn dial(address: SocketAddr, version: Version) -> Client {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        socket.set_nodelay(true).unwrap();
        Client {
            socket,
            version,
            encoder: FrameEncoder::new(),
            decoder: FrameDecoder::for_responses(256 << 20),
            input: BytesMut::new(),
            next_stream: 0,
        }
    }

    /// Connects and says STARTUP.
    pub(crate) fn open(
        address: SocketAddr,
        version: Version,
        compression: Option<Compression>,
    ) -> Client {
        let mut client = Client::dial(address, version);
        let mut options = vec![("CQL_VERSION".to_owned(), "3.4.7".to_owned())];
        let name = match compression {
            Some(Compression::Lz4) => Some("lz4"),
            Some(Compression::Snappy) => Some("snappy"),
            None => None,
        };
        options.extend(name.map(|name| ("COMPRESSION".to_owned(), name.to_owned())));
        let answer = client.ask(&Request::Startup(Startup { options }));
        assert_eq!(answer.body, ResponseBody::Ready);
        client.encoder.set_compression(compression);
        client.decoder.set_compression(compression);
        if version >= Version::V5 {
            client.encoder.start_segments();
            client.decoder.start_segments();
        }
        client
    }

    /// v5 without compression.
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client::open(address, Version::V5, None)
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// Sends a request to a server that may be gone; its stream if it was sent.
    pub(crate) fn try_send(&mut self, request: &Request) -> Option<i16> {
        let stream = self.next_stream;
        self.next_stream = (self.next_stream + 1) % 30_000;
        let mut out = BytesMut::new();
        self.encoder.push(&request.encode(self.version, stream), &mut out);
        self.encoder.flush(&mut out);
        self.socket.write_all(&out).ok().map(|()| stream)
    }

    /// The next envelope of a server that may be gone.
    pub(crate) fn try_receive(&mut self) -> Option<Envelope> {
        loop {
            if let Some(envelope) = self.decoder.decode(&mut self.input).unwrap() {
                return Some(envelope);
            }
            let mut buffer = [0; 16 << 10];
            let read = self.socket.read(&mut buffer).ok().filter(|read| *read > 0)?;
            self.input.extend_from_slice(&buffer[..read]);
        }
    }

    /// Prepares on a server that may be gone.
    pub(crate) fn try_prepare(&mut self, cql: &str) -> Option<Prepared> {
        self.try_send(&Request::Prepare(Prepare { query: cql.to_owned(), keyspace: None }))?;
        match Response::decode(&self.try_receive()?).unwrap().body {
            ResponseBody::Result(ResultResponse::Prepared(prepared)) => Some(*prepared),
            other => panic!("{cql}: {other:?}"),
        }
    }

    /// Sends a request, returns its stream.
    pub(crate) fn send(&mut self, request: &Request) -> i16 {
        self.try_send(request).expect("the server listens")
    }

    /// The next envelope, or none if the server closed the connection.
    pub(crate) fn receive(&mut self) -> Option<Envelope> {
        self.try_receive()
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Response {
        let stream = self.send(request);
        let envelope = self.receive().expect("an answer");
        assert_eq!(envelope.stream, stream);
        Response::decode(&envelope).unwrap()
    }

    /// Runs a statement.
    pub(crate) fn query(&mut self, cql: &str) -> Response {
        self.query_with(cql, QueryParameters::default())
    }

    /// Runs a statement with parameters.
    pub(crate) fn query_with(&mut self, cql: &str, parameters: QueryParameters) -> Response {
        self.ask(&Request::Query(Query { query: cql.to_owned(), parameters }))
    }

    /// Runs a statement that must succeed.
    pub(crate) fn run(&mut self, cql: &str) -> ResultResponse {
        match self.query(cql).body {
            ResponseBody::Result(result) => result,
            other => panic!("{cql}: {other:?}"),
        }
    }

    /// Runs a statement that must give rows.
    pub(crate) fn rows(&mut self, cql: &str) -> Vec<Vec<Option<Bytes>>> {
        match self.run(cql) {
            ResultResponse::Rows(rows) => rows.iter().map(Result::unwrap).collect(),
            other => panic!("{cql}: {other:?}"),
        }
    }

    /// Runs a statement that must fail.
    pub(crate) fn error(&mut self, cql: &str) -> ErrorResponse {
        match self.query(cql).body {
            ResponseBody::Error(error) => error,
            other => panic!("{cql}: {other:?}"),
        }
    }

    /// Prepares a statement.
    pub(crate) fn prepare(&mut self, cql: &str) -> Prepared {
        let request = Request::Prepare(Prepare { query: cql.to_owned(), keyspace: None });
        match self.ask(&request).body {
            ResponseBody::Result(ResultResponse::Prepared(prepared)) => *prepared,
            other => panic!("{cql}: {other:?}"),
        }
    }

    /// Runs a prepared statement.
    pub(crate) fn execute(&mut self, prepared: &Prepared, parameters: QueryParameters) -> Response {
        self.ask(&Request::Execute(Execute {
            id: prepared.id.clone(),
            result_metadata_id: prepared.result_metadata_id.clone(),
            parameters,
        }))
    }
}

/// Parameters with these values.
pub(crate) fn with_values(values: Vec<Value>) -> QueryParameters {
    QueryParameters { values: Values::Positional(values), ..QueryParameters::default() }
}

/// A text as a value.
pub(crate) fn text(value: &str) -> Value {
    Value::Set(Bytes::copy_from_slice(value.as_bytes()))
}

/// An int as a value.
pub(crate) fn int(value: i32) -> Value {
    Value::Set(Bytes::copy_from_slice(&value.to_be_bytes()))
}
