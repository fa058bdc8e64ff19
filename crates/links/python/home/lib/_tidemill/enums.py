"""Trigger rules, weight rules, states: names that are texts."""


class _Names(type):
    def __iter__(cls):
        return iter(cls.all())

    def all(cls):
        return {value for name, value in vars(cls).items() if name.isupper()}


class Name(str):
    """A text with a `value`, as members of Airflow's enumerations have."""

    value = property(str.__str__)
    name = property(lambda self: str(self).upper())

    def __repr__(self):
        return f"{str(self)!r}"


class TriggerRule(metaclass=_Names):
    ALL_SUCCESS = Name("all_success")
    ALL_FAILED = Name("all_failed")
    ALL_DONE = Name("all_done")
    ALL_DONE_MIN_ONE_SUCCESS = Name("all_done_min_one_success")
    ALL_DONE_SETUP_SUCCESS = Name("all_done_setup_success")
    ONE_SUCCESS = Name("one_success")
    ONE_FAILED = Name("one_failed")
    ONE_DONE = Name("one_done")
    NONE_FAILED = Name("none_failed")
    NONE_FAILED_OR_SKIPPED = Name("none_failed_min_one_success")
    NONE_SKIPPED = Name("none_skipped")
    ALWAYS = Name("always")
    DUMMY = Name("always")
    NONE_FAILED_MIN_ONE_SUCCESS = Name("none_failed_min_one_success")
    ALL_SKIPPED = Name("all_skipped")

    @classmethod
    def is_valid(cls, rule):
        return rule in cls.all()

    @classmethod
    def all_triggers(cls):
        return cls.all()


class WeightRule(metaclass=_Names):
    DOWNSTREAM = Name("downstream")
    UPSTREAM = Name("upstream")
    ABSOLUTE = Name("absolute")


class TaskInstanceState(metaclass=_Names):
    REMOVED = Name("removed")
    SCHEDULED = Name("scheduled")
    QUEUED = Name("queued")
    RUNNING = Name("running")
    SUCCESS = Name("success")
    RESTARTING = Name("restarting")
    FAILED = Name("failed")
    UP_FOR_RETRY = Name("up_for_retry")
    UP_FOR_RESCHEDULE = Name("up_for_reschedule")
    UPSTREAM_FAILED = Name("upstream_failed")
    SKIPPED = Name("skipped")
    DEFERRED = Name("deferred")


class State(TaskInstanceState):
    NONE = None
    finished = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
    success_states = frozenset({"success", "skipped"})
    failed_states = frozenset({"failed", "upstream_failed"})


class DagRunState(metaclass=_Names):
    QUEUED = Name("queued")
    RUNNING = Name("running")
    SUCCESS = Name("success")
    FAILED = Name("failed")


class DagRunType(metaclass=_Names):
    SCHEDULED = Name("scheduled")
    MANUAL = Name("manual")
    BACKFILL_JOB = Name("backfill")
    ASSET_TRIGGERED = Name("asset_triggered")
