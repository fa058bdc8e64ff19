//! DAG files in Python, over the whole box: a real interpreter reads and runs them.

use super::*;

/// The way the well-known tutorial begins, in Airflow 2's spelling.
const TUTORIAL: &str = "
from datetime import datetime
from airflow import DAG
from airflow.operators.python import PythonOperator

def stream_data(params, ti, ds=None):
    print('working on', ds)
    ti.xcom_push(key='extra', value=[1, 2])
    return {'answer': params['n'] + 1}

with DAG('user_automation', default_args={'owner': 'airscholar', 'start_date': datetime(2023, 9, 3, 10)},
         schedule_interval='@daily', catchup=False, params={'n': 41}, is_paused_upon_creation=True) as dag:
    streaming_task = PythonOperator(task_id='stream_data_from_api', python_callable=stream_data)
";

/// Branches, XComs, templates, a shell command, in Airflow 3's spelling.
const FLOW: &str = "
from airflow.sdk import dag, task, TaskGroup
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator

@dag(schedule=None, params={'way': 'left'})
def flow():
    @task
    def number():
        return {'n': 20}

    @task
    def twice(value):
        return value['n'] * 2

    @task.branch
    def choose(params=None):
        return params['way']

    left = BashOperator(task_id='left', bash_command=\"echo {{ dag_run.conf.get('word', 'none') }} {{ ti.xcom_pull(task_ids='twice') + 2 }}\")
    right = EmptyOperator(task_id='right')
    end = EmptyOperator(task_id='end', trigger_rule='none_failed_min_one_success')
    doubled = twice(number())
    way = choose()
    doubled >> way >> [left, right] >> end
flow()
";

/// A stand-in for kafka-python, as little of it as the count of records touches.
const KAFKA: &str = "
from kafka.producer.kafka import KafkaProducer
";
const KAFKA_PRODUCER: &str = "
class Future:
    def add_callback(self, f): f(None)
    def add_errback(self, f): pass

class KafkaProducer:
    def __init__(self, **config): pass
    def send(self, topic, value=None): return Future()
    def flush(self, timeout=None): pass
";

/// The original's defect: an id that is not JSON, in a loop that logs and goes on.
const UNSENT: &str = "
import json, logging, uuid
from airflow.sdk import DAG
from airflow.operators.python import PythonOperator

def stream_data():
    from kafka import KafkaProducer
    producer = KafkaProducer(bootstrap_servers=['broker:29092'], max_block_ms=5000)
    for _ in range(412):
        try:
            record = {'id': ID}
            producer.send('users_created', json.dumps(record).encode('utf-8'))
        except Exception as e:
            logging.error(f'An error occured: {e}')
            continue

with DAG('unsent', schedule=None):
    PythonOperator(task_id='stream', python_callable=stream_data)
";

impl Project {
    async fn xcom(&self, dag_id: &str, run_id: &str, task_id: &str, key: &str) -> Value {
        let run = path(run_id);
        let path =
            format!("/dags/{dag_id}/dagRuns/{run}/taskInstances/{task_id}/xcomEntries/{key}");
        self.get(&path).await["value"].take()
    }

    async fn log_of(&self, dag_id: &str, run_id: &str, task_id: &str) -> Vec<String> {
        let run = path(run_id);
        let path = format!("/dags/{dag_id}/dagRuns/{run}/taskInstances/{task_id}/logs/1");
        let log = self.get(&path).await;
        let lines = log["content"].as_array().unwrap().iter();
        lines.map(|line| line["event"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join("dags").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Asks until the listing of import errors is as wanted.
    async fn import_errors(&self, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let wait = async {
            loop {
                let body = self.get("/importErrors").await;
                let errors = body["import_errors"].as_array().unwrap().iter();
                let errors: Vec<String> =
                    errors.map(|error| error["stack_trace"].as_str().unwrap().to_owned()).collect();
                if wanted(&errors) {
                    return errors;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.expect("the errors come")
    }
}

#[tokio::test]
async fn the_tutorials_dag_is_there_at_the_start_and_runs() {
    let project = Project::new(&[("kafka_stream.py", TUTORIAL)]).await;
    let dag = project.get("/dags/user_automation").await;
    assert_eq!(dag["timetable_summary"], "@daily");
    assert_eq!(dag["owners"], json!(["airscholar"]));
    let source = project.get("/dagSources/user_automation").await;
    assert_eq!(source["content"], TUTORIAL);
    project.unpause("user_automation").await;
    let run_id = project.trigger("user_automation", json!({"n": 1})).await;
    let run = project.ended("user_automation", &run_id).await;
    assert_eq!(run["state"], "success", "{run}");
    let value = project.xcom("user_automation", &run_id, "stream_data_from_api", "return_value");
    assert_eq!(value.await, json!({"answer": 2}));
    let extra = project.xcom("user_automation", &run_id, "stream_data_from_api", "extra").await;
    assert_eq!(extra, json!([1, 2]));
    let log = project.log_of("user_automation", &run_id, "stream_data_from_api").await;
    // It was asked for without a logical date: the day it was asked on is the one.
    let today = run["run_after"].as_str().unwrap()[..10].to_owned();
    assert!(log.contains(&format!("working on {today}")), "{log:?}");
}

#[tokio::test]
async fn branches_values_and_templates_work_as_in_airflow() {
    let project = Project::new(&[("flow.py", FLOW)]).await;
    let run_id = project.trigger("flow", json!({"word": "hello"})).await;
    assert_eq!(project.ended("flow", &run_id).await["state"], "success");
    let states = project.states("flow", &run_id).await;
    assert_eq!((&*states["left"], &*states["right"]), ("success", "skipped"), "{states:?}");
    assert_eq!(states["end"], "success");
    assert_eq!(project.xcom("flow", &run_id, "left", "return_value").await, "hello 42");
    let run_id = project.trigger("flow", json!({"way": "right"})).await;
    assert_eq!(project.ended("flow", &run_id).await["state"], "success");
    assert_eq!(project.states("flow", &run_id).await["left"], "skipped");
}

#[tokio::test]
async fn an_edit_is_in_force_soon_and_a_broken_file_keeps_its_last_good_version() {
    let project = Project::new(&[("flow.py", FLOW)]).await;
    let broken = FLOW.replace("return value['n'] * 2", "return value['n'] *");
    project.write("flow.py", &broken);
    let errors = project.import_errors(|errors| !errors.is_empty()).await;
    assert!(errors[0].starts_with("flow.py:14: SyntaxError: invalid syntax"), "{errors:?}");
    assert!(errors[0].contains("14 |         return value['n'] *"), "{errors:?}");
    assert_eq!(project.get("/dags/flow").await["has_import_errors"], true);
    project.write(
        "flow.py",
        "from airflow.providers.http.operators.http import HttpOperator\n# dag\n",
    );
    let errors = project.import_errors(|errors| errors[0].contains("http")).await;
    let told = "flow.py:1: airflow.providers.http.operators.http.HttpOperator (dags/flow.py:1) is not \
                in Tidemill's airflow package: call requests";
    assert!(errors[0].starts_with(told), "{errors:?}");
    project.write("flow.py", &FLOW.replace("'n': 20", "'n': 10"));
    project.import_errors(<[String]>::is_empty).await;
    let run_id = project.trigger("flow", json!({})).await;
    project.ended("flow", &run_id).await;
    assert_eq!(project.xcom("flow", &run_id, "left", "return_value").await, "none 22");
}

#[tokio::test]
async fn a_green_run_that_moved_nothing_has_failed_and_quotes_the_first_exception() {
    let kafka = [("kafka/__init__.py", KAFKA), ("kafka/producer/__init__.py", "")];
    let project = Project::new(&[]).await;
    for (name, text) in kafka {
        project.write(name, text);
    }
    project.write("kafka/producer/kafka.py", KAFKA_PRODUCER);
    project.write("unsent.py", &UNSENT.replace("ID", "uuid.uuid4()"));
    let found = async {
        while project.ask(Method::GET, "/dags/unsent", None).await.0 != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, found).await.expect("the DAG is found");
    let tasks = project.get("/dags/unsent/tasks").await;
    assert_eq!(tasks["total_entries"], 1);
    let run_id = project.trigger("unsent", json!({})).await;
    let run = project.ended("unsent", &run_id).await;
    assert_eq!(run["state"], "failed");
    let reason = run["tidemill_reason"].as_str().unwrap();
    let told = "0 records reached users_created, 412 exceptions logged; first: TypeError: Object of \
                type UUID is not JSON serializable (dags/unsent.py:12): write str(uuid.uuid4())";
    assert!(reason.contains(told), "{reason}");
    let log = project.log_of("unsent", &run_id, "stream").await;
    assert!(log.len() < 60, "a flood is told by its count: {}", log.len());
    project.write("unsent.py", &UNSENT.replace("ID", "str(uuid.uuid4())"));
    let version = async {
        while project.get("/dags/unsent/dagVersions").await["total_entries"] != 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, version).await.expect("the edit is seen");
    let run_id = project.trigger("unsent", json!({})).await;
    assert_eq!(project.ended("unsent", &run_id).await["state"], "success");
    let log = project.log_of("unsent", &run_id, "stream").await;
    let told = "users_created: 412 records sent, 412 acknowledged, 0 refused, 0 more at the broker";
    assert!(log.contains(&told.to_owned()), "{log:?}");
}

#[tokio::test]
async fn what_a_task_raises_is_its_reason_with_file_and_line() {
    let file = "
from airflow.sdk import DAG, task
from airflow.exceptions import AirflowSkipException, AirflowFailException

@task(retries=3)
def fails():
    raise AirflowFailException('no hope')

@task
def skips():
    raise AirflowSkipException('not today')

@task
def divides(ti=None):
    return 1 / 0

with DAG('d', schedule=None):
    [fails(), skips(), divides()]
";
    let project = Project::new(&[("d.py", file)]).await;
    let run_id = project.trigger("d", json!({})).await;
    assert_eq!(project.ended("d", &run_id).await["state"], "failed");
    let tasks = format!("/dags/d/dagRuns/{}/taskInstances", path(&run_id));
    let tasks = project.get(&tasks).await;
    let reason = |id: &str| {
        let found = tasks["task_instances"].as_array().unwrap().iter();
        let task = found.clone().find(|task| task["task_id"] == id).unwrap();
        (task["state"].as_str().unwrap().to_owned(), task["tidemill_reason"].clone())
    };
    let told = |state: &str, reason: &str| (state.to_owned(), json!(reason));
    assert_eq!(reason("fails"), told("failed", "AirflowFailException: no hope (dags/d.py:7)"));
    assert_eq!(reason("skips"), told("skipped", "not today"));
    assert_eq!(
        reason("divides"),
        told("failed", "ZeroDivisionError: division by zero (dags/d.py:15)")
    );
}

#[tokio::test]
async fn tasks_and_files_have_variables_and_connections() {
    let file = "
from airflow.models import Variable
from airflow.hooks.base import BaseHook
from airflow.sdk import DAG, task

Variable.set('owner', 'ada')

@task
def uses(owner):
    Variable.set('seen', {'n': 1}, serialize_json=True)
    assert Variable.get('missing', default_var=None) is None
    found = BaseHook.get_connection('files')
    return [owner, Variable.get('seen', deserialize_json=True)['n'], found.host, '{{ var.value.owner }}']

with DAG('d', schedule=None, default_args={'owner': Variable.get('owner')}):
    uses('{{ var.value.owner }}')
";
    let project = Project::new(&[]).await;
    project.write("d.py", file);
    let errors = project.import_errors(|_| true).await;
    assert!(errors.is_empty(), "{errors:?}");
    let found = async {
        while project.ask(Method::GET, "/dags/d", None).await.0 != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, found).await.expect("the DAG is found");
    assert_eq!(project.get("/dags/d").await["owners"], json!(["ada"]));
    let run_id = project.trigger("d", json!({})).await;
    let run = project.ended("d", &run_id).await;
    let reason = run["tidemill_reason"].as_str().unwrap();
    assert!(reason.contains("The conn_id `files` isn't defined (dags/d.py:12)"), "{reason}");
    let answer = reqwest::get(project.url("/execution/variables/owner")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "it is for our own children");
}

#[tokio::test]
async fn a_task_that_takes_too_long_or_leaves_in_the_middle_has_failed() {
    let file = "
import os, time
from datetime import timedelta
from airflow.sdk import DAG, BaseOperator, task

class Slow(BaseOperator):
    def execute(self, context):
        while True:
            try:
                time.sleep(60)
            except Exception:
                continue

@task
def leaves():
    os._exit(0)

with DAG('d', schedule=None):
    Slow(task_id='slow', execution_timeout=timedelta(seconds=1))
    leaves()
";
    let project = Project::new(&[("d.py", file)]).await;
    let run_id = project.trigger("d", json!({})).await;
    assert_eq!(project.ended("d", &run_id).await["state"], "failed");
    let tasks = format!("/dags/d/dagRuns/{}/taskInstances", path(&run_id));
    let tasks = project.get(&tasks).await;
    let reason = |index: usize| tasks["task_instances"][index]["tidemill_reason"].to_string();
    assert!(reason(0).contains("AirflowTaskTimeout: execution_timeout of 1s"), "{}", reason(0));
    assert!(reason(1).contains("ended by itself before the task was done"), "{}", reason(1));
}

#[tokio::test]
async fn a_dag_is_called_at_the_end_of_a_run_that_ended_by_itself() {
    let file = "
import os
from airflow.sdk import DAG, task

def note(context):
    with open(os.path.join(os.environ['TIDEMILL_PROJECT'], 'told'), 'a') as file:
        file.write(f\"{context['run_id']} {context['dag_run'].state} {context['reason']}\\n\")

@task
def divides(params=None):
    return 1 / params['by']

with DAG('d', schedule=None, params={'by': 1}, on_failure_callback=note, on_success_callback=[note]):
    divides()
";
    let project = Project::new(&[("d.py", file)]).await;
    let told = project.dir.path().join("told");
    let ends = [(1, "success None"), (0, "failed task divides failed: ZeroDivisionError")];
    for (before, (by, part)) in ends.into_iter().enumerate() {
        let run_id = project.trigger("d", json!({ "by": by })).await;
        project.ended("d", &run_id).await;
        let lines = || std::fs::read_to_string(&told).unwrap_or_default();
        let wait = async {
            while lines().lines().count() <= before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.expect("the callback is called");
        assert!(
            lines().lines().last().unwrap().starts_with(&format!("{run_id} {part}")),
            "{}",
            lines()
        );
    }
}
