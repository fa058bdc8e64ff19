//! Where an answer goes: a stream of a connection.

use std::sync::Arc;

use parking_lot::Mutex;
use tidemill_cql_wire::response::ResponseBody;
use tidemill_cql_wire::{Response, Version};
use tokio::sync::mpsc;

use crate::connection::Outgoing;
use crate::error::CqlError;
use crate::limits::InFlightGuard;

/// What belongs to a connection and changes while it lasts.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// What USE chose.
    pub(crate) keyspace: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Inner {
    version: Version,
    stream: i16,
    outgoing: mpsc::Sender<Outgoing>,
    session: Arc<Session>,
    guards: Answered,
}

/// What a request holds until its answer is written.
pub(crate) type Answered = Arc<InFlightGuards>;

/// Its places among the connection's and everybody's requests in the works.
pub(crate) type InFlightGuards = [InFlightGuard; 2];

/// The way back of one request. Clones are the same way; exactly one of them is used.
#[derive(Debug, Clone)]
pub(crate) struct Reply(Arc<Inner>);

impl Reply {
    /// The way back to `stream`.
    pub(crate) fn new(
        version: Version,
        stream: i16,
        outgoing: mpsc::Sender<Outgoing>,
        session: Arc<Session>,
        guards: InFlightGuards,
    ) -> Reply {
        let guards = Arc::new(guards);
        Reply(Arc::new(Inner { version, stream, outgoing, session, guards }))
    }

    /// Answers.
    pub(crate) fn send(&self, response: Response) {
        let envelope = response.encode(self.0.version, self.0.stream);
        // The channel has room for every request in the works; a closed one has no client.
        let _ = self.0.outgoing.try_send(Outgoing::Answer(envelope, self.0.guards.clone()));
    }

    /// Answers with an error.
    pub(crate) fn fail(&self, error: CqlError) {
        self.send(Response::from(ResponseBody::Error(error.into_response())));
    }

    /// The connection's keyspace from now on.
    pub(crate) fn set_keyspace(&self, name: &str) {
        *self.0.session.keyspace.lock() = Some(name.to_owned());
    }
}
