//! What belongs to a registered schema beside its text, and the digest over all of it.
//!
//! Field names and their order are those of Schema Registry's records and bodies.

use std::collections::{BTreeMap, BTreeSet};

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

/// A schema that another one builds on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// What the schema's text calls it: a type's name (Avro), a URL (JSON), an import (Protobuf).
    pub name: String,
    /// Where it is registered.
    pub subject: String,
    /// Its version there; -1 asks for the latest one.
    pub version: i32,
}

/// Data about a schema that no reader needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Tags by the path of what they mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Any keys and values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, String>>,
    /// Keys whose values are secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<BTreeSet<String>>,
}

/// Rules that clients apply to the data of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleSet {
    /// From one version of the schema to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_rules: Option<Vec<Rule>>,
    /// For what is written and read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_rules: Option<Vec<Rule>>,
    /// For the encoded form, such as encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_rules: Option<Vec<Rule>>,
    /// Where they run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_at: Option<String>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its name in the set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// `TRANSFORM` or `CONDITION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// When it is applied: `WRITE`, `READ`, `UPGRADE`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Who executes it: `CEL`, `ENCRYPT`, …
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind_of_executor: Option<String>,
    /// Tags of the fields it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    /// Parameters of the executor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<BTreeMap<String, String>>,
    /// Its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expr: Option<String>,
    /// What follows when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// What follows when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// Whether it is left out.
    #[serde(default)]
    pub disabled: bool,
}

/// The MD5 over a schema's text, references, metadata and rules: equal content has one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentDigest(pub [u8; 16]);

impl ContentDigest {
    /// Bytes in the order in which Schema Registry feeds them.
    pub fn of(
        text: &str,
        references: &[Reference],
        metadata: Option<&Metadata>,
        rule_set: Option<&RuleSet>,
    ) -> ContentDigest {
        let mut digest = Md5::new();
        digest.update(text);
        for reference in references {
            digest.update(&reference.name);
            digest.update(&reference.subject);
            digest.update(reference.version.to_be_bytes());
        }
        if let Some(metadata) = metadata {
            digest.update([1]);
            metadata.feed(&mut digest);
        }
        if let Some(rule_set) = rule_set {
            digest.update([1]);
            rule_set.feed(&mut digest);
        }
        ContentDigest(digest.finalize().into())
    }

    /// The digest written as a UUID: what clients know as `guid`.
    pub fn guid(self) -> String {
        uuid::Uuid::from_bytes(self.0).to_string()
    }

    /// The digest of a `guid`.
    pub fn from_guid(text: &str) -> Option<ContentDigest> {
        uuid::Uuid::try_parse(text).ok().map(|uuid| ContentDigest(uuid.into_bytes()))
    }
}

impl Metadata {
    /// The property that names a schema's version in its own metadata.
    pub const VERSION: &'static str = "confluent:version";

    fn feed(&self, digest: &mut Md5) {
        for (path, tags) in self.tags.iter().flatten() {
            digest.update(path);
            tags.iter().for_each(|tag| digest.update(tag));
        }
        for (key, value) in self.properties.iter().flatten() {
            digest.update(key);
            digest.update(value);
        }
        self.sensitive.iter().flatten().for_each(|key| digest.update(key));
    }

    /// Both together; where both speak of one key the second one counts.
    pub fn merged(first: Option<&Metadata>, second: Option<&Metadata>) -> Option<Metadata> {
        let (Some(first), Some(second)) = (first, second) else {
            return first.or(second).cloned();
        };
        Some(Metadata {
            tags: union(first.tags.as_ref(), second.tags.as_ref()),
            properties: union(first.properties.as_ref(), second.properties.as_ref()),
            sensitive: union(first.sensitive.as_ref(), second.sensitive.as_ref()),
        })
    }

    /// The version that the metadata name.
    pub fn version(&self) -> Option<&str> {
        self.properties.as_ref()?.get(Metadata::VERSION).map(String::as_str)
    }

    /// With a version named in it.
    pub fn with_version(metadata: Option<Metadata>, version: i32) -> Metadata {
        let mut metadata = metadata.unwrap_or_default();
        let properties = metadata.properties.get_or_insert_default();
        properties.insert(Metadata::VERSION.to_owned(), version.to_string());
        metadata
    }

    /// Without the version.
    pub fn without_version(mut self) -> Metadata {
        if let Some(properties) = &mut self.properties {
            properties.remove(Metadata::VERSION);
            if properties.is_empty() {
                self.properties = None;
            }
        }
        self
    }
}

fn union<C, I>(first: Option<&C>, second: Option<&C>) -> Option<C>
where
    C: Clone + Extend<I> + IntoIterator<Item = I>,
{
    match (first, second) {
        (Some(first), Some(second)) => {
            let mut both = first.clone();
            both.extend(second.clone());
            Some(both)
        }
        (first, second) => first.or(second).cloned(),
    }
}

impl RuleSet {
    fn groups(&self) -> [(&'static str, Option<&Vec<Rule>>, bool); 3] {
        [
            ("Migration", self.migration_rules.as_ref(), true),
            ("Domain", self.domain_rules.as_ref(), false),
            ("Encoding", self.encoding_rules.as_ref(), false),
        ]
    }

    fn feed(&self, digest: &mut Md5) {
        for (_, rules, _) in self.groups() {
            rules.into_iter().flatten().for_each(|rule| rule.feed(digest));
        }
        self.enable_at.iter().for_each(|place| digest.update(place));
    }

    /// Both together; of two rules with one name the second one counts.
    pub fn merged(first: Option<&RuleSet>, second: Option<&RuleSet>) -> Option<RuleSet> {
        let (Some(first), Some(second)) = (first, second) else {
            return first.or(second).cloned();
        };
        let rules = |first: &Option<Vec<Rule>>, second: &Option<Vec<Rule>>| {
            let (Some(first), Some(second)) = (first, second) else {
                return first.as_ref().or(second.as_ref()).cloned();
            };
            let replaced = |rule: &&Rule| !second.iter().any(|other| other.name == rule.name);
            Some(first.iter().filter(replaced).chain(second).cloned().collect())
        };
        Some(RuleSet {
            migration_rules: rules(&first.migration_rules, &second.migration_rules),
            domain_rules: rules(&first.domain_rules, &second.domain_rules),
            encoding_rules: rules(&first.encoding_rules, &second.encoding_rules),
            enable_at: second.enable_at.clone().or_else(|| first.enable_at.clone()),
        })
    }

    /// What is wrong with the set, if anything is. Rules are data here; clients execute them.
    pub fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for (group, rules, migrates) in self.groups() {
            for rule in rules.into_iter().flatten() {
                if !names.insert(&rule.name) {
                    let name = rule.name.as_deref().unwrap_or_default();
                    return Err(format!("Found rule with duplicate name '{name}'"));
                }
                rule.check()?;
                let modes: &[&str] = match migrates {
                    true => &["UPGRADE", "DOWNGRADE", "UPDOWN"],
                    false => &["WRITE", "READ", "WRITEREAD"],
                };
                if !rule.mode.as_deref().is_some_and(|mode| modes.contains(&mode)) {
                    return Err(format!("{group} rules can only be {}", modes.join(", ")));
                }
            }
        }
        Ok(())
    }
}

/// Characters of a rule's name, at most.
const RULE_NAME_CHARS_MAX: usize = 64;

impl Rule {
    fn feed(&self, digest: &mut Md5) {
        for part in [&self.name, &self.doc, &self.kind, &self.mode, &self.kind_of_executor] {
            part.iter().for_each(|part| digest.update(part));
        }
        self.tags.iter().flatten().for_each(|tag| digest.update(tag));
        for (key, value) in self.params.iter().flatten() {
            digest.update(key);
            digest.update(value);
        }
        for part in [&self.expr, &self.on_success, &self.on_failure] {
            part.iter().for_each(|part| digest.update(part));
        }
        if self.disabled {
            digest.update([1]);
        }
    }

    fn check(&self) -> Result<(), String> {
        let Some(name) = &self.name else {
            return Err("Missing rule name".to_owned());
        };
        let mut chars = name.chars();
        match chars.next() {
            None => return Err("Empty rule name".to_owned()),
            Some(first) if !(first.is_alphabetic() || first == '_') => {
                return Err(format!("Illegal initial character in rule name: {name}"));
            }
            Some(_) => {}
        }
        if name.chars().count() > RULE_NAME_CHARS_MAX {
            return Err("Rule name too long".to_owned());
        }
        if chars.any(|c| !(c.is_alphanumeric() || c == '_' || c == '-')) {
            return Err(format!("Illegal character in rule name: {name}"));
        }
        if self.kind_of_executor.is_none() {
            return Err("Missing rule type".to_owned());
        }
        let several = matches!(self.mode.as_deref(), None | Some("WRITEREAD" | "UPDOWN"));
        for action in [&self.on_success, &self.on_failure].into_iter().flatten() {
            if action.contains(',') && !several {
                return Err("Multiple actions only valid with WRITEREAD and UPDOWN".to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guid(text: &str, metadata: Option<&Metadata>, rules: Option<&RuleSet>) -> String {
        ContentDigest::of(text, &[], metadata, rules).guid()
    }

    /// The three digests are those that Schema Registry 8.5 pins in its own tests.
    #[test]
    fn equal_content_has_the_digest_that_schema_registry_gives_it() {
        let text = "{\"type\":\"record\",\"name\":\"myrecord\",\"fields\":[{\"type\":\"string\",\
                    \"default\":null,\"name\":\"f\"}]}";
        assert_eq!(guid(text, None, None), "1d20cbb9-e5e3-5e97-54e7-da170b6e5ddb");
        let rule = Rule {
            kind: Some("TRANSFORM".to_owned()),
            mode: Some("WRITEREAD".to_owned()),
            ..Rule::default()
        };
        // The rule stands first, where the migration rules are.
        let rules = RuleSet { migration_rules: Some(vec![rule]), ..RuleSet::default() };
        let digest = guid(text, Some(&Metadata::default()), Some(&rules));
        assert_eq!(digest, "16f1eca5-ebf9-22b3-da80-212f8fa7342e");
        assert_eq!(ContentDigest::from_guid(&digest).unwrap().guid(), digest);
        let protobuf = "syntax = \"proto3\";\n\nmessage Complex {\n  int32 int32 = 1;\n  int64 int64 = 2;\n  \
            float float32 = 3;\n  double float64 = 4;\n  bool boolean = 5;\n  string string = 6;\n  bytes bytes = 7;\n  \
            repeated string array = 8;\n  repeated ComplexEntry map = 9;\n\n  message ComplexEntry {\n    \
            string key = 1;\n    int32 value = 2;\n  }\n}\n";
        assert_eq!(guid(protobuf, None, None), "d49cbf63-d35b-ba54-e1f7-0bdd51528a37");
    }

    #[test]
    fn what_stands_in_both_is_taken_from_the_second() {
        let of = |key: &str, value: &str| Metadata {
            properties: Some(BTreeMap::from([(key.to_owned(), value.to_owned())])),
            ..Metadata::default()
        };
        let merged = Metadata::merged(Some(&of("a", "1")), Some(&of("a", "2")));
        assert_eq!(merged, Some(of("a", "2")));
        let merged = Metadata::merged(Some(&of("a", "1")), Some(&of("b", "2"))).unwrap();
        assert_eq!(merged.properties.unwrap().len(), 2);
        assert_eq!(Metadata::merged(None, None), None);
    }

    #[test]
    fn a_rule_set_is_checked() {
        let rule = |name: &str, mode: &str| Rule {
            name: Some(name.to_owned()),
            mode: Some(mode.to_owned()),
            kind_of_executor: Some("CEL".to_owned()),
            ..Rule::default()
        };
        let set = |rules: Vec<Rule>| RuleSet { domain_rules: Some(rules), ..RuleSet::default() };
        assert_eq!(set(vec![rule("a", "WRITE")]).check(), Ok(()));
        for (rules, complaint) in [
            (vec![rule("a", "WRITE"), rule("a", "READ")], "duplicate"),
            (vec![rule("a", "UPGRADE")], "Domain rules can only be"),
            (vec![rule("9", "WRITE")], "initial"),
            (vec![rule("a b", "WRITE")], "Illegal character"),
            (vec![rule("", "WRITE")], "Empty"),
            (vec![rule(&"a".repeat(65), "WRITE")], "too long"),
            (vec![Rule { name: None, ..rule("a", "WRITE") }], "Missing rule name"),
            (vec![Rule { on_failure: Some("A,B".to_owned()), ..rule("a", "WRITE") }], "Multiple"),
        ] {
            let error = set(rules).check().unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
