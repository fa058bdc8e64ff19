//! Requests: one file per message. Each translates; the meaning is in `query` and `execution`.

pub(crate) mod auth_response;
pub(crate) mod batch;
pub(crate) mod execute;
pub(crate) mod options;
pub(crate) mod prepare;
pub(crate) mod query;
pub(crate) mod register;
pub(crate) mod startup;

use std::sync::Arc;

use crate::database::Database;
use crate::error::CqlError;
use crate::reply::Reply;

/// How often a statement is planned again because its table changed under it.
const PLANS_MAX: usize = 5;

/// What a request of an open connection runs with.
pub(crate) struct Context {
    /// What it runs on.
    pub(crate) database: Arc<Database>,
    /// The connection's keyspace when the request came.
    pub(crate) keyspace: Option<String>,
    /// Where the answer goes.
    pub(crate) reply: Reply,
}

/// Runs something that plans and runs, again if the table changed in between.
fn with_fresh_plans(mut run: impl FnMut() -> Result<(), CqlError>) -> Result<(), CqlError> {
    for _ in 1..PLANS_MAX {
        match run() {
            Err(CqlError::Stale) => {}
            other => return other,
        }
    }
    run()
}
