"""Runs the text of a DAG file as a module, as if Python had read it from its place."""

import os
import sys
import types

MODULE = "tidemill_dag_file"


def own_path_first():
    """Python puts the working directory in front of everything. A project may have a folder called
    `airflow`: it goes to the end."""
    here = os.getcwd()
    if sys.path and sys.path[0] in ("", here):
        sys.path.append(sys.path.pop(0) or here)


def run_file(path, text):
    """The module of a DAG file. The text may be an older one than the file has now: a run keeps the
    version it began with. Raises what the file raises."""
    # Last, as in Airflow: a folder of the project must not stand in for a library of the same name.
    project = os.environ.get("TIDEMILL_PROJECT")
    own = [os.path.join(project, name) for name in ("plugins", "config")] if project else []
    for entry in (os.environ.get("TIDEMILL_DAGS_FOLDER"), *own, os.path.dirname(path)):
        if entry and entry not in sys.path and os.path.isdir(entry):
            sys.path.append(entry)
    module = types.ModuleType(MODULE)
    module.__file__ = path
    sys.modules[MODULE] = module
    _show_in_tracebacks(path, text)
    exec(compile(text, path, "exec"), module.__dict__)
    return module


def _show_in_tracebacks(path, text):
    """Tracebacks and `inspect.getsource` show the text that runs, not what the file has become."""
    import linecache

    linecache.cache[path] = (len(text), None, text.splitlines(True), path)


def place_of(error, path):
    """File and line in the user's own code where an exception came from: the innermost line of the
    DAG file, or of a module of the project."""
    found = None
    project = os.environ.get("TIDEMILL_PROJECT") or os.path.dirname(path)
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        is_own = (
            file.startswith(project + os.sep)
            and "site-packages" not in file
            and os.sep + "_tidemill" + os.sep not in file
        )
        if file == path or is_own:
            found = (file, trace.tb_lineno)
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return (error.filename, error.lineno)
    return getattr(error, "place", None) or found


def told(error, path):
    """One line: what went wrong, and where."""
    from _tidemill.refusal import shown_place

    text = str(error).strip()
    if isinstance(error, SyntaxError) and error.msg:
        text = error.msg
    first = text.splitlines()[0] if text else ""
    name = type(error).__name__
    line = f"{name}: {first}" if first else name
    place = place_of(error, path)
    return f"{line} ({shown_place(*place)})" if place and shown_place(*place) not in line else line
