//! SUPPORTED: what the server can do.

use bytes::BytesMut;

use crate::{Reader, WireError, WireWrite};

/// Option names and the values each may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supported {
    /// In the order sent: `CQL_VERSION`, `COMPRESSION`, `PROTOCOL_VERSIONS`.
    pub options: Vec<(String, Vec<String>)>,
}

impl Supported {
    pub(super) fn encode(&self, body: &mut BytesMut) {
        body.put_count(self.options.len());
        for (name, values) in &self.options {
            body.put_string(name);
            body.put_string_list(values);
        }
    }

    pub(super) fn decode(reader: &mut Reader) -> Result<Supported, WireError> {
        Ok(Supported { options: reader.string_multimap()? })
    }
}
