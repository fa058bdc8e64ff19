//! Who waits for which record to be durable.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::LogError;

/// Called once with the fate of a record.
pub type Done = Box<dyn FnOnce(Result<(), LogError>) + Send>;

/// The waiting callbacks. There are as many as callers have unanswered appends: bounding those is
/// the callers' part.
pub(crate) struct Acks(Mutex<State>);

struct State {
    /// Records below this offset are durable.
    durable: i64,
    /// Why nothing is acknowledged any more.
    ended: Option<LogError>,
    waiting: BTreeMap<(i64, u64), Done>,
    sequence: u64,
}

impl Acks {
    /// Everything below `durable` is.
    pub(crate) fn new(durable: i64) -> Acks {
        Acks(Mutex::new(State { durable, ended: None, waiting: BTreeMap::new(), sequence: 0 }))
    }

    /// Calls `done` when the record at `offset` is durable; at once if it is, or never will be.
    pub(crate) fn wait(&self, offset: i64, done: Done) {
        let fate = {
            let mut state = self.0.lock();
            match &state.ended {
                _ if offset < state.durable => Ok(()),
                Some(error) => Err(error.clone()),
                None => {
                    state.sequence += 1;
                    let key = (offset, state.sequence);
                    state.waiting.insert(key, done);
                    return;
                }
            }
        };
        done(fate);
    }

    /// The fate of a record that needs no sync to be acknowledged.
    pub(crate) fn without_sync(&self, offset: i64) -> Result<(), LogError> {
        let state = self.0.lock();
        match &state.ended {
            Some(poisoned @ LogError::Poisoned(_)) if offset >= state.durable => {
                Err(poisoned.clone())
            }
            _ => Ok(()),
        }
    }

    /// Everything below `durable` is now durable: its callbacks run on this thread.
    pub(crate) fn advance(&self, durable: i64) {
        let done = {
            let mut state = self.0.lock();
            if state.ended.is_some() || durable <= state.durable {
                return;
            }
            state.durable = durable;
            let still = state.waiting.split_off(&(durable, 0));
            std::mem::replace(&mut state.waiting, still)
        };
        done.into_values().for_each(|done| done(Ok(())));
    }

    /// Nothing more will become durable. The first reason stays.
    pub(crate) fn end(&self, error: LogError) {
        let done = {
            let mut state = self.0.lock();
            state.ended.get_or_insert(error.clone());
            std::mem::take(&mut state.waiting)
        };
        done.into_values().for_each(|done| done(Err(error.clone())));
    }

    /// Why nothing is acknowledged any more.
    pub(crate) fn ended(&self) -> Option<LogError> {
        self.0.lock().ended.clone()
    }
}
