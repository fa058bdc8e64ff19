//! Runs Python DAG files to know which DAGs they have: one child each, bounded in time, memory and
//! output. Answers come over a channel; whoever asks does not wait.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidemill_runtime::{ByteSize, Tasks};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::{Semaphore, mpsc};

use crate::dag::{ParsedFile, PythonFile};
use crate::executor::ChildEnvironment;

/// Files that are read at one moment.
const PARSERS_MAX: usize = 2;
/// For one file: Airflow's `dagbag_import_timeout`.
const TIME_MAX: Duration = Duration::from_secs(30);
/// Largest answer about one file.
const ANSWER_BYTES_MAX: ByteSize = ByteSize::mib(16);
/// What is kept of what a file prints, in bytes.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
/// Answers that wait for the scheduler.
pub(crate) const ANSWERS_MAX: usize = 64;

/// A file and what became of running it; `Err` if it could not be run.
pub(crate) type Parsed = (PythonFile, Result<ParsedFile, String>);

/// Starts interpreters. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Parser {
    children: Arc<ChildEnvironment>,
    tasks: Tasks,
    places: Arc<Semaphore>,
    answers: mpsc::Sender<Parsed>,
    /// Files whose answer has not been sent.
    under_way: Arc<AtomicUsize>,
}

impl Parser {
    pub(crate) fn new(
        children: ChildEnvironment,
        tasks: Tasks,
        answers: mpsc::Sender<Parsed>,
    ) -> Parser {
        let places = Arc::new(Semaphore::new(PARSERS_MAX));
        let children = Arc::new(children);
        Parser { children, tasks, places, answers, under_way: Arc::default() }
    }

    /// How many files are being read.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Begins to read a file. One answer comes, whatever happens.
    pub(crate) fn start(&self, file: PythonFile) {
        let parser = self.clone();
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.tasks.spawn("a DAG file is read", async move {
            // The semaphore is never closed.
            let place = parser.places.acquire().await;
            let answer = parser.run(&file).await;
            drop(place);
            // The scheduler is gone: nobody is left to be told.
            let _ = parser.answers.send((file, answer)).await;
            parser.under_way.fetch_sub(1, Ordering::Relaxed);
        });
    }

    async fn run(&self, file: &PythonFile) -> Result<ParsedFile, String> {
        let run = tokio::time::timeout(TIME_MAX, self.interpret(file));
        run.await.unwrap_or_else(|_| {
            Err(format!(
                "it was not read within {TIME_MAX:?}: what takes long belongs into a task, not \
                 into the top level of the file"
            ))
        })
    }

    async fn interpret(&self, file: &PythonFile) -> Result<ParsedFile, String> {
        let children = &self.children;
        let mut command = Command::new(&children.python);
        command.args(["-m", "_tidemill.parse"]).arg(children.dags_folder.join(&*file.name));
        command.env_clear().envs(children.variables()).current_dir(&children.project);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            format!(
                "{} cannot be started: {error}; name another one with `python` under [scheduler]",
                children.python
            )
        })?;
        // When it takes too long, all that it started goes with it.
        let _group = Group(child.id());
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // A child that does not read has ended; what it says counts.
                let _ = stdin.write_all(file.source.as_bytes()).await;
            }
        };
        let (_, answer, printed) = tokio::join!(
            write,
            all_of(stdout, ANSWER_BYTES_MAX.0),
            all_of(stderr, OUTPUT_BYTES_MAX)
        );
        let status = child.wait().await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&answer).map_err(|error| {
            let said = String::from_utf8_lossy(&printed);
            let said = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            match status.success() {
                true if answer.len() as u64 >= ANSWER_BYTES_MAX.0 => {
                    format!("it describes more than {ANSWER_BYTES_MAX} of DAGs")
                }
                true => format!("the interpreter's answer cannot be read: {error}"),
                false => format!("the interpreter ended with {status}: {said}"),
            }
        })
    }
}

/// A process group that ends with this.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            // It may be gone already.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// All of a stream, up to a limit; what comes after it is read and dropped.
async fn all_of(stream: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // A stream that cannot be read any more has ended, too.
        let _ = (&mut stream).take(bytes_max).read_to_end(&mut bytes).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    bytes
}
