//! What servers send. One file per message.

mod error;
mod event;
mod metadata;
mod prepared;
mod result;
mod rows;
mod supported;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use crate::frame::{Envelope, Flags, Opcode};
use crate::request::CustomPayload;
use crate::{Reader, Version, WireError, WireWrite};

pub use error::{ErrorCode, ErrorDetail, ErrorResponse};
pub use event::{ChangeTarget, ChangeType, Event, SchemaChange, StatusChange, TopologyChange};
pub use metadata::{ColumnSpec, PreparedMetadata, ResultMetadata};
pub use prepared::Prepared;
pub use result::ResultResponse;
pub use rows::{RowIter, Rows, RowsBuilder};
pub use supported::Supported;

/// The stream of envelopes nobody asked for.
pub const EVENT_STREAM: i16 = -1;

/// One answer, with what may go before its body.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Where the trace of the request can be read.
    pub tracing_id: Option<Uuid>,
    /// For the person who wrote the statement (v4 on; left out before).
    pub warnings: Vec<String>,
    /// Keys and bytes for the client (v4 on; left out before).
    pub custom_payload: CustomPayload,
    /// The message.
    pub body: ResponseBody,
}

impl From<ResponseBody> for Response {
    fn from(body: ResponseBody) -> Response {
        Response { tracing_id: None, warnings: Vec::new(), custom_payload: Vec::new(), body }
    }
}

/// One response's body.
#[derive(Debug, Clone, PartialEq)]
pub enum ResponseBody {
    /// Something went wrong.
    Error(ErrorResponse),
    /// The connection is open.
    Ready,
    /// Who are you? The authenticator's class name.
    Authenticate(String),
    /// What the server can do.
    Supported(Supported),
    /// What a statement gave.
    Result(ResultResponse),
    /// Something changed.
    Event(Event),
    /// One more question.
    AuthChallenge(Option<Bytes>),
    /// Welcome.
    AuthSuccess(Option<Bytes>),
}

impl ResponseBody {
    /// The opcode of its envelope.
    pub fn opcode(&self) -> Opcode {
        match self {
            ResponseBody::Error(_) => Opcode::Error,
            ResponseBody::Ready => Opcode::Ready,
            ResponseBody::Authenticate(_) => Opcode::Authenticate,
            ResponseBody::Supported(_) => Opcode::Supported,
            ResponseBody::Result(_) => Opcode::Result,
            ResponseBody::Event(_) => Opcode::Event,
            ResponseBody::AuthChallenge(_) => Opcode::AuthChallenge,
            ResponseBody::AuthSuccess(_) => Opcode::AuthSuccess,
        }
    }
}

impl Response {
    /// The envelope that answers request `stream` of a client of `version`.
    pub fn encode(&self, version: Version, stream: i16) -> Envelope {
        let (mut body, mut flags) = (BytesMut::new(), Flags::default());
        if let Some(tracing_id) = self.tracing_id {
            flags = flags.with(Flags::TRACING);
            body.put_uuid(tracing_id);
        }
        if version >= Version::V4 && !self.warnings.is_empty() {
            flags = flags.with(Flags::WARNING);
            body.put_string_list(&self.warnings);
        }
        if version >= Version::V4 && !self.custom_payload.is_empty() {
            flags = flags.with(Flags::CUSTOM_PAYLOAD);
            body.put_count(self.custom_payload.len());
            for (key, value) in &self.custom_payload {
                body.put_string(key);
                body.put_value(value.as_deref());
            }
        }
        match &self.body {
            ResponseBody::Error(error) => error.encode(version, &mut body),
            ResponseBody::Ready => {}
            ResponseBody::Authenticate(class) => body.put_string(class),
            ResponseBody::Supported(supported) => supported.encode(&mut body),
            ResponseBody::Result(result) => result.encode(version, &mut body),
            ResponseBody::Event(event) => event.encode(&mut body),
            ResponseBody::AuthChallenge(token) | ResponseBody::AuthSuccess(token) => {
                body.put_value(token.as_deref());
            }
        }
        let opcode = self.body.opcode();
        Envelope { version, is_response: true, flags, stream, opcode, body: body.freeze() }
    }

    /// Reads an answer as a client of the envelope's version does.
    pub fn decode(envelope: &Envelope) -> Result<Response, WireError> {
        let version = envelope.version;
        let mut reader = Reader::new(envelope.body.clone());
        let has = |flag| envelope.flags.has(flag);
        let tracing_id = if has(Flags::TRACING) { Some(reader.uuid()?) } else { None };
        let warnings = if has(Flags::WARNING) { reader.string_list()? } else { Vec::new() };
        let custom_payload =
            if has(Flags::CUSTOM_PAYLOAD) { reader.bytes_map()? } else { Vec::new() };
        let body = match envelope.opcode {
            Opcode::Error => ResponseBody::Error(ErrorResponse::decode(&mut reader, version)?),
            Opcode::Ready => ResponseBody::Ready,
            Opcode::Authenticate => ResponseBody::Authenticate(reader.string()?),
            Opcode::Supported => ResponseBody::Supported(Supported::decode(&mut reader)?),
            Opcode::Result => ResponseBody::Result(ResultResponse::decode(&mut reader, version)?),
            Opcode::Event => ResponseBody::Event(Event::decode(&mut reader)?),
            Opcode::AuthChallenge => ResponseBody::AuthChallenge(reader.bytes()?),
            Opcode::AuthSuccess => ResponseBody::AuthSuccess(reader.bytes()?),
            request => return Err(WireError::invalid("response", request.name())),
        };
        Ok(Response { tracing_id, warnings, custom_payload, body })
    }
}
