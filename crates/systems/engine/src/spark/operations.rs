//! Running operations: what an `ExecutePlan` answers is kept until its client has it, so that a
//! client whose connection broke attaches again and misses nothing.
//!
//! A response's id is the operation's id and the response's number; so an id says where it stands.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tidemill_runtime::Shutdown;
use tidemill_spark_connect::grpc::frame;
use tidemill_spark_connect::{ExecutePlanResponse, ExecuteResult, ResultComplete};
use tokio::sync::Notify;

use super::error::{Result, SparkError};
use super::http2::{Answer, Gone};

/// Bytes of responses that wait for their client at most; beyond, the plan waits.
const UNSENT_BYTES_MAX: usize = 8 << 20;
/// Bytes of responses kept for a client that attaches again; Spark keeps 10 MB.
const SENT_BYTES_MAX: usize = 10_000_000;

/// One `ExecutePlan`.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) tags: Vec<String>,
    /// Responses are kept until they are released.
    reattachable: bool,
    session_id: String,
    server_session_id: String,
    /// Ends it early.
    pub(super) interrupt: Shutdown,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    stored: VecDeque<Stored>,
    /// Number of the next response that is made.
    next: u64,
    /// Number of the next response that is sent.
    unsent: u64,
    bytes: usize,
    unsent_bytes: usize,
    end: Option<Result<()>>,
    ended_at: Duration,
    /// Who attached last; an earlier reader stops.
    reader: u64,
    released: bool,
}

struct Stored {
    number: u64,
    frame: Bytes,
}

impl Operation {
    pub(super) fn new(
        id: String,
        tags: Vec<String>,
        reattachable: bool,
        session: (String, String),
        interrupt: Shutdown,
    ) -> Operation {
        let (session_id, server_session_id) = session;
        Operation {
            id,
            tags,
            reattachable,
            session_id,
            server_session_id,
            interrupt,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Adds a response; waits while the client has too many of them to take.
    pub(super) async fn push(&self, response: ExecutePlanResponse) -> Result<()> {
        loop {
            let changed = self.changed.notified();
            if self.interrupt.is_requested() {
                return Err(SparkError::cancelled());
            }
            if self.state.lock().unsent_bytes < UNSENT_BYTES_MAX {
                break;
            }
            tokio::select! {
                () = changed => {}
                () = self.interrupt.requested() => {}
            }
        }
        self.store(response);
        Ok(())
    }

    /// Adds a response that has one part.
    pub(super) async fn result(&self, result: ExecuteResult) -> Result<()> {
        let response =
            ExecutePlanResponse { response_type: Some(result), ..ExecutePlanResponse::default() };
        self.push(response).await
    }

    fn store(&self, mut response: ExecutePlanResponse) {
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        response.session_id.clone_from(&self.session_id);
        response.server_side_session_id.clone_from(&self.server_session_id);
        response.operation_id.clone_from(&self.id);
        response.response_id = format!("{}-{number}", self.id);
        let frame = frame(&response);
        state.bytes += frame.len();
        state.unsent_bytes += frame.len();
        state.stored.push_back(Stored { number, frame });
        drop(state);
        self.changed.notify_waiters();
    }

    /// It is over, at `now`; what went wrong is told to every reader.
    pub(super) fn end(&self, result: Result<()>, now: Duration) {
        if result.is_ok() && self.reattachable {
            let complete = ExecuteResult::ResultComplete(ResultComplete {});
            self.store(ExecutePlanResponse {
                response_type: Some(complete),
                ..ExecutePlanResponse::default()
            });
        }
        let mut state = self.state.lock();
        state.end.get_or_insert(result);
        state.ended_at = now;
        drop(state);
        self.changed.notify_waiters();
    }

    /// How long it is over; none while it runs.
    pub(super) fn ended_for(&self, now: Duration) -> Option<Duration> {
        let state = self.state.lock();
        state.end.as_ref().map(|_| now.saturating_sub(state.ended_at))
    }

    /// Whether its client wants nothing of it any more.
    pub(super) fn is_done(&self) -> bool {
        let state = self.state.lock();
        state.released || (!self.reattachable && state.end.is_some() && state.stored.is_empty())
    }

    /// The number after the response with this id; an error if the id is none of this operation's.
    pub(super) fn after(&self, response_id: &str) -> Result<u64> {
        let number = response_id
            .strip_prefix(self.id.as_str())
            .and_then(|rest| rest.strip_prefix('-'))
            .and_then(|number| number.parse::<u64>().ok())
            .filter(|number| *number < self.state.lock().next);
        number.map(|number| number + 1).ok_or_else(|| {
            let class = "INVALID_CURSOR.POSITION_NOT_FOUND";
            let text = format!(
                "The cursor is invalid. The cursor position id {response_id} is not found."
            );
            SparkError::new(super::error::Kind::Handle, class, "HY109", &text)
                .with("responseId", response_id)
        })
    }

    /// Forgets the responses before `number`.
    pub(super) fn release(&self, number: u64) {
        let mut state = self.state.lock();
        while state.stored.front().is_some_and(|stored| stored.number < number) {
            state.drop_front();
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// The client wants no more: ends it if it still runs.
    pub(super) fn release_all(&self) {
        self.interrupt.request();
        let mut state = self.state.lock();
        state.released = true;
        state.stored.clear();
        (state.bytes, state.unsent_bytes) = (0, 0);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Sends responses from `number` on until the operation is over.
    pub(super) async fn send(
        &self,
        number: u64,
        answer: &mut Answer,
    ) -> std::result::Result<Result<()>, Gone> {
        let reader = self.attach(number);
        let mut number = number;
        loop {
            let changed = self.changed.notified();
            match self.next(reader, number) {
                Next::Frame(frame) => {
                    answer.send(frame).await?;
                    self.sent(number);
                    number += 1;
                }
                Next::End(result) => return Ok(result),
                Next::Wait => tokio::select! {
                    () = changed => {}
                    () = answer.gone() => return Err(Gone),
                },
            }
        }
    }

    fn attach(&self, number: u64) -> u64 {
        let mut state = self.state.lock();
        state.reader += 1;
        state.unsent = number;
        state.unsent_bytes = state
            .stored
            .iter()
            .filter(|stored| stored.number >= number)
            .map(|stored| stored.frame.len())
            .sum();
        let reader = state.reader;
        drop(state);
        self.changed.notify_waiters();
        reader
    }

    fn next(&self, reader: u64, number: u64) -> Next {
        let state = self.state.lock();
        if state.reader != reader {
            let class = "INVALID_CURSOR.DISCONNECTED";
            let text = "The cursor is invalid. The cursor has been disconnected by the server.";
            let error = SparkError::new(super::error::Kind::Handle, class, "HY109", text);
            return Next::End(Err(error));
        }
        if let Some(first) = state.stored.front().map(|stored| stored.number) {
            if number < first {
                let class = "INVALID_CURSOR.POSITION_NOT_AVAILABLE";
                let text = format!(
                    "The cursor is invalid. The cursor position id {}-{number} is no longer \
                     available.",
                    self.id
                );
                let error = SparkError::new(super::error::Kind::Handle, class, "HY109", &text);
                return Next::End(Err(error));
            }
            let place = usize::try_from(number - first).unwrap_or(usize::MAX);
            if let Some(stored) = state.stored.get(place) {
                return Next::Frame(stored.frame.clone());
            }
        }
        match &state.end {
            Some(result) => Next::End(result.clone()),
            None if state.released => Next::End(Err(SparkError::cancelled())),
            None => Next::Wait,
        }
    }

    fn sent(&self, number: u64) {
        let mut state = self.state.lock();
        state.unsent = number + 1;
        if let Some(first) = state.stored.front().map(|stored| stored.number) {
            let place = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
            let bytes = state.stored.get(place).map_or(0, |stored| stored.frame.len());
            state.unsent_bytes = state.unsent_bytes.saturating_sub(bytes);
        }
        let kept = if self.reattachable { SENT_BYTES_MAX } else { 0 };
        while state.bytes - state.unsent_bytes.min(state.bytes) > kept
            && state.stored.front().is_some_and(|stored| stored.number <= number)
        {
            state.drop_front();
        }
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) fn is_reattachable(&self) -> bool {
        self.reattachable
    }
}

impl State {
    fn drop_front(&mut self) {
        if let Some(stored) = self.stored.pop_front() {
            let bytes = stored.frame.len();
            self.bytes = self.bytes.saturating_sub(bytes);
            if stored.number >= self.unsent {
                self.unsent_bytes = self.unsent_bytes.saturating_sub(bytes);
            }
        }
    }
}

/// What a reader does next.
enum Next {
    Frame(Bytes),
    End(Result<()>),
    Wait,
}
