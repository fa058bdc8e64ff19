//! One file per resource of `/api/v1`. They translate; what they ask is in `parts`.

mod cql;
mod dags;
mod events;
mod groups;
mod info;
mod messages;
mod pipelines;
mod proxy;
mod schemas;
mod sql;
mod tables;
mod topics;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures::Stream;

use crate::app::App;
use crate::assets;
use crate::error::{ApiError, Part};

/// All that is served.
pub(crate) fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .route("/info", get(info::info))
        .route("/health", get(info::health))
        .route("/cluster", get(info::cluster))
        .route("/events", get(events::events))
        .route("/topics", get(topics::list))
        .route("/topics/{topic}", get(topics::detail))
        .route("/topics/{topic}/messages", get(messages::browse))
        .route("/topics/{topic}/tail", get(messages::tail))
        .route("/groups", get(groups::list))
        .route("/groups/{group}", get(groups::detail))
        .route("/schemas", get(schemas::list))
        .route("/schemas/{subject}", get(schemas::detail))
        .route("/registry/{*path}", any(proxy::registry))
        .route("/keyspaces", get(tables::keyspaces))
        .route("/keyspaces/{keyspace}/tables/{table}", get(tables::table))
        .route("/keyspaces/{keyspace}/tables/{table}/rows", get(tables::rows))
        .route("/cql", post(cql::run))
        .route("/sql", post(sql::run))
        .route("/pipelines", get(pipelines::list))
        .route("/dags", get(dags::list))
        .route("/dags/{dag}/grid", get(dags::grid))
        .route("/dags/{dag}/runs/{run}", get(dags::run))
        .route("/scheduler/{*path}", any(proxy::scheduler))
        .fallback(no_such_resource);
    Router::new()
        .nest("/api/v1", api)
        .route("/health", get(info::alive))
        .fallback(pages)
        .with_state(app)
}

async fn no_such_resource(uri: Uri) -> ApiError {
    ApiError::missing(Part::Console, format!("there is no /api/v1{}", uri.path()))
}

/// The built page and its files. Whatever else begins with `/api` is no page.
async fn pages(uri: Uri, method: axum::http::Method, headers: axum::http::HeaderMap) -> Response {
    use axum::response::IntoResponse;
    if uri.path() == "/api" || uri.path().starts_with("/api/") {
        return ApiError::missing(Part::Console, format!("there is no {}", uri.path()))
            .into_response();
    }
    if !matches!(method, axum::http::Method::GET | axum::http::Method::HEAD) {
        let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
        return ApiError::refused(Part::Console, status, "pages are only read").into_response();
    }
    assets::serve(uri, headers).await
}

/// A name as one segment of a path: whatever it is, it stays one segment.
pub(crate) fn segment(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => text.push(byte.into()),
            // A segment of dots only would mean another place.
            b'.' if name.bytes().any(|other| other != b'.') => text.push('.'),
            other => {
                let _ = write!(text, "%{other:02X}");
            }
        }
    }
    text
}

/// A body that is made while it is read.
fn streamed(
    content_type: &'static str,
    stream: impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + 'static,
) -> Response {
    let mut response = Response::new(Body::from_stream(stream));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A receiver as a body.
fn received(
    receiver: tokio::sync::mpsc::Receiver<Bytes>,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    futures::stream::unfold(receiver, |mut receiver| async move {
        Some((Ok(receiver.recv().await?), receiver))
    })
}

fn too_many_streams() -> ApiError {
    let status = axum::http::StatusCode::TOO_MANY_REQUESTS;
    ApiError::refused(Part::Console, status, "too many pages follow live values at once")
        .with_hint("close some of them, or raise [console] streams_max")
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_name_stays_one_segment_of_a_path() {
        for (name, expected) in [
            ("users_created.dlq", "users_created.dlq"),
            (
                "scheduled__2026-11-22T14:00:00+00:00",
                "scheduled__2026-11-22T14%3A00%3A00%2B00%3A00",
            ),
            ("../../v1/admin", "..%2F..%2Fv1%2Fadmin"),
            ("..", "%2E%2E"),
            (".", "%2E"),
            ("a?b#c", "a%3Fb%23c"),
            ("\u{e4}", "%C3%A4"),
        ] {
            assert_eq!(segment(name), expected, "{name}");
        }
    }
}
