"""`@task` and its kinds."""

import functools
import textwrap

from _tidemill import state
from _tidemill.call import is_mapping_annotation
from _tidemill.operators import BashOperator, BranchMixIn, PythonOperator, ShortCircuitOperator
from _tidemill.sensors import PythonSensor
from _tidemill.xcom_arg import XComArg


class _Decorated(PythonOperator):
    """A function that became a task."""

    template_fields = ("templates_dict", "op_args", "op_kwargs")
    custom_operator_name = "@task"


class _DecoratedBranch(BranchMixIn, PythonOperator):
    template_fields = ("templates_dict", "op_args", "op_kwargs")
    custom_operator_name = "@task.branch"

    def execute(self, context):
        return self.do_branch(context, super().execute(context))


class _DecoratedShortCircuit(ShortCircuitOperator):
    template_fields = ("templates_dict", "op_args", "op_kwargs")
    custom_operator_name = "@task.short_circuit"


class _DecoratedSensor(PythonSensor):
    custom_operator_name = "@task.sensor"


class _DecoratedBash(BashOperator):
    """A function that returns the command."""

    template_fields = ("op_args", "op_kwargs", "env", "cwd")
    custom_operator_name = "@task.bash"

    def __init__(self, python_callable, op_args=None, op_kwargs=None, **kwargs):
        super().__init__(bash_command="", **kwargs)
        self.python_callable, self.op_args, self.op_kwargs = python_callable, op_args or (), op_kwargs or {}

    def execute(self, context):
        from _tidemill.call import call
        from _tidemill.template import Renderer

        command = call(self.python_callable, list(self.op_args), dict(self.op_kwargs), context)
        if not isinstance(command, str) or not command.strip():
            raise TypeError("The returned value from the TaskFlow callable must be a non-empty string.")
        self.bash_command = Renderer(self.dag, context).render(command)
        return super().execute(context)


def free_task_id(task_id):
    """`f`, then `f__1`, `f__2`, ... as often as a function is called in one DAG."""
    dag = state.current_dag()
    if dag is None:
        return task_id
    group = state.current_group(dag)
    number, free = 0, task_id
    while (group.child_id(free) if group else free) in dag.task_dict:
        number += 1
        free = f"{task_id}__{number}"
    return free


class TaskFunction:
    """What `@task` makes of a function: calling it makes a task and gives the value it will return."""

    def __init__(self, operator, function, options):
        functools.update_wrapper(self, function)
        self.operator, self.function, self.options = operator, function, options

    def __call__(self, *args, **kwargs):
        options = dict(self.options)
        task_id = free_task_id(options.pop("task_id", None) or self.function.__name__)
        if self.operator is _Decorated and "multiple_outputs" not in options:
            options["multiple_outputs"] = is_mapping_annotation(self.function)
        if self.function.__doc__ and "doc_md" not in options:
            options["doc_md"] = textwrap.dedent(self.function.__doc__)
        self._check(args, kwargs)
        made = self.operator(task_id=task_id, python_callable=self.function, op_args=args, op_kwargs=kwargs, **options)
        return XComArg(made)

    def _check(self, args, kwargs):
        """A call that the function could not take is an error in the file, not in the run."""
        from _tidemill.call import names_of
        from _tidemill.context import CONTEXT_KEYS

        names, takes_any = names_of(self.function)
        unknown = [name for name in kwargs if name not in names]
        if unknown and not takes_any:
            raise TypeError(f"got an unexpected keyword argument {unknown[0]!r}")
        code = getattr(self.function, "__code__", None)
        if code is None or hasattr(self.function, "__wrapped__"):
            return
        if len(args) > code.co_argcount and not code.co_flags & 0x04:
            raise TypeError(f"too many positional arguments for {self.function.__name__}")
        required = code.co_varnames[: code.co_argcount - len(self.function.__defaults__ or ())]
        given = set(names[: len(args)]) | set(kwargs) | CONTEXT_KEYS
        missing = [name for name in required if name not in given]
        if missing:
            raise TypeError(f"missing a required argument: {missing[0]!r}")

    def override(self, **options):
        return TaskFunction(self.operator, self.function, {**self.options, **options})

    def partial(self, **_):
        from _tidemill.refusal import unsupported

        raise unsupported(
            f"{self.function.__name__}.partial(): dynamic task mapping", "loop in the task, or in the file"
        )

    def expand(self, **_):
        from _tidemill.refusal import unsupported

        raise unsupported(
            f"{self.function.__name__}.expand(): dynamic task mapping", "loop in the task, or in the file"
        )

    expand_kwargs = expand


def _kind(operator):
    def decorator(python_callable=None, **options):
        def decorate(function):
            if isinstance(function, TaskFunction):
                raise TypeError("@task can only be used once on a function")
            return TaskFunction(operator, function, options)

        return decorate(python_callable) if python_callable is not None else decorate

    return decorator


class _Task:
    """`task`, with its kinds as attributes."""

    __call__ = staticmethod(_kind(_Decorated))
    python = staticmethod(_kind(_Decorated))
    branch = staticmethod(_kind(_DecoratedBranch))
    short_circuit = staticmethod(_kind(_DecoratedShortCircuit))
    bash = staticmethod(_kind(_DecoratedBash))
    sensor = staticmethod(_kind(_DecoratedSensor))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        from _tidemill.refusal import unsupported

        known = "task, task.branch, task.short_circuit, task.bash, task.sensor"
        raise unsupported(f"@task.{name}", f"there are {known}")


task = _Task()
python_task = task


def setup(*_, **__):
    from _tidemill.refusal import unsupported

    raise unsupported("@setup", "make it a task before the others")


def teardown(*_, **__):
    from _tidemill.refusal import unsupported

    raise unsupported("@teardown", "use trigger_rule='all_done'")
