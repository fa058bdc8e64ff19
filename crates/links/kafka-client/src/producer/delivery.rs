//! What an acknowledgement is awaited with.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::producer::Inner;
use crate::producer::lane::{Lane, Placed};
use crate::producer::topic::Topic;
use crate::{ClientError, RecordMetadata};

type Outcome = Result<RecordMetadata, ClientError>;

/// A record on its way: a future of its acknowledgement, which also does the work of sending.
/// Dropped, the record stays where it is and goes with the next one.
#[must_use = "records go out when somebody awaits a delivery"]
pub struct Delivery {
    waits: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl Delivery {
    pub(super) fn new(
        inner: Arc<Inner>,
        topic: Arc<Topic>,
        lane: Arc<OnceLock<Arc<Lane>>>,
        written: oneshot::Receiver<Result<Placed, ClientError>>,
        timestamp: i64,
    ) -> Delivery {
        let waits = async move {
            let Placed { partition, offset } = wait(&inner, &topic, &lane, written).await?;
            Ok(RecordMetadata { topic: topic.name().to_owned(), partition, offset, timestamp })
        };
        Delivery { waits: Box::pin(waits) }
    }
}

/// Waits for the record's turn, and sends whenever nobody else does.
async fn wait(
    inner: &Inner,
    topic: &Topic,
    lane: &OnceLock<Arc<Lane>>,
    mut written: oneshot::Receiver<Result<Placed, ClientError>>,
) -> Result<Placed, ClientError> {
    loop {
        let Some(lane) = lane.get() else {
            tokio::select! {
                biased;
                outcome = &mut written => return outcome.expect("a topic answers before it lets go"),
                () = topic.place(inner) => continue,
            }
        };
        tokio::select! {
            biased;
            outcome = &mut written => return outcome.expect("a lane answers before it lets go"),
            mut turn = lane.turn() => lane.send_batch(inner, &mut turn).await,
        }
    }
}

impl Future for Delivery {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        self.waits.as_mut().poll(context)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}
