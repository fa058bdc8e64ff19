//! The only sockets of the broker.
//!
//! Per connection one task with two halves. The reader takes frames and has them handled one after
//! the other; what a request changes happens in the order of requests. The writer sends the answers
//! in the same order, waiting for each to be ready: an answer that waits (for a sync, for more
//! records, for other members) holds back later answers of its own connection only.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidemill_kafka_wire::frame;
use tidemill_runtime::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use crate::cleaner;
use crate::core::Core;
use crate::handlers::{self, Refusal};
use crate::transactions;

/// Requests of one connection whose answers are not sent yet; beyond, nothing more is read.
const ANSWERS_QUEUED_MAX: usize = 16;
/// Bytes a connection keeps for reading when it is idle.
const READ_BUFFER_BYTES: usize = 16 * 1024;
/// A request up to this many bytes does not ask for a share of the memory for requests.
const SMALL_REQUEST_BYTES: usize = 64 * 1024;
/// A request of which nothing more comes for so long is given up: it holds memory others wait for.
const STALLED_MAX: Duration = Duration::from_secs(30);
/// How long to wait after the system refused a connection, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An answer: its frame, or none where the client wants none.
pub(crate) enum Answer {
    /// It is there.
    Ready(Bytes),
    /// It takes time. Runs when its turn to be sent has come. `None`: the connection must be closed.
    Later(BoxFuture<'static, Option<Bytes>>),
    /// The client wants none.
    Nothing,
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) client: SocketAddr,
    /// The address the client dialled: where it finds this broker.
    pub(crate) broker: SocketAddr,
}

/// Accepts connections and cleans up, until the tasks are stopped.
pub(crate) fn start(core: &Arc<Core>, listener: TcpListener) {
    core.tasks.spawn_vital("acceptor", accept(core.clone(), listener));
    core.tasks.spawn_vital("retention", clean(core.clone()));
    core.tasks.spawn_vital("cleaner", cleaner::run(core.clone()));
    core.tasks.spawn_vital("transactions", transactions::run(core.clone()));
    let groups = core.existing_groups().clone().run(core.tasks.shutdown());
    core.tasks.spawn_vital("groups", async {
        groups.await;
        Ok::<(), Infallible>(())
    });
}

async fn clean(core: Arc<Core>) -> Result<(), Infallible> {
    let shutdown = core.tasks.shutdown();
    loop {
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            () = tokio::time::sleep(core.config.log_retention_check_interval.0) => {}
        }
        let cleaned = core.clone();
        if core.tasks.spawn_blocking(move || cleaned.clean()).await.is_err() {
            tracing::error!("retention panicked");
        }
    }
}

async fn accept(core: Arc<Core>, listener: TcpListener) -> Result<(), Infallible> {
    let (shutdown, limits) = (core.tasks.shutdown(), Arc::new(Limits::new(&core)));
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, client)) => match limits.connection() {
                Some(place) => {
                    let serving = serve(core.clone(), limits.clone(), socket, client);
                    core.tasks.spawn("connection", async move {
                        serving.await;
                        drop(place);
                    });
                }
                None => tracing::warn!(%client, "max_connections is reached, connection closed"),
            },
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// What all connections share.
struct Limits {
    connections: AtomicUsize,
    connections_max: usize,
    /// Bytes for large requests, in KiB.
    request_memory: Arc<Semaphore>,
    request_memory_kib: u32,
}

impl Limits {
    fn new(core: &Core) -> Limits {
        // At least one request of the largest size can always be read.
        let config = &core.config;
        let bytes = config.queued_max_request_bytes.0.max(config.socket_request_max_bytes.0);
        let request_memory_kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX >> 4);
        Limits {
            connections: AtomicUsize::new(0),
            connections_max: config.max_connections,
            request_memory: Arc::new(Semaphore::new(request_memory_kib as usize)),
            request_memory_kib,
        }
    }

    fn connection(self: &Arc<Limits>) -> Option<Place> {
        let taken = self.connections.fetch_add(1, Ordering::Relaxed);
        // Given back when dropped, also at once.
        let place = Place(self.clone());
        (taken < self.connections_max).then_some(place)
    }

    /// Waits until there is room for so many more bytes of requests.
    async fn memory(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let kib = kib.min(self.request_memory_kib);
        self.request_memory.clone().acquire_many_owned(kib).await.ok()
    }
}

struct Place(Arc<Limits>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(core: Arc<Core>, limits: Arc<Limits>, socket: TcpStream, client: SocketAddr) {
    let Ok(broker) = socket.local_addr() else { return };
    // Answers are whole when they are written, so nothing is gained by waiting for more.
    let _ = socket.set_nodelay(true);
    let ends = Ends { client, broker };
    let (input, output) = socket.into_split();
    let (answers, queue) = mpsc::channel(ANSWERS_QUEUED_MAX);
    let writing = write_answers(output, queue);
    tokio::pin!(writing);
    let reading = read_requests(&core, &limits, input, ends, answers);
    tokio::select! {
        ended = reading => match ended {
            // The answers to what was read are still sent.
            Ok(End::Draining) => writing.await,
            Ok(End::Closed) => {}
            Err(why) => tracing::warn!(%client, why, "connection closed"),
        },
        () = &mut writing => {}
    }
}

/// Why the reader ended without an error.
enum End {
    /// The client went.
    Closed,
    /// The broker stops.
    Draining,
}

async fn read_requests(
    core: &Arc<Core>,
    limits: &Limits,
    mut input: OwnedReadHalf,
    ends: Ends,
    answers: mpsc::Sender<Answer>,
) -> Result<End, String> {
    let shutdown = core.tasks.shutdown();
    let mut buffer = BytesMut::with_capacity(READ_BUFFER_BYTES);
    loop {
        let frame = tokio::select! {
            () = shutdown.requested() => return Ok(End::Draining),
            frame = next_frame(core, limits, &mut input, &mut buffer) => frame?,
        };
        let Some((frame, memory)) = frame else { return Ok(End::Closed) };
        let answer = handlers::handle(core, ends, frame).await.map_err(describe)?;
        drop(memory);
        if answers.send(answer).await.is_err() {
            return Ok(End::Closed);
        }
    }
}

fn describe(refusal: Refusal) -> String {
    refusal.to_string()
}

/// The next frame with its share of the memory for requests; `None` at the end of the stream.
async fn next_frame(
    core: &Core,
    limits: &Limits,
    input: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
) -> Result<Option<(Bytes, Option<OwnedSemaphorePermit>)>, String> {
    let (length_max, idle_max) =
        (core.config.socket_request_max_bytes.as_usize(), core.config.connections_max_idle.0);
    let mut memory: Option<OwnedSemaphorePermit> = None;
    let mut granted = SMALL_REQUEST_BYTES;
    loop {
        if let Some(frame) = frame::take(buffer, length_max).map_err(|error| error.to_string())? {
            return Ok(Some((frame, memory)));
        }
        // Room is asked for as the bytes come, so that an announcement alone holds nothing.
        if buffer.capacity() > granted {
            let more = limits.memory(buffer.capacity() - granted).await.ok_or("stopped")?;
            match &mut memory {
                Some(memory) => memory.merge(more),
                none => *none = Some(more),
            }
            granted = buffer.capacity();
        }
        if buffer.capacity() == buffer.len() {
            buffer.reserve(READ_BUFFER_BYTES);
        }
        let patience = if buffer.is_empty() { idle_max } else { idle_max.min(STALLED_MAX) };
        match timeout(patience, input.read_buf(buffer)).await {
            Err(_) if buffer.is_empty() => return Ok(None),
            Err(_) => return Err("the rest of a request did not come".to_owned()),
            Ok(Ok(0)) if buffer.is_empty() => return Ok(None),
            Ok(Ok(0)) => return Err("the stream ends inside a request".to_owned()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) if is_gone(&error) => return Ok(None),
            Ok(Err(error)) => return Err(error.to_string()),
        }
    }
}

async fn write_answers(mut output: OwnedWriteHalf, mut queue: mpsc::Receiver<Answer>) {
    while let Some(answer) = queue.recv().await {
        let frame = match answer {
            Answer::Nothing => continue,
            Answer::Ready(frame) => frame,
            Answer::Later(answer) => match answer.await {
                Some(frame) => frame,
                None => return,
            },
        };
        // The client went; the reader learns it too.
        if output.write_all(&frame).await.is_err() {
            return;
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    [BrokenPipe, ConnectionAborted, ConnectionReset].contains(&error.kind())
}
