//! `spark.conf`: Spark's settings. Most have no effect here; one that would change results is
//! refused, never ignored.

use std::collections::BTreeMap;

use super::error::{Kind, Result, SparkError};

/// Settings of one session at most.
const SETTINGS_MAX: usize = 2000;
/// Bytes of one value at most.
const VALUE_BYTES_MAX: usize = 1 << 16;

/// Where a checkpoint goes unless a query says.
pub(super) const CHECKPOINT_LOCATION: &str = "spark.sql.streaming.checkpointLocation";
/// Nodes of Cassandra that the connector asks first.
pub(super) const CASSANDRA_HOST: &str = "spark.cassandra.connection.host";
pub(super) const CASSANDRA_PORT: &str = "spark.cassandra.connection.port";
pub(super) const CASSANDRA_USER: &str = "spark.cassandra.auth.username";
pub(super) const CASSANDRA_PASSWORD: &str = "spark.cassandra.auth.password";

/// What clients ask for before they were told anything, with Spark's defaults.
const DEFAULTS: [(&str, &str); 28] = [
    ("spark.app.name", "Spark Connect server"),
    ("spark.master", "local[*]"),
    ("spark.connect.session.planCompression.threshold", "-1"),
    ("spark.connect.session.planCompression.defaultAlgorithm", "NONE"),
    ("spark.sql.ansi.enabled", "true"),
    ("spark.sql.caseSensitive", "false"),
    ("spark.sql.execution.arrow.maxRecordsPerBatch", "10000"),
    ("spark.sql.execution.arrow.pyspark.selfDestruct.enabled", "false"),
    ("spark.sql.execution.arrow.useLargeVarTypes", "false"),
    ("spark.sql.execution.pythonUDF.arrow.enabled", "false"),
    ("spark.sql.execution.pandas.convertToArrowArraySafely", "false"),
    ("spark.sql.execution.pandas.inferPandasDictAsMap", "false"),
    ("spark.sql.execution.pandas.structHandlingMode", "legacy"),
    ("spark.sql.pyspark.inferNestedDictAsStruct.enabled", "false"),
    ("spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled", "false"),
    ("spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled", "false"),
    ("spark.sql.repl.eagerEval.enabled", "false"),
    ("spark.sql.repl.eagerEval.maxNumRows", "20"),
    ("spark.sql.repl.eagerEval.truncate", "20"),
    // A client's own rows come in the plan itself: a message holds as many as it may.
    ("spark.sql.session.localRelationBatchOfChunksSizeBytes", "67108864"),
    ("spark.sql.session.localRelationCacheThreshold", "67108864"),
    ("spark.sql.session.localRelationChunkSizeBytes", "16777216"),
    ("spark.sql.session.localRelationChunkSizeRows", "10000"),
    ("spark.sql.session.localRelationSizeLimit", "67108864"),
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.shuffle.partitions", "200"),
    ("spark.sql.timestampType", "TIMESTAMP_LTZ"),
    ("spark.sql.streaming.stopActiveRunOnRestart", "true"),
];

/// The settings of one session.
#[derive(Debug, Clone, Default)]
pub(super) struct Conf {
    own: BTreeMap<String, String>,
}

impl Conf {
    /// What is set, or Spark's default.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let default = || DEFAULTS.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        self.own.get(key).map(String::as_str).or_else(default)
    }

    pub(super) fn require(&self, key: &str) -> Result<&str> {
        self.get(key).ok_or_else(|| {
            let text = format!(
                "The SQL config \"{key}\" cannot be found. Please verify that the config exists."
            );
            SparkError::new(Kind::NoSuchElement, "SQL_CONF_NOT_FOUND", "42K0I", &text)
                .with("sqlConf", format!("\"{key}\""))
        })
    }

    pub(super) fn set(&mut self, key: &str, value: &str) -> Result<()> {
        check(key, value)?;
        if self.own.len() >= SETTINGS_MAX && !self.own.contains_key(key) {
            return Err(SparkError::runtime(format!("more than {SETTINGS_MAX} settings")));
        }
        if value.len() > VALUE_BYTES_MAX {
            return Err(SparkError::argument(format!(
                "the value of {key} has more than {VALUE_BYTES_MAX} bytes"
            )));
        }
        self.own.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    pub(super) fn unset(&mut self, key: &str) {
        self.own.remove(key);
    }

    /// All settings, defaults included, whose names begin so.
    pub(super) fn all(&self, prefix: &str) -> BTreeMap<&str, &str> {
        let own = self.own.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let all = DEFAULTS.iter().copied().chain(own);
        all.filter(|(key, _)| key.starts_with(prefix)).collect()
    }
}

/// Settings that change results have one possible value here.
fn check(key: &str, value: &str) -> Result<()> {
    let only = |wanted: &str| {
        if value.eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(SparkError::unsupported(format!("{key} = {value}; it is {wanted} here")))
    };
    match key {
        "spark.sql.session.timeZone" => match value {
            "UTC" | "Etc/UTC" | "GMT" | "Z" | "+00:00" | "Etc/GMT" => Ok(()),
            _ => only("UTC"),
        },
        "spark.sql.ansi.enabled" => only("true"),
        "spark.sql.caseSensitive" => only("false"),
        "spark.sql.timestampType" => only("TIMESTAMP_LTZ"),
        _ => Ok(()),
    }
}

/// Whether a session may change it: the settings of SQL, and those of connectors.
pub(super) fn is_modifiable(key: &str) -> bool {
    key.starts_with("spark.sql.") || key.starts_with("spark.cassandra.")
}
