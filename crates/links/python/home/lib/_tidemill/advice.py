"""What to type, for mistakes that everybody makes once."""

import sys

ADVICE = (
    ("Object of type UUID is not JSON serializable", "write str(uuid.uuid4())"),
    ("Object of type datetime is not JSON serializable", "write .isoformat(), or json.dumps(..., default=str)"),
    ("Object of type Decimal is not JSON serializable", "write json.dumps(..., default=str)"),
    ("NoBrokersAvailable", "no broker answers there; is the address one of the project's?"),
)
#: What to install, where it is not called as it is imported.
PACKAGES = {
    "kafka": "kafka-python",
    "cassandra": "cassandra-driver",
    "confluent_kafka": "confluent-kafka",
    "yaml": "pyyaml",
    "bs4": "beautifulsoup4",
    "sklearn": "scikit-learn",
    "dateutil": "python-dateutil",
    "psycopg2": "psycopg2-binary",
    "dotenv": "python-dotenv",
    "PIL": "pillow",
    "jwt": "pyjwt",
    "pymongo": "pymongo",
}
MISSING = "No module named '"


def advice(text):
    """The first advice that fits a message, or None."""
    if MISSING in text:
        module = text.split(MISSING, 1)[1].split("'")[0].split(".")[0]
        return f"{sys.executable} -m pip install {PACKAGES.get(module, module)}"
    return next((what for part, what in ADVICE if part in text), None)
