//! Connecting, headers, authentication, watch events.

use bytes::Bytes;

use crate::jute::{DecodeError, Jute, Reader, records};

/// The xid of watch events.
pub const XID_NOTIFICATION: i32 = -1;
/// The xid of pings.
pub const XID_PING: i32 = -2;
/// The xid of authentication.
pub const XID_AUTH: i32 = -4;
/// The xid of setting watches again after a reconnection.
pub const XID_SET_WATCHES: i32 = -8;
/// Bytes of a session's password.
pub const PASSWORD_BYTES: usize = 16;

/// The first frame of a client. The flag at its end is missing from clients older than 3.4.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectRequest {
    /// 0.
    pub protocol_version: i32,
    /// The last transaction the client knows of: a server that knows less is not for it.
    pub last_zxid_seen: i64,
    /// The session timeout it would like, in milliseconds.
    pub timeout_ms: i32,
    /// The session to go on with; 0 for a new one.
    pub session_id: i64,
    /// The password of that session.
    pub password: Option<Bytes>,
    /// Whether a server that only reads would do; `None` if the client does not know of such.
    pub read_only: Option<bool>,
}

impl Jute for ConnectRequest {
    fn read(reader: &mut Reader) -> Result<ConnectRequest, DecodeError> {
        Ok(ConnectRequest {
            protocol_version: reader.take()?,
            last_zxid_seen: reader.take()?,
            timeout_ms: reader.take()?,
            session_id: reader.take()?,
            password: reader.take()?,
            read_only: if reader.left() > 0 { Some(reader.take()?) } else { None },
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.protocol_version.write(to);
        self.last_zxid_seen.write(to);
        self.timeout_ms.write(to);
        self.session_id.write(to);
        self.password.write(to);
        if let Some(read_only) = self.read_only {
            read_only.write(to);
        }
    }
}

/// The answer to it. A timeout of 0 says that the session has ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectResponse {
    /// 0.
    pub protocol_version: i32,
    /// The session timeout that holds, in milliseconds.
    pub timeout_ms: i32,
    /// The session.
    pub session_id: i64,
    /// Its password, to go on with it over another connection.
    pub password: Option<Bytes>,
    /// Whether this server only reads; left out for a client that did not say it knows of such.
    pub read_only: Option<bool>,
}

impl Jute for ConnectResponse {
    fn read(reader: &mut Reader) -> Result<ConnectResponse, DecodeError> {
        Ok(ConnectResponse {
            protocol_version: reader.take()?,
            timeout_ms: reader.take()?,
            session_id: reader.take()?,
            password: reader.take()?,
            read_only: if reader.left() > 0 { Some(reader.take()?) } else { None },
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.protocol_version.write(to);
        self.timeout_ms.write(to);
        self.session_id.write(to);
        self.password.write(to);
        if let Some(read_only) = self.read_only {
            read_only.write(to);
        }
    }
}

records! {
    /// Before every request but the first.
    RequestHeader {
        /// The client's number for it.
        xid: i32,
        /// An [`Op`](crate::Op).
        op: i32,
    }

    /// Before every answer but the first.
    ReplyHeader {
        /// The request's number, or one of the constants here.
        xid: i32,
        /// The last transaction this answer may show.
        zxid: i64,
        /// An [`ErrorCode`](crate::ErrorCode).
        error: i32,
    }

    /// Credentials.
    AuthPacket {
        /// 0.
        kind: i32,
        /// `digest`.
        scheme: String,
        /// For `digest`: `user:password`.
        auth: Option<Bytes>,
    }

    /// What happened to a watched node.
    WatcherEvent {
        /// An [`EventType`].
        kind: i32,
        /// [`STATE_CONNECTED`].
        state: i32,
        /// The node.
        path: String,
    }
}

/// The state of a client that is told of an event by its server.
pub const STATE_CONNECTED: i32 = 3;

/// What happened to a watched node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i32)]
pub enum EventType {
    /// It was made.
    Created = 1,
    /// It was removed.
    Deleted = 2,
    /// Its data was set.
    DataChanged = 3,
    /// A child was made or removed.
    ChildrenChanged = 4,
}

impl EventType {
    /// What the number on the wire stands for.
    pub fn from_number(number: i32) -> Option<EventType> {
        use EventType::{ChildrenChanged, Created, DataChanged, Deleted};
        [Created, Deleted, DataChanged, ChildrenChanged].into_iter().find(|e| *e as i32 == number)
    }
}

/// The frame of a watch event. `zxid` is the transaction that made it happen; -1 if the client
/// learns of it late, when it sets its watches again.
pub fn event_frame(kind: EventType, path: &str, zxid: i64) -> Bytes {
    let header = ReplyHeader { xid: XID_NOTIFICATION, zxid, error: 0 };
    let event = WatcherEvent { kind: kind as i32, state: STATE_CONNECTED, path: path.to_owned() };
    crate::frame::build(|to| {
        header.write(to);
        event.write(to);
    })
}
