//! The only socket: HTTP on loopback.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use tidemill_kafka_client::KafkaClient;
use tidemill_runtime::{BoxFuture, Failure, ListenError, Shutdown, System, Tasks, World, listen};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::handlers::{App, router};
use crate::service::Service;
use crate::state::State;
use crate::storage::{MemoryStorage, Storage, StorageError, TopicStorage};

/// Connections at the same time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 1024;
/// The pause after a failed `accept`, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the registry did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not loopback.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The topic cannot be read.
    #[error("schemas cannot be read: {0}")]
    Storage(#[from] StorageError),
    /// The socket is there but has no address.
    #[error("the registry's socket has no address")]
    Socket(#[source] io::Error),
}

/// A running registry.
pub struct Registry {
    address: SocketAddr,
    /// Connections: stopped first, so that what they asked for is still finished.
    serving: Tasks,
    /// Reader and writer of the log.
    storing: Tasks,
}

impl Registry {
    /// Starts on a Kafka cluster, ours or any other, which holds everything in one topic. Returns
    /// when all that is registered is known and requests are answered.
    pub async fn start(
        config: Config,
        kafka: KafkaClient,
        world: World,
    ) -> Result<Registry, StartError> {
        let storage = TopicStorage::new(kafka, &config.topic, config.write_timeout.0);
        Registry::start_on(config, Arc::new(storage), world).await
    }

    /// Starts with an empty log in memory, which is gone with the process.
    pub async fn start_in_memory(config: Config, world: World) -> Result<Registry, StartError> {
        let storage = MemoryStorage::new(world.clone());
        Registry::start_on(config, Arc::new(storage), world).await
    }

    /// Starts on a log.
    pub async fn start_on(
        config: Config,
        storage: Arc<dyn Storage>,
        _world: World,
    ) -> Result<Registry, StartError> {
        // First the port: who has it taken should not wait for Kafka to hear so.
        let listener = listen(config.listen, "[registry] listen")?;
        let address = listener.local_addr().map_err(StartError::Socket)?;
        let (serving, storing) = (Tasks::new(), Tasks::new());
        let state = State::new(config.compatibility.0);
        let service = Service::start(state, storage, config.write_timeout.0, &storing).await;
        let service = match service {
            Ok(service) => service,
            Err(error) => {
                storing.shutdown().request();
                return Err(error.into());
            }
        };
        let health = service.health();
        tracing::info!(%address, subjects = health.subjects, versions = health.versions, "registry started");
        let router = router(App::new(service, &config));
        serving.spawn_vital("registry http", serve(listener, router, serving.shutdown()));
        Ok(Registry { address, serving, storing })
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("address", &self.address).finish_non_exhaustive()
    }
}

impl System for Registry {
    fn name(&self) -> &'static str {
        "registry"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn failed(&self) -> BoxFuture<'_, Failure> {
        Box::pin(async move {
            tokio::select! {
                failure = self.serving.failed() => failure,
                failure = self.storing.failed() => failure,
            }
        })
    }

    fn drain(&self, deadline: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let served = self.serving.stop(deadline.mul_f32(0.8)).await;
            let stored = self.storing.stop(deadline.mul_f32(0.2)).await;
            if !(served && stored) {
                tracing::warn!("requests were cut off at the deadline");
            }
        })
    }
}

async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) -> io::Result<()> {
    let listener = Limited { listener, room: Arc::new(Semaphore::new(CONNECTIONS_MAX)) };
    let stop = async move { shutdown.requested().await };
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// Accepts while there is room.
struct Limited {
    listener: TcpListener,
    room: Arc<Semaphore>,
}

impl Listener for Limited {
    type Io = Counted;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Counted, SocketAddr) {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.expect("the semaphore is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Small answers to waiting clients: Nagle's algorithm would hold them back.
                    let _ = stream.set_nodelay(true);
                    return (Counted { stream, _room: room }, peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that makes room when it ends.
struct Counted {
    stream: TcpStream,
    _room: OwnedSemaphorePermit,
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

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
