//! HTTP as a port: what a poll asks and what it gets.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use tidemill_runtime::ByteSize;

/// Largest answer that is read.
const ANSWER_BYTES_MAX: ByteSize = ByteSize::mib(32);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// With its query.
    pub url: String,
    /// Name, value.
    pub headers: Vec<(String, String)>,
    /// Sent as it is.
    pub body: Option<Bytes>,
    /// For the whole exchange.
    pub timeout: Duration,
}

/// A whole answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Such as 200.
    pub status: u16,
    /// `Retry-After`, if it was given in seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Bytes,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    /// The same request may succeed later.
    #[error("{0}")]
    Later(String),
    /// The request itself is wrong.
    #[error("{0}")]
    Never(String),
}

/// Somebody who sends HTTP requests.
#[async_trait]
pub trait HttpClient: Send + Sync + 'static {
    /// Sends one and reads the answer.
    async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpFailure>;
}

/// The real one: HTTP/1.1 with TLS, connections kept.
#[derive(Debug, Clone)]
pub struct ReqwestClient(reqwest::Client);

impl ReqwestClient {
    /// An error means that TLS cannot be set up here.
    pub fn new() -> Result<ReqwestClient, reqwest::Error> {
        // One provider per process; somebody else may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let agent = concat!("tidemill/", env!("CARGO_PKG_VERSION"));
        let client = reqwest::Client::builder().user_agent(agent).connect_timeout(CONNECT_TIMEOUT);
        Ok(ReqwestClient(client.build()?))
    }

    async fn exchange(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpFailure> {
        let never = |error: &dyn std::fmt::Display| HttpFailure::Never(error.to_string());
        let method = reqwest::Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|error| never(&error))?;
        let url: reqwest::Url = request.url.parse().map_err(|error| {
            HttpFailure::Never(format!("{:?} is not a URL: {error}", request.url))
        })?;
        let mut builder = self.0.request(method, url).timeout(request.timeout);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let answer = builder.send().await.map_err(|error| failure(&error))?;
        let retry_after = answer.headers().get(reqwest::header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Ok(HttpAnswer {
            status: answer.status().as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
            body: body(answer).await?,
        })
    }
}

async fn body(answer: reqwest::Response) -> Result<Bytes, HttpFailure> {
    let mut body = BytesMut::new();
    let mut stream = answer.bytes_stream();
    while let Some(bytes) = stream.next().await {
        let bytes = bytes.map_err(|error| failure(&error))?;
        if body.len() + bytes.len() > ANSWER_BYTES_MAX.as_usize() {
            return Err(HttpFailure::Later(format!(
                "the answer is larger than {ANSWER_BYTES_MAX}"
            )));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body.freeze())
}

/// The reason without the URL, which may hold a secret, but with its causes.
fn failure(error: &reqwest::Error) -> HttpFailure {
    if error.is_builder() {
        return HttpFailure::Never(causes(error));
    }
    HttpFailure::Later(if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        format!("cannot connect{}: {}", whereto(error), causes(error))
    } else {
        causes(error)
    })
}

/// Host and port hold no secret, and say which server is meant.
fn whereto(error: &reqwest::Error) -> String {
    let host_and_port = error
        .url()
        .and_then(|url| Some(format!(" to {}:{}", url.host_str()?, url.port_or_known_default()?)));
    host_and_port.unwrap_or_default()
}

/// The innermost cause says it best: `Connection refused (os error 111)`.
fn causes(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    match error.url() {
        Some(url) => text.replace(url.as_str(), "the URL"),
        None => text,
    }
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpFailure> {
        self.exchange(request).await
    }
}
