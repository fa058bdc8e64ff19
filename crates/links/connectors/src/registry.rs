//! Schemas of a Confluent Schema Registry, by their ids.

use std::time::Duration;

use serde::Deserialize;

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A schema that is longer is refused.
const SCHEMA_BYTES_MAX: usize = 4 << 20;

/// A registry behind a URL.
#[derive(Debug, Clone)]
pub struct SchemaRegistry {
    url: String,
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
    /// `url` without a path, such as `http://127.0.0.1:8081`. Nothing is asked yet.
    pub fn new(url: &str) -> Result<SchemaRegistry, String> {
        // Another part of the program may have chosen already; any choice will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|error| format!("schema registry client: {error}"))?;
        Ok(SchemaRegistry { url: url.trim_end_matches('/').to_owned(), http })
    }

    /// The Avro schema with this id. The inner error says that there is none (final), the outer one
    /// that the registry did not answer (ask again).
    pub async fn schema(&self, id: u32) -> Result<Result<String, String>, String> {
        let url = format!("{}/schemas/ids/{id}", self.url);
        let failed = |error: reqwest::Error| format!("schema registry at {}: {error}", self.url);
        let answer = self.http.get(&url).send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        if body.len() > SCHEMA_BYTES_MAX {
            return Ok(Err(format!("schema {id} has more than {SCHEMA_BYTES_MAX} bytes")));
        }
        if status.is_success() {
            let answer: SchemaAnswer = serde_json::from_slice(&body)
                .map_err(|error| format!("schema registry at {}: {error}", self.url))?;
            return Ok(match answer.schema_type.as_deref() {
                None | Some("AVRO") => Ok(answer.schema),
                Some(other) => Err(format!("schema {id} is {other}, not AVRO")),
            });
        }
        match serde_json::from_slice::<ErrorAnswer>(&body) {
            Ok(error) if status.as_u16() == 404 => {
                Ok(Err(format!("{} (schema {id}, error code {})", error.message, error.error_code)))
            }
            Ok(error) => Err(format!("schema registry at {}: {}", self.url, error.message)),
            Err(_) => Err(format!("schema registry at {}: HTTP {status}", self.url)),
        }
    }
}
