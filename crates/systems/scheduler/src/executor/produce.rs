//! From records to acknowledged records: shape, key, delivery.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::context::TryContext;
use super::sink::{OutRecord, SinkError};
use super::stop::stopped;
use super::tally::Tally;
use crate::core::Outcome;
use crate::dag::Output;
use crate::template::{Compiled, TemplateError, as_text, with_record};

/// How long unacknowledged records are sent again.
const DELIVERY_WINDOW: Duration = Duration::from_secs(60);
/// From one such attempt to the next, at first; it doubles.
const REDELIVERY_DELAY: Duration = Duration::from_millis(100);
/// And never more than this.
const REDELIVERY_DELAY_MAX: Duration = Duration::from_secs(5);

/// Gives records their shape and brings them to a topic.
pub(super) struct Writer<'a> {
    context: &'a TryContext<'a>,
    pub(super) topic: String,
    key: Option<Compiled<'a>>,
    value: Option<Compiled<'a>>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        context: &'a TryContext<'a>,
        output: &'a Output,
    ) -> Result<Writer<'a>, TemplateError> {
        let compile = |value: &'a Option<Value>| {
            value.as_ref().map(|value| context.tools.templates.compile(value)).transpose()
        };
        Ok(Writer {
            context,
            topic: context.render_text(&output.topic)?,
            key: compile(&output.key)?,
            value: compile(&output.value)?,
        })
    }

    /// The topic exists afterwards, or the try ends with a reason.
    pub(super) async fn prepare(&self) -> Result<(), Outcome> {
        let ensure = self.context.tools.sink.ensure_topic(&self.topic);
        let ensured = tokio::select! {
            ensured = ensure => ensured,
            reason = self.context.stop.requested() => return Err(stopped(&reason, None)),
        };
        ensured.map_err(|error| Outcome::Failed {
            retry: matches!(error, SinkError::Later(_)),
            reason: format!("topic {}: {error}", self.topic),
            value: None,
        })
    }

    fn shape(&self, record: &Value) -> Result<OutRecord, TemplateError> {
        let values = with_record(&self.context.values, record);
        let key = self.key.as_ref().map(|key| key.render(&values)).transpose()?;
        let value = match &self.value {
            Some(value) => value.render(&values)?,
            None => record.clone(),
        };
        // A key that is null is no key.
        let key = key.filter(|key| !key.is_null()).map(|key| Bytes::from(as_text(key)));
        Ok(OutRecord { key, value: Bytes::from(value.to_string()) })
    }

    /// Shapes and writes records; what became of each is counted. A record that cannot be shaped
    /// is rejected, and the others go on.
    pub(super) async fn write(&self, records: &[Value], tally: &Tally) {
        let mut shaped = Vec::with_capacity(records.len());
        for record in records {
            match self.shape(record) {
                Ok(record) => shaped.push(record),
                Err(error) => {
                    self.context.log.error(format!("rejected: {error}"));
                    tally.problem(&error.to_string());
                    tally.add(|counts| counts.rejected += 1);
                }
            }
        }
        self.deliver(shaped, tally).await;
    }

    /// Sends until all is acknowledged or the window is over. What is acknowledged is counted at
    /// once: whoever is stopped in the middle has lost no count.
    async fn deliver(&self, mut records: Vec<OutRecord>, tally: &Tally) {
        let window = Instant::now() + DELIVERY_WINDOW;
        let mut delay = REDELIVERY_DELAY;
        while !records.is_empty() {
            let answers = self.context.tools.sink.send(&self.topic, &records).await;
            let mut again = Vec::new();
            for (record, answer) in records.into_iter().zip(answers) {
                let Err(error) = answer else {
                    tally.add(|counts| counts.produced += 1);
                    continue;
                };
                self.context.log.error(error.to_string());
                if matches!(error, SinkError::Later(_)) && Instant::now() + delay < window {
                    again.push(record);
                } else {
                    tally.problem(&error.to_string());
                    tally.add(|counts| counts.unacknowledged += 1);
                }
            }
            records = again;
            if !records.is_empty() {
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(REDELIVERY_DELAY_MAX);
            }
        }
    }
}

/// Writes the records given in the DAG file.
pub(super) async fn run(context: &TryContext<'_>, records: &[Value], output: &Output) -> Outcome {
    let writer = match Writer::new(context, output) {
        Ok(writer) => writer,
        Err(error) => return error.into(),
    };
    if let Err(outcome) = writer.prepare().await {
        return outcome;
    }
    let rendered = match records.iter().map(|record| context.render(record)).collect() {
        Ok(rendered) => rendered,
        Err(error) => return TemplateError::into(error),
    };
    let rendered: Vec<Value> = rendered;
    context.log.info(format!("writing {} records to topic {}", rendered.len(), writer.topic));
    let tally = Tally::default();
    tally.add(|counts| counts.fetched += rendered.len() as u64);
    tokio::select! {
        () = writer.write(&rendered, &tally) => {}
        reason = context.stop.requested() => return stopped(&reason, Some(tally.value())),
    }
    let counts = tally.counts();
    let value = Some(tally.value());
    if counts.unacknowledged > 0 || counts.produced == 0 {
        let reason = format!(
            "produced {} of {} records to topic {}: {}",
            counts.produced,
            counts.fetched,
            writer.topic,
            if counts.has_problems() { counts.problems() } else { "there are none".to_owned() }
        );
        return Outcome::Failed { reason, retry: counts.unacknowledged > 0, value };
    }
    Outcome::Success { value }
}
