//! ERROR: what went wrong, by number and in words. Spec v5, section 8.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Consistency, Reader, Version, WireError, WireWrite};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        /// What drivers act on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name = $number,)*
        }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$name,)*];

            /// The code with this number.
            pub fn from_number(number: i32) -> Result<ErrorCode, WireError> {
                match number {
                    $($number => Ok(ErrorCode::$name),)*
                    _ => Err(WireError::unknown("Error code", number)),
                }
            }
        }
    };
}

error_codes! {
    /// A fault of the server.
    ServerError = 0x0000;
    /// A message that does not follow the protocol.
    ProtocolError = 0x000A;
    /// Who you say you are could not be proved.
    BadCredentials = 0x0100;
    /// Too few nodes are up.
    Unavailable = 0x1000;
    /// Too much to do; try again later or elsewhere.
    Overloaded = 0x1001;
    /// The node is not ready yet.
    IsBootstrapping = 0x1002;
    /// TRUNCATE failed.
    TruncateError = 0x1003;
    /// A write took too long.
    WriteTimeout = 0x1100;
    /// A read took too long.
    ReadTimeout = 0x1200;
    /// A read failed.
    ReadFailure = 0x1300;
    /// A user's function failed.
    FunctionFailure = 0x1400;
    /// A write failed.
    WriteFailure = 0x1500;
    /// A change-data-capture write failed.
    CdcWriteFailure = 0x1600;
    /// A conditional write whose outcome is not known (v5).
    CasWriteUnknown = 0x1700;
    /// The statement cannot be parsed.
    SyntaxError = 0x2000;
    /// Not allowed.
    Unauthorized = 0x2100;
    /// The statement is well formed and wrong.
    Invalid = 0x2200;
    /// Well formed and wrong in the server's configuration.
    ConfigError = 0x2300;
    /// The keyspace or table exists.
    AlreadyExists = 0x2400;
    /// The prepared id is not known; prepare again.
    Unprepared = 0x2500;
}

/// What some codes carry beside the message.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ErrorDetail {
    /// Nothing.
    #[default]
    None,
    /// With [`ErrorCode::AlreadyExists`]; the table's name is empty for a keyspace.
    AlreadyExists {
        /// The keyspace.
        keyspace: String,
        /// The table.
        table: String,
    },
    /// With [`ErrorCode::Unprepared`]: the id that is not known.
    Unprepared(Bytes),
    /// With [`ErrorCode::Unavailable`].
    Unavailable {
        /// The level asked for.
        consistency: Consistency,
        /// Nodes needed.
        required: i32,
        /// Nodes up.
        alive: i32,
    },
    /// With [`ErrorCode::WriteTimeout`].
    WriteTimeout {
        /// The level asked for.
        consistency: Consistency,
        /// Nodes that answered.
        received: i32,
        /// Nodes needed.
        required: i32,
        /// `SIMPLE`, `BATCH`, `CAS`, …
        write_type: String,
    },
    /// With [`ErrorCode::ReadTimeout`].
    ReadTimeout {
        /// The level asked for.
        consistency: Consistency,
        /// Nodes that answered.
        received: i32,
        /// Nodes needed.
        required: i32,
        /// Whether the data itself had come.
        data_present: bool,
    },
    /// With [`ErrorCode::FunctionFailure`].
    FunctionFailure {
        /// The function's keyspace.
        keyspace: String,
        /// Its name.
        function: String,
        /// The types of its arguments.
        argument_types: Vec<String>,
    },
    /// What the other codes carry, as it came.
    Other(Bytes),
}

/// An error.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorResponse {
    /// The number.
    pub code: ErrorCode,
    /// The words.
    pub message: String,
    /// What goes with the number.
    pub detail: ErrorDetail,
}

impl ErrorResponse {
    /// An error that carries nothing but words.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ErrorResponse {
        ErrorResponse { code, message: message.into(), detail: ErrorDetail::None }
    }

    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        body.put_i32(self.code as i32);
        body.put_string(&self.message);
        match &self.detail {
            ErrorDetail::None => {}
            ErrorDetail::AlreadyExists { keyspace, table } => {
                body.put_string(keyspace);
                body.put_string(table);
            }
            ErrorDetail::Unprepared(id) => body.put_short_bytes(id),
            ErrorDetail::Unavailable { consistency, required, alive } => {
                put_counts(body, *consistency, *required, *alive);
            }
            ErrorDetail::WriteTimeout { consistency, received, required, write_type } => {
                put_counts(body, *consistency, *received, *required);
                body.put_string(write_type);
                if version >= Version::V5 && write_type == "CAS" {
                    body.put_u16(0);
                }
            }
            ErrorDetail::ReadTimeout { consistency, received, required, data_present } => {
                put_counts(body, *consistency, *received, *required);
                body.put_u8(u8::from(*data_present));
            }
            ErrorDetail::FunctionFailure { keyspace, function, argument_types } => {
                body.put_string(keyspace);
                body.put_string(function);
                body.put_string_list(argument_types);
            }
            ErrorDetail::Other(bytes) => body.put_slice(bytes),
        }
    }

    pub(super) fn decode(
        reader: &mut Reader,
        version: Version,
    ) -> Result<ErrorResponse, WireError> {
        let code = ErrorCode::from_number(reader.int()?)?;
        let message = reader.string()?;
        let detail = match code {
            ErrorCode::AlreadyExists => {
                ErrorDetail::AlreadyExists { keyspace: reader.string()?, table: reader.string()? }
            }
            ErrorCode::Unprepared => ErrorDetail::Unprepared(reader.short_bytes()?),
            ErrorCode::Unavailable => ErrorDetail::Unavailable {
                consistency: Consistency::from_number(reader.short()?)?,
                required: reader.int()?,
                alive: reader.int()?,
            },
            ErrorCode::WriteTimeout => {
                let detail = ErrorDetail::WriteTimeout {
                    consistency: Consistency::from_number(reader.short()?)?,
                    received: reader.int()?,
                    required: reader.int()?,
                    write_type: reader.string()?,
                };
                if version >= Version::V5 && reader.remaining() >= 2 {
                    reader.short()?;
                }
                detail
            }
            ErrorCode::ReadTimeout => ErrorDetail::ReadTimeout {
                consistency: Consistency::from_number(reader.short()?)?,
                received: reader.int()?,
                required: reader.int()?,
                data_present: reader.byte()? != 0,
            },
            ErrorCode::FunctionFailure => ErrorDetail::FunctionFailure {
                keyspace: reader.string()?,
                function: reader.string()?,
                argument_types: reader.string_list()?,
            },
            _ if reader.remaining() == 0 => ErrorDetail::None,
            _ => ErrorDetail::Other(reader.clone().rest()),
        };
        Ok(ErrorResponse { code, message, detail })
    }
}

fn put_counts(body: &mut BytesMut, consistency: Consistency, first: i32, second: i32) {
    body.put_u16(consistency.number());
    body.put_i32(first);
    body.put_i32(second);
}
