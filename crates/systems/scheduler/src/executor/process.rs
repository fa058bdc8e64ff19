//! bash and Python: a child in a process group of its own. Its output goes to the log line by line;
//! to stop it means SIGTERM to the whole group, and after a while SIGKILL.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tidemill_runtime::OpenMode;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::context::TryContext;
use super::environment::{ChildEnvironment, environment};
use super::stop::stopped;
use super::{Executor, Report};
use crate::core::{Outcome, StopReason};
use crate::dag::PythonProgram;
use crate::logs::Level;
use crate::template::TemplateError;

/// A line longer than this is cut into pieces, in bytes.
const LINE_BYTES_MAX: usize = 64 << 10;
/// Largest value a child may leave, in bytes.
const XCOM_BYTES_MAX: u64 = 1 << 20;
/// How long output is still read when the child has ended.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
/// Begins a line of standard output that is a log record, as JSON.
const RECORD: char = '\u{1e}';
/// Airflow's `skip_on_exit_code`.
const SKIP_EXIT_CODE: i32 = 99;

/// Loads a file, calls a function with keyword arguments from standard input, and leaves what it
/// returns, as JSON, in the file named by the environment.
const CALL_FUNCTION: &str = r#"
import importlib.util, inspect, json, os, sys
path, name = sys.argv[1:3]
arguments = json.load(sys.stdin)
sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
spec = importlib.util.spec_from_file_location("tidemill_task", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
result = getattr(module, name)(**arguments)
if inspect.isawaitable(result):
    import asyncio
    async def settle():
        return await result
    result = asyncio.run(settle())
if result is not None:
    with open(os.environ["TIDEMILL_RESULT"], "w") as file:
        json.dump(result, file)
"#;

pub(super) async fn bash(
    executor: &Executor,
    context: &TryContext<'_>,
    command: &str,
    env: &[(String, Value)],
    cwd: Option<&str>,
) -> Outcome {
    let (rendered, variables) = match context
        .render_text(command)
        .and_then(|rendered| Ok((rendered, environment(context, env)?)))
    {
        Ok(ready) => ready,
        Err(error) => return error.into(),
    };
    let config = &context.tools.config;
    let mut child = Command::new("bash");
    child.arg("-c").arg(&rendered).envs_only(variables);
    let project = &config.children.project;
    child.current_dir(cwd.map_or(project.clone(), |cwd| project.join(cwd)));
    context.log.info(format!("bash -c {rendered:?}"));
    let ended = run(executor, context, child, None).await;
    // Airflow's BashOperator leaves the last line of the output.
    ended.outcome(|last_line| last_line.map(Value::String))
}

pub(super) async fn python(
    executor: &Executor,
    context: &TryContext<'_>,
    program: &PythonProgram,
    args: &Map<String, Value>,
    env: &[(String, Value)],
) -> Outcome {
    let rendered = || -> Result<_, TemplateError> {
        Ok((context.render(&Value::Object(args.clone()))?, environment(context, env)?))
    };
    let (args, mut variables) = match rendered() {
        Ok(ready) => ready,
        Err(error) => return error.into(),
    };
    let config = &context.tools.config;
    let result = config.scratch.join(format!("result-{}.json", context.start.attempt.0));
    variables.push(("TIDEMILL_RESULT".to_owned(), result.display().to_string()));
    variables.push(("PYTHONUNBUFFERED".to_owned(), "1".to_owned()));
    let ChildEnvironment { python, project, .. } = &config.children;
    let mut child = Command::new(python);
    match program {
        PythonProgram::Function { file, function } => {
            child.arg("-c").arg(CALL_FUNCTION).arg(project.join(file)).arg(function);
            context.log.info(format!("{python} {file}: {function}({args})"));
        }
        PythonProgram::Code(code) => {
            child.arg("-c").arg(code);
            context.log.info(format!("{python} -c …"));
        }
    }
    child.envs_only(variables).current_dir(project);
    let ended = run(executor, context, child, Some(args.to_string())).await;
    let value = left_value(context, &result);
    ended.outcome(|_| value)
}

/// The value the child left in its result file, which is removed.
fn left_value(context: &TryContext<'_>, path: &Path) -> Option<Value> {
    let bytes = left_file(context, path, XCOM_BYTES_MAX)?;
    serde_json::from_slice(&bytes).ok()
}

/// What the child left in a file, which is removed.
pub(super) fn left_file(context: &TryContext<'_>, path: &Path, bytes_max: u64) -> Option<Vec<u8>> {
    let disk = &context.tools.world.disk;
    if !disk.exists(path) {
        return None;
    }
    let len = disk.open(path, OpenMode::Existing).and_then(|file| file.len()).unwrap_or(u64::MAX);
    let value = if len > bytes_max {
        context.log.warning(format!("what the task left has {len} bytes and is not kept"));
        None
    } else {
        disk.read(path).ok()
    };
    if let Err(error) = disk.remove_file(path) {
        context.log.warning(format!("{} cannot be removed: {error}", path.display()));
    }
    value
}

pub(super) trait EnvsOnly {
    fn envs_only(&mut self, variables: Vec<(String, String)>) -> &mut Self;
}

impl EnvsOnly for Command {
    fn envs_only(&mut self, variables: Vec<(String, String)>) -> &mut Command {
        self.env_clear().envs(variables)
    }
}

/// How a child ended.
pub(super) enum Ended {
    NotStarted(String),
    Exited { status: ExitStatus, last_line: Option<String>, last_error: Option<String> },
    Stopped(StopReason),
}

impl Ended {
    pub(super) fn outcome(self, value: impl FnOnce(Option<String>) -> Option<Value>) -> Outcome {
        match self {
            Ended::NotStarted(reason) => Outcome::Failed { reason, retry: true, value: None },
            Ended::Stopped(reason) => stopped(&reason, value(None)),
            Ended::Exited { status, last_line, .. } if status.success() => {
                Outcome::Success { value: value(last_line) }
            }
            Ended::Exited { status, .. } if status.code() == Some(SKIP_EXIT_CODE) => {
                Outcome::Skipped { reason: format!("exit code {SKIP_EXIT_CODE}") }
            }
            Ended::Exited { status, last_line, last_error } => {
                let said = last_error.or_else(|| last_line.clone());
                let said = said.map(|said| format!(": {said}")).unwrap_or_default();
                let reason = format!("{status}{said}");
                Outcome::Failed { reason, retry: true, value: value(last_line) }
            }
        }
    }
}

pub(super) async fn run(
    executor: &Executor,
    context: &TryContext<'_>,
    mut command: Command,
    input: Option<String>,
) -> Ended {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: what the child starts is stopped with it.
    command.process_group(0).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let program = command.as_std().get_program().to_string_lossy().into_owned();
            return Ended::NotStarted(format!("{program} cannot be started: {error}"));
        }
    };
    let (attempt, pid) = (context.start.attempt, child.id());
    executor.report(Report::Started { attempt, pid }).await;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let (Some(input), Some(mut stdin)) = (input, stdin) {
            // A child that does not read its input is no error; what it says counts.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let mut output = std::pin::pin!(async {
        let read = async {
            tokio::join!(lines(context, "stdout", stdout), lines(context, "stderr", stderr))
        };
        tokio::join!(write, read).1
    });
    let mut said = None;
    let ended = loop {
        tokio::select! {
            // Its output is closed: it has ended, or lives on silently.
            both = &mut output, if said.is_none() => said = Some(both),
            status = child.wait() => break Ok(status),
            stop = context.stop.requested() => break Err(stop),
        }
    };
    match &ended {
        // What it started ends with it.
        Ok(_) => kill_group(pid, rustix::process::Signal::KILL),
        Err(stop) => end_group(context, &mut child, pid, stop).await,
    }
    if said.is_none() {
        // A process that left the group may hold the output open: it is not waited for.
        said = tokio::time::timeout(LAST_OUTPUT, output).await.ok();
    }
    let (last_line, last_error) = said.unwrap_or_default();
    match ended {
        Ok(Ok(status)) => Ended::Exited { status, last_line, last_error },
        Ok(Err(error)) => Ended::NotStarted(format!("the child's end is not known: {error}")),
        Err(stop) => Ended::Stopped(stop),
    }
}

/// SIGTERM to the group, some time for it, then SIGKILL to whoever is left.
async fn end_group(
    context: &TryContext<'_>,
    child: &mut Child,
    pid: Option<u32>,
    reason: &StopReason,
) {
    context.log.warning(format!("stopping the process group: {reason:?}"));
    kill_group(pid, rustix::process::Signal::TERM);
    let grace = context.tools.config.kill_grace;
    if tokio::time::timeout(grace, child.wait()).await.is_err() {
        context.log.warning(format!("it did not end within {grace:?}: SIGKILL"));
    }
    kill_group(pid, rustix::process::Signal::KILL);
    let _ = child.wait().await;
}

fn kill_group(pid: Option<u32>, signal: rustix::process::Signal) {
    let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // The group may be gone already.
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

/// Writes a child's lines to the log; the last one that is not empty.
async fn lines(
    context: &TryContext<'_>,
    logger: &'static str,
    stream: Option<impl AsyncRead + Unpin>,
) -> Option<String> {
    let mut reader = BufReader::new(stream?);
    let (mut line, mut last) = (Vec::new(), None);
    // A stream that cannot be read any more has ended, too.
    while let Ok(available) = reader.fill_buf().await {
        if available.is_empty() {
            break;
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let room = LINE_BYTES_MAX - line.len();
        let take = end.unwrap_or(available.len()).min(room);
        line.extend_from_slice(&available[..take]);
        let is_whole = end == Some(take);
        reader.consume(take + usize::from(is_whole));
        if is_whole || line.len() == LINE_BYTES_MAX {
            write_line(context, logger, &mut line, &mut last);
        }
    }
    write_line(context, logger, &mut line, &mut last);
    last
}

fn write_line(
    context: &TryContext<'_>,
    logger: &str,
    line: &mut Vec<u8>,
    last: &mut Option<String>,
) {
    let text = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
    line.clear();
    if text.trim().is_empty() {
        return;
    }
    match text.strip_prefix(RECORD).and_then(|json| serde_json::from_str::<LogRecord>(json).ok()) {
        Some(record) => context.log.record(record.level(), &record.logger, &record.event),
        None => {
            context.log.line(logger, &text);
            *last = Some(text);
        }
    }
}

/// A record of Python's logging, as `_tidemill/run.py` writes it.
#[derive(Debug, Deserialize)]
struct LogRecord {
    level: String,
    logger: String,
    event: String,
}

impl LogRecord {
    fn level(&self) -> Level {
        match self.level.as_str() {
            "error" => Level::Error,
            "warning" => Level::Warning,
            _ => Level::Info,
        }
    }
}
