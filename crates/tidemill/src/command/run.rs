//! `tidemill run`: a script of the project in the foreground, beside the node that runs: its names
//! lead to the boxes, and Spark is the engine.

use std::io::IsTerminal as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use anyhow::Context as _;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::{Context, sql};
use crate::arguments::{Run, Statement};
use crate::compose;
use crate::exit::NotReady;
use crate::hosts;

/// A shell adds this to the signal that ended a program.
const SIGNALLED: i32 = 128;

pub(crate) async fn run(context: Context, run: Run) -> anyhow::Result<()> {
    if !run.script.is_file() {
        anyhow::bail!("there is no file {}", run.script.display());
    }
    let kind = run.script.extension().and_then(|extension| extension.to_str());
    if kind == Some("sql") {
        return sql::run(context, Statement { command: None, file: Some(run.script) }).await;
    }
    let (Some(ready), config) = context.running()? else {
        let dir = context.dir.display();
        anyhow::bail!(NotReady(format!("nothing runs here; start it with: tidemill up {dir}")));
    };
    let script = std::path::absolute(&run.script)?;
    let mut command = match kind {
        Some("sh") => {
            let mut bash = Command::new("bash");
            bash.arg(&script);
            bash
        }
        _ => compose::launcher(Path::new(&config.scheduler.settings().python), &script),
    };
    command.args(&run.arguments);
    command.envs(hosts::environment(&config, &ready.endpoints, &context.world).await?);
    let child = command.spawn().with_context(|| {
        let program = command.as_std().get_program().display();
        format!("cannot start {program}; what is missing tells: tidemill doctor")
    })?;
    let code = to_its_end(child).await?;
    // The script's own code, whatever it means.
    std::process::exit(code)
}

/// Waits for the child and passes on what this process is asked to do.
async fn to_its_end(mut child: Child) -> anyhow::Result<i32> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        let signal = tokio::select! {
            status = child.wait() => {
                let status = status?;
                return Ok(status.code().unwrap_or(SIGNALLED + status.signal().unwrap_or(0)));
            }
            // A terminal tells the script itself.
            _ = interrupt.recv() => match std::io::stdin().is_terminal() {
                true => continue,
                false => rustix::process::Signal::INT,
            },
            _ = terminate.recv() => rustix::process::Signal::TERM,
        };
        let pid = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid
            && let Err(error) = rustix::process::kill_process(pid, signal)
        {
            tracing::debug!(%error, "the script is gone");
        }
    }
}
