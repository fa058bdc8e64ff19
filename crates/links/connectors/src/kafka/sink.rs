//! A topic as sink.

use async_trait::async_trait;
use futures::future::join_all;
use tidemill_kafka_client::{
    ClientError, ErrorCode, KafkaClient, Producer, ProducerConfig, ProducerRecord,
};

use crate::{DATA_EXCEPTION, Encode, Rejected, Sink, SinkError, SinkRows, Written};

use super::{ensure_topic, sink_error};

/// Writes each row as one record. At-least-once: an acknowledgement that got lost makes a double.
pub struct KafkaSink {
    client: KafkaClient,
    producer: Producer,
    topic: String,
    encode: Box<dyn Encode>,
}

impl KafkaSink {
    /// Nothing is asked of the broker yet.
    pub fn new(client: KafkaClient, topic: String, encode: Box<dyn Encode>) -> KafkaSink {
        let producer = client.producer(ProducerConfig::default());
        KafkaSink { client, producer, topic, encode }
    }
}

#[async_trait]
impl Sink for KafkaSink {
    async fn open(&mut self) -> Result<(), SinkError> {
        ensure_topic(&self.client, &self.topic, -1).await
    }

    async fn write(&mut self, rows: &SinkRows) -> Written {
        let sends = (0..rows.batch.num_rows()).map(|row| {
            let (key, value) = self.encode.encode(&rows.batch, row);
            self.producer.send(ProducerRecord {
                topic: self.topic.clone(),
                partition: None,
                key,
                value,
                headers: Vec::new(),
                timestamp: None,
            })
        });
        let mut written = Written::default();
        for (row, sent) in join_all(sends).await.into_iter().enumerate() {
            match sent {
                Ok(_) => {}
                Err(error) if is_the_records_fault(&error) => {
                    let reason = error.to_string();
                    written.rejected.push(Rejected { row, class: DATA_EXCEPTION, reason });
                }
                Err(error) => {
                    written.unfinished.push(row);
                    written.error.get_or_insert_with(|| sink_error(&error));
                }
            }
        }
        written
    }
}

fn is_the_records_fault(error: &ClientError) -> bool {
    matches!(error, ClientError::RecordTooLarge { .. } | ClientError::Unsendable(_))
        || matches!(
            error.code(),
            Some(
                ErrorCode::MessageTooLarge
                    | ErrorCode::RecordListTooLarge
                    | ErrorCode::InvalidRecord
            )
        )
}
