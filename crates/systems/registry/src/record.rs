//! Records of the topic `_schemas`: the registry's own format, byte for byte, so that a topic of
//! Schema Registry can be taken over and given back.
//!
//! Keys are JSON with a fixed order of members, because the topic is compacted by their bytes. A
//! record without a value removes what the key names. Read leniently: old versions wrote fewer
//! members, new ones may write more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::entity::{ContentDigest, Metadata, Reference, RuleSet};
use crate::settings::{Mode, Settings};

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A version of a subject.
    Schema {
        /// The subject, qualified.
        subject: String,
        /// Its version.
        version: i32,
    },
    /// The configuration of a subject, a context, or (none) of everything.
    Config(Option<String>),
    /// The mode of a subject, a context, or (none) of everything.
    Mode(Option<String>),
    /// The soft deletion of all versions of a subject up to one.
    DeleteSubject(String),
    /// The end of what was soft-deleted in a subject, a context, or (none) everywhere.
    ClearSubject(Option<String>),
    /// That a context exists.
    Context {
        /// Always `default` outside of Confluent's cloud.
        tenant: String,
        /// With its leading dot.
        context: String,
    },
    /// Nothing; Schema Registry writes it to find the end of the topic, and ignores its value.
    Noop,
}

/// The tenant of a registry of one's own.
pub const DEFAULT_TENANT: &str = "default";

/// What a record says about its key.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Of [`Key::Schema`].
    Schema(Box<SchemaValue>),
    /// Of [`Key::Config`].
    Config(Box<Settings>),
    /// Of [`Key::Mode`].
    Mode(Mode),
    /// Of [`Key::DeleteSubject`]: the last version that is deleted.
    DeleteSubject(i32),
    /// Of [`Key::ClearSubject`].
    ClearSubject,
    /// Of [`Key::Context`].
    Context,
    /// Of [`Key::Noop`]: the highest id ever given in some contexts, so that an id whose last record
    /// is compacted away is not given again.
    HighestIds(Vec<(String, i32)>),
}

/// A version of a subject as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaValue {
    /// The subject, qualified.
    #[serde(default)]
    pub subject: String,
    /// Its version.
    #[serde(default)]
    pub version: i32,
    /// The schema's id in its context.
    pub id: i32,
    /// The content's digest (base64) where metadata are encrypted; never written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// `AVRO` if absent; versions before 8 leave that one out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_type: Option<String>,
    /// What it builds on.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub references: Vec<Reference>,
    /// Data about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Rules for its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_set: Option<RuleSet>,
    /// Its canonical text.
    pub schema: String,
    /// Whether it is soft-deleted.
    #[serde(default)]
    pub deleted: bool,
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl SchemaValue {
    /// The digest of its content.
    pub fn digest(&self) -> ContentDigest {
        let stored = self.md5.as_ref().and_then(|md5| STANDARD.decode(md5).ok());
        match stored.and_then(|bytes| bytes.try_into().ok()) {
            Some(digest) => ContentDigest(digest),
            None => ContentDigest::of(
                &self.schema,
                &self.references,
                self.metadata.as_ref(),
                self.rule_set.as_ref(),
            ),
        }
    }
}

/// A record to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it is about.
    pub key: Key,
    /// What it says; none removes.
    pub payload: Option<Payload>,
}

impl Record {
    /// A record that says something.
    pub fn new(key: Key, payload: Payload) -> Record {
        Record { key, payload: Some(payload) }
    }

    /// A record that removes what the key names.
    pub fn tombstone(key: Key) -> Record {
        Record { key, payload: None }
    }
}

/// Why a record could not be understood. Both are skipped and told; neither stops the registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A kind of record that this registry does not know.
    #[error("unknown key type {0:?}")]
    UnknownKeyType(String),
    /// Damaged, or not a registry's record.
    #[error("{0}")]
    Corrupt(String),
}

fn corrupt(error: impl std::fmt::Display) -> RecordError {
    RecordError::Corrupt(error.to_string())
}

impl Key {
    /// The key's bytes, as Schema Registry writes them.
    pub fn encode(&self) -> Vec<u8> {
        let of_subject = |kind: &str, subject: &Option<String>, magic: i32| match subject {
            Some(subject) => json!({"keytype": kind, "subject": subject, "magic": magic}),
            None => json!({"keytype": kind, "magic": magic}),
        };
        let value = match self {
            Key::Schema { subject, version } => {
                json!({"keytype": "SCHEMA", "subject": subject, "version": version, "magic": 1})
            }
            Key::Config(subject) => of_subject("CONFIG", subject, 0),
            Key::Mode(subject) => of_subject("MODE", subject, 0),
            Key::DeleteSubject(subject) => {
                json!({"keytype": "DELETE_SUBJECT", "subject": subject, "magic": 0})
            }
            Key::ClearSubject(subject) => of_subject("CLEAR_SUBJECT", subject, 0),
            Key::Context { tenant, context } => {
                json!({"keytype": "CONTEXT", "tenant": tenant, "context": context, "magic": 0})
            }
            Key::Noop => json!({"keytype": "NOOP", "magic": 0}),
        };
        value.to_string().into_bytes()
    }

    /// Reads a key.
    pub fn decode(bytes: &[u8]) -> Result<Key, RecordError> {
        #[derive(Deserialize)]
        struct Raw {
            keytype: String,
            subject: Option<String>,
            version: Option<i32>,
            #[serde(default)]
            magic: i32,
            tenant: Option<String>,
            context: Option<String>,
        }
        let raw: Raw = serde_json::from_slice(bytes).map_err(corrupt)?;
        let named = |what: Option<String>| {
            what.ok_or_else(|| corrupt(format!("a {} key without a subject", raw.keytype)))
        };
        Ok(match raw.keytype.as_str() {
            "SCHEMA" if !matches!(raw.magic, 0 | 1) => {
                return Err(corrupt(format!(
                    "Can't deserialize schema for the magic byte {}",
                    raw.magic
                )));
            }
            "SCHEMA" => Key::Schema {
                subject: named(raw.subject)?,
                version: raw.version.ok_or_else(|| corrupt("a SCHEMA key without a version"))?,
            },
            "CONFIG" => Key::Config(raw.subject),
            "MODE" => Key::Mode(raw.subject),
            "DELETE_SUBJECT" => Key::DeleteSubject(named(raw.subject)?),
            "CLEAR_SUBJECT" => Key::ClearSubject(raw.subject),
            "CONTEXT" => Key::Context {
                tenant: raw.tenant.unwrap_or_else(|| DEFAULT_TENANT.to_owned()),
                context: raw.context.ok_or_else(|| corrupt("a CONTEXT key without a context"))?,
            },
            "NOOP" => Key::Noop,
            other => return Err(RecordError::UnknownKeyType(other.to_owned())),
        })
    }
}

impl Payload {
    /// The value's bytes, as Schema Registry writes them.
    pub fn encode(&self, key: &Key) -> Vec<u8> {
        let mut members = Map::new();
        let (Key::Config(subject) | Key::Mode(subject) | Key::ClearSubject(subject)) = key else {
            return self.encode_other(key);
        };
        if let Some(subject) = subject {
            members.insert("subject".to_owned(), json!(subject));
        }
        match self {
            Payload::Config(settings) => {
                let settings = serde_json::to_value(settings).unwrap_or_default();
                members.extend(settings.as_object().cloned().unwrap_or_default());
            }
            Payload::Mode(mode) => {
                members.insert("mode".to_owned(), json!(mode));
            }
            _ => {}
        }
        Value::Object(members).to_string().into_bytes()
    }

    fn encode_other(&self, key: &Key) -> Vec<u8> {
        let value = match (self, key) {
            (Payload::Schema(schema), _) => return serde_json::to_vec(schema).unwrap_or_default(),
            (Payload::DeleteSubject(version), Key::DeleteSubject(subject)) => {
                json!({"subject": subject, "version": version})
            }
            (Payload::Context, Key::Context { tenant, context }) => {
                json!({"tenant": tenant, "context": context})
            }
            (Payload::HighestIds(ids), _) => {
                let ids: Map<String, Value> =
                    ids.iter().map(|(context, id)| (context.clone(), json!(id))).collect();
                json!({"tidemill.highestIds": ids})
            }
            _ => json!({}),
        };
        value.to_string().into_bytes()
    }

    /// Reads the value of a key.
    pub fn decode(key: &Key, bytes: &[u8]) -> Result<Payload, RecordError> {
        let from = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).map_err(corrupt);
        Ok(match key {
            Key::Schema { subject, version } => {
                let mut value: SchemaValue = serde_json::from_slice(bytes).map_err(corrupt)?;
                // The key is what the topic is compacted by; it counts.
                value.subject.clone_from(subject);
                value.version = *version;
                Payload::Schema(Box::new(value))
            }
            Key::Config(_) => Payload::Config(serde_json::from_slice(bytes).map_err(corrupt)?),
            Key::Mode(_) => {
                let mode = from(bytes)?.get("mode").cloned().unwrap_or_default();
                Payload::Mode(serde_json::from_value(mode).map_err(corrupt)?)
            }
            Key::DeleteSubject(_) => {
                let version = from(bytes)?.get("version").and_then(Value::as_i64);
                let version = version.and_then(|version| i32::try_from(version).ok());
                Payload::DeleteSubject(version.ok_or_else(|| corrupt("no version"))?)
            }
            Key::ClearSubject(_) => Payload::ClearSubject,
            Key::Context { .. } => Payload::Context,
            Key::Noop => {
                let value = from(bytes)?;
                let ids = value.get("tidemill.highestIds").and_then(Value::as_object);
                let id = |id: &Value| id.as_i64().and_then(|id| i32::try_from(id).ok());
                let ids = ids.into_iter().flatten();
                Payload::HighestIds(
                    ids.filter_map(|(context, value)| Some((context.clone(), id(value)?)))
                        .collect(),
                )
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Key {
        Key::Schema { subject: text.to_owned(), version: 1 }
    }

    #[test]
    fn keys_have_the_bytes_that_schema_registry_gives_them() {
        let name = || Some("s".to_owned());
        for (key, bytes) in [
            (schema("a\"b"), r#"{"keytype":"SCHEMA","subject":"a\"b","version":1,"magic":1}"#),
            (Key::Config(name()), r#"{"keytype":"CONFIG","subject":"s","magic":0}"#),
            (Key::Config(None), r#"{"keytype":"CONFIG","magic":0}"#),
            (Key::Mode(name()), r#"{"keytype":"MODE","subject":"s","magic":0}"#),
            (
                Key::DeleteSubject("s".to_owned()),
                r#"{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}"#,
            ),
            (Key::ClearSubject(name()), r#"{"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}"#),
            (
                Key::Context { tenant: "default".to_owned(), context: ".c".to_owned() },
                r#"{"keytype":"CONTEXT","tenant":"default","context":".c","magic":0}"#,
            ),
            (Key::Noop, r#"{"keytype":"NOOP","magic":0}"#),
        ] {
            assert_eq!(String::from_utf8(key.encode()).unwrap(), bytes);
            assert_eq!(Key::decode(bytes.as_bytes()), Ok(key));
        }
    }

    #[test]
    fn values_have_the_bytes_that_schema_registry_gives_them() {
        let value = r#"{"subject":"s","version":1,"id":7,"schemaType":"AVRO","references":[{"name":"n","subject":"r","version":2}],"metadata":{"properties":{"a":"b"}},"schema":"\"int\"","deleted":false}"#;
        let key = schema("s");
        let payload = Payload::decode(&key, value.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(payload.encode(&key)).unwrap(), value);
        for (key, value) in [
            (Key::Config(None), r#"{"compatibilityLevel":"FULL"}"#),
            (
                Key::Config(Some("s".to_owned())),
                r#"{"subject":"s","alias":"t","normalize":true,"compatibilityLevel":"NONE"}"#,
            ),
            (Key::Mode(Some("s".to_owned())), r#"{"subject":"s","mode":"READONLY"}"#),
            (Key::DeleteSubject("s".to_owned()), r#"{"subject":"s","version":3}"#),
            (Key::ClearSubject(Some("s".to_owned())), r#"{"subject":"s"}"#),
            (
                Key::Context { tenant: "default".to_owned(), context: ".c".to_owned() },
                r#"{"tenant":"default","context":".c"}"#,
            ),
        ] {
            let payload = Payload::decode(&key, value.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(payload.encode(&key)).unwrap(), value);
        }
    }

    #[test]
    fn records_of_old_and_of_newer_versions_are_read() {
        let old = r#"{"subject":"s","version":1,"id":7,"schema":"\"int\"","references":null}"#;
        let Payload::Schema(value) = Payload::decode(&schema("s"), old.as_bytes()).unwrap() else {
            panic!("a schema");
        };
        assert!(!value.deleted && value.schema_type.is_none() && value.references.is_empty());
        let newer = br#"{"keytype":"SCHEMA","subject":"s","version":1,"magic":0,"more":[]}"#;
        assert_eq!(Key::decode(newer), Ok(schema("s")));
    }

    #[test]
    fn what_is_no_record_is_told_apart_from_what_is_not_known() {
        assert_eq!(
            Key::decode(br#"{"keytype":"ASSOC","magic":0}"#),
            Err(RecordError::UnknownKeyType("ASSOC".to_owned()))
        );
        for key in [
            &b"\xff"[..],
            b"{}",
            br#"{"keytype":"SCHEMA","subject":"s","magic":1}"#,
            br#"{"keytype":"SCHEMA","subject":"s","version":1,"magic":2}"#,
            br#"{"keytype":"DELETE_SUBJECT","magic":0}"#,
        ] {
            assert!(matches!(Key::decode(key), Err(RecordError::Corrupt(_))));
        }
        assert!(Payload::decode(&schema("s"), b"{\"id\":1").is_err());
        assert!(Payload::decode(&Key::Mode(None), b"{\"mode\":\"SIDEWAYS\"}").is_err());
    }
}
