"""A stand-in for pendulum, found only where pendulum is not installed: what DAG files use of it."""

import datetime as _datetime

from _tidemill.dates import UTC, DateTime, zone
from _tidemill.dates import parse as _parse

__version__ = "3.0.0"

Date = _datetime.date
Time = _datetime.time
Timezone = _datetime.tzinfo


def timezone(name):
    return zone(name)


class tz:  # noqa: N801
    """`pendulum.tz`."""

    UTC = UTC
    timezone = staticmethod(zone)

    @staticmethod
    def local_timezone():
        return _datetime.datetime.now().astimezone().tzinfo


def datetime(year, month, day, hour=0, minute=0, second=0, microsecond=0, tz=UTC, fold=1):
    return DateTime(year, month, day, hour, minute, second, microsecond, tzinfo=zone(tz))


def naive(year, month, day, hour=0, minute=0, second=0, microsecond=0):
    return DateTime(year, month, day, hour, minute, second, microsecond)


def local(year, month, day, hour=0, minute=0, second=0, microsecond=0):
    return datetime(year, month, day, hour, minute, second, microsecond, tz.local_timezone())


def instance(value, tz=UTC):
    return DateTime.of(value if value.tzinfo else value.replace(tzinfo=zone(tz)))


def now(tz=None):
    return DateTime.of(_datetime.datetime.now(zone(tz) if tz else UTC))


def today(tz="local"):
    return now(None if tz == "local" else tz).start_of("day")


def yesterday(tz="local"):
    return today(tz).subtract(days=1)


def tomorrow(tz="local"):
    return today(tz).add(days=1)


def parse(text, tz=UTC, **options):
    return _parse(text, tz)


def from_timestamp(timestamp, tz=UTC):
    return DateTime.of(_datetime.datetime.fromtimestamp(timestamp, zone(tz)))


def duration(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0):
    return _datetime.timedelta(days, seconds, microseconds, milliseconds, minutes, hours, weeks)


Duration = _datetime.timedelta
