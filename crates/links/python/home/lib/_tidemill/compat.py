"""Names of old Airflow files that need not do anything any more."""

from contextlib import contextmanager

version = "3.3.2"
NEW_SESSION = None


def apply_defaults(function):
    """Every operator does it by itself."""
    return function


def provide_session(function):
    """There is no session of a database to give."""
    return function


@contextmanager
def create_session(*_, **__):
    from _tidemill.refusal import unsupported

    raise unsupported("create_session()", "ask the scheduler's REST interface")
    yield


def send_email(to, subject, html_content, *_, **__):
    from _tidemill.refusal import unsupported

    raise unsupported("send_email()", "use smtplib")
