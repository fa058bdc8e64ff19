"""TaskGroup: tasks with a common name and common neighbours."""

import functools

from _tidemill import state
from _tidemill.dag import check_id
from _tidemill.exceptions import AirflowException, DuplicateTaskIdFound
from _tidemill.operator import Ordered


class TaskGroup(Ordered):
    """A group; its name goes before those of its tasks unless `prefix_group_id` says otherwise."""

    def __init__(
        self,
        group_id,
        prefix_group_id=True,
        parent_group=None,
        dag=None,
        default_args=None,
        tooltip="",
        ui_color=None,
        ui_fgcolor=None,
        add_suffix_on_collision=False,
        group_display_name="",
    ):
        self.dag = dag or getattr(parent_group, "dag", None) or state.current_dag()
        if self.dag is None:
            raise AirflowException("TaskGroup can only be used inside a dag")
        if group_id:
            check_id("group_id", group_id)
        self.parent_group = parent_group or state.current_group(self.dag)
        self.prefix_group_id = prefix_group_id
        self.default_args = dict(default_args or {})
        self.tooltip = tooltip
        self.children = {}
        self.group_id = self._free_id(
            self.parent_group.child_id(group_id) if self.parent_group else group_id, add_suffix_on_collision
        )
        self.used_ids().add(self.group_id)
        self.before, self.after = [], []
        if self.parent_group is not None:
            self.parent_group.add(self)

    def used_ids(self):
        return self.dag.__dict__.setdefault("group_ids", set())

    def _free_id(self, wanted, may_change):
        used = self.used_ids() | set(self.dag.task_dict)
        if wanted not in used:
            return wanted
        if not may_change:
            raise DuplicateTaskIdFound(f"group_id '{wanted}' has already been added to the DAG")
        number = 1
        while f"{wanted}__{number}" in used:
            number += 1
        return f"{wanted}__{number}"

    label = property(lambda self: self.group_id.rsplit(".", 1)[-1])
    node_id = property(lambda self: self.group_id)
    upstream_group_ids = property(lambda self: set())

    def child_id(self, label):
        return f"{self.group_id}.{label}" if self.prefix_group_id and self.group_id else label

    def add(self, task):
        self.children[getattr(task, "task_id", None) or task.group_id] = task

    def tasks(self):
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield from child.tasks()
            else:
                yield child

    iter_tasks = tasks

    def get_child_by_label(self, label):
        return self.children[self.child_id(label)]

    def starts(self):
        inside = {task.task_id for task in self.tasks()}
        return [task for task in self.tasks() if not task.upstream_task_ids & inside]

    def ends(self):
        inside = {task.task_id for task in self.tasks()}
        return [task for task in self.tasks() if not task.downstream_task_ids & inside]

    def get_roots(self):
        return iter(self.starts())

    def get_leaves(self):
        return iter(self.ends())

    roots = property(starts)
    leaves = property(ends)

    def __enter__(self):
        state.groups.append(self)
        self._opened = self.dag not in state.dags
        if self._opened:
            state.dags.append(self.dag)
        return self

    def __exit__(self, *_):
        state.groups.pop()
        if self._opened:
            state.dags.remove(self.dag)

    def __repr__(self):
        return f"<TaskGroup: {self.group_id}>"


def task_group(group_id=None, **options):
    """`@task_group`: each call of the function makes a group."""
    function = group_id if callable(group_id) else None
    name = None if function else group_id

    def decorate(function):
        @functools.wraps(function)
        def factory(*args, **kwargs):
            options.setdefault("tooltip", function.__doc__ or "")
            with TaskGroup(name or function.__name__, add_suffix_on_collision=True, **options) as group:
                returned = function(*args, **kwargs)
            # What it returns can be passed on; without that, the group itself is put in order.
            return group if returned is None else returned

        factory.override = lambda **changes: task_group(
            changes.pop("group_id", name or function.__name__), **{**options, **changes}
        )(function)
        factory.expand = factory.partial = _mapped
        return factory

    return decorate(function) if function else decorate


def _mapped(*_, **__):
    from _tidemill.refusal import unsupported

    raise unsupported("task_group.expand(): dynamic task mapping", "loop in the file")
