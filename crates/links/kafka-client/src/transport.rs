//! A socket to a broker, plain or inside TLS.

use std::fmt;

use rustls::pki_types::ServerName;
use tidemill_access::Tls;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::ClientError;

/// Bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Stream for T {}

/// Connects to `host:port`, and agrees on TLS if that is wanted.
pub(crate) async fn connect(
    address: &str,
    tls: Option<&Tls>,
) -> Result<Box<dyn Stream>, ClientError> {
    let unreachable = |error| ClientError::unreachable(address, error);
    let stream = TcpStream::connect(address).await.map_err(unreachable)?;
    // A small request must not wait for the acknowledgement of the one before.
    stream.set_nodelay(true).map_err(unreachable)?;
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let name = server_name(address)?;
    let connecting = TlsConnector::from(tls.config()).connect(name, stream);
    let stream = connecting.await.map_err(|error| judge(address, error))?;
    Ok(Box::new(stream))
}

/// The name that the broker's certificate has to hold.
fn server_name(address: &str) -> Result<ServerName<'static>, ClientError> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(host.to_owned()).map_err(|_| ClientError::Untrusted {
        address: address.to_owned(),
        reason: format!("{host:?} is neither a host name nor an address, so no certificate has it"),
    })
}

/// What TLS itself refuses, on either side, stays refused; a connection that was lost may come back.
pub(crate) fn judge(address: &str, error: std::io::Error) -> ClientError {
    let said = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let reason = match said {
        None => return ClientError::unreachable(address, error),
        Some(rustls::Error::InvalidMessage(_)) => {
            "it does not speak TLS; its security_protocol may be PLAINTEXT or SASL_PLAINTEXT"
                .to_owned()
        }
        Some(refused) => refused.to_string(),
    };
    ClientError::Untrusted { address: address.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_has_to_hold_the_host_that_was_asked() {
        for (address, name) in [
            ("broker.example:9093", "broker.example"),
            ("127.0.0.1:9093", "127.0.0.1"),
            ("[::1]:9093", "::1"),
        ] {
            assert_eq!(server_name(address).unwrap().to_str(), name);
        }
        assert!(server_name("not a host:1").is_err());
    }
}
