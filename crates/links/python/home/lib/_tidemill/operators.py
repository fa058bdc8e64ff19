"""The common operators."""

import os

from _tidemill import state
from _tidemill.call import call
from _tidemill.exceptions import AirflowException, AirflowSkipException
from _tidemill.operator import BaseOperator


class EmptyOperator(BaseOperator):
    """Does nothing; the scheduler does not even start a process for it."""

    ui_color = "#e8f7e4"
    inherits_from_empty_operator = True

    def execute(self, context):
        pass


class DummyOperator(EmptyOperator):
    """EmptyOperator by its old name."""


class PythonOperator(BaseOperator):
    """Calls a function."""

    template_fields = ("templates_dict", "op_args", "op_kwargs")
    ui_color = "#ffefeb"
    shallow_copy_attrs = ("python_callable", "op_kwargs")

    def __init__(
        self,
        python_callable,
        op_args=None,
        op_kwargs=None,
        templates_dict=None,
        templates_exts=None,
        show_return_value_in_logs=True,
        provide_context=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not callable(python_callable):
            raise AirflowException("`python_callable` param must be callable")
        self.python_callable = python_callable
        self.op_args = op_args or ()
        self.op_kwargs = op_kwargs or {}
        self.templates_dict = templates_dict
        if templates_exts:
            self.template_ext = tuple(templates_exts)
        self.show_return_value_in_logs = show_return_value_in_logs

    def execute(self, context):
        context.update(templates_dict=self.templates_dict)
        value = self.execute_callable(context)
        if self.show_return_value_in_logs:
            self.log.info("Done. Returned value was: %s", value)
        else:
            self.log.info("Done. Returned value not shown")
        return value

    def execute_callable(self, context):
        return call(self.python_callable, list(self.op_args), dict(self.op_kwargs), context)


class BranchMixIn:
    """Skips the branches that are not taken."""

    def do_branch(self, context, branches):
        known = set(self.downstream_task_ids)
        chosen = _chosen(self, branches)
        unknown = chosen - set(self.dag.task_dict)
        if unknown:
            raise AirflowException(
                f"'branch_task_ids' must contain only valid task_ids. Invalid tasks found: {unknown}."
            )
        self.log.info("Following branch %s", sorted(chosen))
        # What a taken branch leads to is not skipped, even if it also stands right behind us.
        keep = set(chosen)
        for task_id in chosen:
            keep |= {task.task_id for task in self.dag.get_task(task_id).get_flat_relatives()}
        context["ti"].skip_downstream(sorted(known - keep))
        return branches


def _chosen(operator, branches):
    """Task ids of what a branch returned; a group stands for its first tasks."""
    if branches is None:
        return set()
    if isinstance(branches, str):
        branches = [branches]
    if not isinstance(branches, (list, tuple, set)) or not all(isinstance(one, str) for one in branches):
        raise AirflowException(f"'branch_task_ids' expected all task IDs are strings, found {branches!r}.")
    chosen = set()
    for one in branches:
        inside = [task for task in operator.dag.tasks if task.task_group and _is_inside(task.task_group, one)]
        if one not in operator.dag.task_dict and inside:
            names = {task.task_id for task in inside}
            chosen |= {task.task_id for task in inside if not task.upstream_task_ids & names}
        else:
            chosen.add(one)
    return chosen


def _is_inside(group, group_id):
    while group is not None:
        if group.group_id == group_id:
            return True
        group = group.parent_group
    return False


class BaseBranchOperator(BranchMixIn, BaseOperator):
    """For branches of one's own: `choose_branch(context)`."""

    def choose_branch(self, context):
        raise NotImplementedError

    def execute(self, context):
        return self.do_branch(context, self.choose_branch(context))


class BranchPythonOperator(BranchMixIn, PythonOperator):
    """A function says which tasks follow."""

    def execute(self, context):
        return self.do_branch(context, super().execute(context))


class ShortCircuitOperator(PythonOperator):
    """Goes on only if the function returns something true."""

    ui_color = "#97ba97"

    def __init__(self, ignore_downstream_trigger_rules=True, **kwargs):
        super().__init__(**kwargs)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules

    def execute(self, context):
        condition = super().execute(context)
        self.log.info("Condition result is %s", condition)
        if not condition:
            if self.ignore_downstream_trigger_rules:
                skipped = {task.task_id for task in self.get_flat_relatives()}
            else:
                skipped = self.downstream_task_ids
            context["ti"].skip_downstream(sorted(skipped))
        return condition


class BashOperator(BaseOperator):
    """Runs a command in bash."""

    template_fields = ("bash_command", "env", "cwd")
    template_ext = (".sh", ".bash")
    ui_color = "#f0ede4"

    def __init__(
        self,
        bash_command,
        env=None,
        append_env=False,
        output_encoding="utf-8",
        skip_exit_code=None,
        skip_on_exit_code=99,
        cwd=None,
        output_processor=lambda result: result,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.append_env = append_env
        self.output_encoding = output_encoding
        codes = skip_exit_code if skip_exit_code is not None else skip_on_exit_code
        self.skip_on_exit_code = [codes] if isinstance(codes, int) else list(codes or [])
        self.cwd = cwd
        self.output_processor = output_processor
        self.child = None

    def execute(self, context):
        import subprocess

        if self.cwd is not None and not os.path.isdir(self.cwd):
            reason = "is not a directory" if os.path.exists(self.cwd) else "does not exist"
            raise AirflowException(f"Can not find the cwd: {self.cwd}: it {reason}")
        self.log.info("Running command: ['bash', '-c', %r]", self.bash_command)
        self.child = subprocess.Popen(
            ["bash", "-c", self.bash_command],
            cwd=self.cwd,
            env=self.get_env(context),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        last = ""
        for raw in self.child.stdout:
            last = raw.decode(self.output_encoding, errors="backslashreplace").rstrip()
            print(last, flush=True)
        code = self.child.wait()
        self.log.info("Command exited with return code %s", code)
        if code in self.skip_on_exit_code:
            raise AirflowSkipException(f"Bash command returned exit code {code}. Skipping.")
        if code != 0:
            said = f": {last}" if last else ""
            raise AirflowException(f"Bash command failed. The command returned a non-zero exit code {code}{said}")
        return self.output_processor(last)

    def get_env(self, context):
        ours = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CTX_")}
        if self.env is None:
            return None
        if self.append_env:
            return {**os.environ, **self.env}
        # Airflow's child gets `env` and nothing else; host names have to lead somewhere all the same.
        keep = {name: value for name, value in os.environ.items() if name.startswith("TIDEMILL_")}
        keep.update({name: os.environ[name] for name in ("PYTHONPATH", "PATH") if name in os.environ})
        ours.update(keep)
        return {**ours, **self.env}

    def on_kill(self):
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()


class LatestOnlyOperator(BaseBranchOperator):
    """Skips what follows unless the run is the newest its schedule has."""

    def choose_branch(self, context):
        import datetime

        run, end = context["dag_run"], context.get("data_interval_end")
        if run.run_type == "manual" or end is None:
            return list(self.downstream_task_ids)
        length = end - context["data_interval_start"]
        now = datetime.datetime.now(datetime.timezone.utc)
        return list(self.downstream_task_ids) if end <= now < end + length else []


class TriggerDagRunOperator(BaseOperator):
    """Asks for a run of another DAG."""

    template_fields = ("trigger_dag_id", "trigger_run_id", "execution_date", "logical_date", "conf")
    ui_color = "#ffefeb"

    def __init__(
        self,
        trigger_dag_id,
        trigger_run_id=None,
        conf=None,
        logical_date=None,
        execution_date=None,
        reset_dag_run=False,
        wait_for_completion=False,
        poke_interval=60,
        allowed_states=None,
        failed_states=None,
        skip_when_already_exists=False,
        fail_when_dag_is_paused=False,
        note=None,
        deferrable=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.trigger_dag_id = trigger_dag_id
        self.trigger_run_id = trigger_run_id
        self.conf = conf
        self.logical_date = logical_date
        self.execution_date = execution_date
        self.reset_dag_run = reset_dag_run
        self.wait_for_completion = wait_for_completion
        self.poke_interval = poke_interval
        self.allowed_states = [getattr(one, "value", one) for one in allowed_states or ["success"]]
        self.failed_states = [getattr(one, "value", one) for one in failed_states or ["failed"]]
        self.skip_when_already_exists = skip_when_already_exists
        self.fail_when_dag_is_paused = fail_when_dag_is_paused
        self.note = note

    def execute(self, context):
        from _tidemill.dates import aware
        from _tidemill.rest import Refused, api, quoted

        date = self.logical_date or self.execution_date
        if self.fail_when_dag_is_paused and api("GET", f"/dags/{quoted(self.trigger_dag_id)}")["is_paused"]:
            raise AirflowException(f"Dag {self.trigger_dag_id} is paused")
        body = {"logical_date": aware(date).isoformat() if date else None, "conf": self.conf or {}, "note": self.note}
        if self.trigger_run_id:
            body["dag_run_id"] = self.trigger_run_id
        runs = f"/dags/{quoted(self.trigger_dag_id)}/dagRuns"
        try:
            run_id = api("POST", runs, body)["dag_run_id"]
        except Refused as refused:
            if refused.status != 409:
                raise AirflowException(f"{self.trigger_dag_id} was not triggered: {refused}") from None
            if self.skip_when_already_exists:
                raise AirflowSkipException("Skipping due to skip_when_already_exists is set to True") from None
            if not self.reset_dag_run or not self.trigger_run_id:
                raise AirflowException(f"{self.trigger_dag_id} was not triggered: {refused}") from None
            run_id = self.trigger_run_id
            api("POST", f"{runs}/{quoted(run_id)}/clear", {"dry_run": False})
        self.log.info("Triggered %s: %s", self.trigger_dag_id, run_id)
        context["ti"].xcom_push(key="trigger_run_id", value=run_id)
        if self.wait_for_completion:
            self._wait(f"{runs}/{quoted(run_id)}")

    def _wait(self, path):
        import time

        from _tidemill.rest import api

        pause = getattr(self.poke_interval, "total_seconds", lambda: float(self.poke_interval))()
        while True:
            found = api("GET", path)["state"]
            if found in self.failed_states:
                raise AirflowException(f"{self.trigger_dag_id} failed with failed states {found}")
            if found in self.allowed_states:
                self.log.info("%s finished with allowed state %s", self.trigger_dag_id, found)
                return
            time.sleep(pause)


class SkipMixin:
    """`self.skip(...)` of custom operators."""

    @staticmethod
    def skip(dag_run=None, execution_date=None, tasks=(), *_, **__):
        state.context["ti"].skip_downstream([task.task_id for task in tasks])

    def skip_all_except(self, ti, branch_task_ids):
        BranchMixIn.do_branch(self, state.context, branch_task_ids)
