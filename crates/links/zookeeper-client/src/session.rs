//! The task that keeps a session: it connects to one server after the other, resumes the session,
//! keeps it alive, and begins another when it has ended.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tidemill_runtime::{Shutdown, World};
use tidemill_zookeeper_wire::session::{
    AuthPacket, ConnectRequest, ConnectResponse, EventType, PASSWORD_BYTES, ReplyHeader,
    RequestHeader, WatcherEvent, XID_AUTH, XID_NOTIFICATION, XID_PING, XID_SET_WATCHES,
};
use tidemill_zookeeper_wire::{ErrorCode, Jute, Op, Reader, Request, Response, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::config::{Config, Ensemble};
use crate::error::ClientError;
use crate::watches::{Event, Kind, Watches};

/// Bytes of one answer.
const FRAME_BYTES_MAX: usize = 64 << 20;
/// Calls sent and not answered; beyond, callers wait.
const PENDING_MAX: usize = 1_000;
/// Between one round through all servers and the next: first and longest pause.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What a client knows of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// No server is heard. The session named, if it is not 0, may still be alive.
    Connecting {
        /// The session to go on with; 0 for none.
        session_id: i64,
    },
    /// A server is heard. Another id than before means that the earlier session has ended.
    Connected {
        /// The session.
        session_id: i64,
    },
    /// The credentials were refused.
    AuthFailed,
    /// The client was closed.
    Closed,
}

/// What the session's task and its callers share.
pub(crate) struct Shared {
    pub(crate) ensemble: Ensemble,
    pub(crate) config: Config,
    pub(crate) world: World,
    pub(crate) state: watch::Sender<SessionState>,
    heard: Mutex<Heard>,
    /// To go on with the session elsewhere: tests end it so.
    #[cfg(test)]
    pub(crate) password: Mutex<Bytes>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    /// When the last request left that was answered since: the server has counted from then on, or
    /// later.
    at: Duration,
    /// The session timeout that holds.
    timeout: Duration,
}

impl Shared {
    pub(crate) fn new(ensemble: Ensemble, config: Config, world: World) -> Shared {
        let (state, _) = watch::channel(SessionState::Connecting { session_id: 0 });
        let heard = Heard { at: world.clock.monotonic(), timeout: config.session_timeout };
        Shared {
            ensemble,
            config,
            world,
            state,
            heard: Mutex::new(heard),
            #[cfg(test)]
            password: Mutex::default(),
        }
    }

    /// How long it is certain, without another word from the server, that the session lives.
    pub(crate) fn certain_for(&self) -> Duration {
        let heard = *self.heard.lock();
        (heard.at + heard.timeout).saturating_sub(self.world.clock.monotonic())
    }
}

/// What became of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done(Response),
    Refused(ErrorCode),
}

/// A watch to set if the call is answered.
pub(crate) type WatchOn = (Kind, oneshot::Sender<Event>);

/// One call on its way.
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) watch: Option<WatchOn>,
    pub(crate) answer: oneshot::Sender<Result<Outcome, ClientError>>,
}

struct Pending {
    xid: i32,
    op: Op,
    path: String,
    sent_at: Duration,
    /// None for pings and for what the task itself asks.
    call: Option<Waiting>,
}

/// Who waits for an answer, and the watch to set with it.
type Waiting = (Option<WatchOn>, oneshot::Sender<Result<Outcome, ClientError>>);

struct Session {
    shared: std::sync::Arc<Shared>,
    id: i64,
    password: Bytes,
    last_zxid: i64,
    watches: Watches,
    pending: VecDeque<Pending>,
    next_xid: i32,
}

/// Why a connection ended.
enum End {
    /// It is lost; another one follows.
    Lost,
    /// The session has ended; another one follows.
    Expired,
    /// Nothing follows.
    Finished(SessionState),
}

/// Keeps a session until it is closed or nobody is left to call.
pub(crate) async fn run(
    shared: std::sync::Arc<Shared>,
    mut calls: mpsc::Receiver<Call>,
    shutdown: Shutdown,
) {
    let mut session = Session {
        shared: shared.clone(),
        id: 0,
        password: Bytes::from_static(&[0; PASSWORD_BYTES]),
        last_zxid: 0,
        watches: Watches::default(),
        pending: VecDeque::new(),
        next_xid: 1,
    };
    let ended = tokio::select! {
        () = shutdown.requested() => SessionState::Closed,
        ended = session.keep(&mut calls) => ended,
    };
    shared.state.send_replace(ended);
    let error = match ended {
        SessionState::AuthFailed => ClientError::AuthFailed,
        _ => ClientError::Closed,
    };
    session.fail_pending(&error);
    calls.close();
    while let Some(call) = calls.recv().await {
        let _ = call.answer.send(Err(error.clone()));
    }
}

impl Session {
    async fn keep(&mut self, calls: &mut mpsc::Receiver<Call>) -> SessionState {
        let mut pause = PAUSE_MIN;
        // Clients begin at different servers.
        let hosts = self.shared.ensemble.hosts.clone();
        let first = self.shared.world.random.below(hosts.len() as u64);
        let mut at = usize::try_from(first).unwrap_or(0);
        loop {
            let host = &hosts[at % hosts.len()];
            match self.connect(host).await {
                Ok(Some(stream)) => {
                    pause = PAUSE_MIN;
                    let end = self.converse(stream, calls).await;
                    match end {
                        End::Finished(state) => return state,
                        End::Expired => self.expired(),
                        End::Lost => {
                            self.fail_pending(&ClientError::ConnectionLoss);
                            self.connecting();
                        }
                    }
                }
                Ok(None) => self.expired(),
                Err(error) => {
                    tracing::debug!(host, %error, "ZooKeeper not reached");
                    self.connecting();
                    at += 1;
                    if at.is_multiple_of(hosts.len()) {
                        sleep(pause).await;
                        pause = (pause * 2).min(PAUSE_MAX);
                    }
                }
            }
        }
    }

    fn connecting(&self) {
        self.shared.state.send_replace(SessionState::Connecting { session_id: self.id });
    }

    /// The session has ended: nobody is told by its watches any more.
    fn expired(&mut self) {
        tracing::warn!(session = format_args!("0x{:x}", self.id), "ZooKeeper session expired");
        self.id = 0;
        self.password = Bytes::from_static(&[0; PASSWORD_BYTES]);
        self.watches = Watches::default();
        self.fail_pending(&ClientError::SessionExpired);
        self.connecting();
    }

    fn fail_pending(&mut self, error: &ClientError) {
        for pending in self.pending.drain(..) {
            if let Some((_, answer)) = pending.call {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }

    /// A connection on which the session goes on or a new one has begun; `None` if it has ended.
    async fn connect(&mut self, host: &str) -> io::Result<Option<Stream>> {
        let begun = self.shared.world.clock.monotonic();
        let patience = self.shared.config.session_timeout / 3;
        let opening = async {
            let socket = TcpStream::connect(host).await?;
            socket.set_nodelay(true)?;
            let mut stream = Stream { socket, buffer: BytesMut::new() };
            let timeout_ms = self.shared.config.session_timeout.as_millis();
            let request = ConnectRequest {
                protocol_version: 0,
                last_zxid_seen: self.last_zxid,
                timeout_ms: i32::try_from(timeout_ms).unwrap_or(i32::MAX),
                session_id: self.id,
                password: Some(self.password.clone()),
                read_only: Some(false),
            };
            stream.socket.write_all(&frame::of(&request)).await?;
            let answer = stream.frame().await?;
            let answer: ConnectResponse = Reader::new(answer).take().map_err(malformed)?;
            Ok::<_, io::Error>((stream, answer))
        };
        let (stream, answer) =
            timeout(patience, opening).await.map_err(|_| io::ErrorKind::TimedOut)??;
        let negotiated = u64::try_from(answer.timeout_ms).unwrap_or(0);
        if negotiated == 0 {
            return Ok(None);
        }
        self.id = answer.session_id;
        self.password = answer.password.unwrap_or_default();
        #[cfg(test)]
        self.shared.password.lock().clone_from(&self.password);
        *self.shared.heard.lock() = Heard { at: begun, timeout: Duration::from_millis(negotiated) };
        Ok(Some(stream))
    }

    /// Speaks over one connection until it ends.
    async fn converse(&mut self, mut stream: Stream, calls: &mut mpsc::Receiver<Call>) -> End {
        let patience = self.shared.config.session_timeout / 3;
        match timeout(patience, self.introduce(&mut stream)).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(end))) => return end,
            Ok(Err(_)) | Err(_) => return End::Lost,
        }
        self.shared.state.send_replace(SessionState::Connected { session_id: self.id });
        let lifetime = self.shared.heard.lock().timeout;
        let (mut ping, mut heard_at) = (tokio::time::interval(lifetime / 3), self.now());
        loop {
            let may_call = self.pending.len() < PENDING_MAX;
            let worked = tokio::select! {
                frame = stream.frame() => {
                    heard_at = self.now();
                    match frame {
                        Ok(frame) => match self.answer(frame) {
                            Ok(None) => Ok(()),
                            Ok(Some(end)) => return end,
                            Err(error) => Err(error),
                        },
                        Err(error) => Err(error),
                    }
                }
                call = calls.recv(), if may_call => match call {
                    Some(call) => self.ask(&mut stream, call).await,
                    // Nobody is left to call.
                    None => {
                        let _ = self.send(&mut stream, XID_PING + 1, &Request::CloseSession).await;
                        return End::Finished(SessionState::Closed);
                    }
                },
                _ = ping.tick() => {
                    // A server that does not answer for two thirds of the timeout is left.
                    if self.now().saturating_sub(heard_at) > lifetime * 2 / 3 {
                        return End::Lost;
                    }
                    self.pending.push_back(self.own(XID_PING, Op::Ping));
                    self.send(&mut stream, XID_PING, &Request::Ping).await
                }
            };
            if let Err(error) = worked {
                tracing::debug!(%error, "ZooKeeper connection lost");
                return End::Lost;
            }
        }
    }

    /// Says who asks, and sets the watches of the earlier connection. Nothing else is sent before
    /// the credentials are accepted: a server that refuses them closes the connection, and what it
    /// has not read then can take its answer along.
    async fn introduce(&mut self, stream: &mut Stream) -> io::Result<Option<End>> {
        for (scheme, auth) in self.shared.config.auth.clone() {
            let packet = AuthPacket { kind: 0, scheme, auth: Some(auth.into()) };
            self.pending.push_back(self.own(XID_AUTH, Op::Auth));
            self.send(stream, XID_AUTH, &Request::Auth(packet)).await?;
            while !self.pending.is_empty() {
                let frame = stream.frame().await?;
                if let Some(end) = self.answer(frame)? {
                    return Ok(Some(end));
                }
            }
        }
        if let Some(watches) = self.watches.again(self.last_zxid) {
            self.pending.push_back(self.own(XID_SET_WATCHES, Op::SetWatches));
            self.send(stream, XID_SET_WATCHES, &Request::SetWatches(watches)).await?;
        }
        Ok(None)
    }

    fn own(&self, xid: i32, op: Op) -> Pending {
        Pending { xid, op, path: String::new(), sent_at: self.now(), call: None }
    }

    async fn ask(&mut self, stream: &mut Stream, call: Call) -> io::Result<()> {
        let xid = self.next_xid;
        // Negative numbers have meanings of their own.
        self.next_xid = self.next_xid.checked_add(1).unwrap_or(1);
        let path = match &call.request {
            Request::Exists(ask) | Request::GetData(ask) | Request::GetChildren(ask) => {
                ask.path.clone()
            }
            _ => String::new(),
        };
        self.pending.push_back(Pending {
            xid,
            op: call.request.op(),
            path,
            sent_at: self.now(),
            call: Some((call.watch, call.answer)),
        });
        self.send(stream, xid, &call.request).await
    }

    async fn send(&self, stream: &mut Stream, xid: i32, request: &Request) -> io::Result<()> {
        let bytes = frame::build(|to| {
            RequestHeader { xid, op: request.op().number() }.write(to);
            request.write(to);
        });
        stream.socket.write_all(&bytes).await
    }

    /// Takes one frame of the server: an event, or the answer to the oldest request.
    fn answer(&mut self, frame: Bytes) -> io::Result<Option<End>> {
        let mut reader = Reader::new(frame);
        let header: ReplyHeader = reader.take().map_err(malformed)?;
        if header.xid == XID_NOTIFICATION {
            let event: WatcherEvent = reader.take().map_err(malformed)?;
            if let Some(kind) = EventType::from_number(event.kind) {
                let shown = self.shared.ensemble.relative(&event.path);
                self.watches.fire(kind, &event.path, shown);
            }
            return Ok(None);
        }
        let Some(pending) = self.pending.pop_front().filter(|pending| pending.xid == header.xid)
        else {
            return Err(io::Error::other(format!("an answer to request {} of nobody", header.xid)));
        };
        self.last_zxid = self.last_zxid.max(header.zxid);
        {
            let mut heard = self.shared.heard.lock();
            heard.at = heard.at.max(pending.sent_at);
        }
        let refused = (header.error != 0)
            .then(|| ErrorCode::from_number(header.error).unwrap_or(ErrorCode::SystemError));
        match (pending.op, refused) {
            (Op::Auth, Some(_)) => return Ok(Some(End::Finished(SessionState::AuthFailed))),
            (_, Some(ErrorCode::SessionExpired)) => return Ok(Some(End::Expired)),
            _ => {}
        }
        let is_close = pending.op == Op::CloseSession;
        if let Some((watch, answer)) = pending.call {
            self.keep_watch(pending.op, pending.path, watch, refused);
            let outcome = match refused {
                Some(code) => Outcome::Refused(code),
                None => Outcome::Done(Response::read(pending.op, &mut reader).map_err(malformed)?),
            };
            let _ = answer.send(Ok(outcome));
        }
        Ok(is_close.then_some(End::Finished(SessionState::Closed)))
    }

    /// The server has set a watch if it answered; on a node that is missing only by Exists.
    fn keep_watch(
        &mut self,
        op: Op,
        path: String,
        watch: Option<WatchOn>,
        refused: Option<ErrorCode>,
    ) {
        let Some((kind, told)) = watch else { return };
        let kind = match (op, refused) {
            (Op::Exists, Some(ErrorCode::NoNode)) => Kind::Exist,
            (Op::Exists, None) => Kind::Data,
            (_, None) => kind,
            _ => return,
        };
        self.watches.add(kind, path, told);
    }

    fn now(&self) -> Duration {
        self.shared.world.clock.monotonic()
    }
}

struct Stream {
    socket: TcpStream,
    buffer: BytesMut,
}

impl Stream {
    /// The next frame. Nothing is lost if the future is dropped.
    async fn frame(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(frame) =
                frame::take(&mut self.buffer, FRAME_BYTES_MAX).map_err(malformed)?
            {
                return Ok(frame);
            }
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn malformed(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
