//! Who may ask: pages of this console in a browser on this machine, and programs on it.
//!
//! A name that an attacker's DNS points at 127.0.0.1 would make a foreign page same-origin with
//! this one (DNS rebinding), so only loopback names are served. A foreign page may still *send*
//! simple requests across origins, so whatever writes must come from this origin and be JSON.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tidemill_runtime::is_loopback_host;

use crate::error::{ApiError, Part};

/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// No script, style, font or connection from anywhere else, and no page around this one.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(header::HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Puts the checks before a router and the headers after it.
pub(crate) fn guarded(router: Router) -> Router {
    router.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).layer(middleware::from_fn(check))
}

async fn check(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.method(), request.headers()) {
        Some((status, message)) => {
            ApiError::refused(Part::Console, status, message).into_response()
        }
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is not served.
fn refusal(method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST)?;
    if !is_loopback_host(host) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "the console answers to loopback names only; open it as http://127.0.0.1 or http://localhost",
        ));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let foreign_site = site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin = text(header::ORIGIN)
        .is_some_and(|origin| origin.split_once("://").is_none_or(|(_, at)| at != host));
    if foreign_site || foreign_origin {
        return Some((StatusCode::FORBIDDEN, "another site's page may not change anything here"));
    }
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    if kind
        .split(';')
        .next()
        .is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json"))
    {
        return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sites_page_can_not_write() {
        let headers = |pairs: &[(&'static str, &str)]| -> HeaderMap {
            pairs
                .iter()
                .map(|(name, value)| {
                    (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
                })
                .collect()
        };
        let json = ("content-type", "application/json; charset=utf-8");
        let host = ("host", "127.0.0.1:9021");
        for (given, expected) in [
            (vec![host, json], None),
            (
                vec![
                    host,
                    json,
                    ("origin", "http://127.0.0.1:9021"),
                    ("sec-fetch-site", "same-origin"),
                ],
                None,
            ),
            (vec![host, json, ("origin", "https://evil.example")], Some(StatusCode::FORBIDDEN)),
            (vec![host, json, ("origin", "null")], Some(StatusCode::FORBIDDEN)),
            (vec![host, json, ("origin", "http://127.0.0.1:3000")], Some(StatusCode::FORBIDDEN)),
            (vec![host, json, ("sec-fetch-site", "cross-site")], Some(StatusCode::FORBIDDEN)),
            (vec![host, ("content-type", "text/plain")], Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
            (vec![host], Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
            (vec![("host", "evil.example"), json], Some(StatusCode::MISDIRECTED_REQUEST)),
        ] {
            let refused = refusal(&Method::POST, &headers(&given)).map(|(status, _)| status);
            assert_eq!(refused, expected, "{given:?}");
        }
        assert!(
            refusal(&Method::GET, &headers(&[host, ("origin", "https://evil.example")])).is_none()
        );
    }
}
