//! Configuration and mode: nearest first, then further out.

use serde_json::{Map, Value};

use super::{Plan, State};
use crate::entity::RuleSet;
use crate::error::RegistryError;
use crate::record::{Key, Payload, Record};
use crate::settings::{Mode, Settings};
use crate::subject::{GLOBAL_CONTEXT, Qualified, context_of, context_prefix, is_valid, is_within};

/// A change of settings: members that are present are set, or, with null, cleared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SettingsUpdate(pub Map<String, Value>);

impl SettingsUpdate {
    /// The settings after the change.
    fn applied_to(&self, old: Option<&Settings>) -> Result<Settings, RegistryError> {
        let old = serde_json::to_value(old.cloned().unwrap_or_default()).unwrap_or_default();
        let mut members = old.as_object().cloned().unwrap_or_default();
        for (name, value) in &self.0 {
            // A request calls it `compatibility`, a record and an answer `compatibilityLevel`.
            let name = if name == "compatibility" { "compatibilityLevel" } else { name };
            if name == "compatibilityLevel" && !(value.is_null() || is_level(value)) {
                return Err(RegistryError::InvalidLevel);
            }
            members.insert(name.to_owned(), value.clone());
        }
        let settings: Settings = serde_json::from_value(Value::Object(members))
            .map_err(|error| RegistryError::http(400, error.to_string()))?;
        for rules in [&settings.default_rule_set, &settings.override_rule_set] {
            rules.as_ref().map_or(Ok(()), RuleSet::check).map_err(RegistryError::InvalidRuleSet)?;
        }
        Ok(settings)
    }
}

fn is_level(value: &Value) -> bool {
    use tidemill_schema::compatibility::Level;
    value.as_str().is_some_and(|text| text.parse::<Level>().is_ok())
}

impl State {
    /// The settings in force for a subject, or (none) for everything. The level is always there.
    pub fn settings_in_scope(&self, subject: Option<&str>) -> Settings {
        let outermost = || self.with_level(self.settings.get(&None));
        let Some(subject) = subject else {
            return self.outer_settings("");
        };
        match self.settings.get(&Some(subject.to_owned())) {
            Some(own) => self.with_level(Some(own)).over(&outermost()),
            None => self.outer_settings(subject),
        }
    }

    /// The settings of the subject's context, then those of all contexts, then the default.
    fn outer_settings(&self, subject: &str) -> Settings {
        let found = outer_keys(subject).into_iter().find_map(|key| self.settings.get(&key));
        self.with_level(found)
    }

    fn with_level(&self, settings: Option<&Settings>) -> Settings {
        let mut settings = settings.cloned().unwrap_or_default();
        settings.compatibility_level.get_or_insert(self.default_level);
        settings
    }

    /// The settings of a subject alone; for everything and for the global context never none.
    pub fn own_settings(&self, subject: Option<&str>) -> Option<Settings> {
        match self.settings.get(&subject.map(str::to_owned)) {
            Some(own) => Some(self.with_level(Some(own))),
            None if is_outermost(subject) => Some(self.with_level(None)),
            None => None,
        }
    }

    /// The subject that requests for this one are about.
    pub fn alias_of(&self, subject: &str) -> Option<String> {
        let alias = self.settings.get(&Some(subject.to_owned()))?.alias.as_ref()?;
        let relative = || crate::subject::relative_to(subject, alias);
        (!alias.is_empty()).then(relative)
    }

    /// Changes settings; gives those that result.
    pub fn set_settings(
        &self,
        subject: Option<&str>,
        update: &SettingsUpdate,
    ) -> Result<Plan<Settings>, RegistryError> {
        let key = subject.map(str::to_owned);
        let settings = update.applied_to(self.settings.get(&key))?;
        check_name(subject)?;
        self.check_writable(subject)?;
        let record = Record::new(Key::Config(key), Payload::Config(Box::new(settings.clone())));
        Ok(Plan { records: vec![record], answer: settings })
    }

    /// Removes settings; gives those that were.
    pub fn delete_settings(&self, subject: Option<&str>) -> Result<Plan<Settings>, RegistryError> {
        let old = self.own_settings(subject).ok_or_else(|| {
            RegistryError::SubjectNotFound(subject.unwrap_or_default().to_owned())
        })?;
        self.check_writable(subject)?;
        let key = Key::Config(subject.map(str::to_owned));
        Ok(Plan { records: vec![Record::tombstone(key)], answer: old })
    }

    /// The mode in force for a subject, or (none) for everything.
    pub fn mode_in_scope(&self, subject: Option<&str>) -> Mode {
        let own = self.modes.get(&subject.map(str::to_owned));
        let outer = || {
            let keys = outer_keys(subject.unwrap_or_default());
            keys.into_iter().find_map(|key| self.modes.get(&key))
        };
        own.or_else(outer).copied().unwrap_or_default()
    }

    /// The mode of a subject alone; for everything and for the global context never none.
    pub fn own_mode(&self, subject: Option<&str>) -> Option<Mode> {
        let own = self.modes.get(&subject.map(str::to_owned)).copied();
        own.or(is_outermost(subject).then(Mode::default))
    }

    /// Sets a mode, or (none) clears it. Importing starts empty: what is live stops it unless
    /// `force`d, what is soft-deleted is forgotten.
    pub fn set_mode(
        &self,
        subject: Option<&str>,
        mode: Option<Mode>,
        force: bool,
    ) -> Result<Plan<()>, RegistryError> {
        check_name(subject)?;
        let global = Qualified::parse(subject.unwrap_or_default());
        let global = global.context == GLOBAL_CONTEXT && global.name.is_empty();
        if mode == Some(Mode::Forward) && !global {
            return Err(RegistryError::InvalidMode("Forward mode only supported on global level"));
        }
        let starts_import =
            mode == Some(Mode::Import) && self.mode_in_scope(subject) != Mode::Import && !force;
        let key = Key::Mode(subject.map(str::to_owned));
        let mut records = if starts_import { self.emptied(subject)? } else { Vec::new() };
        records.push(match mode {
            Some(mode) => Record::new(key, Payload::Mode(mode)),
            None => Record::tombstone(key),
        });
        Ok(Plan { records, answer: () })
    }

    /// Removes a mode; for a context with `recursive` also those of its subjects. Gives the one that
    /// was.
    pub fn delete_mode(
        &self,
        subject: Option<&str>,
        recursive: bool,
    ) -> Result<Plan<Option<Mode>>, RegistryError> {
        let old = self.own_mode(subject);
        if old.is_none() && !recursive {
            return Err(RegistryError::SubjectNotFound(subject.unwrap_or_default().to_owned()));
        }
        let own = subject.map(str::to_owned);
        let mut records = vec![Record::tombstone(Key::Mode(own.clone()))];
        let outer = Qualified::parse(subject.unwrap_or_default());
        if recursive && outer.name.is_empty() {
            let inside = self.modes.keys().filter(|key| {
                **key != own && key.as_deref().is_some_and(|name| context_of(name) == outer.context)
            });
            records.extend(inside.map(|key| Record::tombstone(Key::Mode(key.clone()))));
        }
        Ok(Plan { records, answer: old })
    }

    /// What makes a subject or context empty for an import.
    fn emptied(&self, subject: Option<&str>) -> Result<Vec<Record>, RegistryError> {
        if self.has_subjects(subject, false) {
            return Err(RegistryError::NotPermitted(
                "Cannot import since found existing subjects".to_owned(),
            ));
        }
        let (mut records, mut ends) = (Vec::new(), Vec::new());
        for (name, versions) in &self.subjects {
            if !is_within(name, subject) {
                continue;
            }
            for (version, stored) in versions {
                let (name, version) = (name.clone(), *version);
                if !self.builders(&(name.clone(), version), true).is_empty() {
                    return Err(RegistryError::ReferenceExists { subject: name, version });
                }
                if records.is_empty() {
                    records = self.kept_ids(&name, &[stored]);
                }
                ends.push(Record::tombstone(Key::Schema { subject: name, version }));
            }
        }
        records.extend(ends);
        let named = subject.map(str::to_owned);
        records.push(Record::new(Key::ClearSubject(named), Payload::ClearSubject));
        Ok(records)
    }

    /// Whether the mode lets anything be written.
    pub(super) fn check_writable(&self, subject: Option<&str>) -> Result<(), RegistryError> {
        if self.mode_in_scope(subject).is_read_only() {
            let context = context_prefix(context_of(subject.unwrap_or_default()));
            let subject = subject.unwrap_or("null");
            return Err(RegistryError::NotPermitted(format!(
                "Subject {subject} in context {context} is in read-only mode"
            )));
        }
        Ok(())
    }
}

/// Where settings come from when a subject has none: its context, then all contexts.
fn outer_keys(subject: &str) -> [Option<String>; 2] {
    let own = Qualified::parse(subject);
    let context = own.has_context().then(|| context_prefix(own.context));
    [context, Some(context_prefix(GLOBAL_CONTEXT))]
}

fn is_outermost(subject: Option<&str>) -> bool {
    subject.is_none_or(|subject| context_of(subject) == GLOBAL_CONTEXT)
}

fn check_name(subject: Option<&str>) -> Result<(), RegistryError> {
    match subject {
        Some(name) if !is_valid(name, true) => Err(RegistryError::InvalidSubject(name.to_owned())),
        _ => Ok(()),
    }
}
