//! Only for this machine: a page in a browser must not reach us by a name that leads here (DNS
//! rebinding), nor from another site.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tidemill_runtime::is_loopback_host;

use super::error::ApiError;

pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    match check(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let forbidden = |what: &str, value: &str| {
        let detail =
            format!("{what} {value:?} is not this machine: the API is open on loopback only");
        ApiError::new(StatusCode::FORBIDDEN, detail)
    };
    // HTTP/1.0 may have none.
    let host =
        text(headers, header::HOST).or_else(|| request.uri().authority().map(|a| a.as_str()));
    if let Some(host) = host
        && !is_loopback_host(host)
    {
        return Err(forbidden("Host", host));
    }
    if let Some(origin) = text(headers, header::ORIGIN) {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        if !is_loopback_host(host) {
            return Err(forbidden("Origin", origin));
        }
    }
    Ok(())
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}
