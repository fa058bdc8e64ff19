"""What a task knows of its run: Airflow's context."""

import datetime
import os

from _tidemill import state
from _tidemill.dates import Macros, context_date, parse

#: Names of the context; a task's function may have parameters of these names.
CONTEXT_KEYS = frozenset(
    "conf conn dag dag_run data_interval_end data_interval_start ds ds_nodash exception execution_date "
    "expanded_ti_count inlet_events inlets logical_date macros map_index_template next_ds next_ds_nodash "
    "next_execution_date outlet_events outlets params prev_data_interval_end_success prev_data_interval_start_success "
    "prev_ds prev_ds_nodash prev_end_date_success prev_execution_date prev_execution_date_success "
    "prev_start_date_success run_id start_date task task_instance task_instance_key_str templates_dict test_mode ti "
    "tomorrow_ds tomorrow_ds_nodash triggering_asset_events triggering_dataset_events ts ts_nodash ts_nodash_with_tz "
    "try_number var yesterday_ds yesterday_ds_nodash".split()
)


class Context(dict):
    """The context."""


class DagRun:
    """The run."""

    def __init__(self, given):
        self.run_id, self.dag_id, self.run_type = given["run_id"], given["dag_id"], given["run_type"]
        self.conf = given.get("conf") or {}
        self.logical_date = _date(given.get("logical_date"))
        self.data_interval_start = _date(given.get("data_interval_start"))
        self.data_interval_end = _date(given.get("data_interval_end"))
        self.run_after, self.queued_at = _date(given.get("run_after")), _date(given.get("queued_at"))
        self.execution_date = self.logical_date or self.run_after
        self.start_date, self.end_date = _date(given.get("start_date")), _date(given.get("end_date"))
        self.state = given.get("state", "running")
        self.external_trigger = self.run_type == "manual"
        self.triggered_by = given.get("triggered_by")

    def get_task_instances(self, state=None, **_):
        from _tidemill.rest import api, quoted

        path = f"/dags/{quoted(self.dag_id)}/dagRuns/{quoted(self.run_id)}/taskInstances?limit=1000"
        found = [OtherInstance(one) for one in api("GET", path)["task_instances"]]
        wanted = (
            None
            if state is None
            else {getattr(one, "value", one) for one in ([state] if isinstance(state, str) else state)}
        )
        return [one for one in found if wanted is None or one.state in wanted]

    def get_task_instance(self, task_id, **_):
        return next((one for one in self.get_task_instances() if one.task_id == task_id), None)

    def __repr__(self):
        return f"<DagRun {self.dag_id} @ {self.logical_date}: {self.run_id}, state:{self.state}>"


class OtherInstance:
    """Another task of the run, as it stands now."""

    def __init__(self, given):
        self.task_id, self.dag_id, self.run_id = given["task_id"], given["dag_id"], given["dag_run_id"]
        self.state, self.try_number, self.map_index = given["state"], given["try_number"], -1
        self.start_date, self.end_date = _date(given["start_date"]), _date(given["end_date"])
        self.duration = given["duration"]

    def current_state(self):
        return self.state


class TaskInstance:
    """The try that runs: it leaves values for others and reads theirs."""

    def __init__(self, task, run, given):
        self.task, self.dag_run = task, run
        self.dag_id, self.run_id, self.task_id = run.dag_id, run.run_id, task.task_id
        self.try_number, self.max_tries = given["try_number"], given["max_tries"]
        self.map_index = -1
        self.state = "running"
        self.hostname = "localhost"
        self.pool, self.queue, self.priority_weight = task.pool, task.queue, task.priority_weight
        self.operator = task.task_type
        self.start_date = context_date(datetime.datetime.now(datetime.timezone.utc))
        self.end_date = self.duration = None
        self.pid = os.getpid()
        self.known = {(one[0], one[1]): one[2] for one in given.get("xcoms", ())}
        self.knows_all = given.get("has_all_xcoms", True)
        self.pushed, self.skipped = {}, []

    execution_date = property(lambda self: self.dag_run.execution_date)
    logical_date = property(lambda self: self.dag_run.logical_date)
    dag = property(lambda self: self.task.dag)
    key = property(lambda self: (self.dag_id, self.task_id, self.run_id, self.try_number))
    next_try_number = property(lambda self: self.try_number + 1)
    prev_attempted_tries = property(lambda self: self.try_number)
    is_premature = False

    @property
    def log(self):
        import logging

        return logging.getLogger("airflow.task")

    @property
    def log_url(self):
        from _tidemill.rest import quoted

        base = os.environ.get("TIDEMILL_SCHEDULER_URL", "")
        path = f"/dags/{quoted(self.dag_id)}/dagRuns/{quoted(self.run_id)}/taskInstances/{quoted(self.task_id)}"
        return f"{base}/api/v2{path}/logs/{self.try_number}"

    mark_success_url = log_url

    def current_state(self):
        return self.state

    def get_dagrun(self, *_, **__):
        return self.dag_run

    def get_template_context(self, *_, **__):
        return state.context

    def xcom_push(self, key, value, execution_date=None, session=None):
        from _tidemill.values import encoded

        self.pushed[key] = encoded(value)

    def xcom_pull(
        self,
        task_ids=None,
        dag_id=None,
        key="return_value",
        include_prior_dates=False,
        session=None,
        *,
        map_indexes=None,
        default=None,
        run_id=None,
    ):
        if include_prior_dates:
            from _tidemill.refusal import unsupported

            raise unsupported("xcom_pull(include_prior_dates=True)")
        one = task_ids is None or isinstance(task_ids, str)
        ids = [task_ids] if one else list(task_ids)
        found = [self._pull(task_id, dag_id, run_id, key, default) for task_id in ids]
        return found[0] if one else found

    def _pull(self, task_id, dag_id, run_id, key, default):
        from _tidemill.values import decoded

        is_here = dag_id in (None, self.dag_id) and run_id in (None, self.run_id)
        if is_here and task_id in (None, self.task_id) and key in self.pushed:
            return decoded(self.pushed[key])
        if is_here and task_id is None:
            values = [value for (_, name), value in self.known.items() if name == key]
            return decoded(values[-1]) if values else default
        if is_here and (task_id, key) in self.known:
            return decoded(self.known[(task_id, key)])
        if is_here and self.knows_all:
            return default
        return self._ask(task_id, dag_id or self.dag_id, run_id or self.run_id, key, default)

    @staticmethod
    def _ask(task_id, dag_id, run_id, key, default):
        from _tidemill.rest import Refused, api, quoted
        from _tidemill.values import decoded

        path = (
            f"/dags/{quoted(dag_id)}/dagRuns/{quoted(run_id)}/taskInstances/{quoted(task_id)}/xcomEntries/{quoted(key)}"
        )
        try:
            return decoded(api("GET", path)["value"])
        except Refused as refused:
            if refused.status == 404:
                return default
            raise

    def skip_downstream(self, task_ids):
        """These tasks are not needed; the scheduler marks them as skipped."""
        self.skipped += [task_id for task_id in task_ids if task_id not in self.skipped]

    def __repr__(self):
        return f"<TaskInstance: {self.dag_id}.{self.task_id} {self.run_id} [{self.state}]>"


class _Variables:
    """`var.value` and `var.json`."""

    def __init__(self, deserialize_json):
        self._json = deserialize_json

    def __getattr__(self, key):
        if key.startswith("__"):
            raise AttributeError(key)
        from _tidemill.models import Variable

        return Variable.get(key, deserialize_json=self._json)

    def get(self, key, default=None):
        from _tidemill.models import Variable

        return Variable.get(key, default, deserialize_json=self._json)


class _Var:
    value, json = _Variables(False), _Variables(True)


class _Connections:
    """`conn.<id>`."""

    def __getattr__(self, conn_id):
        if conn_id.startswith("__"):
            raise AttributeError(conn_id)
        from _tidemill.models import Connection

        return Connection.get(conn_id)

    def get(self, conn_id, default=None):
        from _tidemill.exceptions import AirflowNotFoundException

        try:
            return getattr(self, conn_id)
        except AirflowNotFoundException:
            return default


def _date(text):
    return None if text is None else parse(text)


def build(task, given):
    """The context of a try, from what the scheduler says of it."""
    from _tidemill.models import conf

    run = DagRun(given["dag_run"])
    instance = TaskInstance(task, run, given)
    values = Context(
        conf=conf,
        conn=_Connections(),
        dag=task.dag,
        dag_run=run,
        macros=Macros(),
        run_id=run.run_id,
        task=task,
        task_instance=instance,
        ti=instance,
        var=_Var(),
        test_mode=given.get("test_mode", False),
        inlets=task.inlets,
        outlets=task.outlets,
        expanded_ti_count=None,
        triggering_dataset_events={},
        triggering_asset_events={},
        data_interval_start=run.data_interval_start,
        data_interval_end=run.data_interval_end,
        templates_dict=None,
        params={**task.dag.params, **task.params, **run.conf},
        start_date=run.start_date,
        prev_data_interval_start_success=None,
        prev_data_interval_end_success=None,
        prev_start_date_success=None,
        prev_end_date_success=None,
        try_number=instance.try_number,
    )
    values.update(_dated(task, run))
    state.context = values
    return values


def _dated(task, run):
    """What follows from the logical date. A run without one takes the time it was asked for, as in
    Airflow 2: files of that time rely on it."""
    at = run.logical_date or run.run_after
    ds, ts = at.strftime("%Y-%m-%d"), at.isoformat()
    day = datetime.timedelta(days=1)
    yesterday, tomorrow = (at - day).strftime("%Y-%m-%d"), (at + day).strftime("%Y-%m-%d")
    start, end = run.data_interval_start or at, run.data_interval_end or at
    before = start - (end - start)
    return {
        "logical_date": at,
        "execution_date": at,
        "ds": ds,
        "ds_nodash": ds.replace("-", ""),
        "ts": ts,
        "ts_nodash": at.strftime("%Y%m%dT%H%M%S"),
        "ts_nodash_with_tz": ts.replace("-", "").replace(":", ""),
        "yesterday_ds": yesterday,
        "yesterday_ds_nodash": yesterday.replace("-", ""),
        "tomorrow_ds": tomorrow,
        "tomorrow_ds_nodash": tomorrow.replace("-", ""),
        "next_ds": end.strftime("%Y-%m-%d"),
        "next_ds_nodash": end.strftime("%Y%m%d"),
        "next_execution_date": end,
        "prev_ds": before.strftime("%Y-%m-%d"),
        "prev_ds_nodash": before.strftime("%Y%m%d"),
        "prev_execution_date": before,
        "prev_execution_date_success": None,
        "task_instance_key_str": f"{run.dag_id}__{task.task_id}__{ds.replace('-', '')}",
    }


def get_current_context():
    """The context of the task that runs."""
    from _tidemill.exceptions import AirflowException

    if state.context is None:
        raise AirflowException(
            "Current context was requested but no context was found! Are you running within an Airflow task?"
        )
    return state.context
