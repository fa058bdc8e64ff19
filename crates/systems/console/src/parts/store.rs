//! The table store, through CQL.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scylla::client::PoolSize;
use scylla::client::session::Session;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::unprepared::Statement;
use scylla::value::Row;
use serde_json::Value;
use tidemill_access::CassandraAccess;
use tidemill_connectors::cassandra::session_builder;
use tokio::sync::Mutex;

use super::to_json;
use crate::error::{ApiError, Part, root_cause, with_causes};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// One session, made when it is first needed and again if that failed.
pub(crate) struct Store {
    access: CassandraAccess,
    session: Mutex<Option<Arc<Session>>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("contact_points", &self.access.contact_points)
            .finish_non_exhaustive()
    }
}

/// A page of rows.
#[derive(Debug)]
pub(crate) struct Page {
    /// Names, in the order of the cells.
    pub(crate) columns: Vec<String>,
    /// `n` rows of `columns.len()` cells.
    pub(crate) rows: Vec<Vec<Value>>,
    /// Where the next page starts; opaque.
    pub(crate) next: Option<String>,
}

impl Store {
    /// A store; nothing is connected yet.
    pub(crate) fn new(access: &CassandraAccess) -> Store {
        Store { access: access.clone(), session: Mutex::default() }
    }

    /// Whether this node has a store.
    pub(crate) fn is_configured(&self) -> bool {
        !self.access.contact_points.is_empty()
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        self.access.contact_points.join(",")
    }

    /// Runs a statement and gives one page of its rows; none for a statement without rows.
    pub(crate) async fn page(
        &self,
        cql: &str,
        values: impl SerializeRow,
        size: i32,
        from: Option<&str>,
    ) -> Result<Page, ApiError> {
        let session = self.session().await?;
        let mut statement = Statement::new(cql);
        statement.set_page_size(size.max(1));
        statement.set_request_timeout(Some(REQUEST_TIMEOUT));
        let state = match from {
            None => PagingState::start(),
            Some(text) => {
                let bytes = URL_SAFE_NO_PAD.decode(text);
                PagingState::new_from_raw_bytes(
                    bytes.map_err(|_| ApiError::bad("page is not a page's name"))?,
                )
            }
        };
        let (result, paging) = session
            .query_single_page(statement, values, state)
            .await
            .map_err(|error| self.refused(&error))?;
        let next = match &paging {
            PagingStateResponse::HasMorePages { state } => {
                state.as_bytes_slice().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
            }
            PagingStateResponse::NoMorePages => None,
        };
        if !result.is_rows() {
            return Ok(Page { columns: Vec::new(), rows: Vec::new(), next: None });
        }
        let rows = result.into_rows_result().map_err(|error| unreadable(&error))?;
        let columns = rows.column_specs().iter().map(|spec| spec.name().to_owned()).collect();
        let read = rows.rows::<Row>().map_err(|error| unreadable(&error))?;
        let cells = |row: Row| row.columns.into_iter().map(to_json).collect();
        let rows = read.map(|row| row.map(cells)).collect::<Result<_, _>>();
        Ok(Page { columns, rows: rows.map_err(|error| unreadable(&error))?, next })
    }

    async fn session(&self) -> Result<Arc<Session>, ApiError> {
        if !self.is_configured() {
            return Err(ApiError::down(Part::Store, "this node runs without a table store"));
        }
        // Held while connecting: those who ask meanwhile get the same session or the same error.
        let mut session = self.session.lock().await;
        if let Some(session) = &*session {
            return Ok(Arc::clone(session));
        }
        let builder = session_builder(&self.access)
            .connection_timeout(CONNECT_TIMEOUT)
            .fetch_schema_metadata(false)
            .pool_size(PoolSize::PerHost(std::num::NonZeroUsize::MIN))
            .disallow_shard_aware_port(true)
            .auto_await_schema_agreement(false);
        let made = tokio::time::timeout(CONNECT_TIMEOUT * 2, builder.build()).await;
        let made = match made {
            Ok(Ok(made)) => Arc::new(made),
            Ok(Err(error)) => return Err(self.lost(&error)),
            Err(_) => {
                let message = format!("{}: no answer to a CQL handshake", self.address());
                return Err(ApiError::down(Part::Store, message));
            }
        };
        *session = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Tells a statement the store refused from a store that does not answer.
    fn refused(&self, error: &scylla::errors::ExecutionError) -> ApiError {
        use scylla::errors::{ExecutionError, RequestAttemptError};
        match error {
            ExecutionError::LastAttemptError(RequestAttemptError::DbError(kind, message)) => {
                let text = if message.is_empty() { kind.to_string() } else { message.clone() };
                ApiError::refused(Part::Store, axum::http::StatusCode::BAD_REQUEST, text)
            }
            other => self.lost(other),
        }
    }

    fn lost(&self, error: &dyn std::error::Error) -> ApiError {
        ApiError::down(Part::Store, format!("{}: {}", self.address(), root_cause(error)))
    }
}

fn unreadable(error: &dyn std::error::Error) -> ApiError {
    ApiError::down(Part::Store, format!("rows that cannot be read: {}", with_causes(error)))
}
