//! Of all who ask for a lease, one holds it: who has the lowest of the sequential ephemeral nodes
//! below its path. Everybody else watches the node before his own, so that one that goes wakes one.

use std::sync::Arc;

use parking_lot::Mutex;
use tidemill_runtime::Shutdown;
use tidemill_zookeeper_wire::ErrorCode;
use tidemill_zookeeper_wire::request::CreateMode;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::{Client, ClientError, SessionState};

/// A lease that can be asked for: by one at a time, and again when it was lost. Who asks again gives
/// up what he had before.
#[derive(Clone)]
pub struct Lease {
    client: Client,
    path: String,
    holder: String,
    /// The place in the queue that this lease has, or has asked for.
    current: Arc<Mutex<Option<Place>>>,
}

/// A place in the queue. Its node is found by its mark, also if its making was not answered.
#[derive(Clone)]
struct Place {
    client: Client,
    path: String,
    mark: String,
    over: Shutdown,
}

/// The lease is held. Dropped, it is given back in the background.
pub struct Held {
    place: Place,
    session_id: i64,
    sessions: watch::Receiver<SessionState>,
    /// Larger than that of every earlier holder: a store that has seen a larger one must refuse.
    pub fencing: i64,
}

impl Lease {
    /// The lease at this path; `holder` is shown to others as the data of one's node.
    pub fn new(client: &Client, path: &str, holder: &str) -> Lease {
        Lease {
            client: client.clone(),
            path: path.to_owned(),
            holder: holder.to_owned(),
            current: Arc::default(),
        }
    }

    /// Waits until the lease is held. Connections and sessions may come and go meanwhile; an error
    /// is final. Dropping the future gives up the place in the queue.
    pub async fn acquire(&self) -> Result<Held, ClientError> {
        let place = Place {
            client: self.client.clone(),
            path: self.path.clone(),
            mark: format!("{:016x}-", self.client.shared.world.random.u64()),
            over: Shutdown::default(),
        };
        let earlier = self.current.lock().replace(place.clone());
        // Still in the queue it would stand before us for as long as the session lives.
        let earlier = GivenUp(earlier);
        let waiting = GivenUp(Some(place.clone()));
        loop {
            let asked = async {
                earlier.now().await?;
                self.queue(&place).await
            };
            match asked.await {
                Err(ClientError::ConnectionLoss | ClientError::SessionExpired) => {
                    self.client.connected().await?;
                }
                Ok((session_id, fencing)) => {
                    waiting.keep();
                    let sessions = self.client.sessions();
                    return Ok(Held { place, session_id, sessions, fencing });
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for one's turn; the session it is held by, and the transaction that made the node.
    async fn queue(&self, place: &Place) -> Result<(i64, i64), ClientError> {
        self.client.ensure(&self.path).await?;
        let session_id = self.client.connected().await?;
        loop {
            let mut names = self.client.children(&self.path).await?;
            names.sort_by_key(|name| sequence(name));
            let Some(at) = names.iter().position(|name| name.starts_with(&place.mark)) else {
                let (path, mode) = (place.prefix(), CreateMode::EphemeralSequential);
                self.client.create(&path, self.holder.clone(), mode).await?;
                continue;
            };
            if at > 0 {
                let before = format!("{}/{}", self.path, names[at - 1]);
                let (there, watch) = self.client.exists_watched(&before).await?;
                if there.is_some() && watch.changed().await.is_none() {
                    return Err(ClientError::SessionExpired);
                }
                continue;
            }
            let node = format!("{}/{}", self.path, names[at]);
            match self.client.exists(&node).await? {
                Some(stat) if stat.ephemeral_owner == session_id => {
                    return Ok((session_id, stat.czxid));
                }
                // It is of an earlier session and has gone; a server that lags behind learns it now.
                Some(_) | None => {
                    self.client.sync(&self.path).await?;
                    return Err(ClientError::SessionExpired);
                }
            }
        }
    }
}

impl Place {
    fn prefix(&self) -> String {
        format!("{}/{}", self.path, self.mark)
    }

    /// Removes the node, if it is there.
    async fn leave(&self) -> Result<(), ClientError> {
        self.over.request();
        loop {
            match self.try_leave().await {
                // Nobody else gets the lease as long as the node is there.
                Err(ClientError::ConnectionLoss) => {
                    self.client.connected().await?;
                }
                // It went with its session.
                Err(ClientError::SessionExpired) => return Ok(()),
                done => return done,
            }
        }
    }

    async fn try_leave(&self) -> Result<(), ClientError> {
        let names = match self.client.children(&self.path).await {
            Err(error) if error.code() == Some(ErrorCode::NoNode) => return Ok(()),
            names => names?,
        };
        for name in names.iter().filter(|name| name.starts_with(&self.mark)) {
            match self.client.delete(&format!("{}/{name}", self.path), -1).await {
                Err(error) if error.code() == Some(ErrorCode::NoNode) => {}
                done => done?,
            }
        }
        Ok(())
    }

    /// The same, by itself.
    fn leave_soon(&self) {
        if self.over.is_requested() || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        self.over.request();
        let place = self.clone();
        place.client.tasks.clone().spawn("lease", async move {
            if let Err(error) = place.leave().await {
                tracing::debug!(%error, path = place.path, "the lease goes with the session");
            }
        });
    }
}

/// A place that is left, at the latest when this is dropped.
struct GivenUp(Option<Place>);

impl GivenUp {
    async fn now(&self) -> Result<(), ClientError> {
        match &self.0 {
            Some(place) => place.leave().await,
            None => Ok(()),
        }
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        if let Some(place) = &self.0 {
            place.leave_soon();
        }
    }
}

impl Held {
    /// Completes when the lease may be somebody else's: the session has ended, its server was not
    /// heard for so long that it may have, or the lease was asked for again.
    pub async fn lost(&mut self) {
        loop {
            if !self.is_certain() {
                return;
            }
            let certain = self.place.client.shared.certain_for();
            tokio::select! {
                () = self.place.over.requested() => return,
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
        same && !self.place.over.is_requested() && !self.place.client.shared.certain_for().is_zero()
    }

    /// Gives the lease back.
    pub async fn release(self) -> Result<(), ClientError> {
        self.place.leave().await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.place.leave_soon();
    }
}

/// The number ZooKeeper appended.
fn sequence(name: &str) -> i64 {
    const DIGITS: usize = 10;
    let digits = name.len().checked_sub(DIGITS).and_then(|at| name.get(at..));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(i64::MAX)
}
