//! STARTUP: the connection's first word. Chooses the compression.

use tidemill_cql_wire::Version;
use tidemill_cql_wire::frame::Compression;
use tidemill_cql_wire::request::Startup;

use crate::error::CqlError;

/// The compression asked for, if the request is in order.
pub(crate) fn handle(startup: &Startup, version: Version) -> Result<Option<Compression>, CqlError> {
    let Some(cql_version) = startup.option("CQL_VERSION") else {
        return Err(CqlError::protocol("Missing value CQL_VERSION in STARTUP message"));
    };
    let major = cql_version.split('.').next().and_then(|it| it.parse::<u32>().ok());
    match major {
        None => return Err(CqlError::protocol(format!("Invalid CQL version: {cql_version}"))),
        Some(major) if major < 3 => {
            return Err(CqlError::protocol(format!(
                "CQL version {cql_version} is not supported by the binary protocol (supported \
                 version are >= 3.0.0)"
            )));
        }
        Some(_) => {}
    }
    let Some(name) = startup.option("COMPRESSION").filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    match Compression::named(name) {
        Some(Compression::Snappy) if version >= Version::V5 => Err(CqlError::protocol(
            "Unsupported compression type: snappy, is not supported in protocol version 5",
        )),
        Some(compression) => Ok(Some(compression)),
        None => Err(CqlError::protocol(format!("Unknown compression algorithm: {name}"))),
    }
}
