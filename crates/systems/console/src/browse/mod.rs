//! Reading a topic for people: from a place, filtered, bounded.

mod filter;
mod payload;
mod plan;
mod scan;
mod tail;

pub(crate) use filter::Filter;
pub(crate) use plan::Seek;
pub(crate) use scan::{Question, scan};
pub(crate) use tail::{Following, follow};

use serde::Serialize;
use tidemill_kafka_client::Fetch;
use tidemill_kafka_wire::records::Record;

use crate::app::App;
use payload::Payload;

/// Bytes one batch may take once decompressed.
const BATCH_BYTES_MAX: usize = 64 << 20;
/// Bytes of one partition in one answer.
const PARTITION_BYTES: i32 = 1 << 20;
/// Bytes of one answer.
const FETCH_BYTES: i32 = 4 << 20;

/// A record as the page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    #[serde(rename = "type")]
    kind: &'static str,
    partition: i32,
    offset: i64,
    timestamp_ms: i64,
    key: Payload,
    value: Payload,
    headers: Vec<ShownHeader>,
}

#[derive(Debug, Serialize)]
struct ShownHeader {
    key: String,
    value: Option<String>,
}

impl Message {
    /// Makes a record readable: JSON and text as they are, Avro by its schema, else base64.
    pub(crate) async fn of(app: &App, partition: i32, record: Record) -> Message {
        let headers = record.headers.iter().map(|header| ShownHeader {
            key: header.key.clone(),
            value: header.value.as_deref().map(payload::header_text),
        });
        Message {
            kind: "record",
            partition,
            offset: record.offset,
            timestamp_ms: record.timestamp,
            headers: headers.collect(),
            key: Payload::of(app, record.key).await,
            value: Payload::of(app, record.value).await,
        }
    }
}

/// A fetch that takes what is there.
fn fetch_of(
    partitions: Vec<tidemill_kafka_client::FetchFrom>,
    max_wait: std::time::Duration,
) -> Fetch {
    Fetch {
        partitions,
        max_wait,
        min_bytes: 1,
        max_bytes: FETCH_BYTES,
        partition_max_bytes: PARTITION_BYTES,
        read_committed: true,
    }
}
