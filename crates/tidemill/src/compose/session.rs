//! What `tidemill up` does around the node for a compose project: says what it understood, finds an
//! interpreter, opens the remaining ports, runs the streaming scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemill_runtime::{ListenError, Tasks, World, listen};

use super::defects::Notice;
use super::project::ComposeProject;
use super::python::{Environment, Missing};
use super::role::Part;
use super::scripts::{self, Kind, Scripts};
use super::sources::Sources;
use super::{offline, relay, report};
use crate::arguments::Up;
use crate::config::{Config, ConfigError, Use};
use crate::exit::Conflict;
use crate::hosts;
use crate::node::Endpoints;
use crate::output;

/// What was told before, inside the data directory: each notice is told once.
const TOLD: &str = "told.json";
/// How long relays and the look-alike may take to end.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// A compose project that is being started.
pub(crate) struct Session {
    project: ComposeProject,
    sources: Sources,
    notices: Vec<Notice>,
    /// Every port is any free one.
    any_ports: bool,
    /// Streaming scripts are started.
    run_scripts: bool,
    /// The address of the look-alike, and what leads children to it.
    stand_in: Option<(SocketAddr, BTreeMap<String, String>)>,
    json: bool,
    world: World,
    tasks: Tasks,
}

impl Session {
    /// Reads the compose file of `dir`, says what becomes of it, and prepares what its files need.
    /// None if the folder has no compose file.
    pub(crate) async fn prepare(
        dir: &Path,
        up: &Up,
        json: bool,
        world: &World,
    ) -> anyhow::Result<Option<Session>> {
        let found = ComposeProject::find(dir, std::env::vars()).map_err(ConfigError::from)?;
        let Some(project) = found else { return Ok(None) };
        let sources = project.sources();
        let notices = project.notices(&sources);
        let mut session = Session {
            project,
            sources,
            notices,
            any_ports: up.ports == crate::arguments::Ports::Auto,
            run_scripts: !up.no_scripts,
            stand_in: None,
            json,
            world: world.clone(),
            tasks: Tasks::new(),
        };
        session.introduce()?;
        if !session.any_ports {
            session.ports_are_free()?;
        }
        session.find_interpreter().await?;
        if up.offline {
            let data_dir = up.data_dir.clone().unwrap_or_else(|| dir.join(".tidemill"));
            let stand_in = offline::stand_in(&data_dir, world, &session.tasks).await?;
            session.say(&format!(
                "offline  {} is answered by the look-alike in this binary, for this project's \
                 tasks and scripts only",
                offline::STOOD_IN[0]
            ))?;
            session.stand_in = Some(stand_in);
        }
        Ok(Some(session))
    }

    /// A line for people; programs get one object in the end.
    fn say(&self, text: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { output::line(text) }
    }

    /// Which service became which box, and what is wrong in the project's own files.
    fn introduce(&self) -> anyhow::Result<()> {
        let ComposeProject { file, plan, .. } = &self.project;
        self.say(&format!("{file}: {} services", plan.lines.len()))?;
        let runs = |part: Part| crate::config::BOXES.contains(&part.section());
        for line in report::services(&self.project, runs) {
            self.say(&format!("  {line}"))?;
        }
        if let Some(text) = report::settings(plan) {
            self.say(&format!("  {text}"))?;
        }
        let told = self.told();
        let known = |notice: &&Notice| !notice.breaks && told.contains(&notice.key());
        let fresh: Vec<&Notice> = self.notices.iter().filter(|notice| !known(notice)).collect();
        if !fresh.is_empty() {
            self.say("in the project's own files, which stay as they are:")?;
        }
        for Notice { place, what, mend, breaks } in &fresh {
            let mend = mend.as_ref().map(|mend| format!("instead: {mend}"));
            match (breaks, mend) {
                (true, Some(mend)) => {
                    self.say(&format!("  ✗ {place}  {what}"))?;
                    self.say(&format!("      {mend}"))?;
                }
                (true, None) => self.say(&format!("  ✗ {place}  {what}"))?,
                (false, Some(mend)) => self.say(&format!("  · {place}  {what} ({mend})"))?,
                (false, None) => self.say(&format!("  · {place}  {what}"))?,
            }
        }
        let before = self.notices.len() - fresh.len();
        if before > 0 {
            self.say(&format!(
                "  {before} notices were told before; all of them: tidemill doctor"
            ))?;
        }
        Ok(())
    }

    fn told_file(&self) -> PathBuf {
        self.project.dir.join(".tidemill").join(TOLD)
    }

    fn told(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.told_file()).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Remembers what was told; without it, it is told again.
    fn remember(&self) {
        let keys: BTreeSet<String> = self.notices.iter().map(Notice::key).collect();
        let written = serde_json::to_vec(&keys).map_err(std::io::Error::other);
        let path = self.told_file();
        if let Err(error) = written.and_then(|bytes| std::fs::write(&path, bytes)) {
            tracing::debug!(%error, file = %path.display(), "what was told is not remembered");
        }
    }

    /// Every published port can be opened, or the program that has it is named.
    fn ports_are_free(&self) -> anyhow::Result<()> {
        let lines = &self.project.plan.lines;
        for (line, port) in
            lines.iter().flat_map(|line| line.opened.iter().map(move |p| (line, *p)))
        {
            match listen(loopback(port), "ports of the compose file") {
                Ok(_) => {}
                Err(ListenError::Taken { holder, .. }) => anyhow::bail!(Conflict(format!(
                    "port {port}, which {} publishes for service {}, is taken by {holder}; stop it, \
                     or let every part take a free port: tidemill up --ports auto",
                    self.project.file, line.service
                ))),
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    /// An interpreter for the project's files. Without one the other parts still run.
    async fn find_interpreter(&self) -> anyhow::Result<()> {
        let needs_none =
            self.sources.files.iter().all(|file| !file.is_dag && !file.imports("pyspark"));
        // Who names an interpreter has seen to it.
        if needs_none || std::env::var_os("TIDEMILL__SCHEDULER__PYTHON").is_some() {
            return Ok(());
        }
        let shows = !self.json && std::io::stderr().is_terminal();
        let begun = self.world.clock.monotonic();
        let mut progress = |text: &str| {
            let mut stderr = std::io::stderr().lock();
            let written = if shows {
                write!(stderr, "\r\x1b[2K  python: {text}").and_then(|()| stderr.flush())
            } else {
                writeln!(stderr, "  python: {text}")
            };
            // A closed stderr is no reason to stop.
            drop(written);
        };
        let prepared = Environment::prepare(&self.project.dir, &self.sources, &mut progress).await;
        if shows {
            eprint!("\r\x1b[2K");
        }
        match prepared {
            Ok(environment) if environment.installed.is_empty() => Ok(()),
            Ok(environment) => {
                let took = (self.world.clock.monotonic() - begun).as_secs();
                let packages = environment.installed.join(", ");
                self.say(&format!("python   .tidemill/python made in {took} s: {packages}"))?;
                environment.notes.iter().try_for_each(|note| self.say(&format!("  ! {note}")))
            }
            Err(
                missing @ (Missing::Interpreter | Missing::Venv { .. } | Missing::Packages { .. }),
            ) => {
                eprintln!("✗ {missing}");
                Ok(())
            }
        }
    }

    /// What the configuration says differently because of this start.
    pub(crate) fn apply(&self, config: &mut Config) {
        if self.any_ports {
            any_ports(config);
        }
        if let (Some((address, variables)), Use::Embedded(own)) =
            (&self.stand_in, &mut config.scheduler)
        {
            own.environment.extend(variables.clone());
            own.hosts.extend(offline::STOOD_IN.map(|name| (name.to_owned(), *address)));
        }
    }

    /// After the boxes answer: the remaining ports, and the streaming scripts.
    pub(crate) async fn beside(
        &self,
        config: &Config,
        endpoints: &Endpoints,
    ) -> anyhow::Result<Scripts> {
        if self.json {
            output::json(&report::json(&self.project, &self.notices))?;
        }
        self.remember();
        if !self.any_ports {
            for (port, part) in &self.project.plan.relays {
                let published = port.to_string();
                let hosts = BTreeMap::from([(published.clone(), part.section().to_owned())]);
                if let Some(to) = hosts::addresses(&hosts, endpoints).await.remove(&published) {
                    relay::start(loopback(*port), to, &self.tasks)?;
                }
            }
        }
        let at = self.project.dir.display();
        for script in scripts::found(&self.sources, Kind::Batch) {
            self.say(&format!("  batch script: tidemill -C {at} run {}", script.display()))?;
        }
        let streaming = scripts::found(&self.sources, Kind::Streaming);
        if !self.run_scripts {
            for script in &streaming {
                self.say(&format!("  stream script: tidemill -C {at} run {}", script.display()))?;
            }
            return Ok(Scripts::none());
        }
        let variables = hosts::environment(config, endpoints, &self.world).await?;
        let interpreter = PathBuf::from(&config.scheduler.settings().python);
        let dir = std::path::absolute(&self.project.dir)?;
        let command = move |script: &Path| {
            let mut command = scripts::launcher(&interpreter, &dir.join(script));
            command.envs(variables.iter().cloned()).current_dir(&dir);
            command
        };
        Ok(Scripts::start(&streaming, command, &self.world))
    }

    /// Closes what was opened beside the node.
    pub(crate) async fn stop(self) {
        self.tasks.stop(STOP_WITHIN).await;
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Every box takes a free port.
fn any_ports(config: &mut Config) {
    let any = loopback(0);
    macro_rules! any {
        ($($box:ident),*) => {
            $(if let Use::Embedded(own) = &mut config.$box { own.listen = any; })*
        };
    }
    if let Use::Embedded(engine) = &mut config.engine {
        engine.spark_listen = any;
    }
    any!(coordination, broker, store, registry, scheduler, engine, console);
}
