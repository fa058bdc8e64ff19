"""Sensors: tasks that wait until something is true."""

import datetime
import os
import time

from _tidemill.call import call
from _tidemill.exceptions import AirflowException, AirflowFailException, AirflowSensorTimeout, AirflowSkipException
from _tidemill.operator import BaseOperator, seconds

#: Seconds a sensor waits unless it says otherwise: a week.
TIMEOUT = 7 * 24 * 60 * 60.0


class PokeReturnValue:
    """What `poke` found, and what the sensor leaves."""

    def __init__(self, is_done, xcom_value=None):
        self.is_done, self.xcom_value = is_done, xcom_value

    def __bool__(self):
        return bool(self.is_done)


class BaseSensorOperator(BaseOperator):
    """Calls `poke(context)` until it is true. `mode="reschedule"` pokes as well: a process that
    sleeps costs next to nothing here."""

    ui_color = "#e6f1f2"
    valid_modes = ("poke", "reschedule")

    def __init__(
        self,
        poke_interval=60,
        timeout=TIMEOUT,
        soft_fail=False,
        mode="poke",
        exponential_backoff=False,
        max_wait=None,
        silent_fail=False,
        never_fail=False,
        deferrable=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if mode not in self.valid_modes:
            raise AirflowException(f"The mode must be one of {list(self.valid_modes)}, received {mode!r}.")
        self.poke_interval = seconds(poke_interval)
        self.timeout = seconds(timeout)
        if self.poke_interval < 0:
            raise AirflowException("The poke_interval must be a non-negative number")
        self.soft_fail, self.silent_fail, self.never_fail = soft_fail, silent_fail, never_fail
        self.mode = mode
        self.exponential_backoff = exponential_backoff
        self.max_wait = seconds(max_wait)
        self.deferrable = deferrable

    def poke(self, context):
        raise AirflowException("Override me.")

    def execute(self, context):
        began, tries = time.monotonic(), 0
        while True:
            found = self._look(context)
            if found:
                self.log.info("Success criteria met. Exiting.")
                return found.xcom_value if isinstance(found, PokeReturnValue) else None
            waited = time.monotonic() - began
            if waited > self.timeout:
                message = f"Sensor has timed out; run duration of {waited:.1f} seconds exceeds the specified timeout of {self.timeout}."
                if self.soft_fail or self.never_fail:
                    raise AirflowSkipException(message)
                raise AirflowSensorTimeout(message)
            tries += 1
            time.sleep(self._pause(tries))

    def _look(self, context):
        try:
            return self.poke(context)
        except (AirflowSkipException, AirflowSensorTimeout, AirflowFailException):
            raise
        except Exception as error:
            if self.never_fail:
                raise AirflowSkipException(f"{type(error).__name__}: {error}") from error
            if self.silent_fail:
                self.log.exception("Sensor poke failed")
                return False
            raise

    def _pause(self, tries):
        pause = self.poke_interval
        if self.exponential_backoff:
            pause = pause * 2 ** min(tries - 1, 20)
        return min(pause, self.max_wait) if self.max_wait else pause


class PythonSensor(BaseSensorOperator):
    """A function says whether it is so."""

    template_fields = ("templates_dict", "op_args", "op_kwargs")

    def __init__(self, python_callable, op_args=None, op_kwargs=None, templates_dict=None, **kwargs):
        super().__init__(**kwargs)
        self.python_callable, self.op_args, self.op_kwargs = python_callable, op_args or [], op_kwargs or {}
        self.templates_dict = templates_dict

    def poke(self, context):
        context.update(templates_dict=self.templates_dict)
        found = call(self.python_callable, list(self.op_args), dict(self.op_kwargs), context)
        return found if isinstance(found, PokeReturnValue) else PokeReturnValue(bool(found))


class BashSensor(BaseSensorOperator):
    """A command says it by its exit code."""

    template_fields = ("bash_command", "env")

    def __init__(self, bash_command, env=None, output_encoding="utf-8", retry_exit_code=None, **kwargs):
        super().__init__(**kwargs)
        self.bash_command, self.env, self.retry_exit_code = bash_command, env, retry_exit_code

    def poke(self, context):
        import subprocess

        code = subprocess.run(["bash", "-c", self.bash_command], env=self.env, check=False).returncode
        if code and self.retry_exit_code is not None and code != self.retry_exit_code:
            raise AirflowException(f"Command exited with return code {code}")
        return code == 0


class FileSensor(BaseSensorOperator):
    """Waits for a file, or for files in a folder; patterns are shell patterns."""

    template_fields = ("filepath",)

    def __init__(self, filepath, fs_conn_id="fs_default", recursive=False, **kwargs):
        super().__init__(**kwargs)
        self.filepath, self.fs_conn_id, self.recursive = filepath, fs_conn_id, recursive

    def poke(self, context):
        from glob import glob

        path = os.path.join(self._base(), self.filepath)
        self.log.info("Poking for file %s", path)
        for found in glob(path, recursive=self.recursive):
            if os.path.isfile(found) or any(files for _, _, files in os.walk(found)):
                return True
        return False

    def _base(self):
        from _tidemill.models import Connection

        if os.path.isabs(self.filepath):
            return ""
        try:
            return Connection.get(self.fs_conn_id).extra_dejson.get("path", "")
        except AirflowException:
            return ""


class TimeDeltaSensor(BaseSensorOperator):
    """Waits until so long after the data interval."""

    def __init__(self, delta, **kwargs):
        super().__init__(**kwargs)
        self.delta = delta

    def poke(self, context):
        end = context.get("data_interval_end") or context["dag_run"].run_after
        return datetime.datetime.now(datetime.timezone.utc) >= end + self.delta


class TimeSensor(BaseSensorOperator):
    """Waits for a time of the day."""

    def __init__(self, target_time, **kwargs):
        super().__init__(**kwargs)
        self.target_time = target_time

    def poke(self, context):
        now = datetime.datetime.now(self.dag.timezone)
        return now.time() > self.target_time.replace(tzinfo=None)


class DateTimeSensor(BaseSensorOperator):
    """Waits for an instant."""

    template_fields = ("target_time",)

    def __init__(self, target_time, **kwargs):
        super().__init__(**kwargs)
        self.target_time = target_time if isinstance(target_time, str) else target_time.isoformat()

    def poke(self, context):
        from _tidemill.dates import parse

        return datetime.datetime.now(datetime.timezone.utc) > parse(self.target_time)


class ExternalTaskSensor(BaseSensorOperator):
    """Waits for another DAG's run of the same logical date, or for a task of it."""

    template_fields = ("external_dag_id", "external_task_id", "external_task_ids")

    def __init__(
        self,
        external_dag_id,
        external_task_id=None,
        external_task_ids=None,
        allowed_states=None,
        skipped_states=None,
        failed_states=None,
        execution_delta=None,
        execution_date_fn=None,
        check_existence=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.external_task_ids = list(external_task_ids or ([external_task_id] if external_task_id else []))
        self.allowed_states = [getattr(one, "value", one) for one in allowed_states or ["success"]]
        self.skipped_states = [getattr(one, "value", one) for one in skipped_states or []]
        self.failed_states = [getattr(one, "value", one) for one in failed_states or []]
        self.execution_delta, self.execution_date_fn = execution_delta, execution_date_fn
        self.check_existence = check_existence

    def poke(self, context):
        dates = self._dates(context)
        states = [one for date in dates for one in self._states(date)]
        if any(one in self.failed_states for one in states):
            raise AirflowException(f"The external DAG {self.external_dag_id} or its task failed.")
        if any(one in self.skipped_states for one in states):
            raise AirflowSkipException(f"The external DAG {self.external_dag_id} or its task was skipped.")
        wanted = len(dates) * max(1, len(self.external_task_ids))
        return len([one for one in states if one in self.allowed_states]) == wanted

    def _dates(self, context):
        date = context["logical_date"]
        if self.execution_delta is not None:
            return [date - self.execution_delta]
        if self.execution_date_fn is not None:
            found = call(self.execution_date_fn, [date], {}, context)
            return found if isinstance(found, (list, tuple)) else [found]
        return [date]

    def _states(self, date):
        from _tidemill.rest import api, quoted

        at = quoted(date.astimezone(datetime.timezone.utc).isoformat())
        dag = f"/dags/{quoted(self.external_dag_id)}/dagRuns"
        runs = api("GET", f"{dag}?logical_date_gte={at}&logical_date_lte={at}")["dag_runs"]
        if not self.external_task_ids:
            return [run["state"] for run in runs]
        found = []
        for run in runs:
            tasks = api("GET", f"{dag}/{quoted(run['dag_run_id'])}/taskInstances?limit=1000")["task_instances"]
            found += [task["state"] for task in tasks if task["task_id"] in self.external_task_ids]
        return found


def poke_mode_only(sensor):
    """A decorator of Airflow's; here every sensor pokes."""
    return sensor
