//! Sockets and HTTP/2 streams: gRPC requests in, gRPC messages and a status out.
//!
//! gRPC is a five-byte frame around each message and a trailer at the end, so it stands directly on
//! `h2`: nothing else here speaks HTTP/2, and the HTTP stack of the other servers stays as it is.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, Request, Response};
use base64::Engine as _;
use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use tidemill_runtime::{Tasks, is_loopback_host};
use tidemill_spark_connect::Message;
use tidemill_spark_connect::grpc::{Frames, percent_encoded};
use tidemill_spark_connect::status::{Code, Status};
use tokio::net::{TcpListener, TcpStream};

use super::service::{self, Service};

/// Connections at most; more are closed at once.
const CONNECTIONS_MAX: usize = 256;
/// Calls of one connection at a time at most.
const STREAMS_MAX: u32 = 128;
/// Bytes of the headers of one call at most.
const HEADERS_BYTES_MAX: u32 = 16 << 10;
/// Bytes of one request's message at most: a data frame made of a client's own rows is one. Spark
/// takes 128 MiB.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Bytes of one message that is handed to HTTP/2 at a time.
const PIECE_BYTES: usize = 64 << 10;
/// Bytes of a call that may arrive before they are read.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// What a status may take of the trailers: clients refuse more than 8 KiB.
const STATUS_BYTES_MAX: usize = 2 << 10;
/// A client that takes or gives nothing for so long in the middle of a call is given up.
const STALLED_MAX: Duration = Duration::from_secs(60);
/// How long to wait after the system refused a connection, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the tasks are stopped.
pub(super) async fn accept(
    listener: TcpListener,
    service: Arc<Service>,
    tasks: Tasks,
) -> Result<(), Infallible> {
    let (shutdown, open) = (tasks.shutdown(), Arc::new(AtomicUsize::new(0)));
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, _)) if open.fetch_add(1, Ordering::Relaxed) < CONNECTIONS_MAX => {
                let (service, tasks, open) =
                    (Arc::clone(&service), tasks.clone(), Arc::clone(&open));
                let serving = serve(socket, service, tasks.clone());
                tasks.spawn("spark connection", async move {
                    if let Err(error) = serving.await {
                        tracing::debug!(%error, "connection ended");
                    }
                    open.fetch_sub(1, Ordering::Relaxed);
                });
            }
            Ok((_, client)) => {
                open.fetch_sub(1, Ordering::Relaxed);
                tracing::warn!(%client, "too many Spark Connect connections, one closed");
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(socket: TcpStream, service: Arc<Service>, tasks: Tasks) -> Result<(), h2::Error> {
    // An answer is small and waited for.
    let _ = socket.set_nodelay(true);
    let handshake = Builder::new()
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADERS_BYTES_MAX)
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .handshake::<_, Bytes>(socket);
    let Ok(handshake) = tokio::time::timeout(STALLED_MAX, handshake).await else { return Ok(()) };
    let mut connection = handshake?;
    let shutdown = tasks.shutdown();
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => {
                connection.graceful_shutdown();
                // What is under way ends by itself: its tasks are told too.
                while let Some(stream) = connection.accept().await {
                    let (_, mut respond) = stream?;
                    respond.send_reset(Reason::REFUSED_STREAM);
                }
                return Ok(());
            }
            accepted = connection.accept() => accepted,
        };
        let Some(stream) = accepted else { return Ok(()) };
        let (request, respond) = stream?;
        let service = Arc::clone(&service);
        tasks.spawn("spark call", call(request, respond, service));
    }
}

/// One call from its first header to its status.
async fn call(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    service: Arc<Service>,
) {
    let (head, body) = request.into_parts();
    let is_grpc = head
        .headers
        .get("content-type")
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if head.method != Method::POST || !is_grpc {
        let refused = Response::builder().status(415).body(()).expect("a status is a response");
        let _ = respond.send_response(refused, true);
        return;
    }
    let headers = Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .expect("constant headers are a response");
    let Ok(stream) = respond.send_response(headers, false) else { return };
    let mut answer = Answer { stream, ended: false };
    // A page of another site whose name points here (DNS rebinding) sends its own name.
    let ours = head.uri.authority().is_some_and(|authority| is_loopback_host(authority.as_str()));
    let status = if ours {
        let body = Body { stream: body, frames: Frames::new(MESSAGE_BYTES_MAX) };
        service::dispatch(head.uri.path(), body, &mut answer, &service).await
    } else {
        Err(Status::new(Code::PermissionDenied, "the authority names no loopback address"))
    };
    answer.end(status.err()).await;
}

/// The messages of a request.
pub(super) struct Body {
    stream: RecvStream,
    frames: Frames,
}

impl Body {
    /// The next message; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            let next = self.frames.take();
            if let Some(message) =
                next.map_err(|error| Status::new(Code::ResourceExhausted, error.to_string()))?
            {
                return Ok(Some(message));
            }
            let Ok(piece) = tokio::time::timeout(STALLED_MAX, self.stream.data()).await else {
                return Err(Status::new(Code::Cancelled, "the request stopped in the middle"));
            };
            match piece {
                Some(Ok(piece)) => {
                    self.frames.push(&piece);
                    let _ = self.stream.flow_control().release_capacity(piece.len());
                }
                Some(Err(error)) => return Err(Status::new(Code::Cancelled, error.to_string())),
                None if self.frames.is_torn() => {
                    return Err(Status::new(Code::InvalidArgument, "half a message"));
                }
                None => return Ok(None),
            }
        }
    }

    /// The one message of a call that has one.
    pub(super) async fn only<M: Message + Default>(&mut self) -> Result<M, Status> {
        let bytes = self.next().await?;
        let bytes = bytes.ok_or_else(|| Status::new(Code::InvalidArgument, "no message"))?;
        read(&bytes)
    }
}

/// A message of a request.
pub(super) fn read<M: Message + Default>(bytes: &[u8]) -> Result<M, Status> {
    tidemill_spark_connect::decode(bytes)
        .map_err(|error| Status::new(Code::InvalidArgument, error.to_string()))
}

/// The client went away: nothing it is told matters any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

/// The messages of an answer.
pub(super) struct Answer {
    stream: SendStream<Bytes>,
    ended: bool,
}

impl Answer {
    /// Sends one framed message, as fast as the client takes it.
    pub(super) async fn send(&mut self, mut framed: Bytes) -> Result<(), Gone> {
        while !framed.is_empty() {
            self.stream.reserve_capacity(framed.len().min(PIECE_BYTES));
            let capacity = poll_fn(|context| self.stream.poll_capacity(context));
            let capacity = match tokio::time::timeout(STALLED_MAX, capacity).await {
                Ok(Some(Ok(capacity))) => capacity,
                _ => {
                    self.ended = true;
                    self.stream.send_reset(Reason::CANCEL);
                    return Err(Gone);
                }
            };
            let piece = framed.split_to(capacity.min(framed.len()));
            if self.stream.send_data(piece, false).is_err() {
                self.ended = true;
                return Err(Gone);
            }
        }
        Ok(())
    }

    /// Completes when the client gives the call up.
    pub(super) async fn gone(&mut self) {
        let _ = poll_fn(|context| self.stream.poll_reset(context)).await;
    }

    async fn end(mut self, error: Option<Status>) {
        if self.ended {
            return;
        }
        let _ = self.stream.send_trailers(trailers(error));
    }
}

fn trailers(error: Option<Status>) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    let Some(mut error) = error else {
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        return trailers;
    };
    if error.message.len() > STATUS_BYTES_MAX {
        let end = error.message.floor_char_boundary(STATUS_BYTES_MAX);
        error.message.truncate(end);
    }
    trailers.insert("grpc-status", HeaderValue::from(error.code));
    if let Ok(message) = HeaderValue::from_str(&percent_encoded(&error.message)) {
        trailers.insert("grpc-message", message);
    }
    if !error.details.is_empty() {
        let bytes = error.encode_to_vec();
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
        if let Ok(details) = HeaderValue::from_str(&text) {
            trailers.insert("grpc-status-details-bin", details);
        }
    }
    trailers
}
