"""Instants: what Airflow's context gives out, and `airflow.utils.dates` and `timezone`.

The context's dates have pendulum's methods. They are of our own small class, because importing
pendulum takes longer than most tasks; if the file has imported pendulum itself, they are pendulum's.
"""

import datetime as _datetime
import sys

utc = _datetime.timezone.utc
UTC = utc


def zone(name):
    """A time zone by its name, or as it is."""
    if name is None:
        return utc
    if isinstance(name, _datetime.tzinfo):
        return name
    if name.upper() in ("UTC", "Z", "ETC/UTC"):
        return utc
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def zone_name(tzinfo):
    """What the scheduler calls a zone: a name of the tz database, or an offset."""
    for attribute in ("key", "name", "zone"):
        name = getattr(tzinfo, attribute, None)
        if isinstance(name, str) and name:
            return "UTC" if name in ("+00:00", "Z") else name
    offset = tzinfo.utcoffset(None)
    if not offset:
        return "UTC"
    minutes = int(offset.total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


class DateTime(_datetime.datetime):
    """A datetime with what templates and DAG files use of pendulum's."""

    @classmethod
    def of(cls, value):
        return cls(
            value.year,
            value.month,
            value.day,
            value.hour,
            value.minute,
            value.second,
            value.microsecond,
            tzinfo=value.tzinfo,
            fold=value.fold,
        )

    def _moved(self, sign, years, months, weeks, days, hours, minutes, seconds, microseconds):
        month = self.month - 1 + sign * months
        year, month = self.year + sign * years + month // 12, month % 12 + 1
        day = min(self.day, _days_in(year, month))
        delta = _datetime.timedelta(weeks=weeks, days=days)
        moved = self.replace(year=year, month=month, day=day) + sign * delta
        # Hours and less are lengths of time; days are places in a calendar.
        exact = _datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds)
        if exact:
            moved = (moved.astimezone(utc) + sign * exact).astimezone(self.tzinfo or utc)
        return DateTime.of(moved)

    def add(self, years=0, months=0, weeks=0, days=0, hours=0, minutes=0, seconds=0, microseconds=0):
        return self._moved(1, years, months, weeks, days, hours, minutes, seconds, microseconds)

    def subtract(self, years=0, months=0, weeks=0, days=0, hours=0, minutes=0, seconds=0, microseconds=0):
        return self._moved(-1, years, months, weeks, days, hours, minutes, seconds, microseconds)

    def in_timezone(self, tz):
        return DateTime.of(self.astimezone(zone(tz)))

    in_tz = in_timezone

    def start_of(self, unit):
        midnight = self.replace(hour=0, minute=0, second=0, microsecond=0)
        if unit == "week":
            return DateTime.of(midnight - _datetime.timedelta(days=midnight.weekday()))
        start = {
            "year": lambda: midnight.replace(month=1, day=1),
            "month": lambda: midnight.replace(day=1),
            "day": lambda: midnight,
            "hour": lambda: self.replace(minute=0, second=0, microsecond=0),
            "minute": lambda: self.replace(second=0, microsecond=0),
            "second": lambda: self.replace(microsecond=0),
        }
        return DateTime.of(start[unit]())

    def end_of(self, unit):
        return self.start_of(unit).add(**{f"{unit}s": 1}).subtract(microseconds=1)

    def naive(self):
        return self.replace(tzinfo=None)

    def to_date_string(self):
        return self.strftime("%Y-%m-%d")

    def to_time_string(self):
        return self.strftime("%H:%M:%S")

    def to_datetime_string(self):
        return self.strftime("%Y-%m-%d %H:%M:%S")

    def to_iso8601_string(self):
        return self.isoformat().replace("+00:00", "Z")

    def diff(self, other=None):
        return (other or now()) - self

    def int_timestamp_(self):
        return int(self.timestamp())

    int_timestamp = property(int_timestamp_)
    float_timestamp = property(_datetime.datetime.timestamp)
    timezone = property(lambda self: self.tzinfo)
    tz = timezone
    timezone_name = property(lambda self: zone_name(self.tzinfo))
    day_of_week = property(_datetime.datetime.weekday)
    day_of_year = property(lambda self: self.timetuple().tm_yday)
    days_in_month = property(lambda self: _days_in(self.year, self.month))
    quarter = property(lambda self: (self.month - 1) // 3 + 1)

    def __add__(self, other):
        moved = super().__add__(other)
        return DateTime.of(moved) if isinstance(moved, _datetime.datetime) else moved

    __radd__ = __add__

    def __sub__(self, other):
        moved = super().__sub__(other)
        return DateTime.of(moved) if isinstance(moved, _datetime.datetime) else moved

    def __str__(self):
        return self.isoformat(" ") if "pendulum" not in sys.modules else self.isoformat()

    def __reduce_ex__(self, protocol):
        return (_datetime.datetime.fromisoformat, (self.isoformat(),))


def _days_in(year, month):
    following = _datetime.date(year + month // 12, month % 12 + 1, 1)
    return (following - _datetime.timedelta(days=1)).day


def parse(text, timezone=None, strict=False):
    """An instant from ISO 8601; without an offset it is in `timezone`."""
    text = text.strip()
    found = _datetime.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone(timezone))
    return context_date(found)


def context_date(value):
    """An instant as the context gives it out."""
    if value is None:
        return None
    pendulum = sys.modules.get("pendulum")
    if pendulum is not None and hasattr(pendulum, "instance") and pendulum.DateTime is not DateTime:
        return pendulum.instance(value)
    return DateTime.of(value)


# airflow.utils.timezone

TIMEZONE = utc
datetime_type = _datetime.datetime


def now():
    return context_date(_datetime.datetime.now(utc))


utcnow = now
utc_epoch = lambda: context_date(_datetime.datetime(1970, 1, 1, tzinfo=utc))  # noqa: E731


def datetime(*args, **kwargs):
    """As `datetime.datetime`, in UTC unless said otherwise."""
    kwargs.setdefault("tzinfo", utc)
    return context_date(_datetime.datetime(*args, **kwargs))


def is_localized(value):
    return value.utcoffset() is not None


def is_naive(value):
    return value.utcoffset() is None


def make_aware(value, timezone=None):
    if value is None:
        return None
    if is_localized(value):
        raise ValueError(f"make_aware expects a naive datetime, got {value}")
    return value.replace(tzinfo=zone(timezone))


def make_naive(value, timezone=None):
    if is_naive(value):
        raise ValueError("make_naive() cannot be applied to a naive datetime")
    return value.astimezone(zone(timezone)).replace(tzinfo=None)


def convert_to_utc(value):
    if value is None:
        return None
    return context_date(aware(value).astimezone(utc))


def coerce_datetime(value, tz=None):
    return None if value is None else context_date(aware(value, tz))


def aware(value, timezone=None):
    """A datetime, date or text as a datetime that knows its zone."""
    if isinstance(value, str):
        return parse(value, timezone)
    if isinstance(value, _datetime.date) and not isinstance(value, _datetime.datetime):
        value = _datetime.datetime(value.year, value.month, value.day)
    return value if is_localized(value) else value.replace(tzinfo=zone(timezone))


# airflow.utils.dates


def days_ago(n, hour=0, minute=0, second=0, microsecond=0):
    """Midnight `n` days ago, in UTC."""
    today = _datetime.datetime.now(utc).replace(hour=hour, minute=minute, second=second, microsecond=microsecond)
    return DateTime.of(today - _datetime.timedelta(days=n))


def date_range(start_date, end_date=None, num=None, delta=None):
    """Instants from `start_date` on, `delta` apart."""
    from _tidemill.refusal import unsupported

    if not isinstance(delta, _datetime.timedelta) or not (end_date or num):
        raise unsupported("date_range without a timedelta and an end")
    dates, at = [], start_date
    while (end_date is None or at <= end_date) and (num is None or len(dates) < num):
        dates.append(at)
        at += delta
    return dates


def round_time(dt, delta, start_date=None):
    start_date = start_date or make_aware(_datetime.datetime.min)
    steps = (dt - start_date) // delta
    return start_date + steps * delta


# airflow.macros


class Macros:
    """`macros` of a template."""

    datetime = _datetime.datetime
    timedelta = _datetime.timedelta

    @property
    def dateutil(self):
        import dateutil.parser

        return dateutil

    @property
    def time(self):
        import time

        return time

    @property
    def uuid(self):
        import uuid

        return uuid

    @property
    def random(self):
        from random import random

        return random

    @property
    def json(self):
        import json

        return json

    @staticmethod
    def ds_add(ds, days):
        return str((_datetime.datetime.strptime(str(ds), "%Y-%m-%d") + _datetime.timedelta(days)).date())

    @staticmethod
    def ds_format(ds, input_format, output_format):
        return _datetime.datetime.strptime(str(ds), input_format).strftime(output_format)

    @staticmethod
    def datetime_diff_for_humans(dt, since=None):
        from _tidemill.refusal import unsupported

        raise unsupported("macros.datetime_diff_for_humans")


ds_add, ds_format = Macros.ds_add, Macros.ds_format
