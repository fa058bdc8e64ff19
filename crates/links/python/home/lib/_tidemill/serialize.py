"""A DAG as the scheduler reads it: JSON, in the words of `dag/python.rs` there."""

import datetime

from _tidemill.dag import DAG, seconds
from _tidemill.dates import zone_name
from _tidemill.exceptions import AirflowException
from _tidemill.operators import DummyOperator, EmptyOperator
from _tidemill.params import Param
from _tidemill.topics import topics_of
from _tidemill.values import encoded


def dag_json(dag, topics):
    """One DAG with its tasks, in the order of the file. `topics` is of `topics_by_function`."""
    return {
        "dag_id": dag.dag_id,
        "line": dag.line,
        "description": dag.description,
        "doc_md": dag.doc_md,
        **schedule_json(dag),
        "start_date": _instant(dag.start_date),
        "end_date": _instant(dag.end_date),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "max_active_tasks": dag.max_active_tasks,
        "dagrun_timeout": seconds(dag.dagrun_timeout),
        "tags": [str(tag) for tag in dag.tags],
        "is_paused_upon_creation": dag.is_paused_upon_creation,
        "params": {name: param_json(name, param) for name, param in dag.params.params.items()},
        "on_success_callback": bool(dag.on_success_callback),
        "on_failure_callback": bool(dag.on_failure_callback),
        "tasks": [task_json(task, topics) for task in dag.tasks],
    }


def schedule_json(dag):
    """`schedule`: null, a preset, a cron expression or a number of seconds; and its zone."""
    schedule, zone = dag.schedule, dag.timezone_name
    kind = type(schedule).__name__
    if kind == "CronDataIntervalTimetable":
        schedule, zone = schedule.cron, zone_name(schedule.timezone)
    elif kind == "DeltaDataIntervalTimetable":
        schedule = schedule.delta
    elif kind == "NullTimetable":
        schedule = None
    elif kind == "OnceTimetable":
        schedule = "@once"
    if schedule is None or schedule == "None":
        found = None
    elif isinstance(schedule, str):
        found = schedule.strip()
    elif isinstance(schedule, datetime.timedelta):
        found = schedule.total_seconds()
    else:
        raise AirflowException(
            f"DAG {dag.dag_id}: schedule={schedule!r} is not supported by Tidemill: give a cron expression, a preset "
            "such as @daily, a timedelta, or None"
        )
    return {"schedule": found, "schedule_text": None if found is None else str(schedule), "timezone": zone}


def param_json(name, param):
    """A param's default, type and description."""
    param = param if isinstance(param, Param) else Param(param)
    kind = param.schema.get("type")
    return {
        "value": encoded(param.value),
        "type": [kind] if isinstance(kind, str) else list(kind or []),
        "description": param.description,
    }


def task_json(task, topics):
    """One task: when it runs. What it does is in the file."""
    return {
        "task_id": task.task_id,
        "operator": task.operator_name,
        "is_empty": is_empty(task),
        "owner": str(task.owner),
        "doc_md": task.doc_md,
        "upstream": sorted(task.upstream_task_ids),
        "trigger_rule": str(task.trigger_rule),
        "retries": task.retries,
        "retry_delay": seconds(task.retry_delay),
        "retry_exponential_backoff": float(task.retry_exponential_backoff or 0),
        "max_retry_delay": seconds(task.max_retry_delay),
        "execution_timeout": seconds(task.execution_timeout),
        "priority_weight": int(task.priority_weight or 1),
        "pool": task.pool,
        "pool_slots": task.pool_slots,
        "topics": topics_of(getattr(task, "python_callable", None), topics),
    }


def is_empty(task):
    """Whether nothing happens in the task, so that it needs no process."""
    from _tidemill.operator import CALLBACKS, BaseOperator

    plain = type(task) in (EmptyOperator, DummyOperator)
    hooks = any(getattr(task, name, None) for name in CALLBACKS)
    return plain and not hooks and not task._pre_execute and not task._post_execute and isinstance(task, BaseOperator)


def _instant(value):
    return None if value is None else value.astimezone(datetime.timezone.utc).isoformat()


def found_dags(namespace, made):
    """The DAGs of a file: those under a name of the module, and those that a `with` block or @dag made."""
    named = [value for value in namespace.values() if isinstance(value, DAG)]
    found = []
    for dag in made:
        if (dag.is_registered or any(dag is one for one in named)) and not any(dag is one for one in found):
            found.append(dag)
    return found
