//! Errors in Spark's words: a class with its SQLSTATE and parameters, and the Java class by which a
//! client chooses its exception.

use std::collections::BTreeMap;

use datafusion::common::DataFusionError;
use serde_json::json;
use tidemill_spark_connect::status::{Code, ErrorInfo, Status};
use tidemill_spark_connect::{
    ErrorDetailsError, ErrorDetailsSparkThrowable, FetchErrorDetailsResponse,
};

/// What a client does with an error: which exception it raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The query means nothing.
    Analysis,
    /// The text is no SQL.
    Parse,
    /// It is not there.
    Unsupported,
    /// A setting or an argument is wrong.
    Argument,
    /// A division by zero, a number too large.
    Arithmetic,
    /// A text that is no number.
    NumberFormat,
    /// A text that is no date.
    DateTime,
    /// A streaming query failed.
    StreamingQuery,
    /// It failed while it ran.
    Runtime,
    /// Something named does not exist.
    NoSuchElement,
    /// A session or an operation is not there.
    Handle,
    /// Anything else.
    Spark,
}

impl Kind {
    /// The class of the exception, then its parents'.
    fn hierarchy(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Kind::Analysis => &["org.apache.spark.sql.AnalysisException"],
            Kind::Parse => &[
                "org.apache.spark.sql.catalyst.parser.ParseException",
                "org.apache.spark.sql.AnalysisException",
            ],
            Kind::Unsupported => &[
                "org.apache.spark.SparkUnsupportedOperationException",
                "java.lang.UnsupportedOperationException",
            ],
            Kind::Argument => &[
                "org.apache.spark.SparkIllegalArgumentException",
                "java.lang.IllegalArgumentException",
            ],
            Kind::Arithmetic => {
                &["org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException"]
            }
            Kind::NumberFormat => &[
                "org.apache.spark.SparkNumberFormatException",
                "java.lang.NumberFormatException",
                "java.lang.IllegalArgumentException",
            ],
            Kind::DateTime => {
                &["org.apache.spark.SparkDateTimeException", "java.time.DateTimeException"]
            }
            Kind::StreamingQuery => &["org.apache.spark.sql.streaming.StreamingQueryException"],
            Kind::Runtime => {
                &["org.apache.spark.SparkRuntimeException", "java.lang.RuntimeException"]
            }
            Kind::NoSuchElement => &[
                "org.apache.spark.SparkNoSuchElementException",
                "java.util.NoSuchElementException",
            ],
            Kind::Handle => &["org.apache.spark.SparkSQLException", "java.sql.SQLException"],
            Kind::Spark => &["org.apache.spark.SparkException"],
        };
        let parents = ["java.lang.Exception", "java.lang.Throwable", "java.lang.Object"];
        own.iter().copied().chain(parents).collect()
    }
}

/// An error as Spark tells it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SparkError {
    pub(crate) kind: Kind,
    /// Such as `UNRESOLVED_COLUMN.WITH_SUGGESTION`; empty if Spark has none either.
    pub(crate) class: String,
    pub(crate) sql_state: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// With class and SQLSTATE.
    pub(crate) message: String,
}

pub(crate) type Result<T> = std::result::Result<T, SparkError>;

impl SparkError {
    /// `text` is a sentence; class and SQLSTATE are put around it as Spark does.
    pub(crate) fn new(kind: Kind, class: &str, sql_state: &str, text: &str) -> SparkError {
        let text = text.trim_end();
        SparkError {
            kind,
            class: class.to_owned(),
            sql_state: sql_state.to_owned(),
            parameters: BTreeMap::new(),
            message: format!("[{class}] {text} SQLSTATE: {sql_state}"),
        }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> SparkError {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// Spark can do it, this engine cannot: the answer names it, and nothing was done.
    pub(crate) fn unsupported(what: impl std::fmt::Display) -> SparkError {
        let what = what.to_string();
        SparkError::new(
            Kind::Unsupported,
            "UNSUPPORTED_FEATURE",
            "0A000",
            &format!("The feature is not supported: {what}."),
        )
        .with("feature", what)
    }

    /// `what` in a streaming query, which Spark refuses too.
    pub(crate) fn unsupported_stream(what: impl std::fmt::Display) -> SparkError {
        let what = what.to_string();
        let class = "STREAMING_QUERY_UNSUPPORTED_OPERATION";
        SparkError {
            kind: Kind::Analysis,
            class: class.to_owned(),
            sql_state: "0A000".to_owned(),
            parameters: BTreeMap::from([("operation".to_owned(), what.clone())]),
            message: format!(
                "[{class}] {what} is not supported in a streaming query. SQLSTATE: 0A000"
            ),
        }
    }

    pub(crate) fn invalid_plan(what: impl std::fmt::Display) -> SparkError {
        let text = format!("The Spark Connect plan is invalid. {what}");
        SparkError::new(Kind::Analysis, "CONNECT_INVALID_PLAN", "56K00", &text)
    }

    pub(crate) fn argument(text: impl std::fmt::Display) -> SparkError {
        let text = text.to_string();
        let class = "INVALID_PARAMETER_VALUE";
        SparkError::new(Kind::Argument, class, "22023", &text).with("message", text)
    }

    /// `text` already says what is wrong; for errors without a class of their own.
    pub(crate) fn analysis(text: impl std::fmt::Display) -> SparkError {
        SparkError::new(Kind::Analysis, "_LEGACY_ERROR_TEMP_ANALYSIS", "XX000", &text.to_string())
    }

    pub(crate) fn runtime(text: impl std::fmt::Display) -> SparkError {
        SparkError::new(Kind::Runtime, "INTERNAL_ERROR", "XX000", &text.to_string())
    }

    pub(crate) fn unresolved_column(name: &str, known: &[String]) -> SparkError {
        let shown = quoted(name);
        if known.is_empty() {
            let text = format!(
                "A column, variable, or function parameter with name {shown} cannot be resolved."
            );
            let class = "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION";
            return SparkError::new(Kind::Analysis, class, "42703", &text)
                .with("objectName", shown);
        }
        let proposal = nearest(name, known).join(", ");
        let text = format!(
            "A column, variable, or function parameter with name {shown} cannot be resolved. Did \
             you mean one of the following? [{proposal}]."
        );
        SparkError::new(Kind::Analysis, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", &text)
            .with("objectName", shown)
            .with("proposal", proposal)
    }

    pub(crate) fn ambiguous_column(name: &str, candidates: &[String]) -> SparkError {
        let candidates: Vec<String> = candidates.iter().map(|one| quoted(one)).collect();
        let (name, all) = (quoted(name), format!("[{}]", candidates.join(", ")));
        let text = format!("Reference {name} is ambiguous, could be: {all}.");
        SparkError::new(Kind::Analysis, "AMBIGUOUS_REFERENCE", "42704", &text)
            .with("name", name)
            .with("referenceNames", all)
    }

    pub(crate) fn table_not_found(name: &str) -> SparkError {
        let shown = quoted(name);
        let text = format!(
            "The table or view {shown} cannot be found. Verify the spelling and correctness of the \
             schema and catalog.\nIf you did not qualify the name with a schema, verify the \
             current_schema() output, or qualify the name with the correct schema and catalog.\nTo \
             tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS."
        );
        SparkError::new(Kind::Analysis, "TABLE_OR_VIEW_NOT_FOUND", "42P01", &text)
            .with("relationName", shown)
    }

    pub(crate) fn unresolved_routine(name: &str) -> SparkError {
        let shown = quoted(name);
        let path = "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]";
        let text = format!("Cannot resolve routine {shown} on search path {path}.");
        SparkError::new(Kind::Analysis, "UNRESOLVED_ROUTINE", "42883", &text)
            .with("routineName", shown)
            .with("searchPath", path)
    }

    /// Spark's text for it is about what stands there.
    pub(crate) fn syntax(near: &str, sql: &str, line: u64, position: u64) -> SparkError {
        let error = if near.is_empty() { "end of input".to_owned() } else { format!("'{near}'") };
        let class = "PARSE_SYNTAX_ERROR";
        let marker = " ".repeat(usize::try_from(position).unwrap_or(0).min(500));
        SparkError {
            kind: Kind::Parse,
            class: class.to_owned(),
            sql_state: "42601".to_owned(),
            message: format!(
                "[{class}] Syntax error at or near {error}. SQLSTATE: 42601 (line {line}, pos \
                 {position})\n\n== SQL ==\n{sql}\n{marker}^^^\n"
            ),
            parameters: BTreeMap::from([
                ("error".to_owned(), error),
                ("hint".to_owned(), String::new()),
            ]),
        }
    }

    pub(crate) fn wrong_argument_count(name: &str, wanted: &str, found: usize) -> SparkError {
        let shown = quoted(name);
        let text =
            format!("The {shown} requires {wanted} parameters but the actual number is {found}.");
        SparkError::new(Kind::Analysis, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", &text)
            .with("functionName", shown)
            .with("expectedNum", wanted)
            .with("actualNum", found.to_string())
    }

    pub(crate) fn operation_not_found(id: &str) -> SparkError {
        handle("OPERATION_NOT_FOUND", id, "Operation not found.")
    }

    pub(crate) fn operation_exists(id: &str) -> SparkError {
        handle("OPERATION_ALREADY_EXISTS", id, "Operation already exists.")
    }

    pub(crate) fn cancelled() -> SparkError {
        SparkError::new(Kind::Spark, "OPERATION_CANCELED", "HY008", "Operation has been canceled.")
    }

    /// The status of a call that ends with this error; `id` finds the details again.
    pub(crate) fn status(&self, id: &str) -> Status {
        let hierarchy = self.kind.hierarchy();
        let mut metadata = BTreeMap::from([
            ("classes".to_owned(), json!(hierarchy).to_string()),
            ("errorId".to_owned(), id.to_owned()),
        ]);
        if !self.class.is_empty() {
            metadata.insert("errorClass".to_owned(), self.class.clone());
            metadata.insert("sqlState".to_owned(), self.sql_state.clone());
            let parameters = json!(self.parameters).to_string();
            // Trailers are small; the details have them whole.
            if parameters.len() <= 1024 {
                metadata.insert("messageParameters".to_owned(), parameters);
            }
        }
        let info = ErrorInfo {
            reason: hierarchy[0].to_owned(),
            domain: "org.apache.spark".to_owned(),
            metadata,
        };
        Status::new(Code::Internal, self.message.clone()).with_info(&info)
    }

    /// What `FetchErrorDetails` tells.
    pub(crate) fn details(&self) -> FetchErrorDetailsResponse {
        let throwable = (!self.class.is_empty()).then(|| ErrorDetailsSparkThrowable {
            error_class: Some(self.class.clone()),
            sql_state: Some(self.sql_state.clone()),
            message_parameters: self.parameters.clone(),
            query_contexts: Vec::new(),
        });
        let error = ErrorDetailsError {
            error_type_hierarchy: self.kind.hierarchy().into_iter().map(str::to_owned).collect(),
            message: self.message.clone(),
            spark_throwable: throwable,
            ..ErrorDetailsError::default()
        };
        FetchErrorDetailsResponse {
            root_error_idx: Some(0),
            errors: vec![error],
            ..FetchErrorDetailsResponse::default()
        }
    }
}

fn handle(reason: &str, id: &str, text: &str) -> SparkError {
    let text = format!("The handle {id} is invalid. {text}");
    SparkError::new(Kind::Handle, &format!("INVALID_HANDLE.{reason}"), "HY000", &text)
        .with("handle", id)
}

/// A name in backticks, part by part.
pub(crate) fn quoted(name: &str) -> String {
    let parts: Vec<String> = name.split('.').map(|part| format!("`{part}`")).collect();
    parts.join(".")
}

/// The five names most like a wrong one.
fn nearest(name: &str, known: &[String]) -> Vec<String> {
    let mut known: Vec<(usize, &String)> =
        known.iter().map(|one| (distance(name, one), one)).collect();
    known.sort_by_key(|(distance, _)| *distance);
    known.into_iter().take(5).map(|(_, one)| quoted(one)).collect()
}

/// Levenshtein's, of texts up to a length that is worth it.
fn distance(one: &str, two: &str) -> usize {
    let (one, two): (Vec<char>, Vec<char>) =
        (one.chars().take(64).collect(), two.chars().take(64).collect());
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in two.iter().enumerate() {
            let changed = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[two.len()]
}

impl From<DataFusionError> for SparkError {
    /// What DataFusion says while it plans or computes, under Spark's class where there is one.
    fn from(error: DataFusionError) -> SparkError {
        let text = error.find_root().strip_backtrace();
        let text = ["Error during planning: ", "Arrow error: ", "Execution error: "]
            .iter()
            .fold(text.as_str(), |text, prefix| text.strip_prefix(prefix).unwrap_or(text))
            .to_owned();
        if let DataFusionError::External(inner) = error.find_root()
            && let Some(own) = inner.downcast_ref::<SparkError>()
        {
            return own.clone();
        }
        if text.contains("Divide by zero") {
            let text = "Division by zero. Use `try_divide` to tolerate divisor being 0 and return \
                        NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to \
                        bypass this error.";
            return SparkError::new(Kind::Arithmetic, "DIVIDE_BY_ZERO", "22012", text)
                .with("config", "\"spark.sql.ansi.enabled\"");
        }
        if text.contains("verflow") {
            return SparkError::new(Kind::Arithmetic, "ARITHMETIC_OVERFLOW", "22003", &text);
        }
        if let Some(error) = cast_error(&text) {
            return error;
        }
        if let Some(what) = text.strip_prefix("This feature is not implemented: ") {
            return SparkError::unsupported(what);
        }
        match error.find_root() {
            DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => {
                SparkError::analysis(text)
            }
            _ => SparkError::runtime(text),
        }
    }
}

/// `Cast error: Cannot cast string 'x' to value of Int32 type`.
fn cast_error(text: &str) -> Option<SparkError> {
    let rest = text.strip_prefix("Cast error: ").or_else(|| text.strip_prefix("Parser error: "))?;
    let value = rest.split('\'').nth(1).unwrap_or_default();
    let is_time = ["Date", "Timestamp", "Time"].iter().any(|word| rest.contains(word));
    let target = rest.split("value of ").nth(1).and_then(|rest| rest.split(' ').next());
    let target = match target.unwrap_or_default() {
        "Int8" => "TINYINT",
        "Int16" => "SMALLINT",
        "Int32" => "INT",
        "Int64" => "BIGINT",
        "Float32" => "FLOAT",
        "Float64" => "DOUBLE",
        "Boolean" => "BOOLEAN",
        _ if is_time => "TIMESTAMP",
        _ => "target",
    };
    let text = format!(
        "The value '{value}' of the type \"STRING\" cannot be cast to \"{target}\" because it is \
         malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` \
         to tolerate malformed input and return NULL instead."
    );
    let kind = if is_time { Kind::DateTime } else { Kind::NumberFormat };
    Some(
        SparkError::new(kind, "CAST_INVALID_INPUT", "22018", &text)
            .with("expression", format!("'{value}'"))
            .with("sourceType", "\"STRING\"")
            .with("targetType", format!("\"{target}\"")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_class_and_state_and_offers_what_is_near() {
        let known = ["name".to_owned(), "age".to_owned()];
        let error = SparkError::unresolved_column("nme", &known);
        assert_eq!(
            error.message,
            "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with \
             name `nme` cannot be resolved. Did you mean one of the following? [`name`, `age`]. \
             SQLSTATE: 42703"
        );
        let details = error.details();
        assert_eq!(
            details.errors[0].error_type_hierarchy[0],
            "org.apache.spark.sql.AnalysisException"
        );
    }
}
