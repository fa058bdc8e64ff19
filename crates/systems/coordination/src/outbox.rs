//! What is on its way to one connection.

use std::collections::VecDeque;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Requests of one connection that are not answered yet (`globalOutstandingLimit`); beyond, nothing
/// more is read from it.
const REQUESTS_OUTSTANDING_MAX: usize = 1_000;
/// Bytes waiting for a client beyond which nothing more is read from it.
const REPLY_BYTES_MAX: usize = 4 << 20;
/// Bytes waiting for a client that sends nothing and reads nothing, but is told of events: beyond,
/// its connection is closed.
const EVENT_BYTES_MAX: usize = 64 << 20;

/// Frames in the order in which they go out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// There is something to send, or no more will come.
    ready: Notify,
    /// Something was answered or sent.
    room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    outstanding: usize,
    closed: bool,
}

impl Outbox {
    /// A request has come.
    pub(crate) fn request(&self) {
        self.queue.lock().outstanding += 1;
    }

    /// Requests that are not answered yet.
    pub(crate) fn outstanding(&self) -> usize {
        self.queue.lock().outstanding
    }

    /// Its answer.
    pub(crate) fn reply(&self, frame: Bytes) {
        let mut queue = self.queue.lock();
        queue.outstanding = queue.outstanding.saturating_sub(1);
        queue.push(frame);
        self.ready.notify_one();
        self.room.notify_one();
    }

    /// What happened to a watched node.
    pub(crate) fn event(&self, frame: Bytes) {
        let mut queue = self.queue.lock();
        if queue.bytes + frame.len() > EVENT_BYTES_MAX {
            tracing::warn!("a client does not take its events, connection closed");
            queue.closed = true;
            queue.frames.clear();
        } else {
            queue.push(frame);
        }
        self.ready.notify_one();
    }

    /// Nothing comes after what is there.
    pub(crate) fn close(&self) {
        self.queue.lock().closed = true;
        self.ready.notify_one();
    }

    /// Waits until another request may be read.
    pub(crate) async fn room(&self) {
        loop {
            {
                let queue = self.queue.lock();
                if queue.outstanding < REQUESTS_OUTSTANDING_MAX && queue.bytes < REPLY_BYTES_MAX {
                    return;
                }
            }
            self.room.notified().await;
        }
    }

    /// Waits until nothing is unanswered and unsent.
    pub(crate) async fn idle(&self) {
        loop {
            {
                let queue = self.queue.lock();
                if queue.outstanding == 0 && queue.frames.is_empty() {
                    return;
                }
            }
            self.room.notified().await;
        }
    }

    /// All that is to be sent next; `None` when no more will come.
    pub(crate) async fn next(&self) -> Option<VecDeque<Bytes>> {
        loop {
            {
                let mut queue = self.queue.lock();
                if !queue.frames.is_empty() {
                    queue.bytes = 0;
                    return Some(std::mem::take(&mut queue.frames));
                }
                if queue.closed {
                    return None;
                }
            }
            self.ready.notified().await;
        }
    }

    /// What [`Outbox::next`] gave was sent.
    pub(crate) fn sent(&self) {
        self.room.notify_one();
    }
}

impl Queue {
    fn push(&mut self, frame: Bytes) {
        if !self.closed {
            self.bytes += frame.len();
            self.frames.push_back(frame);
        }
    }
}
