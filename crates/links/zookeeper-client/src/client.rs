//! What a caller has in hand.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidemill_runtime::{Tasks, World};
use tidemill_zookeeper_wire::data::{Acl, Stat};
use tidemill_zookeeper_wire::request::{
    CreateMode, CreateRequest, PathVersion, PathWatch, SetDataRequest,
};
use tidemill_zookeeper_wire::{ErrorCode, OpResult, Request, Response, path};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::config::{Config, ConfigError, Ensemble};
use crate::error::ClientError;
use crate::session::{self, Call, Outcome, SessionState, Shared};
use crate::watches::{Kind, Watch};

/// Calls that wait for their turn; beyond, callers wait.
const CALLS_QUEUED_MAX: usize = 1_024;
/// How long closing waits for the server.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// A client of one ensemble, in one session at a time. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    calls: mpsc::Sender<Call>,
    pub(crate) tasks: Tasks,
}

/// One step of [`Client::multi`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Makes a node that anybody may change.
    Create(String, Bytes, CreateMode),
    /// Replaces a node's data if it has this version; -1 for any.
    Set(String, Bytes, i32),
    /// Removes a node if it has this version; -1 for any.
    Delete(String, i32),
    /// Goes on only if the node has this version.
    Check(String, i32),
}

impl Client {
    /// Begins to connect; calls wait until that is done. An unreachable ensemble is no error here:
    /// it is tried again and again, and calls fail meanwhile.
    pub fn start(config: Config, world: World) -> Result<Client, ConfigError> {
        let ensemble = Ensemble::parse(&config.connect)?;
        let (calls, queue) = mpsc::channel(CALLS_QUEUED_MAX);
        let shared = Arc::new(Shared::new(ensemble, config, world));
        let tasks = Tasks::new();
        tasks.spawn("zookeeper session", session::run(shared.clone(), queue, tasks.shutdown()));
        Ok(Client { shared, calls, tasks })
    }

    /// Which session it is, and whether a server is heard.
    pub fn sessions(&self) -> watch::Receiver<SessionState> {
        self.shared.state.subscribe()
    }

    /// Waits for a session; its id.
    pub async fn connected(&self) -> Result<i64, ClientError> {
        let mut sessions = self.sessions();
        let settled = |state: &SessionState| !matches!(state, SessionState::Connecting { .. });
        let state = match sessions.wait_for(settled).await {
            Ok(state) => *state,
            Err(_) => return Err(ClientError::Closed),
        };
        match state {
            SessionState::Connected { session_id } => Ok(session_id),
            SessionState::AuthFailed => Err(ClientError::AuthFailed),
            SessionState::Connecting { .. } | SessionState::Closed => Err(ClientError::Closed),
        }
    }

    /// Ends the session, and with it its ephemeral nodes.
    pub async fn close(&self) {
        let _ = timeout(CLOSE_MAX, self.call("/", Request::CloseSession, None)).await;
        self.tasks.stop(CLOSE_MAX).await;
    }

    /// Makes a node that anybody may change; its path, with its number if it is sequential.
    pub async fn create(
        &self,
        path: &str,
        data: impl Into<Bytes>,
        mode: CreateMode,
    ) -> Result<(String, Stat), ClientError> {
        self.create_with_acl(path, data, mode, Acl::open()).await
    }

    /// Makes a node with this access control list.
    pub async fn create_with_acl(
        &self,
        path: &str,
        data: impl Into<Bytes>,
        mode: CreateMode,
        acl: Vec<Acl>,
    ) -> Result<(String, Stat), ClientError> {
        let request = CreateRequest {
            path: self.full(path),
            data: Some(data.into()),
            acl,
            flags: mode.flags(),
        };
        let request = match mode {
            CreateMode::Container => Request::CreateContainer(request),
            _ => Request::Create2(request),
        };
        match self.call(path, request, None).await? {
            Response::Created(created, stat) => Ok((self.shared.ensemble.relative(&created), stat)),
            other => Err(unexpected(path, &other)),
        }
    }

    /// Makes a node and what is missing above it; an existing one is left as it is.
    pub async fn ensure(&self, path: &str) -> Result<(), ClientError> {
        // The chroot may be missing too, and a chroot is above what this client can name.
        let full = self.full(path);
        let ends = full.match_indices('/').map(|(at, _)| at).skip(1).chain([full.len()]);
        for end in ends {
            let create = CreateRequest {
                path: full[..end].to_owned(),
                data: Some(Bytes::new()),
                acl: Acl::open(),
                flags: CreateMode::Persistent.flags(),
            };
            match self.call(path, Request::Create2(create), None).await {
                Ok(_) => {}
                Err(error) if error.code() == Some(ErrorCode::NodeExists) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A node's stat; `None` if there is no such node.
    pub async fn exists(&self, path: &str) -> Result<Option<Stat>, ClientError> {
        let ask = PathWatch { path: self.full(path), watch: false };
        found(path, self.call(path, Request::Exists(ask), None).await)
    }

    /// The same, and what happens to the node next: also that it is made.
    pub async fn exists_watched(&self, path: &str) -> Result<(Option<Stat>, Watch), ClientError> {
        let ask = PathWatch { path: self.full(path), watch: true };
        let (watch, told) = watch();
        let answer = self.call(path, Request::Exists(ask), Some((Kind::Exist, told))).await;
        Ok((found(path, answer)?, watch))
    }

    /// A node's data and stat.
    pub async fn get(&self, path: &str) -> Result<(Bytes, Stat), ClientError> {
        let ask = PathWatch { path: self.full(path), watch: false };
        data(path, self.call(path, Request::GetData(ask), None).await?)
    }

    /// The same, and what happens to the node next.
    pub async fn get_watched(&self, path: &str) -> Result<(Bytes, Stat, Watch), ClientError> {
        let ask = PathWatch { path: self.full(path), watch: true };
        let (watch, told) = watch();
        let answer = self.call(path, Request::GetData(ask), Some((Kind::Data, told))).await?;
        let (data, stat) = data(path, answer)?;
        Ok((data, stat, watch))
    }

    /// Replaces a node's data if it has this version; -1 for any.
    pub async fn set(
        &self,
        path: &str,
        data: impl Into<Bytes>,
        version: i32,
    ) -> Result<Stat, ClientError> {
        let set = SetDataRequest { path: self.full(path), data: Some(data.into()), version };
        match self.call(path, Request::SetData(set), None).await? {
            Response::Stat(stat) => Ok(stat),
            other => Err(unexpected(path, &other)),
        }
    }

    /// Removes a node if it has this version; -1 for any.
    pub async fn delete(&self, path: &str, version: i32) -> Result<(), ClientError> {
        let delete = PathVersion { path: self.full(path), version };
        self.call(path, Request::Delete(delete), None).await.map(|_| ())
    }

    /// The names of a node's children, in no order.
    pub async fn children(&self, path: &str) -> Result<Vec<String>, ClientError> {
        let ask = PathWatch { path: self.full(path), watch: false };
        names(path, self.call(path, Request::GetChildren(ask), None).await?)
    }

    /// The same, and when they change next.
    pub async fn children_watched(&self, path: &str) -> Result<(Vec<String>, Watch), ClientError> {
        let ask = PathWatch { path: self.full(path), watch: true };
        let (watch, told) = watch();
        let answer = self.call(path, Request::GetChildren(ask), Some((Kind::Child, told))).await?;
        Ok((names(path, answer)?, watch))
    }

    /// All of it or none. The error names the step that failed.
    pub async fn multi(&self, steps: Vec<Op>) -> Result<(), ClientError> {
        let paths: Vec<String> = steps.iter().map(Op::path).map(str::to_owned).collect();
        let parts = steps.into_iter().map(|step| self.part(step)).collect();
        let answer = self.call("/", Request::Multi(parts), None).await?;
        let Response::Results(results) = answer else { return Err(unexpected("/", &answer)) };
        // What stands before the failed step is 0, what stands behind it was not tried.
        for (path, result) in paths.into_iter().zip(results) {
            if let OpResult::Error(number) = result
                && number != 0
            {
                let code = ErrorCode::from_number(number).unwrap_or(ErrorCode::SystemError);
                return Err(ClientError::Refused { path, code });
            }
        }
        Ok(())
    }

    fn part(&self, step: Op) -> Request {
        match step {
            Op::Create(path, data, mode) => Request::Create(CreateRequest {
                path: self.full(&path),
                data: Some(data),
                acl: Acl::open(),
                flags: mode.flags(),
            }),
            Op::Set(path, data, version) => Request::SetData(SetDataRequest {
                path: self.full(&path),
                data: Some(data),
                version,
            }),
            Op::Delete(path, version) => {
                Request::Delete(PathVersion { path: self.full(&path), version })
            }
            Op::Check(path, version) => {
                Request::Check(PathVersion { path: self.full(&path), version })
            }
        }
    }

    /// Waits until this server shows all that was acknowledged before by any.
    pub async fn sync(&self, path: &str) -> Result<(), ClientError> {
        self.call(path, Request::Sync(self.full(path)), None).await.map(|_| ())
    }

    fn full(&self, path: &str) -> String {
        self.shared.ensemble.absolute(path)
    }

    pub(crate) async fn call(
        &self,
        path: &str,
        request: Request,
        watch: Option<session::WatchOn>,
    ) -> Result<Response, ClientError> {
        if !path::is_valid(path) {
            let code = ErrorCode::BadArguments;
            return Err(ClientError::Refused { path: path.to_owned(), code });
        }
        let (answer, answered) = oneshot::channel();
        let asked = async {
            self.calls
                .send(Call { request, watch, answer })
                .await
                .map_err(|_| ClientError::Closed)?;
            answered.await.unwrap_or(Err(ClientError::Closed))
        };
        // Within a session timeout the connection is back, or the session is lost anyhow.
        match timeout(self.shared.config.session_timeout * 2, asked).await {
            Ok(Ok(Outcome::Done(response))) => Ok(response),
            Ok(Ok(Outcome::Refused(code))) => {
                Err(ClientError::Refused { path: path.to_owned(), code })
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ClientError::ConnectionLoss),
        }
    }
}

impl Op {
    fn path(&self) -> &str {
        match self {
            Op::Create(path, ..) | Op::Set(path, ..) => path,
            Op::Delete(path, _) | Op::Check(path, _) => path,
        }
    }
}

fn watch() -> (Watch, oneshot::Sender<crate::watches::Event>) {
    let (told, watch) = oneshot::channel();
    (Watch(watch), told)
}

fn found(path: &str, answer: Result<Response, ClientError>) -> Result<Option<Stat>, ClientError> {
    match answer {
        Ok(Response::Stat(stat)) => Ok(Some(stat)),
        Ok(other) => Err(unexpected(path, &other)),
        Err(error) if error.code() == Some(ErrorCode::NoNode) => Ok(None),
        Err(error) => Err(error),
    }
}

fn data(path: &str, answer: Response) -> Result<(Bytes, Stat), ClientError> {
    match answer {
        Response::Data(data, stat) => Ok((data.unwrap_or_default(), stat)),
        other => Err(unexpected(path, &other)),
    }
}

fn names(path: &str, answer: Response) -> Result<Vec<String>, ClientError> {
    match answer {
        Response::Names(names) => Ok(names),
        other => Err(unexpected(path, &other)),
    }
}

/// An answer to another question: the two sides do not understand each other.
fn unexpected(path: &str, answer: &Response) -> ClientError {
    tracing::error!(path, ?answer, "unexpected answer");
    ClientError::Refused { path: path.to_owned(), code: ErrorCode::MarshallingError }
}
