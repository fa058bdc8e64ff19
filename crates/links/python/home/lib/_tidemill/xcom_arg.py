"""XComArg: what a task will return, standing in a file for the value it will be."""

from _tidemill.operator import Ordered

RETURN_VALUE = "return_value"


class XComArg(Ordered):
    """The value under `key` that `operator` leaves."""

    def __init__(self, operator, key=RETURN_VALUE):
        self.operator, self.key = operator, key

    def starts(self):
        return [self.operator]

    def ends(self):
        return [self.operator]

    leaves = property(ends)
    roots = property(starts)
    task_id = property(lambda self: self.operator.task_id)
    dag = property(lambda self: self.operator.dag)

    def __getitem__(self, key):
        if not isinstance(key, str):
            raise ValueError(f"XComArg only supports str lookup, received {type(key).__name__}")
        return XComArg(self.operator, key)

    def __iter__(self):
        raise TypeError("'XComArg' object is not iterable")

    def __bool__(self):
        return True

    def __str__(self):
        key = "" if self.key == RETURN_VALUE else f", key='{self.key}'"
        operator = self.operator
        return "{{ task_instance.xcom_pull(task_ids='%s', dag_id='%s'%s) }}" % (operator.task_id, operator.dag_id, key)

    def __repr__(self):
        return (
            f"XComArg({self.operator!r})" if self.key == RETURN_VALUE else f"XComArg({self.operator!r}, {self.key!r})"
        )

    def resolve(self, context):
        """The value, once there is one."""
        return context["ti"].xcom_pull(task_ids=self.operator.task_id, key=self.key)

    @staticmethod
    def apply_upstream_relationship(op, arg):
        for found in arguments_in(arg):
            found.operator.join(op)

    def _refused(self, *_, **__):
        from _tidemill.refusal import unsupported

        raise unsupported("XComArg.map, zip and concat: dynamic task mapping", "loop in the task")

    map = zip = concat = _refused


def arguments_in(value, depth=0):
    """Every XComArg in a value, however deep in lists and maps."""
    if isinstance(value, XComArg):
        yield value
    elif depth > 16:
        return
    elif isinstance(value, dict):
        for one in value.values():
            yield from arguments_in(one, depth + 1)
    elif isinstance(value, (list, tuple, set)):
        for one in value:
            yield from arguments_in(one, depth + 1)
    elif depth == 0 and hasattr(value, "template_fields"):
        for name in value.template_fields:
            yield from arguments_in(getattr(value, name, None), 1)


def wait_for_arguments(operator):
    """A task waits for the tasks whose values it is given."""
    for argument in arguments_in(operator):
        if argument.operator is not operator:
            argument.operator.join(operator)
