//! `tidemill doctor`: is this machine and this project fit, and what mends what is not?

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tidemill_runtime::{OpenMode, World};

use super::Context;
use crate::compose::{ComposeProject, Environment};
use crate::config::Config;
use crate::exit::CheckFailed;
use crate::node::Ready;
use crate::output::{self, duration_ms};

/// Below this the log's preallocated segments and the store's journal get tight.
const FREE_BYTES_MIN: u64 = 2 << 30;
/// A slower disk still works; every acknowledgement then waits that long.
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// Syncs that are timed.
const SYNCS: usize = 50;
/// One open file per segment, connection and table.
const OPEN_FILES_MIN: u64 = 1024;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// It works, not well.
    Doubtful,
    Bad,
}

struct Check {
    what: &'static str,
    verdict: Verdict,
    found: String,
    /// What to type or do.
    mend: Option<String>,
}

pub(crate) async fn run(context: Context) -> anyhow::Result<()> {
    let mut checks = vec![];
    match context.config() {
        Err(error) => checks.push(bad("configuration", error.to_string(), None)),
        Ok(config) => {
            checks.push(good("configuration", format!("project {config}")));
            let running = Ready::of_running(&config.data_dir());
            checks.push(match &running {
                Some(ready) => good("node", format!("runs with pid {}", ready.pid)),
                None => good("node", "does not run".to_owned()),
            });
            if running.is_none() {
                checks.extend(ports(&config));
            }
            checks.extend(disk(&context.world, &config.data_dir()));
            checks.extend(compose(&config).await);
        }
    }
    checks.push(open_files());
    checks.push(python().await);
    for check in &checks {
        print(&context, check)?;
    }
    let bad = checks.iter().filter(|check| check.verdict == Verdict::Bad).count();
    if bad > 0 {
        anyhow::bail!(CheckFailed(format!("{bad} of {} checks failed", checks.len())));
    }
    Ok(())
}

fn print(context: &Context, check: &Check) -> anyhow::Result<()> {
    let (mark, word) = match check.verdict {
        Verdict::Good => ("✓", "good"),
        Verdict::Doubtful => ("!", "doubtful"),
        Verdict::Bad => ("✗", "bad"),
    };
    if context.json {
        return output::json(&json!({
            "check": check.what, "verdict": word, "found": check.found, "mend": check.mend,
        }));
    }
    output::line(&format!("{mark} {:<15} {}", check.what, check.found))?;
    match &check.mend {
        Some(mend) => output::line(&format!("{:18}{mend}", "")),
        None => Ok(()),
    }
}

fn good(what: &'static str, found: String) -> Check {
    Check { what, verdict: Verdict::Good, found, mend: None }
}

fn bad(what: &'static str, found: String, mend: Option<String>) -> Check {
    Check { what, verdict: Verdict::Bad, found, mend }
}

/// Whether every box could listen where it is told to.
fn ports(config: &Config) -> Vec<Check> {
    let external = [
        ("BROKER", config.broker.external().is_some()),
        ("REGISTRY", config.registry.external().is_some()),
        ("STORE", config.store.external().is_some()),
    ];
    let wanted: [(&str, SocketAddr, &'static str); 6] = [
        ("BROKER", config.broker.settings().listen, "port broker"),
        ("REGISTRY", config.registry.settings().listen, "port registry"),
        ("SCHEDULER", config.scheduler.settings().listen, "port scheduler"),
        ("STORE", config.store.settings().listen, "port store"),
        ("ENGINE", config.engine.settings().listen, "port engine"),
        ("CONSOLE", config.console.settings().listen, "port console"),
    ];
    wanted
        .into_iter()
        .filter(|(section, ..)| !external.contains(&(*section, true)))
        .map(|(section, address, what)| match TcpListener::bind(address) {
            Ok(_) => good(what, format!("{address} is free")),
            Err(error) => bad(
                what,
                format!("{address}: {error}"),
                Some(format!("TIDEMILL__{section}__LISTEN={}:0 takes a free port", address.ip())),
            ),
        })
        .collect()
}

/// Space, and how long a sync takes: every acknowledgement waits for one.
fn disk(world: &World, data: &Path) -> Vec<Check> {
    // The nearest directory that exists: a doctor makes none.
    let Some(dir) = data.ancestors().find(|dir| dir.is_dir()) else {
        return vec![bad("disk", format!("no directory above {}", data.display()), None)];
    };
    let mut checks = Vec::new();
    match rustix::fs::statvfs(dir) {
        Ok(stat) => {
            let free = stat.f_bavail * stat.f_frsize;
            let found = format!("{:.1} GB free at {}", free as f64 / 1e9, dir.display());
            checks.push(if free >= FREE_BYTES_MIN {
                good("disk space", found)
            } else {
                let mend = "make room, or choose another place: [project] data_dir".to_owned();
                bad("disk space", found, Some(mend))
            });
        }
        Err(error) => checks.push(bad("disk space", error.to_string(), None)),
    }
    checks.push(match sync_times(world, dir) {
        Ok((p50, p99)) => {
            let ms = |time: Duration| duration_ms(time.as_secs_f64() * 1000.0);
            let found = format!("fsync of 4 KiB: p50 {}, p99 {}", ms(p50), ms(p99));
            match p50 <= SYNC_SLOW {
                true => good("disk sync", found),
                false => Check {
                    what: "disk sync",
                    verdict: Verdict::Doubtful,
                    found,
                    mend: Some("a disk nearer by makes every acknowledgement faster".to_owned()),
                },
            }
        }
        Err(error) => bad("disk sync", format!("{}: {error}", dir.display()), None),
    });
    checks
}

fn sync_times(world: &World, dir: &Path) -> std::io::Result<(Duration, Duration)> {
    let path = dir.join(format!(".tidemill-doctor-{}", std::process::id()));
    let file = world.disk.open(&path, OpenMode::OrCreate)?;
    let mut times = Vec::with_capacity(SYNCS);
    let mut measure = || -> std::io::Result<()> {
        for n in 0..SYNCS as u64 {
            let begun = world.clock.monotonic();
            file.write_all_at(&[0x5a; 4096], n * 4096)?;
            file.sync_data()?;
            times.push(world.clock.monotonic() - begun);
        }
        Ok(())
    };
    let measured = measure();
    world.disk.remove_file(&path)?;
    measured?;
    times.sort_unstable();
    Ok((times[SYNCS / 2], times[SYNCS - 1]))
}

fn open_files() -> Check {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    match limit.current {
        Some(current) if current < OPEN_FILES_MIN => Check {
            what: "open files",
            verdict: Verdict::Doubtful,
            found: format!("limit {current}"),
            mend: Some("ulimit -n 65536".to_owned()),
        },
        Some(current) => good("open files", format!("limit {current}")),
        None => good("open files", "no limit".to_owned()),
    }
}

/// What a compose project's files import and lack, and what is wrong in them.
async fn compose(config: &Config) -> Vec<Check> {
    // A file that cannot be read is in the configuration's own check.
    let found = ComposeProject::find(&config.dir, std::env::vars());
    let Ok(Some(project)) = found else { return Vec::new() };
    let sources = project.sources();
    let mut checks = match Environment::lacking(&project.dir, &sources).await {
        Ok(lacking) if lacking.is_empty() => {
            vec![good("python packages", "all that the files import are there".to_owned())]
        }
        Ok(lacking) => lacking
            .into_iter()
            .map(|(module, why)| {
                let mend = format!("tidemill up {} installs it", project.dir.display());
                let found = format!("{module} cannot be imported: {why}");
                Check {
                    what: "python packages",
                    verdict: Verdict::Doubtful,
                    found,
                    mend: Some(mend),
                }
            })
            .collect(),
        Err(missing) => vec![bad("python packages", missing.to_string(), None)],
    };
    for notice in project.notices(&sources) {
        let verdict = if notice.breaks { Verdict::Doubtful } else { Verdict::Good };
        let found = format!("{}  {}", notice.place, notice.what);
        let mend = notice.mend.map(|mend| format!("instead: {mend}"));
        checks.push(Check { what: "project files", verdict, found, mend });
    }
    checks
}

/// Only tasks that are Python need it.
async fn python() -> Check {
    let version = tokio::process::Command::new("python3").arg("--version").output().await;
    match version {
        Ok(output) if output.status.success() => {
            good("python3", String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        _ => Check {
            what: "python3",
            verdict: Verdict::Doubtful,
            found: "not found; only tasks written in Python need it".to_owned(),
            mend: Some("apt-get install python3".to_owned()),
        },
    }
}
