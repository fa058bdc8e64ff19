//! From the words of a file to a [`Dag`]: everything that can be wrong is found here, with a line.

use std::collections::HashMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use super::python;
use super::yaml::{self, TaskEntry, TextOr};
use super::{
    Callbacks, DEFAULT_POOL, Dag, DagFile, HttpWork, ImportError, MAX_ACTIVE_RUNS,
    MAX_ACTIVE_TASKS, OnError, Output, Params, PythonProgram, RETRY_DELAY, RetryPolicy, TASKS_MAX,
    Task, Work, is_python,
};
use crate::core::TriggerRule;
use crate::executor::{Rate, RecordPath};
use crate::template::{Scope, Templates};
use crate::timetable::{CronPolicy, Schedule, ZonedCron, preset};

/// Longest `dag_id` or `task_id`, in characters: Airflow's limit.
pub(super) const ID_CHARS_MAX: usize = 250;
/// For one HTTP request, unless the file says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// HTTP requests in flight, unless the file says otherwise.
const CONCURRENCY: u32 = 4;
/// Most HTTP requests in flight that a file may ask for.
const CONCURRENCY_MAX: u32 = 256;

/// A place and what is wrong there.
type Wrong = (Location, String);

/// Reads one DAG file: YAML, or a stored version of a Python file's DAG, for which no interpreter is
/// needed. `name` is its path inside the DAG folder.
pub fn parse(name: &str, source: &str) -> Result<Dag, ImportError> {
    if is_python(name) {
        return python::restored(&DagFile { name: name.into(), source: source.into() });
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    let file = serde_saphyr::from_str_with_options(source, options)
        .map_err(|error| unreadable(name, source, &error))?;
    let text = DagFile { name: name.into(), source: source.into() };
    dag(file, text).map_err(|(location, message)| ImportError::at(name, source, location, message))
}

fn unreadable(name: &str, source: &str, error: &serde_saphyr::Error) -> ImportError {
    let options = serde_saphyr::render_options! { snippets: serde_saphyr::SnippetMode::Off };
    let rendered = error.without_snippet().render_with_options(options);
    let Some(location) = error.location() else {
        return ImportError::of_file(name, rendered);
    };
    let place = format!(" at line {}, column {}", location.line(), location.column());
    let message = rendered.strip_suffix(&place).unwrap_or(&rendered);
    ImportError::at(name, source, location, message)
}

fn dag(file: yaml::DagFile, text: DagFile) -> Result<Dag, Wrong> {
    check_id("dag_id", &file.dag_id)?;
    let timezone = zone(file.timezone.as_ref())?;
    let start_date = date(file.start_date.as_ref(), &timezone)?;
    let end_date = date(file.end_date.as_ref(), &timezone)?;
    let schedule = schedule(file.schedule.as_ref(), &timezone)?;
    if file.catchup && start_date.is_none() && schedule.is_periodic() {
        let message = "catchup: true needs a start_date: from when on is missing work to be done?";
        return Err((file.dag_id.referenced, message.to_owned()));
    }
    let params =
        Params::from_file(&file.params).map_err(|message| (file.dag_id.referenced, message))?;
    let tasks = tasks(&file)?;
    Ok(Dag {
        dag_id: file.dag_id.value.as_str().into(),
        description: file.description,
        doc_md: file.doc_md,
        schedule,
        schedule_text: file.schedule.map(|text| text.value),
        start_date,
        end_date,
        timezone,
        catchup: file.catchup,
        max_active_runs: at_least_one(file.max_active_runs.as_ref(), MAX_ACTIVE_RUNS)?,
        max_active_tasks: at_least_one(file.max_active_tasks.as_ref(), MAX_ACTIVE_TASKS)?,
        is_paused_upon_creation: file.is_paused_upon_creation,
        tags: file.tags,
        params,
        dagrun_timeout: file.dagrun_timeout.map(|length| length.0),
        callbacks: Callbacks::default(),
        tasks,
        file: text,
    })
}

fn check_id(what: &str, id: &Spanned<String>) -> Result<(), Wrong> {
    let text = &id.value;
    if !is_id(text) {
        let message = format!(
            "{what} {text:?} has to be made of letters, digits, dashes, dots and underscores, at \
             most {ID_CHARS_MAX}"
        );
        return Err((id.referenced, message));
    }
    Ok(())
}

/// Whether a text can be the name of a DAG or a task.
pub(super) fn is_id(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !text.is_empty() && text.len() <= ID_CHARS_MAX && text.chars().all(known)
}

fn zone(name: Option<&Spanned<String>>) -> Result<TimeZone, Wrong> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    TimeZone::get(&name.value).map_err(|_| {
        let message = format!("timezone {:?} is unknown; an example is Europe/London", name.value);
        (name.referenced, message)
    })
}

/// An instant, or a civil time that is read in the DAG's zone.
fn date(text: Option<&Spanned<String>>, zone: &TimeZone) -> Result<Option<Timestamp>, Wrong> {
    let Some(written) = text else { return Ok(None) };
    let text = written.value.trim();
    let civil = || -> Option<Timestamp> {
        let civil = text.parse::<civil::DateTime>();
        let civil =
            civil.or_else(|_| text.parse::<civil::Date>().map(civil::DateTime::from)).ok()?;
        zone.to_timestamp(civil).ok()
    };
    let at = text.parse::<Timestamp>().ok().or_else(civil);
    let at = at.and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok());
    let message = || format!("{text:?} is not a date; an example is 2023-09-03T10:00:00Z");
    at.map(Some).ok_or_else(|| (written.referenced, message()))
}

fn schedule(text: Option<&Spanned<String>>, zone: &TimeZone) -> Result<Schedule, Wrong> {
    let Some(written) = text else { return Ok(Schedule::Manual) };
    let text = written.value.trim();
    if matches!(text, "None" | "") {
        return Ok(Schedule::Manual);
    }
    if text == "@once" {
        return Ok(Schedule::Once);
    }
    let wrong = |message: String| (written.referenced, message);
    if text.starts_with('@') && preset(text).is_none() {
        return Err(wrong(format!(
            "schedule {text:?} is unknown; known: @once, @hourly, @daily, @weekly, @monthly, \
             @quarterly, @yearly, a cron expression such as \"0 6 * * *\", or a length such as 10s"
        )));
    }
    if let Ok(span) = text.parse::<tidemill_runtime::Span>() {
        return every(span.0).ok_or_else(|| wrong(format!("schedule {text:?}: too short or long")));
    }
    let expression = preset(text).unwrap_or(text);
    let cron = expression.parse().map_err(|error| wrong(format!("schedule: {error}")))?;
    Ok(Schedule::Cron(ZonedCron { cron, zone: zone.clone(), policy: CronPolicy::WallClock }))
}

pub(super) fn every(length: Duration) -> Option<Schedule> {
    // Shorter than this and the scheduler would do nothing but make runs.
    let sane = Duration::from_millis(100)..=Duration::from_secs(3600 * 24 * 3660);
    let length = Some(length).filter(|length| sane.contains(length))?;
    SignedDuration::try_from(length).ok().map(Schedule::Every)
}

fn at_least_one(value: Option<&Spanned<u32>>, default: u32) -> Result<u32, Wrong> {
    match value {
        None => Ok(default),
        Some(value) if value.value == 0 => Err((value.referenced, "has to be 1 or more".into())),
        Some(value) => Ok(value.value),
    }
}

fn tasks(file: &yaml::DagFile) -> Result<Vec<Task>, Wrong> {
    let here = file.dag_id.referenced;
    if file.tasks.is_empty() {
        return Err((here, format!("dag {} has no tasks", file.dag_id.value)));
    }
    if file.tasks.len() > TASKS_MAX {
        return Err((here, format!("{} tasks; at most {TASKS_MAX}", file.tasks.len())));
    }
    let mut places = HashMap::new();
    for (index, entry) in file.tasks.iter().enumerate() {
        let id = &entry.value.task_id;
        check_id("task_id", id)?;
        if places.insert(id.value.as_str(), index).is_some() {
            return Err((id.referenced, format!("task_id {:?} is used twice", id.value)));
        }
    }
    let templates = Templates::for_checks();
    let built = file.tasks.iter().map(|entry| task(entry, file, &places, &templates));
    let mut tasks = built.collect::<Result<Vec<Task>, Wrong>>()?;
    for index in 0..tasks.len() {
        for upstream in tasks[index].upstream.clone() {
            tasks[upstream].downstream.push(index);
        }
    }
    match cycle(&tasks) {
        None => Ok(tasks),
        Some(cycle) => {
            let path: Vec<&str> = cycle.iter().map(|index| &*tasks[*index].task_id).collect();
            let location = file.tasks[cycle[0]].value.task_id.referenced;
            Err((location, format!("cycle: {}", path.join(" → "))))
        }
    }
}

fn task(
    entry: &Spanned<TaskEntry>,
    file: &yaml::DagFile,
    places: &HashMap<&str, usize>,
    templates: &Templates,
) -> Result<Task, Wrong> {
    let TaskEntry { task_id, .. } = &entry.value;
    let (written, defaults) = (&entry.value, &file.default_args);
    let upstream = upstream(written, places)?;
    let trigger_rule = match &written.trigger_rule {
        None => TriggerRule::AllSuccess,
        Some(name) => name.value.parse().map_err(|message| (name.referenced, message))?,
    };
    let delay = written.retry_delay.or(defaults.retry_delay);
    let backoff = written.retry_exponential_backoff.or(defaults.retry_exponential_backoff);
    let timeout = written.execution_timeout.or(defaults.execution_timeout);
    let owner = written.owner.as_ref().or(defaults.owner.as_ref());
    let pool = written.pool.as_ref().or(defaults.pool.as_ref());
    Ok(Task {
        task_id: task_id.value.as_str().into(),
        owner: owner.cloned().unwrap_or_else(|| "airflow".to_owned()),
        doc_md: written.doc_md.clone(),
        upstream,
        downstream: Vec::new(),
        trigger_rule,
        retry: RetryPolicy {
            retries: written.retries.or(defaults.retries).unwrap_or(0),
            delay: delay.map_or(RETRY_DELAY, |length| length.0),
            backoff: backoff.map_or(1.0, |backoff| backoff.0),
            delay_max: written.max_retry_delay.or(defaults.max_retry_delay).map(|max| max.0),
        },
        execution_timeout: timeout.map(|length| length.0),
        priority_weight: written.priority_weight.unwrap_or(1),
        pool: pool.map_or(DEFAULT_POOL, String::as_str).into(),
        pool_slots: pool_slots(written)?,
        work: work(written, entry.referenced, templates)?,
    })
}

fn pool_slots(task: &TaskEntry) -> Result<u32, Wrong> {
    match &task.pool_slots {
        None => Ok(1),
        Some(slots) if slots.value > 0 => Ok(slots.value),
        Some(slots) => Err((slots.referenced, "pool_slots must be 1 or more".to_owned())),
    }
}

fn upstream(task: &TaskEntry, places: &HashMap<&str, usize>) -> Result<Vec<usize>, Wrong> {
    let mut indexes = Vec::with_capacity(task.upstream.len());
    for id in &task.upstream {
        let Some(index) = places.get(id.value.as_str()) else {
            let mut known: Vec<&str> = places.keys().copied().collect();
            known.sort_unstable();
            known.truncate(20);
            let message = format!(
                "task {} waits for {:?}, which does not exist; tasks: {}",
                task.task_id.value,
                id.value,
                known.join(", ")
            );
            return Err((id.referenced, message));
        };
        if !indexes.contains(index) {
            indexes.push(*index);
        }
    }
    Ok(indexes)
}

fn work(task: &TaskEntry, here: Location, templates: &Templates) -> Result<Work, Wrong> {
    let kinds = [
        ("empty", task.empty),
        ("http", task.http.is_some()),
        ("sql", task.sql.is_some()),
        ("bash", task.bash.is_some()),
        ("python", task.python.is_some()),
        ("produce", task.produce.is_some()),
    ];
    let named: Vec<&str> = kinds.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    if named.len() != 1 {
        let all = kinds.map(|(name, _)| name).join(", ");
        let what = if named.is_empty() { "nothing".to_owned() } else { named.join(" and ") };
        let message = format!("task {} does {what}; give one of: {all}", task.task_id.value);
        return Err((here, message));
    }
    let output = output(task, templates)?;
    if output.is_some() && !(task.http.is_some() || task.produce.is_some()) {
        let message = "topic, key and value belong to http and produce tasks";
        return Err((here, message.to_owned()));
    }
    if let Some(http) = &task.http {
        return http_work(http, output, templates);
    }
    if let Some(sql) = &task.sql {
        let TextOr(written) = &sql.value;
        let (statement, engine_url) = (written.statement.clone(), written.engine_url.clone());
        check(templates, sql.referenced, Scope::Task, &Value::String(statement.clone()))?;
        return Ok(Work::Sql { statement, engine_url });
    }
    if let Some(bash) = &task.bash {
        let TextOr(written) = &bash.value;
        check(templates, bash.referenced, Scope::Task, &Value::String(written.command.clone()))?;
        check(templates, bash.referenced, Scope::Task, &Value::Object(written.env.clone()))?;
        let env = written.env.clone().into_iter().collect();
        let (command, cwd) = (written.command.clone(), written.cwd.clone());
        return Ok(Work::Bash { command, env, cwd });
    }
    if let Some(python) = &task.python {
        return python_work(python, templates);
    }
    match (&task.produce, output) {
        (Some(produce), Some(output)) => {
            let records = produce.value.records.clone();
            check(templates, produce.referenced, Scope::Task, &Value::Array(records.clone()))?;
            Ok(Work::Produce { records, output })
        }
        (Some(produce), None) => Err((produce.referenced, "produce needs a topic".to_owned())),
        (None, _) => Ok(Work::Empty),
    }
}

fn output(task: &TaskEntry, templates: &Templates) -> Result<Option<Output>, Wrong> {
    let parts = [task.key.as_ref(), task.value.as_ref()];
    let Some(topic) = &task.topic else {
        return match parts.into_iter().flatten().next() {
            Some(part) => Err((part.referenced, "key and value need a topic".to_owned())),
            None => Ok(None),
        };
    };
    check(templates, topic.referenced, Scope::Task, &Value::String(topic.value.clone()))?;
    for part in parts.into_iter().flatten() {
        check(templates, part.referenced, Scope::Record, &part.value)?;
    }
    Ok(Some(Output {
        topic: topic.value.clone(),
        key: task.key.as_ref().map(|key| key.value.clone()),
        value: task.value.as_ref().map(|value| value.value.clone()),
    }))
}

fn http_work(
    http: &Spanned<yaml::Http>,
    output: Option<Output>,
    templates: &Templates,
) -> Result<Work, Wrong> {
    let (here, written) = (http.referenced, &http.value);
    let wrong = |message: String| (here, message);
    let mut fields = vec![Value::String(written.url.clone())];
    fields.extend([written.headers.clone(), written.params.clone()].map(Value::Object));
    fields.extend([&written.body, &written.duration, &written.rate].into_iter().flatten().cloned());
    check(templates, here, Scope::Task, &Value::Array(fields))?;
    let is_template = |value: &Value| value.as_str().is_some_and(|text| text.contains("{{"));
    if let Some(duration) = written.duration.as_ref().filter(|value| !is_template(value)) {
        crate::executor::length_of(duration).map_err(|error| wrong(format!("for: {error}")))?;
    }
    if let Some(rate) = written.rate.as_ref().filter(|value| !is_template(value)) {
        Rate::of(rate).map_err(|error| wrong(format!("rate: {error}")))?;
    }
    let method = written.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
    if !matches!(method.as_str(), "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD") {
        return Err(wrong(format!("method {method:?} is not an HTTP method this task can send")));
    }
    let concurrency = written.concurrency.unwrap_or(CONCURRENCY);
    if !(1..=CONCURRENCY_MAX).contains(&concurrency) {
        return Err(wrong(format!("concurrency: {concurrency} is not in 1 to {CONCURRENCY_MAX}")));
    }
    let records = written.records.as_deref().unwrap_or("$").parse::<RecordPath>();
    Ok(Work::Http(Box::new(HttpWork {
        url: written.url.clone(),
        method,
        headers: written.headers.clone(),
        query: written.params.clone(),
        body: written.body.clone(),
        timeout: written.timeout.map_or(REQUEST_TIMEOUT, |length| length.0),
        records: records.map_err(|error| wrong(format!("records: {error}")))?,
        duration: written.duration.clone(),
        rate: written.rate.clone(),
        max_requests: written.max_requests,
        concurrency,
        on_error: written.on_error.unwrap_or(OnError::Retry),
        output,
    })))
}

fn python_work(python: &Spanned<yaml::Python>, templates: &Templates) -> Result<Work, Wrong> {
    let (here, written) = (python.referenced, &python.value);
    let program = match (&written.file, &written.function, &written.code) {
        (Some(file), Some(function), None) => {
            let relative = std::path::Path::new(file).components().all(|part| {
                matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)
            });
            if !relative {
                return Err((here, format!("file {file:?} has to lie inside the project")));
            }
            PythonProgram::Function { file: file.clone(), function: function.clone() }
        }
        (None, None, Some(code)) => PythonProgram::Code(code.clone()),
        _ => return Err((here, "python: give file and function, or code".to_owned())),
    };
    check(templates, here, Scope::Task, &Value::Object(written.args.clone()))?;
    check(templates, here, Scope::Task, &Value::Object(written.env.clone()))?;
    let env = written.env.clone().into_iter().collect();
    Ok(Work::Python { program, args: written.args.clone(), env })
}

fn check(templates: &Templates, here: Location, scope: Scope, value: &Value) -> Result<(), Wrong> {
    templates.check(value, scope).map_err(|message| (here, message))
}

/// A path that comes back to where it began, if there is one.
pub(super) fn cycle(tasks: &[Task]) -> Option<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnPath,
        Done,
    }
    let mut seen = vec![Seen::No; tasks.len()];
    for root in 0..tasks.len() {
        // An explicit stack: a chain of ten thousand tasks must not use up the thread's own.
        let mut path: Vec<(usize, usize)> = Vec::new();
        if seen[root] == Seen::No {
            seen[root] = Seen::OnPath;
            path.push((root, 0));
        }
        while let Some((task, next)) = path.last_mut() {
            let Some(&child) = tasks[*task].downstream.get(*next) else {
                seen[*task] = Seen::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match seen[child] {
                Seen::Done => {}
                Seen::No => {
                    seen[child] = Seen::OnPath;
                    path.push((child, 0));
                }
                Seen::OnPath => {
                    let start = path.iter().position(|(task, _)| *task == child)?;
                    let mut cycle: Vec<usize> =
                        path[start..].iter().map(|(task, _)| *task).collect();
                    cycle.push(child);
                    return Some(cycle);
                }
            }
        }
    }
    None
}
