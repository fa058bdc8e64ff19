//! What a task knows of its run: Airflow's template context.

use minijinja::value::Value as Dynamic;
use serde_json::{Map, Value, json};

use super::Tools;
use super::stop::Stop;
use crate::core::{Outcome, RETURN_VALUE, Start};
use crate::logs::TaskLog;
use crate::store::XCom;
use crate::template::{TemplateError, dynamic};
use crate::text::{python_isoformat, utc};

/// One try: what it works on and with.
pub(super) struct TryContext<'a> {
    pub(super) tools: &'a Tools,
    pub(super) start: &'a Start,
    pub(super) values: Dynamic,
    pub(super) log: &'a TaskLog,
    pub(super) stop: &'a Stop,
}

impl TryContext<'_> {
    pub(super) fn render(&self, value: &Value) -> Result<Value, TemplateError> {
        self.tools.templates.render(value, &self.values)
    }

    pub(super) fn render_text(&self, text: &str) -> Result<String, TemplateError> {
        self.tools.templates.render_text(text, &self.values)
    }

    pub(super) fn task_id(&self) -> &str {
        &self.start.dag.tasks[self.start.index].task_id
    }
}

/// A template that gives no value gives none at the next try either.
impl From<TemplateError> for Outcome {
    fn from(error: TemplateError) -> Outcome {
        Outcome::Failed { reason: error.to_string(), retry: false, value: None }
    }
}

/// Airflow's names. As in Airflow 3, a run without a logical date has no `ds` and its relatives.
pub(super) fn values(start: &Start, xcoms: &[XCom]) -> Dynamic {
    let (run, dag) = (&start.run, &start.dag);
    let task_id = &dag.tasks[start.index].task_id;
    let params = dag.params.resolve(&run.conf).unwrap_or_else(|_| dag.params.defaults());
    let instance = json!({
        "task_id": &**task_id, "dag_id": &*run.dag_id, "run_id": &*run.run_id,
        "try_number": start.try_number, "max_tries": start.max_tries, "map_index": -1,
    });
    let mut values = Map::new();
    let mut set = |name: &str, value: Value| drop(values.insert(name.to_owned(), value));
    set("run_id", json!(&*run.run_id));
    set("run_after", json!(python_isoformat(run.run_after)));
    set("params", Value::Object(params));
    set("conf", Value::Object((*run.conf).clone()));
    set("dag", json!({"dag_id": &*run.dag_id}));
    set("task", json!({"task_id": &**task_id, "owner": dag.tasks[start.index].owner}));
    set("ti", instance.clone());
    set("task_instance", instance);
    let returned = xcoms.iter().filter(|xcom| xcom.key == RETURN_VALUE);
    let returned = returned.map(|xcom| (xcom.task_id.clone(), xcom.value.clone()));
    set("xcom", Value::Object(returned.collect()));
    let mut dag_run = json!({
        "run_id": &*run.run_id, "dag_id": &*run.dag_id, "run_type": run.kind.as_str(),
        "conf": *run.conf, "run_after": python_isoformat(run.run_after),
    });
    if let Some(date) = run.logical_date {
        dag_run["logical_date"] = json!(python_isoformat(date));
        set("logical_date", json!(python_isoformat(date)));
        set("ds", json!(utc(date, "%Y-%m-%d")));
        set("ds_nodash", json!(utc(date, "%Y%m%d")));
        set("ts", json!(python_isoformat(date)));
        set("ts_nodash", json!(utc(date, "%Y%m%dT%H%M%S")));
        set("ts_nodash_with_tz", json!(utc(date, "%Y%m%dT%H%M%S+0000")));
    }
    if let Some(interval) = run.interval {
        set("data_interval_start", json!(python_isoformat(interval.start)));
        set("data_interval_end", json!(python_isoformat(interval.end)));
    }
    set("dag_run", dag_run);
    dynamic(&Value::Object(values))
}
