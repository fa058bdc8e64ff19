//! The producer id, by which a broker knows a record that it already has.

use tidemill_kafka_wire::messages::InitProducerIdRequest;

use crate::client::NEWEST;
use crate::error::accepted;
use crate::{ClientError, KafkaClient};

/// A producer id with its epoch. A new one starts all sequences at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// The identity in force.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    current: tokio::sync::Mutex<Option<Identity>>,
}

impl Identities {
    /// The identity in force; asks the broker for one if there is none.
    pub(crate) async fn get(&self, client: &KafkaClient) -> Result<Identity, ClientError> {
        let mut current = self.current.lock().await;
        if let Some(identity) = *current {
            return Ok(identity);
        }
        let request = InitProducerIdRequest {
            transactional_id: None,
            // Without a transactional id it means nothing; Kafka's clients send this.
            transaction_timeout_ms: i32::MAX,
            ..Default::default()
        };
        let mut backoff = client.backoff();
        loop {
            let given = client.ask_any(&request, NEWEST).await?;
            match accepted(given.error_code, None, || "a producer id".to_owned()) {
                Ok(()) => {
                    let identity = Identity { id: given.producer_id, epoch: given.producer_epoch };
                    *current = Some(identity);
                    return Ok(identity);
                }
                Err(error) if error.is_retriable() && client.wait(&mut backoff).await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives an identity up: the broker forgot it, or a batch of it is in doubt for good. Another
    /// one that has taken its place meanwhile stays.
    pub(crate) async fn give_up(&self, identity: Identity) {
        let mut current = self.current.lock().await;
        if *current == Some(identity) {
            *current = None;
        }
    }
}
