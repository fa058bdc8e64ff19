//! One connection: one exchange at a time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidemill_kafka_wire::messages::ApiVersionsRequest;
use tidemill_kafka_wire::messages::api_versions::ApiVersion;
use tidemill_kafka_wire::{ErrorCode, Request, ResponseHeader, encode_request, frame};
use tidemill_runtime::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::security::authenticate;
use crate::transport::{self, Stream};
use crate::{ClientConfig, ClientError};

/// The version of ApiVersions asked with first: the first flexible one.
const API_VERSIONS_FIRST: i16 = 3;

/// The first bytes of what a TLS port answers to plain bytes: an alert record.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

/// A connection to one broker, and the versions that one serves.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    address: String,
    client_id: String,
    frame_bytes_max: usize,
    correlation_id: i32,
    served: Vec<ApiVersion>,
    buffer: BytesMut,
    /// Until when the broker takes us for who we said we are, on the monotonic clock.
    expires: Option<Duration>,
}

impl Connection {
    /// Connects, asks which versions are served, and says who asks.
    pub(crate) async fn open(
        address: &str,
        config: &ClientConfig,
        world: &World,
    ) -> Result<Connection, ClientError> {
        match timeout(config.connect_timeout, Connection::connect(address, config, world)).await {
            Ok(opened) => opened,
            Err(_) => {
                let after = config.connect_timeout;
                Err(ClientError::unreachable(address, format!("no answer within {after:?}")))
            }
        }
    }

    async fn connect(
        address: &str,
        config: &ClientConfig,
        world: &World,
    ) -> Result<Connection, ClientError> {
        let mut connection = Connection {
            stream: transport::connect(address, config.security.tls.as_ref()).await?,
            address: address.to_owned(),
            client_id: config.client_id.clone(),
            frame_bytes_max: config.frame_bytes_max,
            correlation_id: 0,
            served: Vec::new(),
            buffer: BytesMut::new(),
            expires: None,
        };
        connection.ask_versions().await?;
        if let Some(sasl) = &config.security.sasl {
            let begun = world.clock.monotonic();
            let lifetime = authenticate(&mut connection, sasl, world).await?;
            // A request that is under way at the end is lost: a tenth is left for it.
            connection.expires = lifetime.map(|lifetime| begun + lifetime * 9 / 10);
        }
        Ok(connection)
    }

    /// Where it leads.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The APIs the broker serves, and in which versions.
    pub(crate) fn served(&self) -> &[ApiVersion] {
        &self.served
    }

    /// Whether the broker still knows who asks, at `now` of the monotonic clock.
    pub(crate) fn is_fresh(&self, now: Duration) -> bool {
        self.expires.is_none_or(|end| now < end)
    }

    /// A broker that does not know the first version answers in version 0 and names its range
    /// (KIP-511).
    async fn ask_versions(&mut self) -> Result<(), ClientError> {
        let request = ApiVersionsRequest {
            client_software_name: "tidemill".to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        for version in [API_VERSIONS_FIRST, 0] {
            let body = self.exchange(&request, version).await?;
            let answered = ResponseHeader::body::<ApiVersionsRequest>(version, body.clone())
                .or_else(|_| ResponseHeader::body::<ApiVersionsRequest>(0, body))
                .map_err(|error| ClientError::malformed(&self.address, &error))?;
            match answered.error_code {
                ErrorCode::UnsupportedVersion if version > 0 => continue,
                ErrorCode::None => self.served = answered.api_keys,
                code => return Err(ClientError::unreachable(&self.address, code)),
            }
            break;
        }
        Ok(())
    }

    /// Sends a request in the newest version that both sides know, at most `version_max`, and
    /// waits for its answer.
    pub(crate) async fn call<R: Request>(
        &mut self,
        request: &R,
        version_max: i16,
    ) -> Result<R::Response, ClientError> {
        let version = self.version_of::<R>(version_max)?;
        let body = self.exchange(request, version).await?;
        ResponseHeader::body::<R>(version, body)
            .map_err(|error| ClientError::malformed(&self.address, &error))
    }

    fn version_of<R: Request>(&self, version_max: i16) -> Result<i16, ClientError> {
        self.served
            .iter()
            .find(|api| api.api_key == R::KEY.key())
            .map(|api| (api.max_version.min(version_max).min(R::VERSION_MAX), api.min_version))
            .filter(|(newest, oldest)| newest >= oldest && R::is_known(*newest))
            .map(|(newest, _)| newest)
            .ok_or_else(|| ClientError::Unsupported {
                address: self.address.clone(),
                api: R::KEY.name(),
            })
    }

    /// One request, one answer: the body behind the answer's correlation id.
    async fn exchange<R: Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<Bytes, ClientError> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = encode_request(request, version, self.correlation_id, Some(&self.client_id))?;
        self.stream.write_all(&frame).await.map_err(|error| self.lost(error))?;
        // TLS keeps what did not fit into the socket.
        self.stream.flush().await.map_err(|error| self.lost(error))?;
        let answer = self.next_frame().await?;
        let (header, body) = ResponseHeader::decode(answer)
            .map_err(|error| ClientError::malformed(&self.address, &error))?;
        if header.correlation_id != self.correlation_id {
            return Err(ClientError::Malformed {
                address: self.address.clone(),
                reason: format!(
                    "an answer to request {} instead of {}",
                    header.correlation_id, self.correlation_id
                ),
            });
        }
        Ok(body)
    }

    async fn next_frame(&mut self) -> Result<Bytes, ClientError> {
        loop {
            match frame::take(&mut self.buffer, self.frame_bytes_max) {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => {}
                Err(_) if self.buffer.starts_with(&TLS_ALERT) => {
                    return Err(ClientError::Untrusted {
                        address: self.address.clone(),
                        reason: "it speaks TLS; its security_protocol may be SSL or SASL_SSL"
                            .to_owned(),
                    });
                }
                Err(error) => {
                    return Err(ClientError::Malformed {
                        address: self.address.clone(),
                        reason: error.to_string(),
                    });
                }
            }
            let read = self.stream.read_buf(&mut self.buffer).await;
            match read.map_err(|error| self.lost(error))? {
                0 => return Err(ClientError::unreachable(&self.address, "connection closed")),
                _ => continue,
            }
        }
    }

    fn lost(&self, error: std::io::Error) -> ClientError {
        transport::judge(&self.address, error)
    }
}
