//! What this node leaves in ZooKeeper's place, be it ours or a real ensemble: that it is there, and
//! the lease under which its scheduler schedules.
//!
//! ```text
//! /tidemill/<project>/nodes/<host>-<pid>      ephemeral; where its boxes answer, as JSON
//! /tidemill/<project>/scheduler/leader/…      the lease, one sequential ephemeral node per scheduler
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use serde_json::json;
use tidemill_runtime::World;
use tidemill_scheduler::{Leadership, LeadershipError, Term};
use tidemill_zookeeper_client::{Client, Config, Held, Lease, Registration};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::node::Endpoints;

/// How long a node waits for its first session.
const SESSION_WITHIN: Duration = Duration::from_secs(10);

/// This node's session.
pub(crate) struct Membership {
    client: Client,
    /// Below it lies everything of the project.
    root: String,
    /// How this node is called.
    name: String,
    registration: Option<Registration>,
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Membership {
    /// Opens a session at `connect` (`host:port,host:port/chroot`).
    pub(crate) async fn join(
        connect: &str,
        project: &str,
        world: World,
    ) -> anyhow::Result<Membership> {
        let client = Client::start(Config::new(connect), world)?;
        timeout(SESSION_WITHIN, client.connected())
            .await
            .with_context(|| format!("no session at {connect} within {SESSION_WITHIN:?}"))?
            .with_context(|| format!("no session at {connect}"))?;
        let root = format!("/tidemill/{}", element(project));
        let name = format!("{}-{}", element(&host_name()), std::process::id());
        Ok(Membership { client, root, name, registration: None })
    }

    /// The lease of the project's schedulers.
    pub(crate) fn scheduler_lease(&self) -> Arc<dyn Leadership> {
        let path = format!("{}/scheduler/leader", self.root);
        let lease = Lease::new(&self.client, &path, &self.name);
        Arc::new(SchedulerLease { lease, path, held: Mutex::new(None) })
    }

    /// Says that this node is there, for as long as it is.
    pub(crate) async fn announce(&mut self, endpoints: &Endpoints) -> anyhow::Result<()> {
        let path = format!("{}/nodes/{}", self.root, self.name);
        let said = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "endpoints": endpoints,
        });
        let registered = self.client.register(&path, serde_json::to_vec(&said)?).await;
        self.registration = Some(registered.with_context(|| format!("cannot register {path}"))?);
        Ok(())
    }

    /// Ends the session, and with it all that this node left.
    pub(crate) async fn leave(self) {
        drop(self.registration);
        self.client.close().await;
    }
}

/// A name as one element of a path.
fn element(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    match name.trim() {
        "" | "." | ".." => "node".to_owned(),
        name => name.chars().map(plain).collect(),
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "localhost".to_owned())
}

/// The scheduler's lease; its number is the transaction that made the holder's node.
struct SchedulerLease {
    lease: Lease,
    path: String,
    held: Mutex<Option<Held>>,
}

impl fmt::Debug for SchedulerLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerLease").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Leadership for SchedulerLease {
    fn source(&self) -> &'static str {
        "zookeeper"
    }

    async fn acquire(&self) -> Result<Term, LeadershipError> {
        let acquired = self.lease.acquire().await;
        let held = acquired.map_err(|error| LeadershipError(format!("{}: {error}", self.path)))?;
        let fencing = held.fencing;
        *self.held.lock().await = Some(held);
        Ok(Term { fencing })
    }

    async fn lost(&self) {
        // Whoever releases has stopped waiting here before.
        if let Some(held) = self.held.lock().await.as_mut() {
            held.lost().await;
        }
    }

    async fn release(&self) {
        let Some(held) = self.held.lock().await.take() else { return };
        if let Err(error) = held.release().await {
            tracing::debug!(%error, path = self.path, "the lease goes with the session");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn a_name_is_one_element_of_a_path() {
        assert_eq!(element("users"), "users");
        assert_eq!(element("my project/2"), "my-project-2");
        assert_eq!(element("host.example\n"), "host.example");
        assert_eq!(element(".."), "node");
    }
}
