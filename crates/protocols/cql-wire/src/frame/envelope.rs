//! The envelope: nine bytes of header and a body. Spec v5, section 2.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Version, WireError};

/// Length of an envelope's header.
pub const HEADER_BYTES: usize = 9;

/// The high bit of the first byte: set in what a server sends.
pub(crate) const RESPONSE_BIT: u8 = 0x80;

/// Flags of an envelope's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The body is compressed (v3, v4).
    pub const COMPRESSION: Flags = Flags(0x01);
    /// Asks for tracing; in a response, the body starts with the tracing id.
    pub const TRACING: Flags = Flags(0x02);
    /// The body has a custom payload (v4 on).
    pub const CUSTOM_PAYLOAD: Flags = Flags(0x04);
    /// A response's body has warnings (v4 on).
    pub const WARNING: Flags = Flags(0x08);
    /// The client takes a version still in the making.
    pub const USE_BETA: Flags = Flags(0x10);

    /// Whether all bits of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Without the bits of `other`.
    pub fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }
}

macro_rules! opcodes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What kind of message a body is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Opcode {
            $($(#[$doc])* $name = $number,)*
        }

        impl Opcode {
            /// All opcodes.
            pub const ALL: &[Opcode] = &[$(Opcode::$name,)*];

            /// The opcode with this number.
            pub fn from_number(number: u8) -> Result<Opcode, WireError> {
                match number {
                    $($number => Ok(Opcode::$name),)*
                    _ => Err(WireError::unknown("Opcode", number)),
                }
            }

            /// Its name in the specification.
            pub fn name(self) -> &'static str {
                match self {
                    $(Opcode::$name => $text,)*
                }
            }
        }
    };
}

opcodes! {
    /// Response: something went wrong.
    Error = 0x00, "ERROR";
    /// Request: starts the connection.
    Startup = 0x01, "STARTUP";
    /// Response: the connection is open.
    Ready = 0x02, "READY";
    /// Response: who are you?
    Authenticate = 0x03, "AUTHENTICATE";
    /// Request: what can you do?
    Options = 0x05, "OPTIONS";
    /// Response: this.
    Supported = 0x06, "SUPPORTED";
    /// Request: a statement as text.
    Query = 0x07, "QUERY";
    /// Response: what a statement gave.
    Result = 0x08, "RESULT";
    /// Request: keep a statement.
    Prepare = 0x09, "PREPARE";
    /// Request: run a kept statement.
    Execute = 0x0A, "EXECUTE";
    /// Request: tell me when something changes.
    Register = 0x0B, "REGISTER";
    /// Response: something changed.
    Event = 0x0C, "EVENT";
    /// Request: several modifications as one.
    Batch = 0x0D, "BATCH";
    /// Response: one more question.
    AuthChallenge = 0x0E, "AUTH_CHALLENGE";
    /// Request: the answer.
    AuthResponse = 0x0F, "AUTH_RESPONSE";
    /// Response: welcome.
    AuthSuccess = 0x10, "AUTH_SUCCESS";
}

/// One message as it lies between header and types. Its body is not compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The version it is written in.
    pub version: Version,
    /// Whether a server sent it.
    pub is_response: bool,
    /// Header flags; [`Flags::COMPRESSION`] belongs to the frame and never appears here.
    pub flags: Flags,
    /// Which request an answer belongs to; -1 for events.
    pub stream: i16,
    /// What the body is.
    pub opcode: Opcode,
    /// The body.
    pub body: Bytes,
}

impl Envelope {
    /// Writes header and body as they are.
    pub(crate) fn write(&self, out: &mut BytesMut) {
        self.write_with(out, self.flags, &self.body);
    }

    /// Writes the header with these flags and the given body.
    pub(crate) fn write_with(&self, out: &mut BytesMut, flags: Flags, body: &[u8]) {
        out.reserve(HEADER_BYTES + body.len());
        out.put_u8(self.version.number() | if self.is_response { RESPONSE_BIT } else { 0 });
        out.put_u8(flags.0);
        out.put_i16(self.stream);
        out.put_u8(self.opcode as u8);
        out.put_u32(u32::try_from(body.len()).unwrap_or(u32::MAX));
        out.put_slice(body);
    }
}
