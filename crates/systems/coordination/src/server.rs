//! The only sockets. Per connection one task with two halves: the reader hands frames to the state
//! machine, the writer sends what comes back; neither waits for the other.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidemill_zookeeper_wire::frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::core::Core;
use crate::machine::ConnId;
use crate::outbox::Outbox;
use crate::words;

/// Bytes a connection keeps for reading when it is idle.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Small frames are sent together, up to about so many bytes.
const SEND_TOGETHER_BYTES: usize = 64 * 1024;
/// A connection that does not say what it wants for so long is closed.
const FIRST_FRAME_MAX: Duration = Duration::from_secs(30);
/// When the server stops, clients have so long to take their last answers.
const LAST_ANSWERS_MAX: Duration = Duration::from_secs(2);
/// How long to wait after the system refused a connection, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections and lets time pass, until the tasks are stopped.
pub(crate) fn start(core: &Arc<Core>, listener: TcpListener) {
    core.tasks.spawn_vital("acceptor", accept(core.clone(), listener));
    let tick = core.config.tick_time.0 / 2;
    core.tasks.spawn_vital(
        "sessions",
        every(core.clone(), tick, |core| {
            core.with(crate::machine::Machine::expire);
        }),
    );
    let interval = core.config.container_check_interval.0;
    core.tasks.spawn_vital(
        "containers",
        every(core.clone(), interval, |core| {
            core.with(crate::machine::Machine::remove_spent);
        }),
    );
}

async fn every(core: Arc<Core>, interval: Duration, work: fn(&Core)) -> Result<(), Infallible> {
    let shutdown = core.tasks.shutdown();
    let interval = interval.max(Duration::from_millis(1));
    loop {
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            () = tokio::time::sleep(interval) => work(&core),
        }
    }
}

async fn accept(core: Arc<Core>, listener: TcpListener) -> Result<(), Infallible> {
    let (shutdown, open) = (core.tasks.shutdown(), Arc::new(AtomicUsize::new(0)));
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((_, peer)) if open.load(Ordering::Relaxed) >= core.config.max_cnxns => {
                tracing::warn!(%peer, "max_cnxns is reached, connection closed");
            }
            Ok((socket, peer)) => {
                open.fetch_add(1, Ordering::Relaxed);
                let (serving, open) = (serve(core.clone(), socket, peer), open.clone());
                core.tasks.spawn("connection", async move {
                    serving.await;
                    open.fetch_sub(1, Ordering::Relaxed);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(core: Arc<Core>, mut socket: TcpStream, peer: SocketAddr) {
    // Answers are whole when they are written, so nothing is gained by waiting for more.
    let _ = socket.set_nodelay(true);
    let mut buffer = BytesMut::with_capacity(READ_BUFFER_BYTES);
    let word = tokio::select! {
        () = async { core.tasks.shutdown().requested().await } => return,
        word = timeout(FIRST_FRAME_MAX, first_word(&mut socket, &mut buffer)) => word,
    };
    match word {
        Ok(Some(word)) => {
            let answer = words::answer(&core, &word, peer);
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = socket.shutdown().await;
            return;
        }
        Ok(None) if buffer.len() >= frame::LENGTH_BYTES => {}
        // It went, or said nothing.
        _ => return,
    }
    let Some((id, outbox)) = core.connect(peer) else {
        tracing::warn!(%peer, "max_client_cnxns is reached, connection closed");
        return;
    };
    converse(&core, id, &outbox, socket, buffer, peer).await;
    core.disconnect(id);
}

/// The four letters a connection begins with, if they are a word; they are no length of a frame.
async fn first_word(socket: &mut TcpStream, buffer: &mut BytesMut) -> Option<String> {
    while buffer.len() < frame::LENGTH_BYTES {
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let letters = std::str::from_utf8(&buffer[..frame::LENGTH_BYTES]).ok()?;
    words::is_known(letters).then(|| letters.to_owned())
}

async fn converse(
    core: &Arc<Core>,
    id: ConnId,
    outbox: &Arc<Outbox>,
    socket: TcpStream,
    buffer: BytesMut,
    peer: SocketAddr,
) {
    let (input, output) = socket.into_split();
    let writing = send(output, outbox);
    tokio::pin!(writing);
    tokio::select! {
        ended = receive(core, id, outbox, input, buffer) => match ended {
            // The answers to what was read are still sent.
            Ok(End::Draining) => {
                let answered = async { outbox.idle().await };
                let last = async {
                    tokio::select! {
                        () = answered => {}
                        () = &mut writing => {}
                    }
                };
                let _ = timeout(LAST_ANSWERS_MAX, last).await;
            }
            Ok(End::Closed) => {}
            Err(why) => tracing::warn!(%peer, why, "connection closed"),
        },
        () = &mut writing => {}
    }
}

/// Why the reader ended without an error.
enum End {
    /// The client went.
    Closed,
    /// The server stops.
    Draining,
}

async fn receive(
    core: &Arc<Core>,
    id: ConnId,
    outbox: &Outbox,
    mut input: OwnedReadHalf,
    mut buffer: BytesMut,
) -> Result<End, String> {
    let (shutdown, max) = (core.tasks.shutdown(), core.config.jute_maxbuffer.as_usize());
    loop {
        while let Some(frame) = frame::take(&mut buffer, max).map_err(|error| error.to_string())? {
            tokio::select! {
                () = shutdown.requested() => return Ok(End::Draining),
                () = async { outbox.room().await; core.room().await } => {}
            }
            outbox.request();
            core.packet(id, owned(frame, &mut buffer));
        }
        let read = tokio::select! {
            () = shutdown.requested() => return Ok(End::Draining),
            read = input.read_buf(&mut buffer) => read,
        };
        match read {
            Ok(0) => return Ok(End::Closed),
            Ok(_) => {}
            Err(error) if is_gone(&error) => return Ok(End::Closed),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// A small frame is copied: what is kept of it, a node's data, must not hold the whole buffer.
fn owned(frame: Bytes, buffer: &mut BytesMut) -> Bytes {
    let copied = Bytes::copy_from_slice(&frame);
    drop(frame);
    if buffer.is_empty() && buffer.capacity() > READ_BUFFER_BYTES * 16 {
        *buffer = BytesMut::with_capacity(READ_BUFFER_BYTES);
    }
    copied
}

async fn send(mut output: OwnedWriteHalf, outbox: &Outbox) {
    while let Some(frames) = outbox.next().await {
        let mut together = Vec::new();
        for frame in frames {
            together.extend_from_slice(&frame);
            if together.len() >= SEND_TOGETHER_BYTES {
                // The client went; the reader learns it too.
                if output.write_all(&together).await.is_err() {
                    return;
                }
                together.clear();
            }
        }
        if output.write_all(&together).await.is_err() {
            return;
        }
        outbox.sent();
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    [BrokenPipe, ConnectionAborted, ConnectionReset].contains(&error.kind())
}
