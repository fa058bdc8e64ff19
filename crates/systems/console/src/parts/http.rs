//! A box that speaks HTTP: registry, scheduler, engine.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidemill_access::{Credentials, RegistryAccess, Tls};

use crate::error::{ApiError, Part, root_cause};

/// Bytes of one answer; more than that is refused.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// Items of a page; Airflow gives no more at once.
const PAGE: usize = 100;
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// One HTTP box. Connections are kept and reused.
#[derive(Debug)]
pub(crate) struct HttpPart {
    part: Part,
    base: String,
    client: reqwest::Client,
    /// Sent as `Authorization: Basic`.
    credentials: Option<Credentials>,
    /// Sent as `Authorization: Bearer`; an Airflow with simple auth gives one to whoever asks.
    token: Mutex<Option<String>>,
}

impl HttpPart {
    /// A box at this URL; nothing is asked yet.
    pub(crate) fn new(part: Part, url: &str, token: &str) -> Result<HttpPart, reqwest::Error> {
        HttpPart::with(part, url, None, token)
    }

    /// The schema registry, with what it wants to see.
    pub(crate) fn registry(access: &RegistryAccess) -> Result<HttpPart, reqwest::Error> {
        let mut part = HttpPart::with(Part::Registry, &access.url, access.tls.as_ref(), "")?;
        part.credentials = access.credentials.clone();
        Ok(part)
    }

    fn with(
        part: Part,
        url: &str,
        tls: Option<&Tls>,
        token: &str,
    ) -> Result<HttpPart, reqwest::Error> {
        // The process may have chosen a provider already; either one will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if let Some(tls) = tls {
            builder = builder.tls_backend_preconfigured((*tls.config()).clone());
        }
        let client = builder.build()?;
        let url = url.trim().trim_end_matches('/');
        let base = match url {
            "" => String::new(),
            url if url.contains("://") => url.to_owned(),
            bare => format!("http://{bare}"),
        };
        let token = Some(token.to_owned()).filter(|token| !token.is_empty());
        Ok(HttpPart { part, base, client, credentials: None, token: Mutex::new(token) })
    }

    /// Whether this node has such a box.
    pub(crate) fn is_configured(&self) -> bool {
        !self.base.is_empty()
    }

    /// Its URL.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The JSON at a path (with its query).
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let body = self.send(Method::GET, path, None).await?;
        serde_json::from_slice(&body).map_err(|error| {
            let message = format!("{}{path} answered what could not be read: {error}", self.base);
            ApiError::down(self.part, message)
        })
    }

    /// The items under `key` of a list that comes in pages (`limit`, `offset`), up to `most`.
    /// `path` has a query already.
    pub(crate) async fn pages(
        &self,
        path: &str,
        key: &str,
        most: usize,
    ) -> Result<Vec<Value>, ApiError> {
        let mut items = Vec::new();
        loop {
            let (limit, offset) = ((most - items.len()).min(PAGE), items.len());
            let page = format!("{path}&limit={limit}&offset={offset}");
            let mut body: Value = self.get(&page).await?;
            let Some(Value::Array(found)) = body.get_mut(key).map(Value::take) else { break };
            let is_last = found.len() < limit;
            items.extend(found);
            if is_last || items.len() >= most {
                break;
            }
        }
        Ok(items)
    }

    /// The body of a successful answer; every other one is an error in the box's own words.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, ApiError> {
        let (status, bytes) = self.exchange(method.clone(), path, body).await?;
        let (status, bytes) = if status == StatusCode::UNAUTHORIZED && self.log_in().await {
            self.exchange(method, path, body).await?
        } else {
            (status, bytes)
        };
        if status.is_success() {
            return Ok(bytes);
        }
        let message =
            message_of(&bytes).unwrap_or_else(|| format!("{}{path} answered {status}", self.base));
        let error = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let hint = match self.part {
                    Part::Registry => "set [registry] username and password",
                    _ => "set [console] scheduler_token to a token of that system",
                };
                return Err(ApiError::down(self.part, message).with_hint(hint));
            }
            status if status.is_client_error() => ApiError::refused(self.part, status, message),
            _ => ApiError::down(self.part, message),
        };
        Err(error)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Bytes), ApiError> {
        if !self.is_configured() {
            return Err(ApiError::down(self.part, "this node runs without this part"));
        }
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("Accept", "application/json");
        if let Some(credentials) = &self.credentials {
            let password = credentials.password.reveal();
            request = request.basic_auth(&credentials.username, Some(password));
        }
        if let Some(token) = self.token.lock().clone() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                let message =
                    format!("{}{path} answered more than {ANSWER_BYTES_MAX} bytes", self.base);
                return Err(ApiError::down(self.part, message));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((status, bytes.freeze()))
    }

    /// Airflow's simple auth manager gives a token without a password if it takes all as admins.
    async fn log_in(&self) -> bool {
        if self.part != Part::Scheduler {
            return false;
        }
        let Ok((status, bytes)) = self.exchange(Method::GET, "/auth/token", None).await else {
            return false;
        };
        let token = serde_json::from_slice::<Value>(&bytes).ok().filter(|_| status.is_success());
        let token = token.as_ref().and_then(|body| body["access_token"].as_str());
        *self.token.lock() = token.map(str::to_owned);
        token.is_some()
    }

    fn lost(&self, error: &reqwest::Error) -> ApiError {
        let what = if error.is_timeout() {
            format!("no answer within {} s", TIMEOUT.as_secs())
        } else {
            root_cause(error)
        };
        ApiError::down(self.part, format!("{}: {what}", self.base))
    }
}

/// The words of a refusal: Confluent's `message`, FastAPI's `detail`, Flink's `errors`.
fn message_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    if let Some(errors) = body["errors"].as_array() {
        let lines: Vec<String> = errors.iter().filter_map(text).collect();
        // Flink repeats the whole stack; its last line names the cause.
        return lines.last().map(|line| line.lines().next().unwrap_or_default().to_owned());
    }
    text(&body["message"]).or_else(|| text(&body["detail"])).or_else(|| text(&body["title"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_system_that_refused() {
        for (body, expected) in [
            (
                r#"{"error_code":40401,"message":"Subject 'x' not found."}"#,
                "Subject 'x' not found.",
            ),
            (
                r#"{"detail":"The Dag with ID: `x` was not found"}"#,
                "The Dag with ID: `x` was not found",
            ),
            (
                r#"{"errors":["Internal server error.","Table 'x' not found\n\tat org"]}"#,
                "Table 'x' not found",
            ),
            (r#"{"detail":[{"loc":["query","limit"]}]}"#, r#"[{"loc":["query","limit"]}]"#),
        ] {
            assert_eq!(message_of(body.as_bytes()).as_deref(), Some(expected), "{body}");
        }
        assert_eq!(message_of(b"<html>"), None);
    }
}
