//! What clients send. One file per message.

mod auth_response;
mod batch;
mod execute;
mod options;
mod parameters;
mod prepare;
mod query;
mod register;
mod startup;

use bytes::{Bytes, BytesMut};

use crate::frame::{Envelope, Flags, Opcode};
use crate::{Reader, Version, WireError, WireWrite};

pub use auth_response::AuthResponse;
pub use batch::{Batch, BatchKind, BatchStatement, Statement};
pub use execute::Execute;
pub use options::Options;
pub use parameters::{QueryParameters, Value, Values};
pub use prepare::Prepare;
pub use query::Query;
pub use register::{EventKind, Register};
pub use startup::Startup;

/// The key and bytes a client may send along; servers without a use for it ignore it.
pub type CustomPayload = Vec<(String, Option<Bytes>)>;

/// One request's body.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Starts the connection.
    Startup(Startup),
    /// Asks what the server can do.
    Options(Options),
    /// A statement as text.
    Query(Query),
    /// Keep a statement.
    Prepare(Prepare),
    /// Run a kept statement.
    Execute(Execute),
    /// Several modifications as one.
    Batch(Batch),
    /// Tell me when something changes.
    Register(Register),
    /// The answer to a challenge.
    AuthResponse(AuthResponse),
}

impl Request {
    /// The opcode of its envelope.
    pub fn opcode(&self) -> Opcode {
        match self {
            Request::Startup(_) => Opcode::Startup,
            Request::Options(_) => Opcode::Options,
            Request::Query(_) => Opcode::Query,
            Request::Prepare(_) => Opcode::Prepare,
            Request::Execute(_) => Opcode::Execute,
            Request::Batch(_) => Opcode::Batch,
            Request::Register(_) => Opcode::Register,
            Request::AuthResponse(_) => Opcode::AuthResponse,
        }
    }

    /// Reads the body of an envelope. A custom payload is skipped: nothing here has a use for it.
    pub fn decode(envelope: &Envelope) -> Result<Request, WireError> {
        let version = envelope.version;
        let mut reader = Reader::new(envelope.body.clone());
        if envelope.flags.has(Flags::CUSTOM_PAYLOAD) && version >= Version::V4 {
            reader.bytes_map()?;
        }
        Ok(match envelope.opcode {
            Opcode::Startup => Request::Startup(Startup::decode(&mut reader)?),
            Opcode::Options => Request::Options(Options),
            Opcode::Query => Request::Query(Query::decode(&mut reader, version)?),
            Opcode::Prepare => Request::Prepare(Prepare::decode(&mut reader, version)?),
            Opcode::Execute => Request::Execute(Execute::decode(&mut reader, version)?),
            Opcode::Batch => Request::Batch(Batch::decode(&mut reader, version)?),
            Opcode::Register => Request::Register(Register::decode(&mut reader)?),
            Opcode::AuthResponse => Request::AuthResponse(AuthResponse::decode(&mut reader)?),
            response => return Err(WireError::invalid("request", response.name())),
        })
    }

    /// The envelope a client of `version` sends.
    pub fn encode(&self, version: Version, stream: i16) -> Envelope {
        let mut body = BytesMut::new();
        match self {
            Request::Startup(startup) => body.put_string_map(&startup.options),
            Request::Options(Options) => {}
            Request::Query(query) => query.encode(version, &mut body),
            Request::Prepare(prepare) => prepare.encode(version, &mut body),
            Request::Execute(execute) => execute.encode(version, &mut body),
            Request::Batch(batch) => batch.encode(version, &mut body),
            Request::Register(register) => register.encode(&mut body),
            Request::AuthResponse(response) => body.put_value(response.token.as_deref()),
        }
        Envelope {
            version,
            is_response: false,
            flags: Flags::default(),
            stream,
            opcode: self.opcode(),
            body: body.freeze(),
        }
    }
}
