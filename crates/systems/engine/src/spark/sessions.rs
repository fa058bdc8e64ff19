//! Sessions: settings, temporary views, running operations, streaming queries, recent errors.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tidemill_runtime::{Shutdown, World};
use tidemill_spark_connect::{Relation, UserContext};

use super::conf::Conf;
use super::error::{Kind, Result, SparkError};
use super::operations::Operation;
use super::streams::MemoryRows;

/// A session that nobody used for so long, and that runs no query, goes; Spark's default.
const IDLE_MAX: Duration = Duration::from_secs(3600);
/// Errors of one session whose details can be asked for; Spark keeps 20.
const ERRORS_MAX: usize = 20;
/// Operations of one session at most, those that are over and not released included.
const OPERATIONS_MAX: usize = 200;
/// How long an operation that is over waits for its client to attach again.
const ABANDONED_MAX: Duration = Duration::from_secs(300);
/// Temporary views of one session at most.
const VIEWS_MAX: usize = 1000;

/// One client's session.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) user: String,
    /// Differs after a restart, by which a client learns that its views are gone.
    pub(super) server_id: String,
    pub(super) conf: Mutex<Conf>,
    /// A temporary view is the plan it was made from.
    pub(super) views: Mutex<BTreeMap<String, Arc<Relation>>>,
    /// Rows of `memory` sinks, by the query's name.
    rows: Mutex<BTreeMap<String, Arc<MemoryRows>>>,
    operations: Mutex<Vec<Arc<Operation>>>,
    errors: Mutex<VecDeque<(String, SparkError)>>,
    used_at: Mutex<Duration>,
    shutdown: Shutdown,
    pub(super) world: World,
}

impl Session {
    /// A number that no other has.
    pub(super) fn new_id(&self) -> String {
        self.world.random.uuid().to_string()
    }

    /// Keeps an error and gives the number under which it is found again.
    pub(super) fn remember(&self, error: &SparkError) -> String {
        let id = self.new_id();
        let mut errors = self.errors.lock();
        if errors.len() >= ERRORS_MAX {
            errors.pop_front();
        }
        errors.push_back((id.clone(), error.clone()));
        id
    }

    /// The error with this number.
    pub(super) fn error(&self, id: &str) -> Option<SparkError> {
        let errors = self.errors.lock();
        errors.iter().find(|(known, _)| known == id).map(|(_, error)| error.clone())
    }

    /// Begins an operation. The id is the client's, or a new one.
    pub(super) fn begin(
        &self,
        id: Option<String>,
        tags: Vec<String>,
        reattachable: bool,
    ) -> Result<Arc<Operation>> {
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| self.new_id());
        let mut operations = self.operations.lock();
        self.sweep(&mut operations);
        if operations.iter().any(|operation| operation.id == id) {
            return Err(SparkError::operation_exists(&id));
        }
        if operations.len() >= OPERATIONS_MAX {
            let now = self.world.clock.monotonic();
            let ended = operations.iter().position(|one| one.ended_for(now).is_some());
            match ended {
                Some(ended) => drop(operations.remove(ended)),
                None => {
                    return Err(SparkError::runtime(format!(
                        "more than {OPERATIONS_MAX} operations run in this session"
                    )));
                }
            }
        }
        let session = (self.id.clone(), self.server_id.clone());
        let interrupt = self.shutdown.child();
        let operation = Arc::new(Operation::new(id, tags, reattachable, session, interrupt));
        operations.push(Arc::clone(&operation));
        Ok(operation)
    }

    /// The operation with this id.
    pub(super) fn operation(&self, id: &str) -> Result<Arc<Operation>> {
        let operations = self.operations.lock();
        let found = operations.iter().find(|operation| operation.id == id);
        found.cloned().ok_or_else(|| SparkError::operation_not_found(id))
    }

    pub(super) fn forget(&self, id: &str) {
        self.operations.lock().retain(|operation| operation.id != id);
    }

    /// Interrupts the running operations that are chosen, and gives their ids.
    pub(super) fn interrupt(&self, chosen: impl Fn(&Operation) -> bool) -> Vec<String> {
        let now = self.world.clock.monotonic();
        let operations = self.operations.lock();
        let running = operations.iter().filter(|one| one.ended_for(now).is_none() && chosen(one));
        running
            .map(|operation| {
                operation.interrupt.request();
                operation.id.clone()
            })
            .collect()
    }

    fn sweep(&self, operations: &mut Vec<Arc<Operation>>) {
        let now = self.world.clock.monotonic();
        operations.retain(|operation| {
            let abandoned = operation.ended_for(now).is_some_and(|ended| ended >= ABANDONED_MAX);
            !(operation.is_done() || abandoned)
        });
    }

    /// Makes a temporary view.
    pub(super) fn create_view(&self, name: &str, relation: Relation, replace: bool) -> Result<()> {
        let key = name.to_lowercase();
        let mut views = self.views.lock();
        if !replace && views.contains_key(&key) {
            let shown = super::error::quoted(name);
            let class = "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS";
            let text = format!(
                "Cannot create the temporary view {shown} because it already exists. Choose a \
                 different name, drop or replace the existing view, or add the IF NOT EXISTS clause \
                 to tolerate pre-existing views."
            );
            let error = SparkError::new(Kind::Analysis, class, "42P07", &text);
            return Err(error.with("relationName", shown));
        }
        if views.len() >= VIEWS_MAX && !views.contains_key(&key) {
            return Err(SparkError::runtime(format!("more than {VIEWS_MAX} temporary views")));
        }
        views.insert(key, Arc::new(relation));
        Ok(())
    }

    /// Keeps the rows of a `memory` sink.
    pub(super) fn keep_rows(&self, name: &str, rows: Arc<MemoryRows>) -> Result<()> {
        let mut all = self.rows.lock();
        if all.len() >= VIEWS_MAX {
            return Err(SparkError::runtime(format!("more than {VIEWS_MAX} memory sinks")));
        }
        all.insert(name.to_lowercase(), rows);
        Ok(())
    }

    /// The rows of a `memory` sink.
    pub(super) fn rows_of(&self, name: &str) -> Option<Arc<MemoryRows>> {
        self.rows.lock().get(&name.to_lowercase()).cloned()
    }

    fn touch(&self) {
        *self.used_at.lock() = self.world.clock.monotonic();
    }

    fn idle(&self) -> Duration {
        self.world.clock.monotonic().saturating_sub(*self.used_at.lock())
    }

    fn is_busy(&self) -> bool {
        let now = self.world.clock.monotonic();
        self.operations.lock().iter().any(|operation| operation.ended_for(now).is_none())
    }

    fn close(&self) {
        self.shutdown.request();
    }
}

/// All sessions.
pub(super) struct Sessions {
    open: Mutex<Vec<Arc<Session>>>,
    most: usize,
    world: World,
    shutdown: Shutdown,
}

impl Sessions {
    /// `most`: sessions at a time; the one that was idle longest goes for a new one.
    pub(super) fn new(most: usize, world: World, shutdown: Shutdown) -> Sessions {
        Sessions { open: Mutex::default(), most: most.max(1), world, shutdown }
    }

    /// The session of a request, made if it is new.
    pub(super) fn get_or_make(
        &self,
        id: &str,
        user: Option<&UserContext>,
        observed: Option<&str>,
    ) -> Result<Arc<Session>> {
        if id.len() != 36 || !id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            let class = "INVALID_HANDLE.FORMAT";
            let text = format!("The handle {id} is invalid. Handle must be an UUID string.");
            return Err(SparkError::new(Kind::Handle, class, "HY000", &text).with("handle", id));
        }
        let user = user.map(|user| user.user_id.clone()).unwrap_or_default();
        let mut open = self.open.lock();
        let found = open.iter().find(|session| session.id == id && session.user == user);
        if let Some(session) = found {
            expect_server(session, observed)?;
            session.touch();
            return Ok(Arc::clone(session));
        }
        if observed.is_some_and(|observed| !observed.is_empty()) {
            return Err(changed(id));
        }
        if open.len() >= self.most {
            let idlest = open.iter().enumerate().max_by_key(|(_, session)| session.idle());
            if let Some((place, _)) = idlest {
                open.remove(place).close();
            }
        }
        let session = Arc::new(Session {
            id: id.to_owned(),
            user,
            server_id: self.world.random.uuid().to_string(),
            conf: Mutex::default(),
            views: Mutex::default(),
            rows: Mutex::default(),
            operations: Mutex::default(),
            errors: Mutex::default(),
            used_at: Mutex::new(self.world.clock.monotonic()),
            shutdown: self.shutdown.child(),
            world: self.world.clone(),
        });
        open.push(Arc::clone(&session));
        Ok(session)
    }

    /// Closes a session; none if it is not open.
    pub(super) fn release(&self, id: &str, user: Option<&UserContext>) -> Option<Arc<Session>> {
        let user = user.map(|user| user.user_id.as_str()).unwrap_or_default();
        let mut open = self.open.lock();
        let place = open.iter().position(|session| session.id == id && session.user == user)?;
        let session = open.remove(place);
        session.close();
        Some(session)
    }

    /// Closes the sessions that nobody uses; `has_queries` says which of them run a query.
    pub(super) fn expire(&self, has_queries: impl Fn(&str) -> bool) {
        self.open.lock().retain(|session| {
            let expired =
                session.idle() >= IDLE_MAX && !session.is_busy() && !has_queries(&session.id);
            if expired {
                session.close();
            }
            !expired
        });
    }
}

fn expect_server(session: &Session, observed: Option<&str>) -> Result<()> {
    match observed {
        Some(observed) if !observed.is_empty() && observed != session.server_id => {
            Err(changed(&session.id))
        }
        _ => Ok(()),
    }
}

fn changed(id: &str) -> SparkError {
    let text = format!(
        "The handle {id} is invalid. The existing Spark server driver instance has restarted. Please \
         reconnect."
    );
    SparkError::new(Kind::Handle, "INVALID_HANDLE.SESSION_CHANGED", "HY000", &text)
        .with("handle", id)
}
