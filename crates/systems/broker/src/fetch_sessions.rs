//! Fetch sessions (KIP-227): the broker remembers which partitions a client reads, the client sends
//! only what changes and is told only of partitions with news.
//!
//! A request names the session and the epoch it believes to be next; epoch 0 opens a session, -1
//! does without. When all places are taken the answer says session 0, and the client goes on naming
//! everything.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::fetch::{
    FetchPartition, FetchTopic, FetchableTopicResponse, ForgottenTopic, PartitionData,
};
use tidemill_kafka_wire::messages::{FetchRequest, FetchResponse};
use uuid::Uuid;

/// Sessions at one time (`max.incremental.fetch.session.cache.slots`).
const SESSIONS_MAX: usize = 1000;
/// Partitions of one session; a client with more is served without one.
const PARTITIONS_MAX: usize = 10_000;
/// A session unused for so long gives its place to a new one
/// (`min.incremental.fetch.session.eviction.ms`).
const UNUSED_MAX: Duration = Duration::from_secs(120);

const OPENING_EPOCH: i32 = 0;
const FINAL_EPOCH: i32 = -1;

/// All sessions.
#[derive(Default)]
pub(crate) struct FetchSessions(Mutex<Table>);

#[derive(Default)]
struct Table {
    sessions: HashMap<i32, Entry>,
    last_id: i32,
}

struct Entry {
    session: Arc<Mutex<Session>>,
    /// In monotonic time.
    used: Duration,
}

/// What a client reads.
pub(crate) struct Session {
    id: i32,
    /// The epoch its next request must name.
    next_epoch: i32,
    /// Whether its requests name topics by id.
    by_id: bool,
    partitions: Vec<Read>,
}

/// A partition in a session, with what the client was last told of it.
struct Read {
    topic: String,
    topic_id: Uuid,
    asked: FetchPartition,
    high_watermark: i64,
    start_offset: i64,
}

/// How a request is answered.
pub(crate) enum Plan {
    /// With everything it asks for.
    Sessionless,
    /// With everything, and a session from then on if there is a place.
    Open,
    /// With the news.
    Continue(Arc<Mutex<Session>>),
}

impl FetchSessions {
    /// Judges a request. For a session that goes on, the request is completed with what the session
    /// remembers.
    pub(crate) fn begin(
        &self,
        request: &mut FetchRequest,
        by_id: bool,
        now: Duration,
    ) -> Result<Plan, ErrorCode> {
        let mut table = self.0.lock();
        if [OPENING_EPOCH, FINAL_EPOCH].contains(&request.session_epoch) {
            table.sessions.remove(&request.session_id);
            let opens = request.session_epoch == OPENING_EPOCH;
            return Ok(if opens { Plan::Open } else { Plan::Sessionless });
        }
        let entry = table.sessions.get_mut(&request.session_id);
        let entry = entry.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        entry.used = now;
        let session = entry.session.clone();
        let mut known = session.lock();
        if known.next_epoch != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if known.by_id != by_id {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        known.change(&request.topics, &request.forgotten_topics_data);
        known.next_epoch = known.next_epoch.checked_add(1).unwrap_or(1);
        request.topics = known.asked();
        let ends = known.partitions.is_empty() || known.partitions.len() > PARTITIONS_MAX;
        drop(known);
        if ends {
            table.sessions.remove(&request.session_id);
            return Ok(Plan::Sessionless);
        }
        Ok(Plan::Continue(session))
    }

    /// Completes an answer by the plan: opens the session, or leaves out what is no news.
    pub(crate) fn finish(
        &self,
        plan: Plan,
        request: &FetchRequest,
        by_id: bool,
        now: Duration,
        response: &mut FetchResponse,
    ) {
        match plan {
            Plan::Sessionless => {}
            Plan::Open => response.session_id = self.open(request, by_id, now, response),
            Plan::Continue(session) => {
                let mut session = session.lock();
                session.leave_out_old(&mut response.responses);
                response.session_id = session.id;
            }
        }
    }

    fn open(
        &self,
        request: &FetchRequest,
        by_id: bool,
        now: Duration,
        response: &FetchResponse,
    ) -> i32 {
        let mut session = Session { id: 0, next_epoch: 1, by_id, partitions: Vec::new() };
        session.change(&request.topics, &[]);
        if session.partitions.is_empty() || session.partitions.len() > PARTITIONS_MAX {
            return 0;
        }
        let told = response.responses.iter().flat_map(|topic| &topic.partitions);
        for (read, told) in session.partitions.iter_mut().zip(told) {
            read.is_news(told);
        }
        let mut table = self.0.lock();
        if table.sessions.len() >= SESSIONS_MAX {
            table.sessions.retain(|_, entry| now.saturating_sub(entry.used) < UNUSED_MAX);
        }
        if table.sessions.len() >= SESSIONS_MAX {
            return 0;
        }
        loop {
            table.last_id = table.last_id.checked_add(1).unwrap_or(1);
            if !table.sessions.contains_key(&table.last_id) {
                break;
            }
        }
        session.id = table.last_id;
        let id = session.id;
        let session = Arc::new(Mutex::new(session));
        table.sessions.insert(id, Entry { session, used: now });
        id
    }
}

impl Session {
    /// Adds and changes what `topics` name, then forgets what `forgotten` name.
    fn change(&mut self, topics: &[FetchTopic], forgotten: &[ForgottenTopic]) {
        let mut places: HashMap<(Uuid, String, i32), usize> = HashMap::new();
        for (place, read) in self.partitions.iter().enumerate() {
            places.insert((read.topic_id, read.topic.clone(), read.asked.partition), place);
        }
        for topic in topics {
            for asked in &topic.partitions {
                let key = (topic.topic_id, topic.topic.clone(), asked.partition);
                match places.get(&key) {
                    Some(place) => self.partitions[*place].asked = asked.clone(),
                    None => {
                        places.insert(key, self.partitions.len());
                        self.partitions.push(Read::new(topic, asked));
                    }
                }
            }
        }
        for gone in forgotten {
            self.partitions.retain(|read| {
                !(read.topic_id == gone.topic_id
                    && read.topic == gone.topic
                    && gone.partitions.contains(&read.asked.partition))
            });
        }
    }

    /// All of it, as a request.
    fn asked(&self) -> Vec<FetchTopic> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for read in &self.partitions {
            let same = |t: &&mut FetchTopic| t.topic == read.topic && t.topic_id == read.topic_id;
            match topics.last_mut().filter(same) {
                Some(topic) => topic.partitions.push(read.asked.clone()),
                None => topics.push(FetchTopic {
                    topic: read.topic.clone(),
                    topic_id: read.topic_id,
                    partitions: vec![read.asked.clone()],
                }),
            }
        }
        topics
    }

    /// Keeps the partitions with news. Those with records go behind the others, so that each has its
    /// turn when an answer has no room for all.
    fn leave_out_old(&mut self, responses: &mut Vec<FetchableTopicResponse>) {
        let mut had_records = Vec::with_capacity(self.partitions.len());
        let mut reads = self.partitions.iter_mut();
        for topic in responses.iter_mut() {
            // The answer is in the order of the request, which is the session's.
            topic.partitions.retain(|told| {
                let has_records = told.records.as_ref().is_some_and(|records| !records.is_empty());
                had_records.push(has_records);
                reads.next().is_some_and(|read| read.is_news(told))
            });
        }
        responses.retain(|topic| !topic.partitions.is_empty());
        let mut had_records = had_records.into_iter();
        let (mut behind, mut front) = (Vec::new(), Vec::new());
        for read in self.partitions.drain(..) {
            let place = if had_records.next().unwrap_or(false) { &mut behind } else { &mut front };
            place.push(read);
        }
        front.append(&mut behind);
        self.partitions = front;
    }
}

impl Read {
    fn new(topic: &FetchTopic, asked: &FetchPartition) -> Read {
        Read {
            topic: topic.topic.clone(),
            topic_id: topic.topic_id,
            asked: asked.clone(),
            high_watermark: -1,
            start_offset: -1,
        }
    }

    /// Whether the client does not know this yet; remembers that it does from now on.
    fn is_news(&mut self, told: &PartitionData) -> bool {
        let has_records = told.records.as_ref().is_some_and(|records| !records.is_empty());
        let moved = (self.high_watermark, self.start_offset)
            != (told.high_watermark, told.log_start_offset);
        let failed = !told.error_code.is_none();
        // After an error the next good answer is news, whatever it says.
        self.high_watermark = if failed { -1 } else { told.high_watermark };
        self.start_offset = told.log_start_offset;
        has_records || moved || failed
    }
}
