//! How a try learns that it is to end.

use std::sync::Arc;

use tokio::sync::watch;

use crate::core::{Outcome, StopReason};

/// A wish to end, and why. The first reason counts.
#[derive(Debug, Clone)]
pub(crate) struct Stop(Arc<watch::Sender<Option<StopReason>>>);

impl Default for Stop {
    fn default() -> Stop {
        Stop(Arc::new(watch::channel(None).0))
    }
}

impl Stop {
    pub(crate) fn request(&self, reason: StopReason) {
        self.0.send_if_modified(|wish| {
            let is_first = wish.is_none();
            if is_first {
                *wish = Some(reason);
            }
            is_first
        });
    }

    /// Completes when the try is to end; never otherwise.
    pub(crate) async fn requested(&self) -> StopReason {
        let mut wish = self.0.subscribe();
        let found = wish.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match found {
            Some(reason) => reason,
            // The sender is in `self`, so it cannot be gone.
            None => std::future::pending().await,
        }
    }
}

/// How a stopped try ends, with what it did until then.
pub(super) fn stopped(reason: &StopReason, value: Option<serde_json::Value>) -> Outcome {
    match reason {
        StopReason::Timeout(limit) => Outcome::Failed {
            reason: format!("AirflowTaskTimeout: execution_timeout of {limit:?} is over"),
            retry: true,
            value,
        },
        StopReason::Marked => Outcome::Failed {
            reason: "stopped: its state was changed from outside".to_owned(),
            retry: false,
            value,
        },
        StopReason::Drain => Outcome::Interrupted { value },
    }
}
