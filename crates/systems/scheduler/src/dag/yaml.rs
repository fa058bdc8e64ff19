//! The words of a DAG file, exactly as written: Airflow's names, unknown keys refused.
//!
//! Places are kept (`Spanned`) where a later check may have to point at a line.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DagFile {
    pub(super) dag_id: Spanned<String>,
    pub(super) description: Option<String>,
    pub(super) doc_md: Option<String>,
    pub(super) schedule: Option<Spanned<String>>,
    pub(super) start_date: Option<Spanned<String>>,
    pub(super) end_date: Option<Spanned<String>>,
    pub(super) timezone: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) catchup: bool,
    pub(super) max_active_runs: Option<Spanned<u32>>,
    pub(super) max_active_tasks: Option<Spanned<u32>>,
    pub(super) is_paused_upon_creation: Option<bool>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    #[serde(default)]
    pub(super) default_args: DefaultArgs,
    pub(super) dagrun_timeout: Option<Length>,
    pub(super) tasks: Vec<Spanned<TaskEntry>>,
}

/// What tasks have unless they say otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DefaultArgs {
    pub(super) owner: Option<String>,
    pub(super) retries: Option<u32>,
    pub(super) retry_delay: Option<Length>,
    pub(super) retry_exponential_backoff: Option<Backoff>,
    pub(super) max_retry_delay: Option<Length>,
    pub(super) execution_timeout: Option<Length>,
    pub(super) pool: Option<String>,
}

/// One task.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskEntry {
    pub(super) task_id: Spanned<String>,
    #[serde(default, alias = "depends_on")]
    pub(super) upstream: Vec<Spanned<String>>,
    pub(super) trigger_rule: Option<Spanned<String>>,
    pub(super) owner: Option<String>,
    pub(super) doc_md: Option<String>,
    pub(super) retries: Option<u32>,
    pub(super) retry_delay: Option<Length>,
    pub(super) retry_exponential_backoff: Option<Backoff>,
    pub(super) max_retry_delay: Option<Length>,
    pub(super) execution_timeout: Option<Length>,
    pub(super) priority_weight: Option<i32>,
    pub(super) pool: Option<String>,
    pub(super) pool_slots: Option<Spanned<u32>>,
    // One of these says what the task does.
    #[serde(default, deserialize_with = "present")]
    pub(super) empty: bool,
    pub(super) http: Option<Spanned<Http>>,
    pub(super) sql: Option<Spanned<TextOr<Sql>>>,
    pub(super) bash: Option<Spanned<TextOr<Bash>>>,
    pub(super) python: Option<Spanned<Python>>,
    pub(super) produce: Option<Spanned<Produce>>,
    // Where http and produce write.
    pub(super) topic: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<Value>>,
    pub(super) value: Option<Spanned<Value>>,
}

/// `empty:` has nothing behind it, or `{}`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Empty {}
    Option::<Empty>::deserialize(deserializer).map(|_| true)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    pub(super) url: String,
    pub(super) method: Option<String>,
    #[serde(default)]
    pub(super) headers: Map<String, Value>,
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    pub(super) body: Option<Value>,
    pub(super) timeout: Option<Length>,
    pub(super) records: Option<String>,
    #[serde(rename = "for")]
    pub(super) duration: Option<Value>,
    pub(super) rate: Option<Value>,
    pub(super) max_requests: Option<u64>,
    pub(super) concurrency: Option<u32>,
    pub(super) on_error: Option<OnError>,
}

/// What one failed request means for the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// It is counted and tried again, later and later, while the window lasts.
    Retry,
    /// The task fails at once.
    Fail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sql {
    pub(super) statement: String,
    pub(super) engine_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bash {
    pub(super) command: String,
    #[serde(default)]
    pub(super) env: Map<String, Value>,
    pub(super) cwd: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Python {
    pub(super) file: Option<String>,
    pub(super) function: Option<String>,
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) args: Map<String, Value>,
    #[serde(default)]
    pub(super) env: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Produce {
    pub(super) records: Vec<Value>,
}

impl From<String> for Sql {
    fn from(statement: String) -> Sql {
        Sql { statement, engine_url: None }
    }
}

impl From<String> for Bash {
    fn from(command: String) -> Bash {
        Bash { command, env: Map::new(), cwd: None }
    }
}

/// A value that is mostly one text, written bare, and otherwise a map.
#[derive(Debug)]
pub(super) struct TextOr<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + From<String>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TextOr<T>, D::Error> {
        struct TextOrMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + From<String>> Visitor<'de> for TextOrMap<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a map")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextOr<T>, E> {
                Ok(TextOr(T::from(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(TextOr)
            }
        }
        deserializer.deserialize_any(TextOrMap(PhantomData))
    }
}

/// A length of time: `30s`, `5m`, or a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(pub Duration);

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Length, String> {
        if let Ok(seconds) = text.trim().parse::<f64>() {
            return Length::seconds(seconds);
        }
        match text.parse::<tidemill_runtime::Span>() {
            Ok(span) => Ok(Length(span.0)),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Length {
    /// So many seconds; a century at most.
    pub fn seconds(seconds: f64) -> Result<Length, String> {
        // A century is more than any schedule needs and keeps every sum in range.
        if !(0.0..=3.2e9).contains(&seconds) {
            return Err(format!("{seconds} is not a number of seconds"));
        }
        Ok(Length(Duration::from_secs_f64(seconds)))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Length, D::Error> {
        deserializer.deserialize_any(LengthVisitor)
    }
}

struct LengthVisitor;

impl Visitor<'_> for LengthVisitor {
    type Value = Length;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as 30s, 5m or 2h, or a number of seconds")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Length, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Length, E> {
        Length::seconds(seconds as f64).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Length, E> {
        Length::seconds(seconds as f64).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Length, E> {
        Length::seconds(seconds).map_err(E::custom)
    }
}

/// `retry_exponential_backoff`: `true` doubles the delay each time, a number multiplies it by that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Backoff(pub(super) f64);

impl<'de> Deserialize<'de> for Backoff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Backoff, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Flag(bool),
            Factor(f64),
        }
        match Written::deserialize(deserializer)? {
            Written::Flag(true) => Ok(Backoff(2.0)),
            Written::Flag(false) => Ok(Backoff(1.0)),
            Written::Factor(0.0) => Ok(Backoff(1.0)),
            Written::Factor(factor) if (1.0..=100.0).contains(&factor) => Ok(Backoff(factor)),
            Written::Factor(factor) => Err(de::Error::custom(format!(
                "retry_exponential_backoff: {factor} is not true, false or a factor of 1 to 100"
            ))),
        }
    }
}
