//! One `tidemill.toml`, overridden by the environment, overridden by the command line.
//!
//! Every box owns its own `Config`; this file only puts the layers together and tells which key,
//! in which line, is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::de::DeserializeOwned;
use tidemill_runtime::Span;
use toml::{Table, Value};

/// The file a project is recognised by.
pub(crate) const FILE: &str = "tidemill.toml";

/// `TIDEMILL__BROKER__LISTEN` sets `[broker] listen`.
const ENV_PREFIX: &str = "TIDEMILL__";

/// A box is ours, or a real system that runs elsewhere.
#[derive(Debug, Clone)]
pub(crate) enum Use<C> {
    /// Started in this process.
    Embedded(C),
    /// Not started: this node did not get the box in `--only`.
    Off(C),
}

impl<C> Use<C> {
    /// The settings, whether it runs or not.
    pub(crate) fn settings(&self) -> &C {
        match self {
            Use::Embedded(own) | Use::Off(own) => own,
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
    pub(crate) project: Project,
    pub(crate) broker: Use<tidemill_broker::Config>,
    pub(crate) store: Use<tidemill_store::Config>,
    pub(crate) registry: Use<tidemill_registry::Config>,
    pub(crate) scheduler: Use<tidemill_scheduler::Config>,
    pub(crate) engine: Use<tidemill_engine::Config>,
    pub(crate) console: Use<tidemill_console::Config>,
}

/// The names of the boxes, in the order in which data flows.
pub(crate) const BOXES: [&str; 6] =
    ["scheduler", "broker", "registry", "engine", "store", "console"];

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {path}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} is not TOML: {message}")]
    NotToml { path: PathBuf, message: String },
    /// A key or value is wrong; `place` is a file and line, or the variable that set it.
    #[error("{place}: {message}")]
    Wrong { place: String, message: String },
}

impl Config {
    /// Reads `tidemill.toml` in `dir`, if there is one, and lays `environment` over it.
    pub(crate) fn load(
        dir: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let path = dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(ConfigError::Unreadable { path, source }),
        };
        let tables = text.parse::<Table>().map_err(|error| ConfigError::NotToml {
            path: path.clone(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let mut layers = Layers { path, text, tables, variables: BTreeMap::new() };
        layers.overlay(environment)?;
        let config = Config {
            dir: dir.to_owned(),
            project: layers.section("project")?,
            broker: Use::Embedded(layers.section("broker")?),
            store: Use::Embedded(layers.section("store")?),
            registry: Use::Embedded(layers.section("registry")?),
            scheduler: Use::Embedded(layers.section("scheduler")?),
            engine: Use::Embedded(layers.section("engine")?),
            console: Use::Embedded(layers.section("console")?),
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
        switch(&mut self.broker, keep("broker"));
        switch(&mut self.store, keep("store"));
        switch(&mut self.registry, keep("registry"));
        switch(&mut self.scheduler, keep("scheduler"));
        switch(&mut self.engine, keep("engine"));
        switch(&mut self.console, keep("console"));
        Ok(())
    }
}

fn switch<C: Clone>(what: &mut Use<C>, on: bool) {
    if !on {
        *what = Use::Off(what.settings().clone());
    }
}

/// The file and the environment before the boxes have read their parts.
struct Layers {
    path: PathBuf,
    text: String,
    tables: Table,
    /// `section.key` to the variable that set it.
    variables: BTreeMap<String, String>,
}

impl Layers {
    fn overlay(
        &mut self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (name, text) in environment {
            let Some(path) = name.strip_prefix(ENV_PREFIX) else { continue };
            let path = path.to_ascii_lowercase();
            let Some((section, key)) = path.split_once("__") else {
                return Err(ConfigError::Wrong {
                    place: name.clone(),
                    message: format!(
                        "names no key; write {ENV_PREFIX}SECTION__KEY, such as \
                         {ENV_PREFIX}BROKER__LISTEN=127.0.0.1:19092"
                    ),
                });
            };
            let table = self.tables.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(table) = table {
                table.insert(key.to_owned(), typed(&text));
                self.variables.insert(format!("{section}.{key}"), name);
            }
        }
        Ok(())
    }

    /// Takes one section out and reads it as its box wants it.
    fn section<T: DeserializeOwned + Default>(&mut self, name: &str) -> Result<T, ConfigError> {
        let Some(mut value) = self.tables.remove(name) else { return Ok(T::default()) };
        if let Value::Table(table) = &mut value
            && let Some(chosen) = table.remove("use")
            && chosen.as_str() != Some("embedded")
        {
            return Err(self.wrong(
                name,
                &format!("`use = {chosen}` is not known in this version; write use = \"embedded\""),
            ));
        }
        value.try_into().map_err(|error: toml::de::Error| self.wrong(name, error.message()))
    }

    fn nothing_left(&self) -> Result<(), ConfigError> {
        match self.tables.keys().next() {
            None => Ok(()),
            Some(name) => {
                let known = BOXES.join("], [");
                let message = format!("unknown section [{name}]; known are [project], [{known}]");
                Err(self.wrong(name, &message))
            }
        }
    }

    /// Says where: the variable that set the key, or the line that the message names a key of.
    fn wrong(&self, section: &str, message: &str) -> ConfigError {
        let key = message.split('`').nth(1).unwrap_or_default();
        let set_by = self.variables.iter().find(|(path, _)| {
            **path == format!("{section}.{key}")
                || (path.starts_with(section) && !self.text.contains(&format!("[{section}]")))
        });
        let place = match (set_by, self.line_of(section, key)) {
            (Some((_, variable)), _) => variable.clone(),
            (None, Some(line)) => format!("{}:{line}", self.path.display()),
            (None, None) => self.path.display().to_string(),
        };
        ConfigError::Wrong { place, message: format!("[{section}] {}", message.trim_end()) }
    }

    fn line_of(&self, section: &str, key: &str) -> Option<usize> {
        let lines = || self.text.lines().enumerate();
        let (start, _) = lines().find(|(_, line)| line.trim() == format!("[{section}]"))?;
        let within = lines().skip(start + 1).take_while(|(_, line)| !line.starts_with('['));
        let named = within.into_iter().find(|(_, line)| {
            line.split_once('=').is_some_and(|(name, _)| !key.is_empty() && name.trim() == key)
        });
        Some(named.map_or(start, |(number, _)| number) + 1)
    }
}

/// A variable has no type: what reads as a TOML number or truth value is one, the rest is text.
fn typed(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return Value::Integer(number);
    }
    match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        _ => Value::String(text.to_owned()),
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.project.name, self.dir.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), text).unwrap();
        let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(dir.path(), pairs)
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let text = "[broker]\nlisten = \"127.0.0.1:1111\"\n";
        let config = load(text, &[("TIDEMILL__BROKER__LISTEN", "127.0.0.1:19092")]).unwrap();
        assert_eq!(config.broker.settings().listen.port(), 19092);
        let config = load(text, &[]).unwrap();
        assert_eq!(config.broker.settings().listen.port(), 1111);
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line_and_the_known_ones() {
        let error = load("[project]\nname = \"x\"\n\n[broker]\nlissten = \"a\"\n", &[]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("tidemill.toml:5: [broker] unknown field `lissten`"), "{error}");
        assert!(error.contains("listen"), "{error}");
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let error = load("", &[("TIDEMILL__STORE__LISTEN", "everywhere")]).unwrap_err();
        assert!(error.to_string().starts_with("TIDEMILL__STORE__LISTEN: [store]"), "{error}");
        let error = load("", &[("TIDEMILL__STORES__LISTEN", "127.0.0.1:1")]).unwrap_err();
        assert!(error.to_string().contains("unknown section [stores]"), "{error}");
    }

    #[test]
    fn a_syntax_error_shows_the_line() {
        let error = load("[broker\n", &[]).unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
    }

    #[test]
    fn only_the_named_boxes_run() {
        let mut config = load("", &[]).unwrap();
        config.only(&["broker".into(), "store".into()]).unwrap();
        assert!(matches!((&config.broker, &config.store), (Use::Embedded(_), Use::Embedded(_))));
        assert!(matches!((&config.engine, &config.console), (Use::Off(_), Use::Off(_))));
        let error = config.only(&["brokers".into()]).unwrap_err().to_string();
        assert!(error.contains("brokers") && error.contains("registry"), "{error}");
    }
}
