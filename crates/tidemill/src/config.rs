//! One `tidemill.toml`, overlaid by the chosen profile, overridden by the environment, overridden by
//! the command line.
//!
//! Every box owns its own `Config`, and every real system in its place has one in `external`; this
//! file only puts the layers together and tells which key, in which line, is wrong.

mod external;
mod layers;

use std::fmt;
use std::path::{Path, PathBuf};

use tidemill_access::{CassandraAccess, RegistryAccess};
use tidemill_kafka_client::ClientConfig;
use tidemill_runtime::Span;

pub(crate) use self::external::{Never, ZooKeeperAccess};
use self::layers::Layers;
use crate::compose::ComposeError;
use crate::hosts::Hosts;

/// The file a project is recognised by.
pub(crate) const FILE: &str = "tidemill.toml";

/// Which of the file's `[profile.NAME.…]` tables are laid over the others.
pub(crate) const PROFILE_VARIABLE: &str = "TIDEMILL_PROFILE";

/// The name of the file without any profile laid over it.
pub(crate) const BASE_PROFILE: &str = "local";

/// A box is ours, or a real system that runs elsewhere.
#[derive(Debug, Clone)]
pub(crate) enum Use<C, X = Never> {
    /// Started in this process.
    Embedded(C),
    /// A real system in its place.
    External {
        /// How it is reached.
        system: X,
        /// What ours was told, for the day it is used again.
        own: C,
    },
    /// Not started: this node did not get the box in `--only`.
    Off(C),
}

impl<C, X> Use<C, X> {
    /// The settings of our own box, whether it runs or not.
    pub(crate) fn settings(&self) -> &C {
        match self {
            Use::Embedded(own) | Use::Off(own) | Use::External { own, .. } => own,
        }
    }

    /// The real system, if there is one in the place of ours.
    pub(crate) fn external(&self) -> Option<&X> {
        match self {
            Use::External { system, .. } => Some(system),
            Use::Embedded(_) | Use::Off(_) => None,
        }
    }
}

/// `[project]`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Project {
    /// Shown on every screen.
    pub(crate) name: String,
    /// Where everything durable lies; relative to the project.
    pub(crate) data_dir: PathBuf,
    /// How long boxes may finish their work when the node is told to stop.
    pub(crate) drain_timeout: Span,
}

impl Default for Project {
    fn default() -> Project {
        Project {
            name: "tidemill".into(),
            data_dir: ".tidemill".into(),
            drain_timeout: Span::secs(8),
        }
    }
}

/// The whole configuration of a node.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The directory of the project.
    pub(crate) dir: PathBuf,
    /// The profile laid over the file.
    pub(crate) profile: Option<String>,
    /// All profiles the file has.
    pub(crate) profiles: Vec<String>,
    pub(crate) project: Project,
    pub(crate) broker: Use<tidemill_broker::Config, ClientConfig>,
    pub(crate) store: Use<tidemill_store::Config, CassandraAccess>,
    pub(crate) registry: Use<tidemill_registry::Config, RegistryAccess>,
    /// Names of the boxes in tasks and scripts, such as `broker:29092`, and their sections.
    pub(crate) hosts: Hosts,
    pub(crate) coordination: Use<tidemill_coordination::Config, ZooKeeperAccess>,
    pub(crate) scheduler: Use<tidemill_scheduler::Config>,
    pub(crate) engine: Use<tidemill_engine::Config>,
    pub(crate) console: Use<tidemill_console::Config>,
}

/// The names of the boxes, in the order in which data flows.
pub(crate) const BOXES: [&str; 7] =
    ["coordination", "scheduler", "broker", "registry", "engine", "store", "console"];

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {path}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The line itself is not shown: a password may be in it.
    #[error("{path} is not TOML, line {line}: {message}")]
    NotToml { path: PathBuf, line: usize, message: String },
    /// A key or value is wrong; `place` is a file and line, or the variable that set it.
    #[error("{place}: {message}")]
    Wrong { place: String, message: String },
    /// The compose file that stands in the place of `tidemill.toml`.
    #[error(transparent)]
    Compose(#[from] ComposeError),
}

impl Config {
    /// Reads `tidemill.toml` in `dir`, if there is one, lays the profile that `environment` names
    /// over it, and then the rest of `environment`. Of two variables of one name the later counts.
    pub(crate) fn load(
        dir: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let mut layers = Layers::read(dir)?;
        layers.overlay(environment)?;
        let config = Config {
            dir: dir.to_owned(),
            profile: layers.profile(),
            profiles: layers.profiles(),
            project: layers.section("project")?,
            broker: layers.choice("broker")?,
            store: layers.choice("store")?,
            registry: layers.choice("registry")?,
            hosts: layers.section("hosts")?,
            coordination: layers.choice("coordination")?,
            scheduler: layers.choice("scheduler")?,
            engine: layers.choice("engine")?,
            console: layers.choice("console")?,
        };
        layers.nothing_left()?;
        Ok(config)
    }

    /// Where everything durable lies.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.join(&self.project.data_dir)
    }

    /// Starts only the named boxes.
    pub(crate) fn only(&mut self, names: &[String]) -> Result<(), ConfigError> {
        for name in names {
            if !BOXES.contains(&name.as_str()) {
                let known = BOXES.join(", ");
                return Err(ConfigError::Wrong {
                    place: "--only".into(),
                    message: format!("there is no box {name:?}; the boxes are {known}"),
                });
            }
        }
        let keep = |name: &str| names.iter().any(|wanted| wanted == name);
        switch(&mut self.coordination, keep("coordination"));
        switch(&mut self.broker, keep("broker"));
        switch(&mut self.store, keep("store"));
        switch(&mut self.registry, keep("registry"));
        switch(&mut self.scheduler, keep("scheduler"));
        switch(&mut self.engine, keep("engine"));
        switch(&mut self.console, keep("console"));
        Ok(())
    }
}

/// A real system is there whatever this node starts.
fn switch<C: Clone, X>(what: &mut Use<C, X>, on: bool) {
    if !on && let Use::Embedded(own) = what {
        *what = Use::Off(own.clone());
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.project.name, self.dir.display())
    }
}

#[cfg(test)]
mod tests;
