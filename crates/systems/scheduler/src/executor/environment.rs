//! The environment of a child: a short list, and what Airflow tells its tasks.

use serde_json::Value;

use super::context::TryContext;
use crate::template::{TemplateError, as_text};
use crate::text::python_isoformat;

/// Variables a child inherits, if we have them; nothing else leaks into it. `[scheduler]
/// pass_environment` adds to them.
pub const PASSED_VARIABLES: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "VIRTUAL_ENV",
    "HTTP_PROXY",
    "HTTPS_PROXY",
];

/// Marks the children of one scheduler.
pub(super) const MARK: &str = "TIDEMILL_SCHEDULER";

pub(super) fn environment(
    context: &TryContext<'_>,
    own: &[(String, Value)],
) -> Result<Vec<(String, String)>, TemplateError> {
    let config = &context.tools.config;
    let names =
        PASSED_VARIABLES.into_iter().chain(config.pass_environment.iter().map(String::as_str));
    let mut variables: Vec<(String, String)> =
        names.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect();
    let (run, dag) = (&context.start.run, &context.start.dag);
    let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
    set("AIRFLOW_CTX_DAG_ID", run.dag_id.to_string());
    set("AIRFLOW_CTX_DAG_OWNER", dag.tasks[context.start.index].owner.clone());
    set("AIRFLOW_CTX_DAG_RUN_ID", run.run_id.to_string());
    set("AIRFLOW_CTX_TASK_ID", context.task_id().to_owned());
    set("AIRFLOW_CTX_TRY_NUMBER", context.start.try_number.to_string());
    if let Some(date) = run.logical_date {
        set("AIRFLOW_CTX_LOGICAL_DATE", python_isoformat(date));
    }
    set(MARK, config.mark.clone());
    for (name, value) in own {
        set(name, as_text(context.render(value)?));
    }
    Ok(variables)
}
