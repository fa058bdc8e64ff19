//! How much may be in the works at the same moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::CqlError;

/// Requests and bytes in the works, of one connection or of all.
#[derive(Debug)]
pub(crate) struct InFlight {
    requests: AtomicUsize,
    bytes: AtomicUsize,
    requests_max: usize,
    bytes_max: usize,
    idle: tokio::sync::Notify,
}

impl InFlight {
    /// Nothing in the works.
    pub(crate) fn new(requests_max: usize, bytes_max: usize) -> Arc<InFlight> {
        Arc::new(InFlight {
            requests: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            requests_max,
            bytes_max,
            idle: tokio::sync::Notify::new(),
        })
    }

    /// Lets one request in, or says that there are too many. What it returns lets it out again.
    pub(crate) fn enter(self: &Arc<InFlight>, bytes: usize) -> Result<InFlightGuard, CqlError> {
        let guard = InFlightGuard { limits: self.clone(), bytes };
        let requests = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let total = self.bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        // One request alone is always let in: its own length has been checked.
        if requests > self.requests_max || total > self.bytes_max && requests > 1 {
            return Err(CqlError::overloaded(format!(
                "Server is in overloaded state. Cannot accept more requests at this point: \
                 {requests} requests with {total} bytes are in flight"
            )));
        }
        Ok(guard)
    }

    /// Completes when nothing is in the works.
    pub(crate) async fn idle(&self) {
        loop {
            let notified = self.idle.notified();
            if self.requests.load(Ordering::SeqCst) == 0 {
                return;
            }
            notified.await;
        }
    }
}

/// One request in the works.
#[derive(Debug)]
pub(crate) struct InFlightGuard {
    limits: Arc<InFlight>,
    bytes: usize,
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.limits.bytes.fetch_sub(self.bytes, Ordering::SeqCst);
        if self.limits.requests.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.limits.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_is_the_last_one_let_in() {
        let limits = InFlight::new(2, 100);
        let first = limits.enter(500).unwrap();
        assert!(limits.enter(1).is_err(), "bytes");
        drop(first);
        let (first, second) = (limits.enter(1).unwrap(), limits.enter(1).unwrap());
        assert!(limits.enter(1).unwrap_err().to_string().contains("overloaded"));
        drop((first, second));
        limits.idle().await;
    }
}
