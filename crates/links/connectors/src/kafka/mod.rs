//! Connector `kafka`: a topic as source and as sink, and the topic of dead letters.
//!
//! The source assigns all partitions to itself and keeps no offsets in the broker: the engine's
//! checkpoint has them; they are mirrored to a consumer group so that tools show the lag. The sink
//! is at-least-once: a record whose acknowledgement got lost is written again after a restart.

mod dead_letters;
mod sink;
mod source;
#[cfg(test)]
mod tests;

pub use dead_letters::KafkaDeadLetters;
pub use sink::KafkaSink;
pub use source::{KafkaSource, KafkaSourceConfig, Startup};

use tidemill_kafka_client::{ClientError, Header as KafkaHeader, KafkaClient, NewTopic};

use crate::{Header, SinkError};

/// Makes a topic if it is absent; `partitions` -1 for the broker's default.
async fn ensure_topic(client: &KafkaClient, name: &str, partitions: i32) -> Result<(), SinkError> {
    if client.topic(name).await.map_err(|error| sink_error(&error))?.is_some() {
        return Ok(());
    }
    let topic = NewTopic { name: name.to_owned(), partitions, configs: Vec::new() };
    client.create_topic(topic).await.map_err(|error| sink_error(&error))?;
    tracing::info!(topic = name, "topic created");
    Ok(())
}

/// A refusal that no retry changes stops the job; everything else is tried again.
fn sink_error(error: &ClientError) -> SinkError {
    let final_refusal = matches!(error, ClientError::Refused { .. }) && !error.is_retriable();
    let cannot = matches!(error, ClientError::Unsupported { .. } | ClientError::Untrusted { .. });
    if final_refusal || cannot {
        SinkError::Failed(error.to_string())
    } else {
        SinkError::Unavailable(error.to_string())
    }
}

fn kafka_headers(headers: Vec<Header>) -> Vec<KafkaHeader> {
    headers.into_iter().map(|header| KafkaHeader { key: header.key, value: header.value }).collect()
}
