"""BaseOperator: what every task has, and how tasks are put in order."""

import datetime
import functools

from _tidemill import state
from _tidemill.dag import DAG, check_id, seconds
from _tidemill.exceptions import AirflowException
from _tidemill.params import ParamsDict

#: Accepted; what they are about does not exist here, or is the case anyway.
WITHOUT_EFFECT = {
    "allow_nested_operators",
    "doc",
    "doc_json",
    "doc_rst",
    "doc_yaml",
    "email",
    "email_on_failure",
    "email_on_retry",
    "executor",
    "executor_config",
    "ignore_first_depends_on_past",
    "inlets",
    "logger_name",
    "map_index_template",
    "outlets",
    "queue",
    "resources",
    "run_as_user",
    "sla",
    "start_date",
    "end_date",
    "task_display_name",
    "wait_for_past_depends_before_skipping",
    "weight_rule",
    "provide_context",
}
#: Of these, a value other than the harmless ones is worth a word.
TOLD = {
    "sla": ((None,), "SLAs are not watched"),
    "run_as_user": ((None,), "tasks run as the user who started the scheduler"),
    "executor_config": ((None, {}), "there is one executor"),
}
#: Refused unless they say what is the case anyway.
REFUSED = {
    "depends_on_past": (None, False),
    "wait_for_downstream": (None, False),
    "max_active_tis_per_dag": (None,),
    "max_active_tis_per_dagrun": (None,),
    "task_concurrency": (None,),
}
CALLBACKS = (
    "on_execute_callback",
    "on_failure_callback",
    "on_success_callback",
    "on_retry_callback",
    "on_skipped_callback",
)


def parameters(init):
    """Names of a function's parameters, without `self` and what collects the rest."""
    code = init.__code__
    return code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]


def with_defaults(init):
    """An `__init__` that takes what it is not given from `default_args`, as far as it has names for it."""
    names = parameters(init)

    @functools.wraps(init)
    def wrapper(self, *args, **kwargs):
        if args:
            raise AirflowException("Use keyword arguments when initializing operators")
        is_outermost = "_defaults" not in self.__dict__
        if is_outermost:
            self.__dict__["_defaults"] = defaults_for(kwargs)
        for name in names:
            if name not in kwargs and name in self._defaults:
                kwargs[name] = self._defaults[name]
        init(self, **kwargs)
        if is_outermost:
            from _tidemill.xcom_arg import wait_for_arguments

            wait_for_arguments(self)

    wrapper.has_defaults = True
    return wrapper


def defaults_for(kwargs):
    """`default_args` of the DAG, of the task groups, and the task's own, in that order."""
    dag = kwargs.get("dag") or getattr(kwargs.get("task_group"), "dag", None) or state.current_dag()
    defaults = dict(dag.default_args) if isinstance(dag, DAG) else {}
    group = kwargs.get("task_group") or (state.current_group(dag) if dag else None)
    chain = []
    while group is not None:
        chain.append(group.default_args)
        group = group.parent_group
    for own in reversed(chain):
        defaults.update(own)
    defaults.update(kwargs.get("default_args") or {})
    return defaults


class OperatorMeta(type):
    """Gives every `__init__` in an operator's family its default arguments."""

    def __new__(mcs, name, bases, namespace, **options):
        made = super().__new__(mcs, name, bases, namespace, **options)
        init = namespace.get("__init__")
        if init is not None and hasattr(init, "__code__") and not hasattr(init, "has_defaults"):
            made.__init__ = with_defaults(init)
        return made


class Ordered:
    """What can stand beside `>>` and `<<`: `starts` wait for others, `ends` are waited for."""

    def starts(self):
        return [self]

    def ends(self):
        return [self]

    def set_downstream(self, others, edge_modifier=None):
        for other in each(others):
            for last in self.ends():
                for first in other.starts():
                    last.join(first)

    def set_upstream(self, others, edge_modifier=None):
        for other in each(others):
            other.set_downstream(self)

    def __rshift__(self, others):
        self.set_downstream(others)
        return others

    def __lshift__(self, others):
        self.set_upstream(others)
        return others

    def __rrshift__(self, others):
        self.set_upstream(others)
        return self

    def __rlshift__(self, others):
        self.set_downstream(others)
        return self


def each(others):
    """One or many, flat; what cannot be put in order is refused as Airflow does."""
    if isinstance(others, (list, tuple, set)):
        for other in others:
            yield from each(other)
    elif isinstance(others, Ordered):
        yield others
    else:
        raise AirflowException(f"Relationships can only be set between Operators; received {type(others).__name__}")


class Label(Ordered):
    """A text on an arrow; it lets tasks through."""

    def __init__(self, label=None):
        self.label = label
        self.before, self.after = [], []

    def set_downstream(self, others, edge_modifier=None):
        self.after += each(others)
        for before in self.before:
            before.set_downstream(others)

    def set_upstream(self, others, edge_modifier=None):
        self.before += each(others)
        for after in self.after:
            after.set_upstream(others)

    # `a >> Label("x")` calls a.set_downstream(label), which asks who starts here.
    def starts(self):
        return [self]


class BaseOperator(Ordered, metaclass=OperatorMeta):
    """One task. Keyword arguments are those of Airflow 2 and 3."""

    template_fields = ()
    template_ext = ()
    template_fields_renderers = {}
    ui_color = "#fff"
    ui_fgcolor = "#000"
    operator_extra_links = ()
    inherits_from_empty_operator = False
    is_mapped = False
    is_setup = is_teardown = False

    def __init__(
        self,
        task_id,
        owner="airflow",
        retries=0,
        retry_delay=datetime.timedelta(seconds=300),
        retry_exponential_backoff=False,
        max_retry_delay=None,
        execution_timeout=None,
        trigger_rule="all_success",
        dag=None,
        task_group=None,
        params=None,
        default_args=None,
        priority_weight=1,
        pool=None,
        pool_slots=1,
        on_execute_callback=None,
        on_failure_callback=None,
        on_success_callback=None,
        on_retry_callback=None,
        on_skipped_callback=None,
        pre_execute=None,
        post_execute=None,
        do_xcom_push=True,
        multiple_outputs=False,
        doc_md=None,
        depends_on_past=False,
        wait_for_downstream=False,
        max_active_tis_per_dag=None,
        max_active_tis_per_dagrun=None,
        task_concurrency=None,
        sla=None,
        run_as_user=None,
        executor_config=None,
        email=None,
        queue="default",
        weight_rule=None,
        start_date=None,
        end_date=None,
        inlets=None,
        outlets=None,
        **others,
    ):
        super().__init__()
        self._refuse(locals())
        unknown = sorted(set(others) - WITHOUT_EFFECT)
        if unknown:
            raise TypeError(
                f"Invalid arguments were passed to {type(self).__name__} (task_id: {task_id}). "
                f"Invalid arguments were:\n**kwargs: { {name: others[name] for name in unknown} }"
            )
        check_id("task_id", task_id)
        dag = dag or getattr(task_group, "dag", None) or state.current_dag()
        self.task_group = task_group or (state.current_group(dag) if dag else None)
        self.label = task_id
        self.task_id = self.task_group.child_id(task_id) if self.task_group else task_id
        self.owner = owner
        self.retries = int(retries or 0)
        self.retry_delay = retry_delay
        self.retry_exponential_backoff = retry_exponential_backoff
        self.max_retry_delay = max_retry_delay
        self.execution_timeout = execution_timeout
        self.trigger_rule = getattr(trigger_rule, "value", trigger_rule)
        self.params = ParamsDict(params)
        self.priority_weight = priority_weight
        self.pool = pool or "default_pool"
        self.pool_slots = pool_slots
        self.queue = queue
        self.email = email
        self.on_execute_callback = on_execute_callback
        self.on_failure_callback = on_failure_callback
        self.on_success_callback = on_success_callback
        self.on_retry_callback = on_retry_callback
        self.on_skipped_callback = on_skipped_callback
        self._pre_execute, self._post_execute = pre_execute, post_execute
        self.do_xcom_push = do_xcom_push
        self.multiple_outputs = multiple_outputs
        self.doc_md = doc_md or others.get("doc")
        self.inlets, self.outlets = inlets or [], outlets or []
        self.start_date = start_date or getattr(dag, "start_date", None)
        self.end_date = end_date
        self.upstream_task_ids, self.downstream_task_ids = set(), set()
        self.dag = None
        if dag is not None:
            dag.add_task(self)
        if self.task_group is not None:
            self.task_group.add(self)

    def _refuse(self, given):
        from _tidemill.refusal import unsupported

        for name, harmless in REFUSED.items():
            if given.get(name) not in harmless:
                raise unsupported(f"{type(self).__name__}({name}={given[name]!r})")
        for name, (harmless, text) in TOLD.items():
            if given.get(name) not in harmless:
                state.notice(f"{name}: {text}")
        if given["email"] and given["others"].get("email_on_failure"):
            state.notice("email_on_failure: mails are not sent; give the tasks an on_failure_callback")

    # The graph.

    def join(self, other):
        """An arrow from this task to another one."""
        if isinstance(other, Label):
            other.before.append(self)
            return
        dag = self.dag or other.dag
        if dag is None:
            raise AirflowException(
                f"Tried to create relationships between tasks that don't have DAGs yet: {self}, {other}"
            )
        for task in (self, other):
            if task.dag is None:
                dag.add_task(task)
            elif task.dag is not dag:
                raise AirflowException(
                    f"Tried to set relationships between tasks in more than one DAG: {self}, {other}"
                )
        self.downstream_task_ids.add(other.task_id)
        other.upstream_task_ids.add(self.task_id)

    @property
    def dag_id(self):
        return self.dag.dag_id if self.dag else f"adhoc_{self.owner}"

    def has_dag(self):
        return self.dag is not None

    def get_dag(self):
        return self.dag

    @property
    def upstream_list(self):
        return [self.dag.get_task(task_id) for task_id in self.upstream_task_ids]

    @property
    def downstream_list(self):
        return [self.dag.get_task(task_id) for task_id in self.downstream_task_ids]

    def get_direct_relatives(self, upstream=False):
        return self.upstream_list if upstream else self.downstream_list

    def get_direct_relative_ids(self, upstream=False):
        return self.upstream_task_ids if upstream else self.downstream_task_ids

    def get_flat_relatives(self, upstream=False):
        found, left = {}, list(self.get_direct_relatives(upstream))
        while left:
            task = left.pop()
            if task.task_id not in found:
                found[task.task_id] = task
                left += task.get_direct_relatives(upstream)
        return list(found.values())

    @property
    def output(self):
        from _tidemill.xcom_arg import XComArg

        return XComArg(self)

    @property
    def operator_name(self):
        return getattr(self, "custom_operator_name", type(self).__name__)

    task_type = property(lambda self: type(self).__name__)
    leaves = property(lambda self: [self])
    roots = property(lambda self: [self])
    node_id = property(lambda self: self.task_id)
    task_display_name = property(lambda self: self.task_id)

    # The work.

    def execute(self, context):
        raise NotImplementedError()

    def pre_execute(self, context):
        if self._pre_execute is not None:
            self._pre_execute(context)

    def post_execute(self, context, result=None):
        if self._post_execute is not None:
            self._post_execute(context, result)

    def on_kill(self):
        """Called when the task is told to end."""

    def prepare_template(self):
        """Called before the templates of the fields are rendered."""

    def render_template_fields(self, context, jinja_env=None):
        from _tidemill.template import Renderer

        Renderer(self.dag, context).render_fields(self)

    def render_template(self, content, context, jinja_env=None, seen_oids=None):
        from _tidemill.template import Renderer

        return Renderer(self.dag, context).render(content)

    def get_template_env(self):
        from _tidemill.refusal import unsupported

        raise unsupported("get_template_env()")

    @property
    def log(self):
        import logging

        return logging.getLogger(f"airflow.task.operators.{type(self).__module__}.{type(self).__qualname__}")

    def xcom_push(self, context, key, value, execution_date=None):
        context["ti"].xcom_push(key=key, value=value)

    @staticmethod
    def xcom_pull(context, task_ids=None, dag_id=None, key="return_value", include_prior_dates=None, **_):
        return context["ti"].xcom_pull(
            task_ids=task_ids, dag_id=dag_id, key=key, include_prior_dates=bool(include_prior_dates)
        )

    def defer(self, **_):
        from _tidemill.refusal import unsupported

        raise unsupported("defer()", "let the task wait: a sensor that pokes")

    @classmethod
    def partial(cls, **_):
        from _tidemill.refusal import unsupported

        raise unsupported(
            f"{cls.__name__}.partial().expand(): dynamic task mapping", "loop in the task, or in the file"
        )

    def as_setup(self):
        from _tidemill.refusal import unsupported

        raise unsupported("as_setup()")

    def as_teardown(self, **_):
        from _tidemill.refusal import unsupported

        raise unsupported("as_teardown()", "use trigger_rule='all_done'")

    def expand_start_trigger_args(self, **_):
        return None

    def __repr__(self):
        return f"<Task({type(self).__name__}): {self.task_id}>"

    def __lt__(self, other):
        return self.task_id < other.task_id

    def __hash__(self):
        return hash((type(self), self.task_id))

    def __eq__(self, other):
        return self is other or (type(self) is type(other) and self.task_id == other.task_id and self.dag is other.dag)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class BaseOperatorLink:
    """A link on Airflow's pages; there are none here."""

    name = ""


def chain(*tasks):
    """`a`, `b`, `[c, d]`, `[e, f]` one after the other; lists of the same length go in pairs."""
    for before, after in zip(tasks, tasks[1:]):
        lists = isinstance(before, (list, tuple)) and isinstance(after, (list, tuple))
        if not lists:
            if isinstance(before, (list, tuple)):
                for one in before:
                    one.set_downstream(after)
            else:
                before.set_downstream(after)
        elif len(before) == len(after):
            for one, other in zip(before, after):
                one.set_downstream(other)
        else:
            raise AirflowException(
                f"Chain not supported for different length Iterable. Got {len(before)} and {len(after)}."
            )


def cross_downstream(from_tasks, to_tasks):
    """Every one of the first before every one of the others."""
    for task in from_tasks:
        task.set_downstream(to_tasks)


def chain_linear(*elements):
    """Every one of an element before every one of the next."""
    for before, after in zip(elements, elements[1:]):
        cross_downstream(before if isinstance(before, (list, tuple)) else [before], after)


__all__ = ["BaseOperator", "Label", "chain", "chain_linear", "cross_downstream", "seconds"]
