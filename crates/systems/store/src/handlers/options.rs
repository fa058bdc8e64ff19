//! OPTIONS: what this server can do. Never a key that starts with `SCYLLA_`: drivers would believe it.

use tidemill_cql_wire::Response;
use tidemill_cql_wire::response::{ResponseBody, Supported};

use crate::database::CQL_VERSION;

/// Cassandra's answer.
pub(crate) fn handle() -> Response {
    let option = |name: &str, values: &[&str]| {
        (name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
    };
    let options = vec![
        option("PROTOCOL_VERSIONS", &["3/v3", "4/v4", "5/v5"]),
        option("COMPRESSION", &["snappy", "lz4"]),
        option("CQL_VERSION", &[CQL_VERSION]),
    ];
    ResponseBody::Supported(Supported { options }).into()
}
