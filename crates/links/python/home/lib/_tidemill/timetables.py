"""Timetables that a DAG can be given instead of a cron text."""

from _tidemill.dates import zone


class Timetable:
    """The base of timetables of one's own, which the scheduler cannot run."""


class CronDataIntervalTimetable(Timetable):
    """A run per interval between two ticks, when it has ended."""

    def __init__(self, cron, timezone="UTC"):
        self.cron, self.timezone = cron, zone(timezone)


class DeltaDataIntervalTimetable(Timetable):
    """A run per so long."""

    def __init__(self, delta):
        self.delta = delta


class NullTimetable(Timetable):
    """Only by hand."""


class OnceTimetable(Timetable):
    """Once."""
