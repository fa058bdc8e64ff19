//! The environment of a child: a short list, what leads it to us, and what Airflow tells its tasks.

use std::path::PathBuf;

use serde_json::Value;
use tidemill_python::{PythonHome, Surroundings};

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
/// What a child shows to be answered by `/execution`.
const TOKEN: &str = "TIDEMILL_TASK_TOKEN";

/// What every child of a scheduler finds around it, be it a task or a DAG file that is read.
#[derive(Debug, Clone)]
pub struct ChildEnvironment {
    /// Where commands run and Python files lie.
    pub project: PathBuf,
    /// The folder of DAG files.
    pub dags_folder: PathBuf,
    /// The interpreter.
    pub python: String,
    /// Variables a child gets besides the documented ones.
    pub pass_environment: Vec<String>,
    /// The `airflow` package and command; none in tests that need no Python.
    pub home: Option<PythonHome>,
    /// Host names, the scheduler's address, a project's own variables.
    pub surroundings: Surroundings,
    /// For `/execution`.
    pub token: String,
    /// Marks our children, so that those of a dead process are found.
    pub mark: String,
}

impl ChildEnvironment {
    /// Name and value; of a name that comes twice, the last counts.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let names =
            PASSED_VARIABLES.into_iter().chain(self.pass_environment.iter().map(String::as_str));
        let mut variables: Vec<(String, String)> =
            names.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect();
        variables.extend(self.surroundings.extra.clone());
        if let Some(home) = &self.home {
            let mut surroundings = self.surroundings.clone();
            for name in ["PATH", "PYTHONPATH"] {
                // The project's own comes after ours.
                let passed = variables.iter().rev().find(|(known, _)| known == name);
                if let Some((name, value)) = passed.cloned() {
                    surroundings.extra.entry(name).or_insert(value);
                }
            }
            let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
            let found = home.environment(&surroundings).into_iter();
            variables.extend(found.map(|(name, value)| (text(name), text(value))));
            variables.extend([
                ("TIDEMILL_PYTHON".to_owned(), self.python.clone()),
                ("TIDEMILL_PROJECT".to_owned(), self.project.display().to_string()),
                ("TIDEMILL_DAGS_FOLDER".to_owned(), self.dags_folder.display().to_string()),
                (TOKEN.to_owned(), self.token.clone()),
            ]);
        }
        variables.push((MARK.to_owned(), self.mark.clone()));
        variables
    }
}

pub(super) fn environment(
    context: &TryContext<'_>,
    own: &[(String, Value)],
) -> Result<Vec<(String, String)>, TemplateError> {
    let mut variables = context.tools.config.children.variables();
    let (run, dag) = (&context.start.run, &context.start.dag);
    let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
    set("AIRFLOW_CTX_DAG_ID", run.dag_id.to_string());
    set("AIRFLOW_CTX_DAG_OWNER", dag.tasks[context.start.index].owner.clone());
    set("AIRFLOW_CTX_DAG_RUN_ID", run.run_id.to_string());
    set("AIRFLOW_CTX_TASK_ID", context.task_id().to_owned());
    set("AIRFLOW_CTX_TRY_NUMBER", context.start.try_number.to_string());
    if let Some(date) = run.logical_date {
        set("AIRFLOW_CTX_LOGICAL_DATE", python_isoformat(date));
        set("AIRFLOW_CTX_EXECUTION_DATE", python_isoformat(date));
    }
    for (name, value) in own {
        set(name, as_text(context.render(value)?));
    }
    Ok(variables)
}
