//! The only socket of the crate: loopback, a checked `Host`, a bounded number of connections.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::serve as serve_http;
use axum::serve::Listener;
use serde_json::json;
use tidemill_runtime::{ListenError, Tasks, World, is_loopback_host};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::randomuser::Faults;
use crate::replay::ReplayError;
use crate::{randomuser, replay};

/// The key that sets the address, for messages about it.
const SETTING: &str = "[sample_api] listen";

/// Connections served at a time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 256;

/// Which service to run.
#[derive(Debug, Clone)]
pub enum SampleApi {
    /// Random people under `/api/`, as <https://randomuser.me/documentation> describes them.
    RandomUser {
        /// What goes wrong when a request does not order its own faults.
        faults: Faults,
    },
    /// The rows of a data file under `/rows` and `/next`.
    Replay {
        /// A JSON array of objects, a JSON object per line, or CSV with a header.
        file: PathBuf,
    },
}

impl SampleApi {
    /// Random people, and nothing goes wrong.
    pub fn random_user() -> SampleApi {
        SampleApi::RandomUser { faults: Faults::default() }
    }
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be had: choose another one.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The socket has no address: the system is in trouble.
    #[error("the listening socket has no address")]
    Address(#[source] io::Error),
    /// The data file cannot be served: repair it, or name another one.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// Starts a service and returns its address (with port 0, the port the system chose). It runs as
/// a vital task of `tasks` until those are stopped. A data file is read once, here.
pub async fn serve(
    listen: SocketAddr,
    what: SampleApi,
    world: World,
    tasks: &Tasks,
) -> Result<SocketAddr, ServeError> {
    serve_as(&[], listen, what, world, tasks).await
}

/// The same, which also answers to requests for `hosts`: names that clients on this machine were
/// led from to here, such as `randomuser.me`.
pub async fn serve_as(
    hosts: &[&'static str],
    listen: SocketAddr,
    what: SampleApi,
    world: World,
    tasks: &Tasks,
) -> Result<SocketAddr, ServeError> {
    let hosts: Arc<[&str]> = hosts.into();
    let router = match what {
        SampleApi::RandomUser { faults } => randomuser::router(faults, world, tasks.shutdown()),
        SampleApi::Replay { file } => replay::router(replay::load(file, world, tasks).await?),
    };
    let listener = tidemill_runtime::listen(listen, SETTING)?;
    let address = listener.local_addr().map_err(ServeError::Address)?;
    let limited = Limited { listener, slots: Arc::new(Semaphore::new(CONNECTIONS_MAX)) };
    let router =
        router.fallback(not_found).layer(middleware::from_fn_with_state(hosts, check_host));
    let shutdown = tasks.shutdown();
    tasks.spawn_vital("sample api", async move {
        let stop = async move { shutdown.requested().await };
        serve_http(limited, router).with_graceful_shutdown(stop).await
    });
    Ok(address)
}

/// An error in the shape of the original: `{"error": "…"}`.
pub(crate) fn error(status: StatusCode, reason: impl std::fmt::Display) -> Response {
    (status, Json(json!({ "error": reason.to_string() }))).into_response()
}

async fn not_found(uri: Uri) -> Response {
    error(StatusCode::NOT_FOUND, format_args!("nothing is served at {}", uri.path()))
}

/// A page on the web can make a browser send requests to loopback under a name of its own (DNS
/// rebinding); such a request carries that name as `Host`.
async fn check_host(
    State(hosts): State<Arc<[&'static str]>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    match host {
        Some(host) if is_loopback_host(host) || hosts.contains(&host) => next.run(request).await,
        host => error(
            StatusCode::FORBIDDEN,
            format_args!("host {:?} is not a loopback name", host.unwrap_or_default()),
        ),
    }
}

/// A listener that accepts only while fewer than [`CONNECTIONS_MAX`] connections are open.
struct Limited {
    listener: TcpListener,
    slots: Arc<Semaphore>,
}

impl Listener for Limited {
    type Io = Counted;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Counted, SocketAddr) {
        let slots = Arc::clone(&self.slots);
        let slot = slots.acquire_owned().await.expect("the semaphore is never closed");
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "no TCP_NODELAY");
        }
        (Counted { stream, _slot: slot }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that gives its slot back when it ends.
struct Counted {
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
