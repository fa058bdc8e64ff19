//! Schemas of a Confluent Schema Registry, by their ids.

use std::time::Duration;

use serde::Deserialize;
use tidemill_access::RegistryAccess;

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A schema that is longer is refused.
const SCHEMA_BYTES_MAX: usize = 4 << 20;

/// A registry behind a URL.
#[derive(Debug, Clone)]
pub struct SchemaRegistry {
    access: RegistryAccess,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct SchemaAnswer {
    schema: String,
    #[serde(rename = "schemaType")]
    schema_type: Option<String>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error_code: i64,
    message: String,
}

impl SchemaRegistry {
    /// The registry of a node, or any other. Nothing is asked yet.
    pub fn new(access: RegistryAccess) -> Result<SchemaRegistry, String> {
        // Another part of the program may have chosen already; any choice will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder().timeout(TIMEOUT).no_proxy();
        if let Some(tls) = &access.tls {
            builder = builder.tls_backend_preconfigured((*tls.config()).clone());
        }
        let http = builder.build().map_err(|error| format!("schema registry client: {error}"))?;
        Ok(SchemaRegistry { access, http })
    }

    /// The Avro schema with this id. The inner error says that there is none (final), the outer one
    /// that the registry did not answer (ask again).
    pub async fn schema(&self, id: u32) -> Result<Result<String, String>, String> {
        let at = self.access.url.trim_end_matches('/');
        let failed = |error: reqwest::Error| format!("schema registry at {at}: {error}");
        let mut request = self.http.get(format!("{at}/schemas/ids/{id}"));
        if let Some(credentials) = &self.access.credentials {
            let password = credentials.password.reveal();
            request = request.basic_auth(&credentials.username, Some(password));
        }
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        if body.len() > SCHEMA_BYTES_MAX {
            return Ok(Err(format!("schema {id} has more than {SCHEMA_BYTES_MAX} bytes")));
        }
        if status.is_success() {
            let answer: SchemaAnswer = serde_json::from_slice(&body)
                .map_err(|error| format!("schema registry at {at}: {error}"))?;
            return Ok(match answer.schema_type.as_deref() {
                None | Some("AVRO") => Ok(answer.schema),
                Some(other) => Err(format!("schema {id} is {other}, not AVRO")),
            });
        }
        match serde_json::from_slice::<ErrorAnswer>(&body) {
            Ok(error) if status.as_u16() == 404 => {
                Ok(Err(format!("{} (schema {id}, error code {})", error.message, error.error_code)))
            }
            Ok(error) => Err(format!("schema registry at {at}: {}", error.message)),
            Err(_) => Err(format!("schema registry at {at}: HTTP {status}")),
        }
    }
}
