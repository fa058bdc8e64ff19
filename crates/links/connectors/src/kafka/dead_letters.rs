//! The topic of dead letters: original key and value, the reason in headers.

use async_trait::async_trait;
use futures::future::try_join_all;
use tidemill_kafka_client::{ErrorCode, KafkaClient, Producer, ProducerConfig, ProducerRecord};

use crate::{DeadLetter, DeadLetters, SinkError};

use super::{ensure_topic, kafka_headers, sink_error};

/// Writes dead letters to a topic, which is made with the first of them.
pub struct KafkaDeadLetters {
    client: KafkaClient,
    producer: Producer,
    topic: String,
    exists: bool,
}

impl KafkaDeadLetters {
    /// Nothing is asked of the broker yet.
    pub fn new(client: KafkaClient, topic: String) -> KafkaDeadLetters {
        let producer = client.producer(ProducerConfig::default());
        KafkaDeadLetters { client, producer, topic, exists: false }
    }
}

#[async_trait]
impl DeadLetters for KafkaDeadLetters {
    async fn write(&mut self, letters: &[DeadLetter]) -> Result<(), SinkError> {
        if !self.exists {
            ensure_topic(&self.client, &self.topic, 1).await?;
            self.exists = true;
        }
        let sends = letters.iter().map(|letter| {
            self.producer.send(ProducerRecord {
                topic: self.topic.clone(),
                partition: None,
                key: letter.record.key.clone(),
                value: letter.record.value.clone(),
                headers: kafka_headers(letter.headers()),
                timestamp: None,
            })
        });
        match try_join_all(sends).await {
            Ok(_) => Ok(()),
            Err(error) => {
                // Somebody may have deleted it.
                if error.code() == Some(ErrorCode::UnknownTopicOrPartition) {
                    self.exists = false;
                    return Err(SinkError::Unavailable(error.to_string()));
                }
                Err(sink_error(&error))
            }
        }
    }
}
