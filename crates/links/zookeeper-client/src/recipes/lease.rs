//! Of all who ask for a lease, one holds it: who has the lowest of the sequential ephemeral nodes
//! below its path. Everybody else watches the node before his own, so that one that goes wakes one.

use tidemill_zookeeper_wire::request::CreateMode;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::{Client, ClientError, SessionState};

/// A lease that can be asked for.
#[derive(Clone)]
pub struct Lease {
    client: Client,
    path: String,
    holder: String,
}

/// The lease is held. Dropped, it is given back when the session ends; [`Held::release`] gives it
/// back at once.
pub struct Held {
    client: Client,
    node: String,
    session_id: i64,
    sessions: watch::Receiver<SessionState>,
    /// Larger than that of every earlier holder: a store that has seen a larger one must refuse.
    pub fencing: i64,
}

impl Lease {
    /// The lease at this path; `holder` is shown to others as the data of one's node.
    pub fn new(client: &Client, path: &str, holder: &str) -> Lease {
        Lease { client: client.clone(), path: path.to_owned(), holder: holder.to_owned() }
    }

    /// Waits until the lease is held. Connections may come and go meanwhile; an error is final.
    /// Dropping the future gives up the place in the queue when the session ends.
    pub async fn acquire(&self) -> Result<Held, ClientError> {
        loop {
            match self.queue().await {
                Err(ClientError::ConnectionLoss | ClientError::SessionExpired) => {
                    self.client.connected().await?;
                }
                other => return other,
            }
        }
    }

    async fn queue(&self) -> Result<Held, ClientError> {
        self.client.ensure(&self.path).await?;
        // By this name the node is found if its making was not answered.
        let mark = format!("{:016x}-", self.client.shared.world.random.u64());
        let sessions = self.client.sessions();
        let session_id = self.client.connected().await?;
        let name = self.enter(&mark).await?;
        let node = format!("{}/{name}", self.path);
        loop {
            let mut names = self.client.children(&self.path).await?;
            names.sort_by_key(|name| sequence(name));
            let Some(place) = names.iter().position(|known| *known == name) else {
                // The session it belonged to has ended.
                return Err(ClientError::SessionExpired);
            };
            if place > 0 {
                let before = format!("{}/{}", self.path, names[place - 1]);
                let (there, watch) = self.client.exists_watched(&before).await?;
                if there.is_some() {
                    drop(watch.changed().await);
                }
                continue;
            }
            let Some(stat) = self.client.exists(&node).await? else {
                return Err(ClientError::SessionExpired);
            };
            if stat.ephemeral_owner != session_id {
                return Err(ClientError::SessionExpired);
            }
            let client = self.client.clone();
            return Ok(Held { client, node, session_id, sessions, fencing: stat.czxid });
        }
    }

    /// Makes one's node, or finds it; its name.
    async fn enter(&self, mark: &str) -> Result<String, ClientError> {
        let path = format!("{}/{mark}", self.path);
        loop {
            let made =
                self.client.create(&path, self.holder.clone(), CreateMode::EphemeralSequential);
            match made.await {
                Ok((path, _)) => return Ok(last(&path).to_owned()),
                Err(ClientError::ConnectionLoss) => {
                    self.client.connected().await?;
                    let names = self.client.children(&self.path).await?;
                    if let Some(name) = names.into_iter().find(|name| name.starts_with(mark)) {
                        return Ok(name);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Held {
    /// Completes when the lease may be somebody else's: the session has ended, or its server was
    /// not heard for so long that it may have.
    pub async fn lost(&mut self) {
        loop {
            let state = *self.sessions.borrow_and_update();
            match state {
                SessionState::Connected { session_id } if session_id == self.session_id => {}
                SessionState::Connecting { session_id } if session_id == self.session_id => {}
                _ => return,
            }
            let certain = self.client.shared.certain_for();
            if certain.is_zero() {
                return;
            }
            tokio::select! {
                changed = self.sessions.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = sleep(certain) => {}
            }
        }
    }

    /// Whether the lease is held for certain at this moment.
    pub fn is_certain(&self) -> bool {
        let same = match *self.sessions.borrow() {
            SessionState::Connected { session_id } | SessionState::Connecting { session_id } => {
                session_id == self.session_id
            }
            SessionState::AuthFailed | SessionState::Closed => false,
        };
        same && !self.client.shared.certain_for().is_zero()
    }

    /// Gives the lease back.
    pub async fn release(self) -> Result<(), ClientError> {
        match self.client.delete(&self.node, -1).await {
            Err(error) if error.code() == Some(tidemill_zookeeper_wire::ErrorCode::NoNode) => {
                Ok(())
            }
            other => other,
        }
    }
}

/// The number ZooKeeper appended.
fn sequence(name: &str) -> i64 {
    const DIGITS: usize = 10;
    let digits = name.len().checked_sub(DIGITS).and_then(|at| name.get(at..));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(i64::MAX)
}

fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}
