//! The rows of a data file, page by page.
//!
//! - `GET /rows?offset=0&limit=100` answers `{"rows":[…],"next_offset":100,"total":5000}`; at the
//!   end `next_offset` is `null`. The client keeps the offset, so nothing is lost if an answer is.
//! - `GET /next?client=name&limit=100` answers the same from a cursor kept here under that name,
//!   in memory: for tasks that poll one URL until `rows` is empty. An answer that is lost on the
//!   way is not repeated; a new name begins at the first row.
//!
//! Rows of JSON files are sent as they stand in the file, those of CSV as objects of text.

mod csv;
mod rows;

pub use rows::ReplayError;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use tidemill_runtime::{Tasks, World};

use crate::server::error;
use rows::Rows;

/// Rows in one answer, at most and by default.
const LIMIT_MAX: usize = 10_000;
const LIMIT_DEFAULT: usize = 100;

/// Names under which a cursor is kept.
const CLIENTS_MAX: usize = 1024;

/// Bytes of such a name.
const CLIENT_BYTES_MAX: usize = 256;

/// Reads the file, on a thread for blocking work.
pub(crate) async fn load(file: PathBuf, world: World, tasks: &Tasks) -> Result<Rows, ReplayError> {
    let path = file.clone();
    let read = tasks.spawn_blocking(move || Rows::load(&path, &world));
    read.await.unwrap_or(Err(ReplayError::Interrupted { file }))
}

/// The service over rows that were read.
pub(crate) fn router(rows: Rows) -> Router {
    Router::new()
        .route("/rows", get(page))
        .route("/next", get(next))
        .route("/health", get(health))
        .with_state(Arc::new(Service { rows, cursors: Mutex::default() }))
}

struct Service {
    rows: Rows,
    /// By the clients' names: the offset of the row that each gets next.
    cursors: Mutex<HashMap<String, usize>>,
}

#[derive(Serialize)]
struct Page<'a> {
    rows: &'a [Box<RawValue>],
    next_offset: Option<usize>,
    total: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    #[serde(default)]
    offset: usize,
    #[serde(default = "default_limit")]
    limit: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NextQuery {
    client: String,
    #[serde(default = "default_limit")]
    limit: usize,
}

fn default_limit() -> usize {
    LIMIT_DEFAULT
}

/// Why a page is refused.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error("{0}")]
    Query(#[from] QueryRejection),
    #[error("limit {0} is not from 1 to {LIMIT_MAX}")]
    Limit(usize),
    #[error("offset {offset} is past the end: there are {total} rows")]
    Offset { offset: usize, total: usize },
    #[error("client is a name of 1 to {CLIENT_BYTES_MAX} bytes")]
    ClientName,
    #[error("{CLIENTS_MAX} clients have a cursor already: use one of their names, or /rows")]
    Clients,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = match self {
            PageError::Clients => StatusCode::TOO_MANY_REQUESTS,
            PageError::Query(_)
            | PageError::Limit(_)
            | PageError::Offset { .. }
            | PageError::ClientName => StatusCode::BAD_REQUEST,
        };
        error(status, self)
    }
}

async fn health(State(service): State<Arc<Service>>) -> Response {
    let Service { rows, .. } = &*service;
    Json(json!({ "status": "healthy", "api": "replay", "rows": rows.len(), "file": rows.file() }))
        .into_response()
}

async fn page(
    State(service): State<Arc<Service>>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Query(PageQuery { offset, limit }) = query?;
    let total = service.rows.len();
    if offset > total {
        return Err(PageError::Offset { offset, total });
    }
    Ok(service.from(offset, checked(limit)?))
}

async fn next(
    State(service): State<Arc<Service>>,
    query: Result<Query<NextQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Query(NextQuery { client, limit }) = query?;
    let limit = checked(limit)?;
    let offset = service.advance(client, limit)?;
    Ok(service.from(offset, limit))
}

fn checked(limit: usize) -> Result<usize, PageError> {
    if (1..=LIMIT_MAX).contains(&limit) { Ok(limit) } else { Err(PageError::Limit(limit)) }
}

impl Service {
    fn from(&self, offset: usize, limit: usize) -> Response {
        let total = self.rows.len();
        let end = offset.saturating_add(limit).min(total);
        let next_offset = (end < total).then_some(end);
        Json(Page { rows: self.rows.slice(offset, end), next_offset, total }).into_response()
    }

    /// Moves a client's cursor on by `limit` rows, at most to the end; where it was.
    fn advance(&self, client: String, limit: usize) -> Result<usize, PageError> {
        if client.is_empty() || client.len() > CLIENT_BYTES_MAX {
            return Err(PageError::ClientName);
        }
        let mut cursors = self.cursors.lock();
        if cursors.len() >= CLIENTS_MAX && !cursors.contains_key(&client) {
            return Err(PageError::Clients);
        }
        let cursor = cursors.entry(client).or_default();
        let offset = *cursor;
        *cursor = offset.saturating_add(limit).min(self.rows.len());
        Ok(offset)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use serde_json::Value;

    use super::*;
    use crate::SampleApi;
    use crate::test_client::{get, start};

    fn service(total: usize) -> Service {
        Service { rows: Rows::numbered(total), cursors: Mutex::default() }
    }

    async fn body(response: Response) -> Value {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn expected(range: Range<usize>, next_offset: Option<usize>, total: usize) -> Value {
        let rows: Vec<Value> = range.map(|n| json!({ "n": n })).collect();
        json!({ "rows": rows, "next_offset": next_offset, "total": total })
    }

    #[tokio::test]
    async fn pages_join_without_gap_or_overlap() {
        let service = service(25);
        for (offset, limit, range, next_offset) in [
            (0, 10, 0..10, Some(10)),
            (10, 10, 10..20, Some(20)),
            (20, 10, 20..25, None),
            (15, 10, 15..25, None),
            (25, 10, 25..25, None),
            (24, LIMIT_MAX, 24..25, None),
        ] {
            let found = body(service.from(offset, limit)).await;
            assert_eq!(found, expected(range, next_offset, 25), "{offset} {limit}");
        }
    }

    #[tokio::test]
    async fn every_client_gets_every_row_once_and_then_nothing() {
        let service = service(25);
        for (client, limit, range, next_offset) in [
            ("a", 10, 0..10, Some(10)),
            ("b", 25, 0..25, None),
            ("a", 10, 10..20, Some(20)),
            ("a", 10, 20..25, None),
            ("a", 10, 25..25, None),
            ("b", 1, 25..25, None),
            ("c", 1, 0..1, Some(1)),
        ] {
            let offset = service.advance(client.to_owned(), limit).unwrap();
            let found = body(service.from(offset, limit)).await;
            assert_eq!(found, expected(range, next_offset, 25), "{client}");
        }
    }

    #[test]
    fn cursors_are_kept_for_a_bounded_number_of_clients() {
        let service = service(1);
        for client in 0..CLIENTS_MAX {
            service.advance(client.to_string(), 1).unwrap();
        }
        assert!(matches!(service.advance("new".to_owned(), 1), Err(PageError::Clients)));
        assert_eq!(service.advance("7".to_owned(), 1).unwrap(), 1);
        assert!(matches!(service.advance(String::new(), 1), Err(PageError::ClientName)));
        let long = "x".repeat(CLIENT_BYTES_MAX + 1);
        assert!(matches!(service.advance(long, 1), Err(PageError::ClientName)));
    }

    #[tokio::test]
    async fn a_wrong_request_says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.ndjson");
        std::fs::write(&file, "{\"n\":0}\n{\"n\":1}\n").unwrap();
        let server = start(SampleApi::Replay { file }).await;
        for (path, status, part) in [
            ("/rows", 200, r#"{"rows":[{"n":0},{"n":1}],"next_offset":null,"total":2}"#),
            ("/rows?limit=1&offset=0", 200, r#"{"rows":[{"n":0}],"next_offset":1,"total":2}"#),
            ("/next?client=a&limit=1", 200, r#"{"rows":[{"n":0}],"next_offset":1,"total":2}"#),
            ("/next?client=a", 200, r#"{"rows":[{"n":1}],"next_offset":null,"total":2}"#),
            ("/next?client=a", 200, r#"{"rows":[],"next_offset":null,"total":2}"#),
            ("/health", 200, r#""rows":2,"file":"rows.ndjson""#),
            ("/rows?offset=3", 400, "offset 3 is past the end: there are 2 rows"),
            ("/rows?offset=-1", 400, "invalid digit"),
            ("/rows?limit=0", 400, "limit 0 is not from 1 to 10000"),
            ("/rows?limit=10001", 400, "limit 10001 is not from 1 to 10000"),
            ("/rows?ofset=1", 400, "unknown field `ofset`, expected `offset` or `limit`"),
            ("/next", 400, "missing field `client`"),
            ("/next?client=", 400, "client is a name of 1 to 256 bytes"),
            ("/else", 404, "nothing is served at /else"),
        ] {
            let answer = get(server, path).await;
            assert_eq!(answer.status, status, "{path}");
            assert!(answer.body.contains(part), "{path}: {}", answer.body);
        }
    }
}
