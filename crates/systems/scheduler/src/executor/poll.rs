//! The http task: asks an API again and again for a while, and brings what it answers to a topic.
//!
//! Requests start at the wanted rate, a few may be in flight at once. A failed request is counted
//! and makes the next one wait, longer each time; a good one ends the wait. A task that should move
//! records and moved none has failed, and says what it met.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::context::TryContext;
use super::http::{HttpFailure, HttpRequest};
use super::pace::{Rate, length_of};
use super::produce::Writer;
use super::stop::stopped;
use super::tally::{Counts, Tally};
use crate::core::{Outcome, StopReason};
use crate::dag::{HttpWork, OnError};
use crate::template::as_text;

/// The wait after a failed request; it doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(100);
/// And never is longer than this.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long what is in flight may take to end when the try is stopped.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// From one line about the progress to the next.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// What a poll was asked to do, templates filled in.
struct Plan {
    request: HttpRequest,
    /// Without a window: as many requests as `requests_max` says, one if it says nothing.
    window: Option<Duration>,
    interval: Option<Duration>,
    requests_max: Option<u64>,
}

/// What one request came to.
enum Answered {
    Well,
    /// Try later, at the earliest after this time.
    Badly(Option<Duration>),
    /// No use in going on.
    Hopeless(String),
}

pub(super) async fn run(context: &TryContext<'_>, work: &HttpWork) -> Outcome {
    let plan = match plan(context, work) {
        Ok(plan) => plan,
        Err(reason) => return Outcome::Failed { reason, retry: false, value: None },
    };
    let writer = match work.output.as_ref().map(|output| Writer::new(context, output)).transpose() {
        Ok(writer) => writer,
        Err(error) => return error.into(),
    };
    if let Some(writer) = &writer
        && let Err(outcome) = writer.prepare().await
    {
        return outcome;
    }
    context.log.info(announcement(&plan, writer.as_ref()));
    let poll = Poll { context, work, plan, writer, tally: Tally::default() };
    let ended = poll.poll().await;
    poll.verdict(ended)
}

fn announcement(plan: &Plan, writer: Option<&Writer<'_>>) -> String {
    // The query may hold a secret.
    let url = plan.request.url.split(['?', '#']).next().unwrap_or_default();
    let window = plan.window.map(|window| format!(" for {window:?}")).unwrap_or_default();
    let pace = plan.interval.map(|interval| format!(", a request every {interval:?}"));
    let goal = writer.map(|writer| format!(", into topic {}", writer.topic));
    let (pace, goal) = (pace.unwrap_or_default(), goal.unwrap_or_default());
    format!("{} {url}{window}{pace}{goal}", plan.request.method)
}

fn plan(context: &TryContext<'_>, work: &HttpWork) -> Result<Plan, String> {
    let text = |error: crate::template::TemplateError| error.to_string();
    let rendered = |value: &Value| context.render(value).map_err(text);
    let map = |map: &Map<String, Value>| -> Result<Vec<(String, String)>, String> {
        let pairs = map.iter().map(|(name, value)| Ok((name.clone(), as_text(rendered(value)?))));
        pairs.collect()
    };
    let mut url = context.render_text(&work.url).map_err(text)?;
    let query = map(&work.query)?;
    if !query.is_empty() {
        let parsed = reqwest::Url::parse_with_params(&url, &query);
        url = parsed.map_err(|error| format!("{url:?} is not a URL: {error}"))?.into();
    }
    let mut headers = map(&work.headers)?;
    let body = work.body.as_ref().map(rendered).transpose()?;
    let names_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
    if body.as_ref().is_some_and(|body| !body.is_string()) && !headers.iter().any(names_type) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let window = work
        .duration
        .as_ref()
        .map(|value| length_of(&rendered(value)?).map_err(|error| format!("for: {error}")));
    let rate = work
        .rate
        .as_ref()
        .map(|value| Rate::of(&rendered(value)?).map_err(|error| format!("rate: {error}")));
    Ok(Plan {
        request: HttpRequest {
            method: work.method.clone(),
            url,
            headers,
            body: body.map(|body| Bytes::from(as_text(body))),
            timeout: work.timeout,
        },
        window: window.transpose()?,
        interval: rate.transpose()?.map(Rate::interval),
        requests_max: work.max_requests,
    })
}

/// How the polling came to its end.
enum Ended {
    Done,
    Stopped(StopReason),
    GivenUp(String),
}

struct Poll<'a> {
    context: &'a TryContext<'a>,
    work: &'a HttpWork,
    plan: Plan,
    writer: Option<Writer<'a>>,
    tally: Tally,
}

impl Poll<'_> {
    async fn poll(&self) -> Ended {
        let start = Instant::now();
        let end = self.plan.window.map(|window| start + window);
        let most = self.plan.requests_max.or(end.is_none().then_some(1)).unwrap_or(u64::MAX);
        let (mut due, mut begun, mut failures) = (start, 0_u64, 0_u32);
        let mut in_flight = FuturesUnordered::new();
        let mut told = tokio::time::interval_at(start + PROGRESS_EVERY, PROGRESS_EVERY);
        loop {
            let is_over = begun >= most || end.is_some_and(|end| Instant::now() >= end);
            if is_over && in_flight.is_empty() {
                return Ended::Done;
            }
            let may_begin = !is_over && in_flight.len() < self.work.concurrency as usize;
            // Nothing begins after the window, not even what was due in it.
            let next = end.map_or(due, |end| due.min(end));
            tokio::select! {
                biased;
                reason = self.context.stop.requested() => {
                    let rest = in_flight.collect::<Vec<Answered>>();
                    let _ = tokio::time::timeout(LAST_ANSWERS, rest).await;
                    return Ended::Stopped(reason);
                }
                Some(answered) = in_flight.next() => match answered {
                    Answered::Well => failures = 0,
                    Answered::Hopeless(reason) => return Ended::GivenUp(reason),
                    Answered::Badly(retry_after) => {
                        failures += 1;
                        due = due.max(Instant::now() + backoff(failures, retry_after));
                    }
                },
                () = tokio::time::sleep_until(next), if may_begin => {
                    if end.is_none_or(|end| due < end) {
                        begun += 1;
                        in_flight.push(self.request());
                        // A pace that was missed is not caught up in a burst.
                        let now = Instant::now();
                        due = (due + self.plan.interval.unwrap_or_default()).max(now);
                    }
                }
                _ = told.tick() => self.tell_progress(),
            }
        }
    }

    async fn request(&self) -> Answered {
        self.tally.add(|counts| counts.requests += 1);
        let (problem, answered) = match self.context.tools.http.send(&self.plan.request).await {
            Ok(answer) if (200..300).contains(&answer.status) => match self.records(&answer.body) {
                Ok(records) => {
                    self.take(&records).await;
                    return Answered::Well;
                }
                Err(problem) => (problem, Answered::Badly(None)),
            },
            Ok(answer) => (status_line(answer.status), Answered::Badly(answer.retry_after)),
            Err(HttpFailure::Later(problem)) => (problem, Answered::Badly(None)),
            Err(HttpFailure::Never(problem)) => (problem.clone(), Answered::Hopeless(problem)),
        };
        self.tally.add(|counts| counts.failed_requests += 1);
        self.tally.problem(&problem);
        self.context.log.error(&problem);
        match self.work.on_error {
            OnError::Fail => Answered::Hopeless(problem),
            OnError::Retry => answered,
        }
    }

    fn records(&self, body: &[u8]) -> Result<Vec<Value>, String> {
        let answer: Value = serde_json::from_slice(body).map_err(|error| {
            let start: String = String::from_utf8_lossy(body).chars().take(60).collect();
            format!("the answer is not JSON ({error}): {start:?}")
        })?;
        self.work.records.find(&answer)
    }

    async fn take(&self, records: &[Value]) {
        self.tally.add(|counts| counts.fetched += records.len() as u64);
        if let Some(writer) = &self.writer {
            writer.write(records, &self.tally).await;
        }
    }

    fn tell_progress(&self) {
        let counts = self.tally.counts();
        self.context.log.info(counted(&counts));
    }

    fn verdict(&self, ended: Ended) -> Outcome {
        let counts = self.tally.counts();
        let value = Some(self.tally.value());
        self.context.log.info(counted(&counts));
        match ended {
            Ended::Stopped(reason) => return stopped(&reason, value),
            Ended::GivenUp(reason) => {
                return Outcome::Failed {
                    reason,
                    retry: self.work.on_error == OnError::Fail,
                    value,
                };
            }
            Ended::Done => {}
        }
        match self.failure(&counts) {
            Some(reason) => Outcome::Failed { reason, retry: true, value },
            None => Outcome::Success { value },
        }
    }

    /// Why the task did not do its work, if it did not.
    fn failure(&self, counts: &Counts) -> Option<String> {
        let met = if counts.has_problems() {
            counts.problems()
        } else {
            format!("the API answered, with no records at {}", self.work.records)
        };
        let requests = counts.requests;
        if self.writer.is_none() {
            return (counts.failed_requests == requests)
                .then(|| format!("no request of {requests} succeeded: {met}"));
        }
        if counts.fetched == 0 {
            return Some(format!("fetched 0 records in {requests} requests: {met}"));
        }
        if counts.produced == 0 || counts.unacknowledged > 0 {
            let (fetched, produced) = (counts.fetched, counts.produced);
            return Some(format!("fetched {fetched} records, produced {produced}: {met}"));
        }
        None
    }
}

fn counted(counts: &Counts) -> String {
    let mut text = format!(
        "fetched {}, produced {}, rejected {} in {} requests",
        counts.fetched, counts.produced, counts.rejected, counts.requests
    );
    if counts.has_problems() {
        text.push_str(&format!("; met {}", counts.problems()));
    }
    text
}

fn backoff(failures: u32, retry_after: Option<Duration>) -> Duration {
    let doubled = BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(10));
    doubled.min(BACKOFF_MAX).max(retry_after.unwrap_or_default())
}

fn status_line(status: u16) -> String {
    let known = reqwest::StatusCode::from_u16(status).ok();
    match known.and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("HTTP {status} {reason}"),
        None => format!("HTTP {status}"),
    }
}
