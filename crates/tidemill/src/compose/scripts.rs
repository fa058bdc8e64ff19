//! The project's Spark scripts: found by what they do, started when the node is ready, kept alive.
//!
//! `up` alone leads to rows, as it does in the containers once somebody has typed `spark-submit`:
//! a script that reads a stream runs as long as the node does. A batch script is only offered.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tidemill_runtime::{Shutdown, Tasks, World};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::sources::{SourceFile, Sources, code_lines};

/// Runs a script as `__main__`, with what a classic Spark has and Connect lacks taken care of.
const LAUNCHER: &str = include_str!("launch.py");
/// Before a script that failed is started again.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
/// The longest wait between two starts.
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// A script that ran this long begins with the shortest wait again.
const RAN_WELL: Duration = Duration::from_secs(60);
/// Lines of all scripts that wait for the screen; a script that says more waits.
const LINES_MAX: usize = 1024;
/// Bytes of a line; a longer one comes in pieces.
const LINE_BYTES_MAX: u64 = 4096;
/// Tells the launcher that its stdin is held by whoever started it.
const LEASH: &str = "TIDEMILL_LEASH";
/// From the request to end to the end by force.
const KILL_AFTER: Duration = Duration::from_secs(3);

/// What a script does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reads a stream and does not end.
    Streaming,
    /// Does something and ends.
    Batch,
}

/// What kind of Spark script a file is; none if it is none, or only holds functions for others.
fn kind(file: &SourceFile) -> Option<Kind> {
    if file.is_dag || !file.imports("pyspark") {
        return None;
    }
    let has = |word: &str| {
        code_lines(&file.text)
            .any(|(_, line)| !line.trim_start().starts_with('#') && line.contains(word))
    };
    let runs = has("__main__") || has(".getOrCreate()");
    match (runs, has(".readStream")) {
        (false, _) => None,
        (true, true) => Some(Kind::Streaming),
        (true, false) => Some(Kind::Batch),
    }
}

/// The Spark scripts of a project, inside its folder.
pub(crate) fn found(sources: &Sources, wanted: Kind) -> Vec<PathBuf> {
    let scripts = sources.files.iter().filter(|file| kind(file) == Some(wanted));
    scripts.map(|file| file.path.clone()).collect()
}

/// The command that runs `script` with `interpreter`: the launcher, then the script's own arguments.
pub(crate) fn launcher(interpreter: &Path, script: &Path) -> Command {
    let mut command = Command::new(interpreter);
    command.arg("-c").arg(LAUNCHER).arg(script);
    command
}

/// A line that a script wrote, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The script's path inside the project.
    pub(crate) script: Arc<str>,
    pub(crate) line: String,
}

/// Scripts that run beside the node.
#[derive(Debug)]
pub(crate) struct Scripts {
    tasks: Tasks,
    said: mpsc::Receiver<Said>,
    /// Kept, so that `said` never ends while nobody runs.
    _sender: mpsc::Sender<Said>,
}

impl Scripts {
    /// None at all.
    pub(crate) fn none() -> Scripts {
        let (sender, said) = mpsc::channel(1);
        Scripts { tasks: Tasks::new(), said, _sender: sender }
    }

    /// Starts each script with what `command` makes of it, and starts it again when it fails.
    pub(crate) fn start(
        scripts: &[PathBuf],
        command: impl Fn(&Path) -> Command + Clone + Send + Sync + 'static,
        world: &World,
    ) -> Scripts {
        let tasks = Tasks::new();
        let (sender, said) = mpsc::channel(LINES_MAX);
        for script in scripts {
            let name: Arc<str> = script.display().to_string().into();
            let (command, script) = (command.clone(), script.clone());
            let supervised = Supervised {
                name,
                said: sender.clone(),
                shutdown: tasks.shutdown(),
                world: world.clone(),
            };
            tasks.spawn("script", async move {
                supervised.keep(|| command(&script)).await;
            });
        }
        Scripts { tasks, said, _sender: sender }
    }

    /// The next line that any of them wrote.
    pub(crate) async fn said(&mut self) -> Said {
        match self.said.recv().await {
            Some(said) => said,
            None => std::future::pending().await,
        }
    }

    /// Ends them all.
    pub(crate) async fn stop(self) {
        // Nobody reads what they still say.
        drop(self.said);
        self.tasks.stop(KILL_AFTER + Duration::from_secs(1)).await;
    }
}

/// One script and its starts.
struct Supervised {
    name: Arc<str>,
    said: mpsc::Sender<Said>,
    shutdown: Shutdown,
    world: World,
}

impl Supervised {
    async fn keep(self, command: impl Fn() -> Command) {
        let mut wait = BACKOFF_MIN;
        loop {
            let begun = self.world.clock.monotonic();
            let ended = self.run(command()).await;
            if self.shutdown.is_requested() {
                return;
            }
            let why = match ended {
                Ok(status) if status.success() => {
                    self.tell("it ended by itself and is not started again".to_owned()).await;
                    return;
                }
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            if self.world.clock.monotonic() - begun >= RAN_WELL {
                wait = BACKOFF_MIN;
            }
            self.tell(format!("it ended ({why}) and is started again in {} s", wait.as_secs()))
                .await;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.shutdown.requested() => return,
            }
            wait = (wait * 2).min(BACKOFF_MAX);
        }
    }

    /// Runs it once, to its end or the node's.
    async fn run(&self, mut command: Command) -> std::io::Result<ExitStatus> {
        // The launcher holds the other end of stdin: should this process be killed, the script ends
        // too instead of running on beside its successor.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env(LEASH, "1").process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let _leash = child.stdin.take();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let output = async { tokio::join!(self.pass_on(stdout), self.pass_on(stderr)) };
        tokio::select! {
            _ = output => {}
            () = self.shutdown.requested() => return self.end(child).await,
        }
        tokio::select! {
            status = child.wait() => status,
            () = self.shutdown.requested() => self.end(child).await,
        }
    }

    async fn end(&self, mut child: Child) -> std::io::Result<ExitStatus> {
        signal_group(&child, rustix::process::Signal::TERM);
        if let Ok(status) = tokio::time::timeout(KILL_AFTER, child.wait()).await {
            return status;
        }
        signal_group(&child, rustix::process::Signal::KILL);
        child.wait().await
    }

    async fn pass_on(&self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(pipe) = pipe else { return };
        let mut pipe = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            let read = (&mut pipe).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await;
            if !read.is_ok_and(|bytes| bytes > 0) {
                return;
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if !line.is_empty() {
                self.tell(line).await;
            }
        }
    }

    async fn tell(&self, line: String) {
        // Nobody listens any more when the node stops.
        self.said.send(Said { script: self.name.clone(), line }).await.ok();
    }
}

/// A child that leads a group of its own.
fn signal_group(child: &Child, signal: rustix::process::Signal) {
    let pid = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid
        && let Err(error) = rustix::process::kill_process_group(pid, signal)
    {
        tracing::debug!(%error, "the script's group is gone");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str, is_dag: bool) -> SourceFile {
        SourceFile { path: path.into(), text: text.to_owned(), is_dag }
    }

    #[test]
    fn a_script_that_reads_a_stream_is_told_from_one_that_does_not() {
        let head = "from pyspark.sql import SparkSession\n";
        for (text, expected) in [
            (
                "spark.readStream.format('kafka')\nif __name__ == '__main__':\n    f()\n",
                Some(Kind::Streaming),
            ),
            ("s = SparkSession.builder.getOrCreate()\ns.readStream\n", Some(Kind::Streaming)),
            ("s = SparkSession.builder.getOrCreate()\n# s.readStream\n", Some(Kind::Batch)),
            ("def f(spark):\n    return spark.readStream\n", None),
        ] {
            assert_eq!(kind(&file("s.py", &format!("{head}{text}"), false)), expected, "{text}");
        }
        assert_eq!(kind(&file("s.py", "import kafka\n__main__\n", false)), None);
        let dag = format!("{head}s = SparkSession.builder.getOrCreate().readStream\n");
        assert_eq!(kind(&file("dags/s.py", &dag, true)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_script_that_fails_is_started_again_and_one_that_ends_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("mark");
        let shell = format!(
            "test -e {0} && echo second && exit 0; echo first; > {0}; exit 3",
            mark.display()
        );
        let command = move |_: &Path| {
            let mut command = Command::new("sh");
            command.arg("-c").arg(&shell);
            command
        };
        let mut scripts = Scripts::start(&["s.py".into()], command, &World::real());
        let mut lines = Vec::new();
        for _ in 0..4 {
            lines.push(scripts.said().await.line);
        }
        scripts.stop().await;
        assert_eq!(lines[0], "first");
        assert!(lines[1].contains("exit status: 3") && lines[1].contains("in 1 s"), "{lines:?}");
        assert_eq!(lines[2], "second");
        assert!(lines[3].contains("ended by itself"), "{lines:?}");
    }

    #[tokio::test]
    async fn a_script_ends_with_the_node() {
        let command = |_: &Path| {
            let mut command = Command::new("sh");
            command.arg("-c").arg("echo up; exec sleep 1000");
            command
        };
        let mut scripts = Scripts::start(&["s.py".into()], command, &World::real());
        assert_eq!(scripts.said().await.line, "up");
        scripts.stop().await;
    }
}
