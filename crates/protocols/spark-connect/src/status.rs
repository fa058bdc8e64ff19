//! How a call ended: gRPC's code, and the details in Google's words (`google/rpc/status.proto`,
//! `google/rpc/error_details.proto`) that Spark's clients look for.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;

/// gRPC's codes, those that are given here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// It went well.
    Ok = 0,
    /// The caller gave up.
    Cancelled = 1,
    /// The request has no meaning.
    InvalidArgument = 3,
    /// What is named does not exist.
    NotFound = 5,
    /// The caller may not.
    PermissionDenied = 7,
    /// A limit is reached.
    ResourceExhausted = 8,
    /// There is no such call, or it is not served.
    Unimplemented = 12,
    /// The server failed; Spark's own errors come with this code.
    Internal = 13,
    /// Try again later.
    Unavailable = 14,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Status {
    /// gRPC's code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// What went wrong, for a person.
    #[prost(string, tag = "2")]
    pub message: String,
    /// What went wrong, for a program.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Any {
    /// `type.googleapis.com/` and the message's name.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

/// `google.rpc.ErrorInfo`: where Spark says the class of an error.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ErrorInfo {
    /// The Java class of the error.
    #[prost(string, tag = "1")]
    pub reason: String,
    /// `org.apache.spark`.
    #[prost(string, tag = "2")]
    pub domain: String,
    /// `errorClass`, `sqlState`, `messageParameters`, `classes`, `errorId`.
    #[prost(btree_map = "string, string", tag = "3")]
    pub metadata: BTreeMap<String, String>,
}

impl Status {
    /// A status without details.
    pub fn new(code: Code, message: impl Into<String>) -> Status {
        Status { code: code as i32, message: message.into(), details: Vec::new() }
    }

    /// The same with Spark's details.
    #[must_use]
    pub fn with_info(mut self, info: &ErrorInfo) -> Status {
        self.details.push(Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
            value: info.encode_to_vec().into(),
        });
        self
    }
}
