//! QUERY: a statement as text, with its parameters.

use bytes::BytesMut;

use super::QueryParameters;
use crate::{Reader, Version, WireError, WireWrite};

/// A statement and what it is run with.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// CQL.
    pub query: String,
    /// Consistency, values, paging.
    pub parameters: QueryParameters,
}

impl Query {
    pub(super) fn decode(reader: &mut Reader, version: Version) -> Result<Query, WireError> {
        let query = reader.long_string()?;
        Ok(Query { query, parameters: QueryParameters::decode(reader, version)? })
    }

    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        body.put_long_string(&self.query);
        self.parameters.encode(version, body);
    }
}
