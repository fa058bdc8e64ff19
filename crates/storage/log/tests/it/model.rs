//! Any sequence of actions, against a list of what was appended.

use proptest::prelude::*;

use tidemill_log::{LogConfig, TimestampMatch};

use crate::batches::Batch;
use crate::world::{Bench, page_cache};

#[derive(Debug, Clone)]
enum Action {
    Append(Vec<(i64, usize)>),
    Delete(u8),
    Retain(u16),
    Reopen,
    Close,
}

fn action() -> impl Strategy<Value = Action> {
    let records = prop::collection::vec((0..2000_i64, 0..150_usize), 1..6);
    prop_oneof![
        12 => records.prop_map(Action::Append),
        1 => any::<u8>().prop_map(Action::Delete),
        1 => (500..6000_u16).prop_map(Action::Retain),
        1 => Just(Action::Reopen),
        1 => Just(Action::Close),
    ]
}

/// The log as it should be: base offset, last offset and records' timestamps of each batch.
#[derive(Default)]
struct Model {
    batches: Vec<(i64, Vec<i64>)>,
    start: i64,
    end: i64,
}

impl Model {
    fn records(&self) -> impl Iterator<Item = (i64, i64)> {
        let each = |(base, times): &(i64, Vec<i64>)| {
            let base = *base;
            times.clone().into_iter().enumerate().map(move |(i, time)| (base + i as i64, time))
        };
        self.batches.iter().flat_map(each).filter(|(offset, _)| *offset >= self.start)
    }

    fn check(&self, log: &Bench) {
        assert_eq!((log.start_offset(), log.end_offset()), (self.start, self.end));
        let last = |(base, times): &(i64, Vec<i64>)| (*base, base + times.len() as i64 - 1);
        let readable: Vec<_> =
            self.batches.iter().map(last).filter(|(_, last)| *last >= self.start).collect();
        assert_eq!(log.offsets_from(self.start), readable);
        for ms in [-1, 0, 400, 1000, 1500, 1999, 2000] {
            let expected = self.records().find(|(_, time)| *time >= ms);
            let found = match log.offset_for_timestamp(ms).unwrap() {
                Some(TimestampMatch::Record { offset, timestamp }) => Some((offset, timestamp)),
                other => other.map(|_| (-1, -1)),
            };
            assert_eq!(found, expected, "{ms}");
        }
        for offset in [self.start, (self.start + self.end) / 2, self.end - 1] {
            let expected = self.batches.iter().map(last).find(|(_, last)| *last >= offset);
            if let Some((base, _)) = expected.filter(|_| offset >= self.start) {
                assert_eq!(log.read(offset, 1, true).unwrap().base_offset(), base);
            }
        }
    }
}

fn apply(mut log: Bench, model: &mut Model, action: Action, config: &LogConfig) -> Bench {
    match action {
        Action::Append(records) => {
            let times: Vec<i64> = records.iter().map(|(time, _)| *time).collect();
            let batch = Batch::of(records.into_iter().map(|(t, n)| (t, vec![1; n])).collect());
            assert_eq!(log.put(&batch), model.end);
            model.batches.push((model.end, times));
            model.end = model.batches.last().map_or(0, |(base, times)| base + times.len() as i64);
        }
        Action::Delete(part) => {
            let to = model.start + (model.end - model.start) * i64::from(part) / 255;
            model.start = log.delete_records_before(to).unwrap();
            assert_eq!(model.start, to);
        }
        Action::Retain(bytes) => {
            log.update_config(LogConfig { retention_bytes: Some(bytes.into()), ..config.clone() });
            log.apply_retention(0).unwrap();
            assert!(log.size_bytes() <= u64::from(bytes) + config.segment_bytes);
            assert!(log.start_offset() >= model.start);
            model.start = log.start_offset();
        }
        Action::Reopen => log = log.restart(config.clone()),
        Action::Close => {
            log.close().unwrap();
            log = log.restart(config.clone());
            assert!(log.recovery.clean);
        }
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_the_list_of_what_was_appended(actions in prop::collection::vec(action(), 1..60)) {
        let config = page_cache();
        let (mut log, mut model) = (Bench::new(config.clone()), Model::default());
        for action in actions {
            log = apply(log, &mut model, action, &config);
        }
        model.check(&log);
        model.check(&log.restart(config));
    }
}
