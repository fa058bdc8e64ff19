"""`python -m _tidemill.parse PATH < text`: runs a DAG file and says which DAGs it has, as JSON.

The answer goes to what was standard output; what the file itself prints goes to standard error.
"""

import json
import os
import sys

from _tidemill.source import own_path_first

#: Bytes of memory a file may ask for while it is read.
MEMORY_BYTES_MAX = 4 << 30


def main():
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _limit_memory()
    own_path_first()
    path, text = sys.argv[1], sys.stdin.read()
    found = parsed(path, text)
    json.dump(found, answer)
    answer.close()
    sys.stdout.flush()
    # Threads that the file started, and what it registered for the end, are of no interest.
    os._exit(0)


def _limit_memory():
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    except (OSError, ValueError):
        # A tighter limit is there already.
        pass


def parsed(path, text):
    """`{"dags": [...], "notices": [...], "imports": [...]}`, or `{"error": {...}}`."""
    if sys.version_info < (3, 9):
        return {"error": {"message": f"{sys.executable} is Python {sys.version.split()[0]}; 3.9 or newer is needed"}}
    from _tidemill import state
    from _tidemill.source import run_file

    try:
        module = run_file(path, text)
        from _tidemill.serialize import dag_json, found_dags
        from _tidemill.topics import topics_by_function

        topics = topics_by_function(text)
        dags = [dag_json(dag, topics) for dag in found_dags(vars(module), state.made)]
    except SystemExit as stop:
        return {"error": {"message": f"the file calls sys.exit({stop.code!r}) while it is read"}}
    except BaseException as error:  # noqa: B902 - whatever it is, somebody has to read it
        return {"error": _error(error, path)}
    return {"dags": dags, "notices": state.notices, "imports": imports(path)}


def _error(error, path):
    from _tidemill.advice import advice
    from _tidemill.source import place_of

    place = place_of(error, path)
    text = str(error).strip() or type(error).__name__
    if isinstance(error, SyntaxError):
        text = error.msg
    name = type(error).__name__
    if name not in ("NotInTidemill", "AirflowException"):
        text = f"{name}: {text}"
    what = advice(text)
    return {
        "message": f"{text}: {what}" if what else text,
        "file": place[0] if place else path,
        "line": place[1] if place else None,
    }


def imports(path):
    """Files of the project that this one loaded: a change of theirs is a change of its DAGs."""
    project = os.environ.get("TIDEMILL_PROJECT") or os.path.dirname(path)
    found = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(project + os.sep) and file != path and "site-packages" not in file:
            found.add(file)
    return sorted(found)


if __name__ == "__main__":
    main()
