//! One bounded reading of a topic: partitions in turn, each until it gave its share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use tidemill_kafka_client::{FetchFrom, FetchedRecords, OffsetSpec, TopicPartition};
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::records::{Record, decode_bounded};
use tokio::sync::mpsc;

use super::plan::{Progress, Seek, Window};
use super::{BATCH_BYTES_MAX, Filter, Message, fetch_of};
use crate::app::App;
use crate::error::ApiError;

/// How long a broker may wait for records that are there.
const MAX_WAIT: Duration = Duration::from_millis(200);
/// How often a scan tells how far it is.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// Longest scan.
const DEADLINE: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) topic: String,
    pub(crate) partitions: Vec<i32>,
    pub(crate) seek: Seek,
    /// Records wanted in all.
    pub(crate) limit: usize,
    pub(crate) filter: Filter,
}

/// Why a scan stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Stop {
    Limit,
    End,
    Budget,
}

/// The page went away: nobody reads on.
struct Gone;

/// Reads and writes one JSON value a line into `lines`; ends when the reader is gone.
pub(crate) async fn scan(app: Arc<App>, question: Question, lines: mpsc::Sender<Bytes>) {
    let mut scan = Scan {
        began: app.world.clock.monotonic(),
        told: app.world.clock.monotonic(),
        app,
        lines,
        scanned: 0,
        bytes: 0,
        matched: 0,
        total: 0,
        cut_short: false,
    };
    let (reason, error) = match scan.run(&question).await {
        Ok(Ok(reason)) => (reason, None),
        Ok(Err(Gone)) => return,
        Err(error) => (Stop::End, Some(error.to_string())),
    };
    let _ = scan
        .say(&json!({
            "type": "end", "scanned": scan.scanned, "matched": scan.matched,
            "reason": reason, "error": error,
        }))
        .await;
}

struct Scan {
    app: Arc<App>,
    lines: mpsc::Sender<Bytes>,
    began: Duration,
    told: Duration,
    scanned: u64,
    bytes: u64,
    matched: u64,
    total: i64,
    /// A limit of the scan was met before the end.
    cut_short: bool,
}

impl Scan {
    async fn run(&mut self, question: &Question) -> Result<Result<Stop, Gone>, ApiError> {
        let mut partitions = self.bounds(question).await?;
        self.total = partitions.iter().map(Progress::left).sum();
        let share = question.limit.div_ceil(partitions.len().max(1));
        let mut full = !partitions.is_empty();
        for progress in &mut partitions {
            let Ok(found) = self.partition(question, progress, share).await? else {
                return Ok(Err(Gone));
            };
            full &= found >= share || progress.left() == 0;
            if self.cut_short {
                return Ok(Ok(Stop::Budget));
            }
        }
        let more = partitions.iter().any(|progress| progress.left() > 0);
        Ok(Ok(if full && more || self.matched >= question.limit as u64 {
            Stop::Limit
        } else {
            Stop::End
        }))
    }

    /// First and last offsets to read of each partition.
    async fn bounds(&self, question: &Question) -> Result<Vec<Progress>, ApiError> {
        let at: Vec<TopicPartition> = question
            .partitions
            .iter()
            .map(|partition| TopicPartition::new(question.topic.clone(), *partition))
            .collect();
        let kafka = &self.app.kafka;
        let ends = kafka.list_offsets(&at, OffsetSpec::Latest).await?;
        let starts = kafka.list_offsets(&at, OffsetSpec::Earliest).await?;
        let by_time = match question.seek {
            Seek::Timestamp(ms) => Some(kafka.list_offsets(&at, OffsetSpec::At(ms)).await?),
            _ => None,
        };
        let wanted = i64::try_from(question.limit).unwrap_or(i64::MAX);
        Ok(ends
            .iter()
            .enumerate()
            .map(|(i, end)| {
                let first = starts.get(i).map_or(0, |start| start.offset);
                let from = match question.seek {
                    Seek::Offset(offset) => offset.max(first),
                    // No record is that late: nothing to read.
                    Seek::Timestamp(_) => match by_time.as_ref().and_then(|found| found.get(i)) {
                        Some(found) if found.offset >= 0 => found.offset,
                        _ => end.offset,
                    },
                    Seek::Latest | Seek::Earliest => first,
                };
                Progress::new(end.partition, from, end.offset, wanted, question.seek)
            })
            .collect())
    }

    /// Reads one partition until it gave its share; how many it gave.
    async fn partition(
        &mut self,
        question: &Question,
        progress: &mut Progress,
        share: usize,
    ) -> Result<Result<usize, Gone>, ApiError> {
        let mut found = 0;
        while found < share && !self.cut_short {
            let Some(window) = progress.next() else { break };
            let room = share - found;
            let Ok(given) = self.window(question, progress.partition, window, room).await? else {
                return Ok(Err(Gone));
            };
            found += given;
        }
        Ok(Ok(found))
    }

    /// Reads a window; of a backwards one the newest records are the ones wanted.
    async fn window(
        &mut self,
        question: &Question,
        partition: i32,
        window: Window,
        room: usize,
    ) -> Result<Result<usize, Gone>, ApiError> {
        let backwards = question.seek == Seek::Latest;
        let mut kept: std::collections::VecDeque<Record> = std::collections::VecDeque::new();
        let mut next = window.from;
        let mut given = 0;
        while next < window.to && (backwards || given < room) {
            if self.is_spent() {
                self.cut_short = true;
                break;
            }
            let Some(fetched) = self.fetch(question, partition, next).await? else { break };
            let before = next;
            for record in decode_bounded(&fetched.batches, BATCH_BYTES_MAX) {
                let record =
                    record.map_err(|error| ApiError::down(crate::error::Part::Broker, error))?;
                if record.offset < before || record.offset >= window.to {
                    continue;
                }
                next = next.max(record.offset + 1);
                self.scanned += 1;
                if !question.filter.wants(&record) {
                    continue;
                }
                if backwards {
                    kept.push_back(record);
                    if kept.len() > room {
                        kept.pop_front();
                    }
                } else if given < room {
                    given += 1;
                    if self.give(partition, record).await.is_err() {
                        return Ok(Err(Gone));
                    }
                }
            }
            self.bytes += fetched.batches.len() as u64;
            if next == before {
                // Nothing but markers of transactions, or a gap up to the end.
                match fetched.next_offset {
                    Some(after) if after > before => next = after,
                    _ => break,
                }
            }
            if self.tell().await.is_err() {
                return Ok(Err(Gone));
            }
        }
        for record in kept.into_iter().rev() {
            given += 1;
            if self.give(partition, record).await.is_err() {
                return Ok(Err(Gone));
            }
        }
        Ok(Ok(given))
    }

    async fn fetch(
        &self,
        question: &Question,
        partition: i32,
        offset: i64,
    ) -> Result<Option<FetchedRecords>, ApiError> {
        let from = FetchFrom { topic: question.topic.clone(), partition, offset };
        let fetched = self.app.kafka.fetch(&fetch_of(vec![from], MAX_WAIT)).await?;
        match fetched.into_iter().next().map(|one| one.result) {
            Some(Ok(records)) if records.batches.is_empty() => Ok(None),
            Some(Ok(records)) => Ok(Some(records)),
            // Retention was faster than we.
            Some(Err(ErrorCode::OffsetOutOfRange)) | None => Ok(None),
            Some(Err(code)) => Err(ApiError::down(
                crate::error::Part::Broker,
                format!("reading {}-{partition} at {offset}: {code}", question.topic),
            )),
        }
    }

    fn is_spent(&self) -> bool {
        let config = &self.app.config;
        let took = self.app.world.clock.monotonic().saturating_sub(self.began);
        self.scanned >= config.scan_records_max
            || self.bytes >= config.scan_bytes_max.0
            || took > DEADLINE
    }

    async fn give(&mut self, partition: i32, record: Record) -> Result<(), Gone> {
        self.matched += 1;
        let message = Message::of(&self.app, partition, record).await;
        self.say(&message).await
    }

    async fn tell(&mut self) -> Result<(), Gone> {
        let now = self.app.world.clock.monotonic();
        if now.saturating_sub(self.told) < PROGRESS_EVERY {
            return Ok(());
        }
        self.told = now;
        self.say(&json!({
            "type": "progress", "scanned": self.scanned, "matched": self.matched, "total": self.total,
        })).await
    }

    async fn say(&self, line: &impl Serialize) -> Result<(), Gone> {
        let mut bytes = serde_json::to_vec(line).expect("own types have only text keys");
        bytes.push(b'\n');
        self.lines.send(Bytes::from(bytes)).await.map_err(|_| Gone)
    }
}
