//! What every request passes: who asks, in which form, and what is refused how.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidemill_runtime::is_loopback_host;

use super::App;
use super::answer::{Refusal, USUAL_TYPE, typed};
use crate::error::RegistryError;

/// Types of an answer, the preferred one first.
const ANSWER_TYPES: [&str; 3] =
    [USUAL_TYPE, "application/vnd.schemaregistry+json", "application/json"];
/// Types of a request beside those.
const OTHER_REQUEST_TYPE: &str = "application/octet-stream";

/// Refuses what may not come in, and writes what is refused.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let chosen = answer_type(request.headers());
    let checked = check(&request).and(chosen.map(|_| ()).ok_or_else(not_acceptable));
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(error) => Refusal(error).into_response(),
    };
    if let Some(Refusal(error)) = response.extensions_mut().remove::<Refusal>() {
        if error.status() >= 500 {
            tracing::error!(%error, "request failed");
        }
        let body = json!({ "error_code": error.code(app.profile), "message": error.to_string() });
        response = typed(response.status(), body.to_string().into_bytes());
    } else if !response.status().is_success() && !is_ours(&response) {
        // What axum itself refuses, such as a path that is no UTF-8.
        response = other_refusal(response.status());
    }
    let kind = HeaderValue::from_static(chosen.unwrap_or(USUAL_TYPE));
    if response.status() != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}

/// Whether the body was written here.
fn is_ours(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == USUAL_TYPE)
}

fn other_refusal(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    let message = format!("HTTP {} {reason}", status.as_u16());
    let body = json!({ "error_code": status.as_u16(), "message": message });
    typed(status, body.to_string().into_bytes())
}

fn not_acceptable() -> RegistryError {
    RegistryError::http(406, "HTTP 406 Not Acceptable")
}

fn check(request: &Request) -> Result<(), RegistryError> {
    check_names(request.headers())?;
    let has_body = matches!(*request.method(), Method::POST | Method::PUT);
    match text(request.headers(), &CONTENT_TYPE) {
        Some(kind) if has_body && !is_request_type(kind) => {
            Err(RegistryError::http(415, "HTTP 415 Unsupported Media Type"))
        }
        _ => Ok(()),
    }
}

/// A page in a browser can make its own host name point here, and can send requests that it may not
/// read. Both name who they are.
fn check_names(headers: &HeaderMap) -> Result<(), RegistryError> {
    let foreign = |what: &str, name: &str| {
        RegistryError::http(
            403,
            format!("{what} {name:?} is not this machine: only loopback names"),
        )
    };
    if let Some(host) = text(headers, &HOST)
        && !is_loopback_host(host)
    {
        return Err(foreign("host", host));
    }
    if let Some(origin) = text(headers, &ORIGIN)
        && !origin.split_once("://").is_some_and(|(_, host)| is_loopback_host(host))
    {
        return Err(foreign("origin", origin));
    }
    Ok(())
}

fn is_request_type(kind: &str) -> bool {
    let essence = kind.split_once(';').map_or(kind, |(essence, _)| essence).trim();
    ANSWER_TYPES
        .iter()
        .chain([&OTHER_REQUEST_TYPE])
        .any(|known| known.eq_ignore_ascii_case(essence))
}

/// The type that the client likes best; none if it likes none.
fn answer_type(headers: &HeaderMap) -> Option<&'static str> {
    let Some(accepted) = text(headers, &ACCEPT) else {
        return Some(USUAL_TYPE);
    };
    let mut best: Option<(f32, &'static str)> = None;
    for kind in ANSWER_TYPES {
        let quality = accepted.split(',').filter_map(|range| quality(range, kind));
        let quality = quality.fold(0.0, f32::max);
        if quality > 0.0 && best.is_none_or(|(other, _)| quality > other) {
            best = Some((quality, kind));
        }
    }
    best.map(|(_, kind)| kind)
}

/// How much a media range wants a type; none if it does not cover it.
fn quality(range: &str, kind: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    let essence = parts.next()?;
    let covered = matches!(essence, "*/*" | "application/*") || essence.eq_ignore_ascii_case(kind);
    let weight = parts.find_map(|part| part.strip_prefix("q="));
    covered.then(|| weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_type_that_the_client_likes_best() {
        for (accepted, kind) in [
            ("*/*", Some(USUAL_TYPE)),
            ("application/json", Some("application/json")),
            ("application/json, application/vnd.schemaregistry.v1+json", Some(USUAL_TYPE)),
            ("application/json, */*;q=0.1", Some("application/json")),
            ("text/html, application/*;q=0.5", Some(USUAL_TYPE)),
            ("text/html", None),
            ("application/json;q=0", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accepted));
            assert_eq!(answer_type(&headers), kind, "{accepted}");
        }
        assert_eq!(answer_type(&HeaderMap::new()), Some(USUAL_TYPE));
    }
}
