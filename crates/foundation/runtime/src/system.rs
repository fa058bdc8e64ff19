//! What the node needs to know of a box.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use crate::Failure;

/// A future behind a pointer, for a trait that is used as an object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A started box: it answers on its own protocol until it is drained.
pub trait System: Send + Sync + 'static {
    /// Its name: `broker`, `store`, …
    fn name(&self) -> &'static str;

    /// Where it listens; with port 0 configured, the port the system chose.
    fn address(&self) -> SocketAddr;

    /// Completes when the box can no longer do its work; never otherwise.
    fn failed(&self) -> BoxFuture<'_, Failure>;

    /// Takes no new work, finishes what it has, makes it durable, and ends at the deadline at the
    /// latest.
    fn drain(&self, deadline: Duration) -> BoxFuture<'_, ()>;
}
