"""DAG: the graph, its schedule, and what tasks have unless they say otherwise."""

import datetime
import os
import sys

from _tidemill import state
from _tidemill.dates import aware, utc, zone_name
from _tidemill.exceptions import AirflowException, DuplicateTaskIdFound, TaskNotFound
from _tidemill.params import ParamsDict

#: Letters an identifier may have besides letters and digits.
ID_MARKS = "_-."
ID_CHARS_MAX = 250

#: Accepted and without effect: how Airflow's own pages look, who may see them.
COSMETIC = {
    "access_control",
    "dag_display_name",
    "default_view",
    "disable_bundle_versioning",
    "full_filepath",
    "orientation",
    "owner_links",
}
#: Accepted; told, because a reader of the file would expect an effect.
WITHOUT_EFFECT = {
    "sla_miss_callback": "SLAs are not watched",
}
#: Refused unless they say what is the case anyway.
REFUSED = {
    "max_consecutive_failed_dag_runs": (None, 0),
    "deadline": (None,),
    "fail_stop": (None, False),
    "fail_fast": (None, False),
    "allowed_run_types": (None,),
}
#: How a schedule may be spelled.
SCHEDULES = ("schedule", "schedule_interval", "timetable")

UNSET = object()


def check_id(what, text):
    """Raises what Airflow raises for an identifier that is none."""
    if not isinstance(text, str):
        raise TypeError(f"The key has to be a string and is {type(text)}:{text}")
    if len(text) > ID_CHARS_MAX:
        raise AirflowException(f"The key: {text!r} has to be less than {ID_CHARS_MAX} characters")
    if not text or not all(letter.isalnum() or letter in ID_MARKS for letter in text):
        raise AirflowException(
            f"The {what} {text!r} has to be made of alphanumeric characters, dashes, dots, and underscores exclusively"
        )


class DAG:
    """One DAG. Keyword arguments are those of Airflow 2 and 3."""

    def __init__(
        self,
        dag_id,
        description=None,
        schedule=UNSET,
        schedule_interval=UNSET,
        timetable=UNSET,
        start_date=None,
        end_date=None,
        template_searchpath=None,
        template_undefined=None,
        user_defined_macros=None,
        user_defined_filters=None,
        default_args=None,
        concurrency=None,
        max_active_tasks=None,
        max_active_runs=16,
        dagrun_timeout=None,
        catchup=None,
        on_success_callback=None,
        on_failure_callback=None,
        doc_md=None,
        params=None,
        is_paused_upon_creation=None,
        jinja_environment_kwargs=None,
        render_template_as_native_obj=False,
        tags=None,
        auto_register=True,
        **others,
    ):
        check_id("dag_id", dag_id)
        self.dag_id = dag_id
        self.description = description
        self.default_args = dict(default_args or {})
        self.params = ParamsDict({**self.default_args.pop("params", {}), **(params or {})})
        self.start_date = self._date(start_date if start_date is not None else self.default_args.get("start_date"))
        self.end_date = self._date(end_date if end_date is not None else self.default_args.get("end_date"))
        self.schedule = self._schedule(schedule, schedule_interval, timetable)
        self.catchup = False if catchup is None else bool(catchup)
        self.max_active_tasks = max_active_tasks or concurrency or 16
        self.max_active_runs = max_active_runs
        self.dagrun_timeout = dagrun_timeout
        self.on_success_callback = on_success_callback
        self.on_failure_callback = on_failure_callback
        self.doc_md = doc_md
        self.is_paused_upon_creation = is_paused_upon_creation
        self.tags = sorted(set(tags or ()))
        self.auto_register = auto_register
        self.template_searchpath = (
            [template_searchpath] if isinstance(template_searchpath, str) else template_searchpath
        )
        self.template_undefined = template_undefined
        self.user_defined_macros = user_defined_macros
        self.user_defined_filters = user_defined_filters
        self.jinja_environment_kwargs = jinja_environment_kwargs
        self.render_template_as_native_obj = render_template_as_native_obj
        self.task_dict = {}
        self._set_others(others)
        frame = sys._getframe(1)
        while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) == os.path.dirname(__file__):
            frame = frame.f_back
        self.fileloc, self.line = frame.f_code.co_filename, frame.f_lineno
        #: Whether a `with` block or @dag made it known.
        self.is_registered = False
        state.made.append(self)

    def _set_others(self, others):
        from _tidemill.refusal import unsupported

        for name, value in others.items():
            if name in REFUSED:
                if value not in REFUSED[name]:
                    raise unsupported(f"DAG({name}={value!r})")
            elif name in WITHOUT_EFFECT:
                if value is not None:
                    state.notice(f"DAG({name}=...): {WITHOUT_EFFECT[name]}")
            elif name not in COSMETIC:
                raise TypeError(f"DAG.__init__() got an unexpected keyword argument {name!r}")

    def _date(self, value):
        return None if value is None else aware(value)

    def _schedule(self, schedule, schedule_interval, timetable):
        given = [value for value in (schedule, schedule_interval, timetable) if value is not UNSET]
        if len(given) > 1:
            raise ValueError("At most one argument from 'schedule', 'schedule_interval' and 'timetable' can be given")
        # Airflow 2 runs a DAG that does not say once a day; Airflow 3 not at all.
        return given[0] if given else None

    @property
    def timezone(self):
        if self.start_date is not None and self.start_date.tzinfo is not None:
            return self.start_date.tzinfo
        return utc

    @property
    def timezone_name(self):
        return zone_name(self.timezone)

    schedule_interval = property(lambda self: self.schedule)
    timetable = property(lambda self: self.schedule)
    concurrency = property(lambda self: self.max_active_tasks)
    filepath = property(lambda self: self.fileloc)

    @property
    def folder(self):
        return os.path.dirname(os.path.abspath(self.fileloc))

    @property
    def tasks(self):
        return list(self.task_dict.values())

    @property
    def task_ids(self):
        return list(self.task_dict)

    @property
    def roots(self):
        return [task for task in self.tasks if not task.upstream_task_ids]

    @property
    def leaves(self):
        return [task for task in self.tasks if not task.downstream_task_ids]

    def has_task(self, task_id):
        return task_id in self.task_dict

    def get_task(self, task_id, include_subdags=False):
        if task_id not in self.task_dict:
            raise TaskNotFound(f"Task {task_id} not found")
        return self.task_dict[task_id]

    def add_task(self, task):
        known = self.task_dict.get(task.task_id)
        if known is not None and known is not task:
            raise DuplicateTaskIdFound(f"Task id '{task.task_id}' has already been added to the DAG")
        task.dag = self
        self.task_dict[task.task_id] = task

    def add_tasks(self, tasks):
        for task in tasks:
            self.add_task(task)

    def set_dependency(self, upstream_task_id, downstream_task_id):
        self.get_task(upstream_task_id).set_downstream(self.get_task(downstream_task_id))

    def topological_sort(self):
        """Tasks, each after those it waits for."""
        done, order, left = set(), [], self.tasks
        while left:
            ready = [task for task in left if task.upstream_task_ids <= done]
            if not ready:
                raise AirflowException(f"A cyclic dependency occurred in dag: {self.dag_id}")
            order += ready
            done.update(task.task_id for task in ready)
            left = [task for task in left if task.task_id not in done]
        return order

    def __enter__(self):
        state.dags.append(self)
        self.is_registered = self.is_registered or self.auto_register
        return self

    def __exit__(self, *_):
        state.dags.pop()

    def __repr__(self):
        return f"<DAG: {self.dag_id}>"

    def __hash__(self):
        return hash(self.dag_id)

    def __eq__(self, other):
        return isinstance(other, DAG) and other.dag_id == self.dag_id

    def test(self, execution_date=None, run_conf=None, logical_date=None, **_):
        """Runs every task once, here and in order, as `python dags/x.py` wants it."""
        from _tidemill.rehearsal import rehearse

        return rehearse(self, logical_date or execution_date, run_conf)

    def cli(self):
        from _tidemill.refusal import unsupported

        raise unsupported("dag.cli()", "use the airflow command, or dag.test()")


def dag(dag_id="", **options):
    """`@dag`: the function's body builds the DAG; its parameters are the DAG's params."""
    function = dag_id if callable(dag_id) else None
    name = "" if function else dag_id

    def decorate(function):
        import functools

        code = function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        defaults = dict(
            zip(
                code.co_varnames[code.co_argcount - len(function.__defaults__ or ()) : code.co_argcount],
                function.__defaults__ or (),
            )
        )
        defaults.update(function.__kwdefaults__ or {})

        @functools.wraps(function)
        def factory(*args, **kwargs):
            from _tidemill.params import DagParam

            given = {**dict(zip(names, args)), **kwargs}
            missing = [name for name in names if name not in given and name not in defaults]
            if missing:
                raise TypeError(f"missing a required argument: {missing[0]!r}")
            options.setdefault("doc_md", function.__doc__)
            params = {**defaults, **given}
            with DAG(name or function.__name__, **options) as made:
                for param, value in params.items():
                    made.params.setdefault(param, value)
                function(**{param: DagParam(made, param) for param in params})
            return made

        return factory

    return decorate(function) if function else decorate


def get_current_dag():
    return state.current_dag()


class DagContext:
    """`airflow.models.dag.DagContext`."""

    get_current_dag = staticmethod(state.current_dag)


def seconds(value):
    """A length of time in seconds, however it was given."""
    if value is None:
        return None
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    return float(value)
