//! Whether the database answers, for whoever would wait for it in vain.

use std::sync::Arc;

use tokio::sync::watch;

/// Told by the writer, looked at by the REST API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Availability(Arc<watch::Sender<Option<Arc<str>>>>);

impl Default for Availability {
    fn default() -> Availability {
        Availability(Arc::new(watch::Sender::new(None)))
    }
}

impl Availability {
    /// Why the database does not answer; none if it does.
    pub fn reason(&self) -> Option<Arc<str>> {
        self.0.borrow().clone()
    }

    /// Returns, with the reason, once the database does not answer.
    pub async fn lost(&self) -> Arc<str> {
        let mut state = self.0.subscribe();
        let found = state.wait_for(Option::is_some).await.map(|reason| reason.clone());
        match found {
            Ok(Some(reason)) => reason,
            // We hold the sender.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    pub(super) fn set_lost(&self, reason: &str) {
        let is_new = self.0.send_if_modified(|state| state.replace(reason.into()).is_none());
        if is_new {
            tracing::warn!(reason, "the scheduler's database does not answer: it is tried again");
        }
    }

    pub(super) fn set_well(&self) {
        if self.0.send_if_modified(|state| state.take().is_some()) {
            tracing::info!("the scheduler's database answers again");
        }
    }
}
