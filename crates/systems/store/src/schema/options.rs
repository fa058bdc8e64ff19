//! Everything `WITH` says of a table: checked, kept, shown. Most of it tunes what Cassandra's
//! storage does and means nothing to this one; the author is warned.

use std::collections::BTreeMap;

use crate::cql::statements::properties::{Properties, PropertyValue};
use crate::error::CqlError;

/// What an option's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Double,
    Boolean,
    Map,
}

/// Name, kind, default; sorted as DESCRIBE writes them.
const OPTIONS: [(&str, Kind, &str); 19] = [
    ("additional_write_policy", Kind::Text, "99p"),
    ("allow_auto_snapshot", Kind::Boolean, "true"),
    ("bloom_filter_fp_chance", Kind::Double, "0.01"),
    ("caching", Kind::Map, ""),
    ("cdc", Kind::Boolean, "false"),
    ("comment", Kind::Text, ""),
    ("compaction", Kind::Map, ""),
    ("compression", Kind::Map, ""),
    ("memtable", Kind::Text, "default"),
    ("crc_check_chance", Kind::Double, "1.0"),
    ("default_time_to_live", Kind::Integer, "0"),
    ("extensions", Kind::Map, ""),
    ("gc_grace_seconds", Kind::Integer, "864000"),
    ("incremental_backups", Kind::Boolean, "true"),
    ("max_index_interval", Kind::Integer, "2048"),
    ("memtable_flush_period_in_ms", Kind::Integer, "0"),
    ("min_index_interval", Kind::Integer, "128"),
    ("read_repair", Kind::Text, "BLOCKING"),
    ("speculative_retry", Kind::Text, "99p"),
];

/// Options that this server acts on; the others are kept and shown.
const MEANINGFUL: [&str; 3] = ["comment", "default_time_to_live", "gc_grace_seconds"];

const COMPACTION_PACKAGE: &str = "org.apache.cassandra.db.compaction.";
const COMPRESSION_PACKAGE: &str = "org.apache.cassandra.io.compress.";

/// The options of a table that differ from the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TableOptions {
    pub(super) given: BTreeMap<String, PropertyValue>,
}

impl TableOptions {
    /// Sets properties of a statement. Returns the names of those that are accepted and mean
    /// nothing here.
    pub(crate) fn set(&mut self, properties: &Properties) -> Result<Vec<String>, CqlError> {
        let mut meaningless = Vec::new();
        for (name, value) in properties {
            let Some((_, kind, _)) = OPTIONS.iter().find(|(known, _, _)| known == name) else {
                return Err(CqlError::syntax(format!("Unknown property '{name}'")));
            };
            let value = check(name, *kind, value)?;
            if !MEANINGFUL.contains(&name.as_str()) {
                meaningless.push(name.clone());
            }
            self.given.insert(name.clone(), value);
        }
        Ok(meaningless)
    }

    /// An option's text.
    pub(crate) fn text(&self, name: &str) -> &str {
        match self.given.get(name) {
            Some(PropertyValue::Text(text)) => text,
            _ => OPTIONS.iter().find(|(known, _, _)| *known == name).map_or("", |it| it.2),
        }
    }

    /// An option's map.
    pub(crate) fn map(&self, name: &str) -> BTreeMap<String, String> {
        match self.given.get(name) {
            Some(PropertyValue::Map(map)) => map.clone(),
            _ => default_map(name),
        }
    }

    /// An option that is a number; checked when it was set.
    pub(crate) fn integer(&self, name: &str) -> i32 {
        self.text(name).parse().unwrap_or(0)
    }

    /// An option that is a fraction; checked when it was set.
    pub(crate) fn double(&self, name: &str) -> f64 {
        self.text(name).parse().unwrap_or(0.0)
    }

    /// Seconds after which what is written without a TTL ends; 0 for never.
    pub(crate) fn default_ttl(&self) -> i32 {
        self.integer("default_time_to_live")
    }

    /// All options, as DESCRIBE writes their values.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        let shown = |(name, kind, _): &(&'static str, Kind, &str)| {
            let value = match kind {
                Kind::Map => map_text(&self.map(name)),
                Kind::Text => format!("'{}'", self.text(name).replace('\'', "''")),
                Kind::Integer | Kind::Boolean => self.text(name).to_owned(),
                Kind::Double => {
                    let number = self.double(name);
                    if number.fract() == 0.0 { format!("{number:.1}") } else { number.to_string() }
                }
            };
            (*name, value)
        };
        OPTIONS.iter().map(shown).collect()
    }
}

/// `{'a': 'b'}`.
pub(crate) fn map_text(map: &BTreeMap<String, String>) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let pairs: Vec<_> =
        map.iter().map(|(key, value)| format!("{}: {}", quote(key), quote(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn default_map(name: &str) -> BTreeMap<String, String> {
    match name {
        "caching" => pairs(&[("keys", "ALL"), ("rows_per_partition", "NONE")]),
        "compaction" => pairs(&[
            ("class", "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy"),
            ("max_threshold", "32"),
            ("min_threshold", "4"),
        ]),
        "compression" => pairs(&[
            ("chunk_length_in_kb", "16"),
            ("class", "org.apache.cassandra.io.compress.LZ4Compressor"),
        ]),
        _ => BTreeMap::new(),
    }
}

fn check(name: &str, kind: Kind, value: &PropertyValue) -> Result<PropertyValue, CqlError> {
    let text = match (kind, value) {
        (Kind::Map, PropertyValue::Map(map)) => {
            return Ok(PropertyValue::Map(checked_map(name, map)?));
        }
        (Kind::Map, PropertyValue::Text(_)) => {
            return Err(CqlError::syntax(format!(
                "Invalid value for property '{name}'. It should be a map."
            )));
        }
        (_, PropertyValue::Map(_)) => {
            return Err(CqlError::syntax(format!(
                "Invalid value for property '{name}'. It should be a string."
            )));
        }
        (_, PropertyValue::Text(text)) => text,
    };
    let wrong = |what| Err(CqlError::syntax(format!("Invalid {what} value {text} for '{name}'")));
    match kind {
        Kind::Integer => match text.parse::<i32>() {
            Err(_) => return wrong("integer"),
            Ok(number) if number < 0 => {
                return Err(CqlError::config(format!(
                    "{name} must be greater than or equal to 0 (got {number})"
                )));
            }
            Ok(number)
                if name == "default_time_to_live" && number > super::super::query::TTL_MAX =>
            {
                return Err(CqlError::config(format!(
                    "default_time_to_live must be less than or equal to {} (got {number})",
                    super::super::query::TTL_MAX
                )));
            }
            Ok(_) => {}
        },
        Kind::Double if text.parse::<f64>().is_err() => return wrong("double"),
        Kind::Boolean => {
            // Cassandra takes true, yes and 1 for true, everything else for false.
            let truth = ["true", "yes", "1"].contains(&text.to_ascii_lowercase().as_str());
            return Ok(PropertyValue::Text(truth.to_string()));
        }
        Kind::Double | Kind::Text | Kind::Map => {}
    }
    Ok(PropertyValue::Text(text.clone()))
}

fn checked_map(
    name: &str,
    map: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, CqlError> {
    let mut map = map.clone();
    let qualify = |class: &str, package: &str| {
        if class.contains('.') { class.to_owned() } else { format!("{package}{class}") }
    };
    match name {
        "compaction" => {
            let Some(class) = map.get("class").cloned() else {
                return Err(CqlError::config(
                    "Missing sub-option 'class' for the 'compaction' option.",
                ));
            };
            let known = ["SizeTiered", "Leveled", "TimeWindow", "Unified"];
            let short = class.rsplit('.').next().unwrap_or(&class);
            if !known.iter().any(|it| format!("{it}CompactionStrategy") == short) {
                return Err(CqlError::config(format!(
                    "Unable to find compaction strategy class '{}'",
                    qualify(&class, COMPACTION_PACKAGE)
                )));
            }
            if short != "UnifiedCompactionStrategy" {
                map.entry("max_threshold".into()).or_insert_with(|| "32".into());
                map.entry("min_threshold".into()).or_insert_with(|| "4".into());
            }
            map.insert("class".into(), qualify(&class, COMPACTION_PACKAGE));
        }
        "compression" => {
            let class = map.remove("sstable_compression").or_else(|| map.remove("class"));
            match class.filter(|class| !class.is_empty()) {
                Some(class) if map.get("enabled").is_none_or(|it| it == "true") => {
                    map.remove("enabled");
                    map.insert("class".into(), qualify(&class, COMPRESSION_PACKAGE));
                    map.entry("chunk_length_in_kb".into()).or_insert_with(|| "16".into());
                }
                _ => map = pairs(&[("enabled", "false")]),
            }
        }
        "caching" => {
            for (key, value) in default_map("caching") {
                map.entry(key).or_insert(value);
            }
        }
        _ => {}
    }
    Ok(map)
}
