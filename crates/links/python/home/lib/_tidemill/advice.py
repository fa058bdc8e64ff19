"""What to type, for mistakes that everybody makes once."""

ADVICE = (
    ("Object of type UUID is not JSON serializable", "write str(uuid.uuid4())"),
    ("Object of type datetime is not JSON serializable", "write .isoformat(), or json.dumps(…, default=str)"),
    ("Object of type Decimal is not JSON serializable", "write json.dumps(…, default=str)"),
    ("NoBrokersAvailable", "no broker answers there: is the address one of the project's?"),
    ("cannot serialize object of type", "return what JSON can hold"),
)


def advice(text):
    """The first advice that fits a message, or None."""
    return next((what for part, what in ADVICE if part in text), None)
