//! Configuration and mode: what may be registered, per subject, context or everywhere.

use serde::{Deserialize, Serialize};
use tidemill_schema::compatibility::Level;

use crate::entity::{Metadata, RuleSet};

/// Configuration of a subject, of a context, or of everything. What is absent comes from further
/// out. Members in the order of Schema Registry's records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The subject that requests for this one are about instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The same for encryption keys; kept for those who have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_for_deks: Option<String>,
    /// Whether schemas are normalised before they are stored and looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<bool>,
    /// Whether fields may have reserved names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_fields: Option<bool>,
    /// Whether names and defaults of new schemas are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_new_schemas: Option<bool>,
    /// Whether rules are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_rules: Option<bool>,
    /// Who has to understand whom.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "level")]
    pub compatibility_level: Option<Level>,
    /// `STRICT` or `LENIENT`; the same for Avro.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_policy: Option<String>,
    /// The metadata property whose value parts versions into groups that are compared apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_group: Option<String>,
    /// Metadata of schemas that bring none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_metadata: Option<Metadata>,
    /// Metadata that every schema gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_metadata: Option<Metadata>,
    /// Rules of schemas that bring none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_rule_set: Option<RuleSet>,
    /// Rules that every schema gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_rule_set: Option<RuleSet>,
}

mod level {
    use serde::{Deserialize as _, Deserializer, Serializer, de};
    use tidemill_schema::compatibility::Level;

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(
        level: &Option<Level>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match level {
            Some(level) => serializer.serialize_str(level.as_str()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Level>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
    }
}

impl Settings {
    /// The settings in force for a subject: its own, and from further out what concerns checks.
    pub fn over(&self, outer: &Settings) -> Settings {
        Settings {
            normalize: self.normalize.or(outer.normalize),
            validate_fields: self.validate_fields.or(outer.validate_fields),
            validate_new_schemas: self.validate_new_schemas.or(outer.validate_new_schemas),
            validate_rules: self.validate_rules.or(outer.validate_rules),
            compatibility_policy: self
                .compatibility_policy
                .clone()
                .or_else(|| outer.compatibility_policy.clone()),
            compatibility_group: self
                .compatibility_group
                .clone()
                .or_else(|| outer.compatibility_group.clone()),
            ..self.clone()
        }
    }

    /// Whether schemas are changed before they are stored.
    pub fn adds_to_schemas(&self) -> bool {
        self.default_metadata.is_some()
            || self.override_metadata.is_some()
            || self.default_rule_set.is_some()
            || self.override_rule_set.is_some()
    }
}

/// Who may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Everybody.
    #[default]
    ReadWrite,
    /// Nobody.
    ReadOnly,
    /// Nobody, whatever is set nearer; kept for old topics.
    #[serde(rename = "READONLY_OVERRIDE")]
    ReadOnlyOverride,
    /// Those who bring ids and versions of another registry.
    Import,
    /// Those who forward from another registry.
    Forward,
}

impl Mode {
    /// A mode by its name, in any case.
    pub fn named(name: &str) -> Option<Mode> {
        serde_json::from_value(name.to_uppercase().into()).ok()
    }

    /// Whether ids and versions come from elsewhere.
    pub fn imports(self) -> bool {
        matches!(self, Mode::Import | Mode::Forward)
    }

    /// Whether nothing may be written.
    pub fn is_read_only(self) -> bool {
        matches!(self, Mode::ReadOnly | Mode::ReadOnlyOverride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_named_as_in_schema_registry() {
        for (name, mode) in [
            ("READWRITE", Mode::ReadWrite),
            ("readonly", Mode::ReadOnly),
            ("READONLY_OVERRIDE", Mode::ReadOnlyOverride),
            ("IMPORT", Mode::Import),
            ("FORWARD", Mode::Forward),
        ] {
            assert_eq!(Mode::named(name), Some(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), name.to_uppercase());
        }
        assert_eq!(Mode::named("SIDEWAYS"), None);
    }

    #[test]
    fn a_level_is_read_in_any_case_and_written_in_capitals() {
        let settings: Settings = serde_json::from_str(r#"{"compatibilityLevel":"full"}"#).unwrap();
        assert_eq!(settings.compatibility_level, Some(Level::Full));
        assert_eq!(serde_json::to_string(&settings).unwrap(), r#"{"compatibilityLevel":"FULL"}"#);
    }
}
