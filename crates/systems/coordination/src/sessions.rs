//! Sessions: who is still there. Their beginning and end are transactions; the time in between is
//! counted by the monotonic clock alone, so that setting the machine's clock ends no session.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidemill_runtime::World;

use crate::machine::ConnId;

/// The server's number in the first byte of a session id: ZooKeeper standing alone has 1.
const SERVER_ID: i64 = 1;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) timeout_ms: i32,
    /// The connection it is heard over.
    pub(crate) connection: Option<ConnId>,
    /// When it ends if nothing is heard; a multiple of the tick.
    deadline: Duration,
}

/// All sessions, by their deadline too.
pub(crate) struct Sessions {
    by_id: BTreeMap<i64, Session>,
    by_deadline: BTreeMap<Duration, BTreeSet<i64>>,
    tick: Duration,
    next_id: i64,
}

impl Sessions {
    /// The sessions that a log holds, by id with their timeouts in milliseconds. Each has its full
    /// timeout before it: nobody could be heard while the server was away.
    pub(crate) fn new(known: BTreeMap<i64, i32>, tick: Duration, world: &World) -> Sessions {
        // As ZooKeeper does it: the time in the middle, so that no id comes again after a restart.
        #[expect(clippy::cast_sign_loss, reason = "bits are moved, not a number")]
        let by_time = (((world.clock.now_ms() << 24) as u64) >> 8) as i64 | (SERVER_ID << 56);
        let highest = known.keys().copied().max().unwrap_or(0);
        let mut sessions = Sessions {
            by_id: BTreeMap::new(),
            by_deadline: BTreeMap::new(),
            tick: tick.max(Duration::from_millis(1)),
            next_id: by_time.max(highest.saturating_add(1)),
        };
        for (id, timeout_ms) in known {
            sessions.add(id, timeout_ms, world.clock.monotonic());
        }
        sessions
    }

    /// An id that no session had.
    pub(crate) fn new_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id - 1
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Session> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut Session> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Ids with timeouts in milliseconds, as a snapshot has them.
    pub(crate) fn timeouts(&self) -> impl ExactSizeIterator<Item = (i64, i32)> {
        self.by_id.iter().map(|(id, session)| (*id, session.timeout_ms))
    }

    /// Deadlines and whose they are.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = (&Duration, &BTreeSet<i64>)> {
        self.by_deadline.iter()
    }

    /// Begins a session.
    pub(crate) fn add(&mut self, id: i64, timeout_ms: i32, now: Duration) {
        let deadline = self.deadline(timeout_ms, now);
        self.by_id.insert(id, Session { timeout_ms, connection: None, deadline });
        self.by_deadline.entry(deadline).or_default().insert(id);
    }

    /// Ends a session.
    pub(crate) fn remove(&mut self, id: i64) -> Option<Session> {
        let session = self.by_id.remove(&id)?;
        self.unlist(session.deadline, id);
        Some(session)
    }

    /// Its client was heard.
    pub(crate) fn touch(&mut self, id: i64, now: Duration) {
        let Some(session) = self.by_id.get(&id) else { return };
        let (before, after) = (session.deadline, self.deadline(session.timeout_ms, now));
        if after <= before {
            return;
        }
        self.unlist(before, id);
        self.by_deadline.entry(after).or_default().insert(id);
        if let Some(session) = self.by_id.get_mut(&id) {
            session.deadline = after;
        }
    }

    /// Sessions whose time is over.
    pub(crate) fn expired(&self, now: Duration) -> Vec<i64> {
        self.by_deadline.range(..=now).flat_map(|(_, ids)| ids.iter().copied()).collect()
    }

    /// Up to the next tick: few moments at which sessions end, instead of one for each.
    fn deadline(&self, timeout_ms: i32, now: Duration) -> Duration {
        let end = now + Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
        let ticks = end.as_millis() / self.tick.as_millis() + 1;
        self.tick.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    fn unlist(&mut self, deadline: Duration, id: i64) {
        if let Some(ids) = self.by_deadline.get_mut(&deadline) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_deadline.remove(&deadline);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tidemill_sim::SimWorld;

    use super::*;

    #[test]
    fn a_session_ends_at_the_tick_after_its_timeout_unless_it_is_heard() {
        let world = SimWorld::new(1).ports();
        let tick = Duration::from_secs(2);
        let mut sessions = Sessions::new(BTreeMap::from([(7, 5_000)]), tick, &world);
        assert!(sessions.expired(Duration::from_secs(5)).is_empty());
        assert_eq!(sessions.expired(Duration::from_secs(6)), [7]);
        sessions.touch(7, Duration::from_secs(3));
        assert!(sessions.expired(Duration::from_secs(9)).is_empty());
        assert_eq!(sessions.expired(Duration::from_secs(10)), [7]);
        sessions.remove(7);
        assert!(sessions.expired(Duration::from_secs(100)).is_empty());
    }

    #[test]
    fn an_id_is_never_given_twice() {
        let world = SimWorld::new(1).ports();
        let later = i64::MAX >> 1;
        let mut sessions =
            Sessions::new(BTreeMap::from([(later, 1)]), Duration::from_secs(2), &world);
        assert_eq!(sessions.new_id(), later + 1);
        assert_eq!(sessions.new_id(), later + 2);
    }
}
