"""`python -m _tidemill.run < task`: does one try of one task of a DAG file.

Standard input has one JSON object: the file's path and text, the task, and all that the context is
made of. What the task leaves goes to the file named by `result`: how it ended and why, its XComs, and
the tasks it found not to be needed. Log records go to standard output as lines that begin with a
record separator, so that the scheduler keeps their level and name; all else is the task's own output.
"""

import json
import os
import sys

from _tidemill.source import own_path_first

#: Begins a line that is a log record.
RECORD = "\x1e"
#: Longest reason, in characters.
REASON_CHARS_MAX = 2000
#: What other Airflow loggers say at INFO about themselves is noise here.
QUIET = ("kafka", "cassandra", "urllib3", "confluent_kafka")


def main():
    own_path_first()
    given = json.load(sys.stdin)
    if given.get("callback"):
        _call_dag_back(given)
        return
    _start_logging()
    result = {"state": "failed", "reason": None, "retry": True, "xcoms": {}, "skip": []}
    try:
        _work(given, result)
    except SystemExit as stop:
        _judge_exit(stop, result)
    except BaseException as error:  # noqa: B902 - whatever it is, the try has ended by it
        _judge(error, given, result)
    _write(given["result"], result)
    sys.stdout.flush()
    sys.stderr.flush()


def _task(given):
    """The task, in the DAG that the file's text makes."""
    from _tidemill import state
    from _tidemill.source import run_file

    os.environ["TIDEMILL_DAG_FILE"] = given["path"]
    module = run_file(given["path"], given["source"])
    from _tidemill.dag import DAG
    from _tidemill.exceptions import DagNotFound

    named = [value for value in vars(module).values() if isinstance(value, DAG)]
    dags = [dag for dag in named + state.made if dag.dag_id == given["dag_id"]]
    if not dags:
        raise DagNotFound(f"Dag id {given['dag_id']} is no longer in {given['path']}")
    return dags[0].get_task(given["task_id"])


def _call_dag_back(given):
    """Calls the DAG's own callbacks, as the end of a run wants it; an exception ends the process."""
    from _tidemill.context import build

    task = _task(given)
    context = build(task, given)
    context["reason"] = given["reason"]
    callbacks = getattr(task.dag, given["callback"])
    for callback in callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]:
        callback(context)


def _work(given, result):
    from _tidemill.context import build

    task = _task(given)
    context = build(task, given)
    _end_when_told(task)
    _execute(task, context, result)


def _execute(task, context, result):
    """Airflow's order: pre_execute, templates, execute, XCom, post_execute, callbacks."""
    from _tidemill.template import Renderer
    from _tidemill.values import encoded

    instance = context["ti"]
    result["xcoms"], result["skip"] = instance.pushed, instance.skipped
    try:
        task.prepare_template()
        Renderer(task.dag, context).render_fields(task)
        task.pre_execute(context)
        _call_back(task, "on_execute_callback", context)
        returned = task.execute(context)
        if returned is not None and task.do_xcom_push:
            _leave(task, instance, encoded, returned)
        task.post_execute(context, returned)
        _flush_records()
    except BaseException as error:
        _tell_callbacks(task, context, error)
        raise
    result["state"] = instance.state = "success"
    _call_back(task, "on_success_callback", context)


def _leave(task, instance, encoded, returned):
    if task.multiple_outputs:
        if not isinstance(returned, dict):
            raise TypeError(f"Returned output was type {type(returned)} expected dictionary for multiple_outputs")
        for key, value in returned.items():
            if not isinstance(key, str):
                raise TypeError(f"Returned dictionary keys must be strings when using multiple_outputs, found {key!r}")
            instance.xcom_push(key, value)
    instance.pushed["return_value"] = encoded(returned)


def _flush_records():
    moves = sys.modules.get("_tidemill.moves")
    if moves is not None:
        moves.flush()


def _tell_callbacks(task, context, error):
    from _tidemill.exceptions import AirflowFailException, AirflowSkipException

    context["exception"] = error
    instance = context["ti"]
    if isinstance(error, AirflowSkipException):
        instance.state = "skipped"
        _call_back(task, "on_skipped_callback", context)
    elif instance.try_number <= instance.max_tries and not isinstance(error, AirflowFailException):
        instance.state = "up_for_retry"
        _call_back(task, "on_retry_callback", context)
    else:
        instance.state = "failed"
        _call_back(task, "on_failure_callback", context)


def _call_back(task, name, context):
    """A callback that fails is told and changes nothing."""
    callbacks = getattr(task, name, None) or []
    for callback in callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]:
        try:
            callback(context)
        except Exception:  # noqa: B902
            task.log.exception("Error when executing %s callback", name)


def _judge_exit(stop, result):
    if stop.code in (None, 0):
        result["state"] = "success"
    else:
        result["reason"] = f"the task called sys.exit({stop.code!r})"


def _judge(error, given, result):
    import traceback

    from _tidemill.exceptions import AirflowFailException, AirflowSkipException
    from _tidemill.source import told

    if isinstance(error, AirflowSkipException):
        result["state"], result["reason"] = "skipped", str(error) or "AirflowSkipException"
        return
    result["state"] = "failed"
    result["retry"] = not isinstance(error, AirflowFailException)
    result["reason"] = _advised(told(error, given["path"]))[:REASON_CHARS_MAX]
    trace = traceback.format_exception(type(error), error, _own_part(error.__traceback__))
    _log_line("error", "airflow.task", "".join(trace).rstrip())


def _own_part(trace):
    """The traceback from the user's own code on: how we came there is of no interest."""
    here, own = os.path.dirname(os.path.abspath(__file__)), trace
    while own is not None and os.path.dirname(own.tb_frame.f_code.co_filename) == here:
        own = own.tb_next
    return own or trace


def _advised(reason):
    from _tidemill.advice import advice

    found = advice(reason)
    return f"{reason}: {found}" if found else reason


def _write(path, result):
    """Beside, then in its place: who reads it finds all of it or nothing."""
    beside = f"{path}.tmp"
    with open(beside, "w", encoding="utf-8") as file:
        json.dump(result, file)
    os.replace(beside, path)


def _end_when_told(task):
    """SIGTERM ends the task by an exception, so that `on_kill` and its `finally` are run."""
    import signal

    from _tidemill.exceptions import AirflowTaskTerminated

    def told_to_end(number, frame):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        task.log.error("Received SIGTERM. Terminating subprocesses.")
        task.on_kill()
        # Not an Exception: a loop that goes on after every error must not go on after this.
        raise AirflowTaskTerminated("Task received SIGTERM signal")

    signal.signal(signal.SIGTERM, told_to_end)


def _log_line(level, name, text, place=None):
    record = {"level": level, "logger": name, "event": text}
    if place:
        record["place"] = place
    sys.__stdout__.write(f"{RECORD}{json.dumps(record)}\n")
    sys.__stdout__.flush()


def _start_logging():
    import logging

    class Handler(logging.Handler):
        """Log records with their level and their name."""

        def emit(self, record):
            try:
                text = self.format(record)
                level = {"warning": "warning", "error": "error", "critical": "error"}
                _log_line(
                    level.get(record.levelname.lower(), "info"), record.name, text, f"{record.filename}:{record.lineno}"
                )
            except Exception:  # noqa: B902 - a log record must not end a task
                self.handleError(record)

    logging.root.addHandler(Handler())
    logging.root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    main()
