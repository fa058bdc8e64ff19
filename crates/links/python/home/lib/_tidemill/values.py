"""XCom values as JSON. What JSON has no words for is wrapped the way Airflow's serde wraps it."""

import datetime

CLASS, VERSION, DATA = "__classname__", "__version__", "__data__"

#: Values nested deeper than this are refused.
DEPTH_MAX = 64


def encoded(value, depth=0):
    """A JSON value. Raises TypeError, naming the class, for what cannot be one."""
    if depth > DEPTH_MAX:
        raise TypeError(f"a value nested deeper than {DEPTH_MAX} cannot be an XCom")
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        # JSON has no words for these either.
        return value if value == value and abs(value) != float("inf") else _wrapped("builtins.float", str(value))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict):
        return {str(key): encoded(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [encoded(one, depth + 1) for one in value]
    return _special(value, depth)


def _special(value, depth):
    for kind in (tuple, set, frozenset):
        if isinstance(value, kind):
            items = sorted(value, key=repr) if kind is not tuple else value
            return _wrapped(f"builtins.{kind.__name__}", [encoded(one, depth + 1) for one in items])
    if isinstance(value, datetime.datetime):
        return _wrapped("datetime.datetime", value.isoformat())
    if isinstance(value, datetime.date):
        return _wrapped("datetime.date", value.isoformat())
    if isinstance(value, datetime.timedelta):
        return _wrapped("datetime.timedelta", value.total_seconds())
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name == "decimal.Decimal":
        return _wrapped(name, str(value))
    if name.startswith("numpy.") and hasattr(value, "tolist"):
        return encoded(value.tolist(), depth + 1)
    raise TypeError(
        f"cannot serialize object of type {kind}: an XCom is JSON (return str(value), a number, a list or a dict, "
        "or set do_xcom_push=False)"
    )


def _wrapped(name, data):
    return {CLASS: name, VERSION: 1, DATA: data}


def decoded(value):
    """The Python value of a JSON value."""
    if isinstance(value, list):
        return [decoded(one) for one in value]
    if not isinstance(value, dict):
        return value
    if CLASS not in value:
        return {key: decoded(one) for key, one in value.items()}
    data = decoded(value.get(DATA))
    return _MADE.get(value[CLASS], lambda data: data)(data)


def _decimal(text):
    from decimal import Decimal

    return Decimal(text)


_MADE = {
    "builtins.tuple": tuple,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.float": float,
    "datetime.datetime": datetime.datetime.fromisoformat,
    "datetime.date": datetime.date.fromisoformat,
    "datetime.timedelta": lambda seconds: datetime.timedelta(seconds=seconds),
    "decimal.Decimal": _decimal,
}
