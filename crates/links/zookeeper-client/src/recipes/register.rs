//! A node of one's own: there as long as the process is.

use std::time::Duration;

use bytes::Bytes;
use tidemill_runtime::Shutdown;
use tidemill_zookeeper_wire::ErrorCode;
use tidemill_zookeeper_wire::request::CreateMode;
use tokio::time::sleep;

use crate::{Client, ClientError, SessionState};

/// After an error of the server, before the next try.
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps a node; dropped, it removes it.
#[derive(Debug)]
pub struct Registration {
    shutdown: Shutdown,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

impl Client {
    /// Makes an ephemeral node, with what is missing above it, and makes it again whenever the
    /// session has ended. Completes when the node is there for the first time.
    pub async fn register(
        &self,
        path: &str,
        data: impl Into<Bytes>,
    ) -> Result<Registration, ClientError> {
        let data = data.into();
        if let Some((parent, _)) = path.rsplit_once('/')
            && !parent.is_empty()
        {
            self.ensure(parent).await?;
        }
        let session_id = self.put(path, &data).await?;
        let shutdown = self.tasks.shutdown().child();
        let keeper = Keeper { client: self.clone(), path: path.to_owned(), data };
        self.tasks.spawn("registration", keeper.run(session_id, shutdown.clone()));
        Ok(Registration { shutdown })
    }

    /// Makes the node in the session there is, which is the answer. A node of an earlier session of
    /// ours is in the way until that has ended.
    async fn put(&self, path: &str, data: &Bytes) -> Result<i64, ClientError> {
        loop {
            let session_id = self.connected().await?;
            match self.create(path, data.clone(), CreateMode::Ephemeral).await {
                Ok((_, stat)) => return Ok(stat.ephemeral_owner),
                Err(error) if error.code() == Some(ErrorCode::NodeExists) => {
                    let (stat, watch) = self.exists_watched(path).await?;
                    match stat {
                        // It was made, and only the answer was lost.
                        Some(stat) if stat.ephemeral_owner == session_id => return Ok(session_id),
                        Some(_) => drop(watch.changed().await),
                        None => {}
                    }
                }
                // The next look tells.
                Err(ClientError::ConnectionLoss | ClientError::SessionExpired) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

struct Keeper {
    client: Client,
    path: String,
    data: Bytes,
}

impl Keeper {
    async fn run(self, session_id: i64, shutdown: Shutdown) {
        tokio::select! {
            () = shutdown.requested() => {
                if let Err(error) = self.client.delete(&self.path, -1).await {
                    tracing::debug!(%error, path = self.path, "registration goes with the session");
                }
            }
            () = self.keep(session_id) => {}
        }
    }

    async fn keep(&self, mut session_id: i64) {
        let mut sessions = self.client.sessions();
        loop {
            let other = |state: &SessionState| match state {
                SessionState::Connected { session_id: now } => *now != session_id,
                SessionState::Connecting { .. } => false,
                SessionState::AuthFailed | SessionState::Closed => true,
            };
            match sessions.wait_for(other).await.map(|state| *state) {
                Ok(SessionState::Connected { .. }) => {}
                _ => return,
            }
            match self.client.put(&self.path, &self.data).await {
                Ok(made_in) => session_id = made_in,
                Err(error) => {
                    tracing::warn!(%error, path = self.path, "registration not made again yet");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}
