//! The file, the profile and the environment before the boxes have read their parts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::compose;

use super::external::External;
use super::{BASE_PROFILE, BOXES, ConfigError, FILE, PROFILE_VARIABLE, Use};

/// `TIDEMILL__BROKER__LISTEN` sets `[broker] listen`.
const ENV_PREFIX: &str = "TIDEMILL__";

/// What is read so far. Sections are taken out one by one.
pub(super) struct Layers {
    path: PathBuf,
    text: String,
    tables: Table,
    /// The file's `[profile.NAME]` tables.
    profiles: Table,
    profile: Option<String>,
    /// `section.key` to the variable that set it.
    variables: BTreeMap<String, String>,
}

impl Layers {
    /// Reads the file; nothing, if there is none.
    pub(super) fn read(dir: &Path) -> Result<Layers, ConfigError> {
        let path = dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(ConfigError::Unreadable { path, source }),
        };
        let below = match text.is_empty() {
            true => compose::tables(dir)?,
            false => Table::new(),
        };
        let mut tables = text.parse::<Table>().map_err(|error| {
            let before = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = error.message().trim_end().to_owned();
            ConfigError::NotToml { path: path.clone(), line, message }
        })?;
        let profiles = match tables.remove("profile") {
            None => Table::new(),
            Some(Value::Table(profiles)) => profiles,
            Some(_) => {
                let place = path.display().to_string();
                let message = "profiles are tables, such as [profile.cluster.broker]".to_owned();
                return Err(ConfigError::Wrong { place, message });
            }
        };
        tables.extend(below);
        Ok(Layers { path, text, tables, profiles, profile: None, variables: BTreeMap::new() })
    }

    /// Lays the chosen profile over the file, and the variables over both.
    pub(super) fn overlay(
        &mut self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        let mut keys = Vec::new();
        let mut chosen = None;
        for (name, text) in environment {
            if name == PROFILE_VARIABLE {
                chosen = Some(text);
            } else if name.starts_with(ENV_PREFIX) {
                keys.push((name, text));
            }
        }
        if let Some(name) = chosen.filter(|name| !name.is_empty()) {
            self.overlay_profile(&name)?;
        }
        keys.into_iter().try_for_each(|(name, text)| self.overlay_key(name, &text))
    }

    fn overlay_profile(&mut self, name: &str) -> Result<(), ConfigError> {
        match self.profiles.get(name).cloned() {
            Some(Value::Table(sections)) => {
                for (section, value) in sections {
                    self.overlay_section(name, &section, value)?;
                }
            }
            Some(_) => {
                let message = format!("profile {name} is not a table of sections");
                return Err(ConfigError::Wrong { place: self.path.display().to_string(), message });
            }
            None if name == BASE_PROFILE => {}
            None => {
                let known = self.profiles().join(", ");
                let message = format!("there is no profile {name:?}; known are {known}");
                return Err(ConfigError::Wrong { place: self.path.display().to_string(), message });
            }
        }
        self.profile = Some(name.to_owned());
        Ok(())
    }

    fn overlay_section(
        &mut self,
        profile: &str,
        section: &str,
        value: Value,
    ) -> Result<(), ConfigError> {
        let Value::Table(keys) = value else {
            let message = format!(
                "`{section}` of profile {profile} is not a section; write \
                 [profile.{profile}.{section}]"
            );
            return Err(ConfigError::Wrong { place: self.path.display().to_string(), message });
        };
        let base = self.tables.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(base) = base {
            base.extend(keys);
        }
        Ok(())
    }

    fn overlay_key(&mut self, name: String, text: &str) -> Result<(), ConfigError> {
        let path = name[ENV_PREFIX.len()..].to_ascii_lowercase();
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
            table.insert(key.to_owned(), typed(text));
            self.variables.insert(format!("{section}.{key}"), name);
        }
        Ok(())
    }

    /// The profile that was chosen.
    pub(super) fn profile(&self) -> Option<String> {
        self.profile.clone()
    }

    /// All that could be chosen.
    pub(super) fn profiles(&self) -> Vec<String> {
        let own = self.profiles.keys().filter(|name| *name != BASE_PROFILE).cloned();
        std::iter::once(BASE_PROFILE.to_owned()).chain(own).collect()
    }

    /// Takes one section out and reads it as its box wants it.
    pub(super) fn section<T: DeserializeOwned + Default>(
        &mut self,
        name: &str,
    ) -> Result<T, ConfigError> {
        let Some(value) = self.tables.remove(name) else { return Ok(T::default()) };
        value.try_into().map_err(|error: toml::de::Error| self.wrong(name, error.message()))
    }

    /// Takes the section of a box out: `use` says whether ours is started or a real system is in
    /// its place. Keys of ours are allowed beside those of the real one, so that a profile can lay
    /// the one over the other.
    pub(super) fn choice<C, X>(&mut self, name: &str) -> Result<Use<C, X>, ConfigError>
    where
        C: DeserializeOwned + Default,
        X: External,
    {
        let mut theirs = Table::new();
        let mut is_external = false;
        if let Some(Value::Table(own)) = self.tables.get_mut(name) {
            let chosen = own.remove("use");
            theirs = take_keys(own, X::KEYS);
            is_external = match chosen.as_ref().map(|value| value.as_str()) {
                None | Some(Some("embedded")) => false,
                Some(Some("external")) if !X::KEYS.is_empty() => true,
                Some(_) => return Err(self.wrong_use(name, !X::KEYS.is_empty())),
            };
        }
        if let (false, Some(key)) = (is_external, theirs.keys().next()) {
            return Err(self.wrong(
                name,
                &format!(
                    "`{key}` is for a real system in place of ours: write use = \"external\" \
                     beside it, or take it out"
                ),
            ));
        }
        let own = self.section(name).map_err(|error| error.with_known(is_external, X::KEYS))?;
        if !is_external {
            return Ok(Use::Embedded(own));
        }
        let dir = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        let system = X::read(theirs, &dir).map_err(|message| self.wrong(name, &message))?;
        Ok(Use::External { system, own })
    }

    fn wrong_use(&self, section: &str, can_be_external: bool) -> ConfigError {
        let choices = if can_be_external { "\"embedded\" or \"external\"" } else { "\"embedded\"" };
        self.wrong(section, &format!("`use` is {choices}"))
    }

    pub(super) fn nothing_left(&self) -> Result<(), ConfigError> {
        match self.tables.keys().next() {
            None => Ok(()),
            Some(name) => {
                let known = BOXES.join("], [");
                let message =
                    format!("unknown section [{name}]; known are [project], [hosts], [{known}]");
                Err(self.wrong(name, &message))
            }
        }
    }

    /// Says where: the variable that set the key, or the line that the message names a key of.
    fn wrong(&self, section: &str, message: &str) -> ConfigError {
        let key = message.split('`').nth(1).unwrap_or_default();
        let set_by = self.variables.iter().find(|(path, _)| {
            **path == format!("{section}.{key}")
                || (path.starts_with(section) && !self.text.contains(&format!("{section}]")))
        });
        let place = match (set_by, self.line_of(section, key)) {
            (Some((_, variable)), _) => variable.clone(),
            (None, Some(line)) => format!("{}:{line}", self.path.display()),
            (None, None) => self.path.display().to_string(),
        };
        ConfigError::Wrong { place, message: format!("[{section}] {}", message.trim_end()) }
    }

    /// The line of a key, in the profile's section before the file's own; else the section's.
    fn line_of(&self, section: &str, key: &str) -> Option<usize> {
        let of_profile = self.profile.as_ref().map(|name| format!("[profile.{name}.{section}]"));
        let places: Vec<(usize, bool)> = of_profile
            .into_iter()
            .chain([format!("[{section}]")])
            .filter_map(|header| self.line_within(&header, key))
            .collect();
        let named = places.iter().find(|(_, is_key)| *is_key);
        named.or(places.first()).map(|(line, _)| *line)
    }

    /// The line of a key below a header, or else of the header; whether it is the key's.
    fn line_within(&self, header: &str, key: &str) -> Option<(usize, bool)> {
        let lines = || self.text.lines().enumerate();
        let is_header = |line: &str| line.split('#').next().unwrap_or_default().trim() == header;
        let (start, _) = lines().find(|(_, line)| is_header(line))?;
        let within = lines().skip(start + 1).take_while(|(_, line)| !line.starts_with('['));
        let named = within.into_iter().find(|(_, line)| {
            line.split_once('=').is_some_and(|(name, _)| !key.is_empty() && name.trim() == key)
        });
        Some(named.map_or((start + 1, false), |(number, _)| (number + 1, true)))
    }
}

impl ConfigError {
    /// An unknown key of a real system is compared with that one's keys too.
    fn with_known(mut self, is_external: bool, keys: &[&str]) -> ConfigError {
        if let ConfigError::Wrong { message, .. } = &mut self
            && is_external
            && message.contains("unknown field")
        {
            let keys = keys.join("`, `");
            message.push_str(&format!("; of the external system `{keys}`"));
        }
        self
    }
}

fn take_keys(from: &mut Table, keys: &[&str]) -> Table {
    let taken = keys.iter().filter_map(|key| Some(((*key).to_owned(), from.remove(*key)?)));
    taken.collect()
}

/// A variable has no type: what reads as a TOML number or truth value is one, the rest is text. So
/// is `007`: a number would not give the zeros back.
fn typed(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return Value::Integer(number);
    }
    match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        _ => Value::String(text.to_owned()),
    }
}
