//! `writeStream.start()`: a frame as a job of the engine.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tidemill_spark_connect::{
    StreamDestination, StreamTrigger, StreamingQueryInstanceId, WriteStreamOperationStart,
    WriteStreamOperationStartResult,
};

use super::{Query, checkpoint, sinks};
use crate::catalog::options::Connector;
use crate::jobs::{JobPlace, JobSpec};
use crate::plan::{StreamPlan, endpoint, plan_frame};
use crate::runtime::job::JobSettings;
use crate::spark::conf::CHECKPOINT_LOCATION;
use crate::spark::error::{Kind, Result, SparkError};
use crate::spark::frame::{Frame, Named};
use crate::spark::functions::time::interval_ms;
use crate::spark::resolve::{Resolver, lowered};
use crate::spark::service::Service;
use crate::spark::sessions::Session;

/// How long a former run of the same query may take to end.
const STOP_MAX: Duration = Duration::from_secs(30);

/// What a stream's rows mean to its sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputMode {
    Append,
    Update,
    Complete,
}

/// Starts a query. What is wrong with it is told at once; that a system cannot be reached yet is
/// not: the query waits for it.
pub(in crate::spark) async fn start(
    service: &Arc<Service>,
    session: &Arc<Session>,
    asked: &WriteStreamOperationStart,
) -> Result<WriteStreamOperationStartResult> {
    refuse(asked)?;
    let mode = output_mode(&asked.output_mode)?;
    let options = lowered(&asked.options);
    let resolver = Resolver::new(&service.core, session);
    let input = asked.input.as_ref();
    let input = input.ok_or_else(|| SparkError::invalid_plan("a stream of nothing"))?;
    let frame = unique(resolver.frame(input).await?)?;
    check_mode(mode, &frame)?;
    let name = Some(asked.query_name.clone()).filter(|name| !name.is_empty());
    let path = match &asked.sink_destination {
        Some(StreamDestination::Path(path)) => Some(path.as_str()),
        Some(StreamDestination::TableName(table)) => {
            return Err(SparkError::unsupported(format!("toTable({table})")));
        }
        None => None,
    };
    let target =
        sinks::Target { format: &asked.format, options: &options, path, name: name.as_deref() };
    let sink = sinks::resolve(&target, frame, service, session)?;
    let place = place(service, session, &options, sink.may_forget)?;
    let ends =
        matches!(asked.trigger, Some(StreamTrigger::AvailableNow(_) | StreamTrigger::Once(_)));
    let plan = plan_frame(&service.core.functions, sink.frame.plan, sink.table)?;
    let plan = if ends { bounded(plan) } else { plan };
    if let Some(running) = service.queries.running(&place.id) {
        // Spark stops a former run of the same query too.
        service.core.jobs.cancel(&running.job.identity.id);
        let _ = tokio::time::timeout(STOP_MAX, running.job.ended()).await;
    }
    let run_id = session.new_id();
    let source = plan.sources.first().map(|source| endpoint(&source.table)).unwrap_or_default();
    let (shown, explained) = (endpoint(&plan.sink), plan.explain());
    let job = service.core.jobs.submit(JobSpec {
        name: name.clone().unwrap_or_else(|| "spark".to_owned()),
        file: None,
        statement: explained.clone(),
        plan,
        settings: settings(service, ends),
        place: Some(JobPlace { id: format!("spark-{}", &place.id), dir: place.dir }),
        sink: sink.own,
    });
    if let Some(notice) = place.notice {
        tracing::warn!(query = place.id, notice, "checkpoint");
        job.with(|progress| progress.notice = Some(notice));
    }
    let query = Arc::new(Query {
        id: place.id,
        run_id,
        name: name.clone(),
        session_id: session.id.clone(),
        job,
        source,
        sink: shown,
        explained,
        reports: Mutex::new(VecDeque::new()),
    });
    service.queries.add(Arc::clone(&query));
    if let Some(failure) = query.failure() {
        return Err(failure);
    }
    Ok(WriteStreamOperationStartResult {
        query_id: Some(StreamingQueryInstanceId {
            id: query.id.clone(),
            run_id: query.run_id.clone(),
        }),
        name: name.unwrap_or_default(),
        query_started_event_json: None,
    })
}

fn refuse(asked: &WriteStreamOperationStart) -> Result<()> {
    if asked.foreach_batch.is_some() {
        return Err(SparkError::unsupported(
            "foreachBatch: Python of the client does not run in this server",
        ));
    }
    if asked.foreach_writer.is_some() {
        return Err(SparkError::unsupported(
            "foreach: Python of the client does not run in this server",
        ));
    }
    if !asked.partitioning_column_names.is_empty() {
        return Err(SparkError::unsupported("partitionBy of a stream"));
    }
    match &asked.trigger {
        Some(StreamTrigger::ContinuousCheckpointInterval(_)) => {
            Err(SparkError::unsupported("trigger(continuous=…)"))
        }
        // Rows are written as they come, which is at least as often.
        Some(StreamTrigger::ProcessingTimeInterval(interval)) => match interval_ms(interval) {
            Some(_) => Ok(()),
            None => Err(SparkError::argument(format!("Error parsing '{interval}' to interval"))),
        },
        _ => Ok(()),
    }
}

fn output_mode(text: &str) -> Result<OutputMode> {
    match text.to_lowercase().as_str() {
        "" | "append" => Ok(OutputMode::Append),
        "update" => Ok(OutputMode::Update),
        "complete" => Ok(OutputMode::Complete),
        _ => {
            let text = format!(
                "Invalid streaming output mode: {text}. Accepted output modes are 'Append', \
                 'Complete', 'Update'."
            );
            Err(SparkError::new(Kind::Argument, "STREAMING_OUTPUT_MODE.INVALID", "42KDE", &text))
        }
    }
}

/// Without an aggregate every row is new, and there is no whole result to repeat.
fn check_mode(mode: OutputMode, frame: &Frame) -> Result<()> {
    if !frame.streaming {
        let text = "`writeStream` can be called only on streaming Dataset/DataFrame.";
        return Err(SparkError::new(Kind::Analysis, "WRITE_STREAM_NOT_ALLOWED", "42601", text));
    }
    let aggregates = frame.plan.display_indent().to_string().contains("Aggregate:");
    match (mode, aggregates) {
        (OutputMode::Append, _) | (OutputMode::Update, false) => Ok(()),
        (OutputMode::Complete, false) => {
            let class = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION";
            let text = "Invalid streaming output mode: complete. This output mode is not supported \
                        for no streaming aggregations on streaming DataFrames/DataSets.";
            Err(SparkError::new(Kind::Analysis, class, "42KDE", text))
        }
        (OutputMode::Update | OutputMode::Complete, true) => Err(SparkError::unsupported(format!(
            "output mode {mode:?} of an aggregation; append is"
        ))),
    }
}

/// A sink finds columns by their names.
fn unique(frame: Frame) -> Result<Frame> {
    let mut seen = HashSet::new();
    for column in &frame.columns {
        if !seen.insert(column.name.to_lowercase()) {
            let text = format!("The column `{}` already exists.", column.name);
            let class = "COLUMN_ALREADY_EXISTS";
            return Err(SparkError::new(Kind::Analysis, class, "42711", &text)
                .with("columnName", format!("`{}`", column.name)));
        }
    }
    let named: Vec<Named> = frame.all();
    frame.project(named)
}

fn place(
    service: &Service,
    session: &Session,
    options: &BTreeMap<String, String>,
    may_forget: bool,
) -> Result<checkpoint::Place> {
    let said = options.get("checkpointlocation").cloned();
    let location = said.or_else(|| session.conf.lock().get(CHECKPOINT_LOCATION).map(str::to_owned));
    let dir = match location {
        Some(location) => checkpoint::folder(&location, &service.paths.project)?,
        None if may_forget => {
            service.paths.data.join("spark").join(service.world.random.uuid().to_string())
        }
        None => {
            let text = "checkpointLocation must be specified either through \
                        option(\"checkpointLocation\", ...) or \
                        SparkSession.conf.set(\"spark.sql.streaming.checkpointLocation\", ...).";
            return Err(SparkError::analysis(text));
        }
    };
    checkpoint::open(&dir, &service.world)
}

/// Reads to what is last now, and then ends; the next run goes on from there.
fn bounded(mut plan: StreamPlan) -> StreamPlan {
    for source in &mut plan.sources {
        let mut table = source.table.as_ref().clone();
        if let Connector::Kafka(kafka) = &mut table.connector {
            kafka.bounded = true;
        }
        source.table = Arc::new(table);
    }
    plan
}

fn settings(service: &Service, ends: bool) -> JobSettings {
    let config = &service.core.config;
    let idle = config.source_idle_timeout.0;
    JobSettings {
        checkpoint_interval: config.checkpoint_interval.0.max(Duration::from_millis(1)),
        idle_timeout: (!idle.is_zero()).then_some(idle),
        discard_state: false,
        groups_max: config.window_groups_max,
        end_is_pause: ends,
    }
}
