"""The `airflow` command: what entrypoint scripts and people's fingers call, answered by the scheduler.

What sets up a database, a user or a web server has nothing to do here: it says so and succeeds, so
that a script goes on. What runs for ever in Airflow stays in the foreground until it is told to end.
"""

import argparse
import json
import os
import sys

from _tidemill.rest import Refused, Unreachable, api, quoted
from _tidemill.source import own_path_first

#: Long-running commands, and what really serves.
SERVED = {
    "webserver": "the REST API and the pages are served by Tidemill",
    "api-server": "the REST API and the pages are served by Tidemill",
    "scheduler": "Tidemill schedules",
    "triggerer": "Tidemill waits for what tasks wait for",
    "dag-processor": "Tidemill reads the DAG files",
    "standalone": "Tidemill is all of it",
    "celery": "Tidemill runs the tasks",
}
#: What `airflow db` has, and what is said.
DATABASE = ("init", "migrate", "upgrade", "check", "check-migrations", "reset", "clean", "create")


def main(arguments=None):
    own_path_first()
    options, rest = parser().parse_known_args(arguments)
    if not hasattr(options, "run"):
        parser().print_help()
        return 2
    if rest and not options.passes:
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        return options.run(options) or 0
    except Refused as refused:
        print(refused, file=sys.stderr)
    except Unreachable as unreachable:
        print(unreachable, file=sys.stderr)
    return 1


def parser():
    top = argparse.ArgumentParser(
        prog="airflow", description="Airflow's command line, answered by Tidemill's scheduler."
    )
    commands = top.add_subparsers(metavar="command")
    for name in SERVED:
        _add(commands, name, serve, passes=True).set_defaults(name=name)
    _add(commands, "version", lambda _: print(_version()))
    _add(commands, "info", info, passes=True)
    _add(commands, "cheat-sheet", lambda _: parser().print_help())
    _add(commands, "db", database, passes=True).add_argument("what", choices=DATABASE)
    _users(_group(commands, "users"))
    _dags(_group(commands, "dags"))
    _tasks(_group(commands, "tasks"))
    _variables(_group(commands, "variables"))
    _connections(_group(commands, "connections"))
    _pools(_group(commands, "pools"))
    config = _add(_group(commands, "config"), "get-value", config_value)
    config.add_argument("section")
    config.add_argument("option")
    return top


def _group(commands, name):
    return commands.add_parser(name).add_subparsers(metavar="command", required=True)


def _add(commands, name, run, passes=False):
    added = commands.add_parser(name)
    # Of some commands no option changes anything here: all of them are taken.
    added.set_defaults(run=run, passes=passes)
    return added


def _listed(commands, name, run):
    added = _add(commands, name, run)
    added.add_argument("-o", "--output", choices=["table", "json", "plain", "yaml"], default="table")
    added.add_argument("-v", "--verbose", action="store_true")
    return added


def show(rows, columns, output):
    """Rows as a table, as text for other programs, or as JSON."""
    if output in ("json", "yaml"):
        # JSON is YAML.
        print(json.dumps([{column: row.get(column) for column in columns} for row in rows], indent=None))
        return
    texts = [list(columns)] + [[_text(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(text[at]) for text in texts) for at in range(len(columns))]
    for number, text in enumerate(texts):
        if output == "plain" and number == 0:
            continue
        print(" | ".join(cell.ljust(width) for cell, width in zip(text, widths)).rstrip())
        if number == 0:
            print("=+=".join("=" * width for width in widths))


def _text(value):
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


# What needs nothing to be done.


def serve(options):
    """Waits in the foreground, as the real one would; other programs wait for it."""
    import signal

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    url = os.environ.get("TIDEMILL_SCHEDULER_URL", "")
    print(
        f"airflow {options.name}: {SERVED[options.name]}{f' at {url}' if url else ''}; this waits to be stopped",
        flush=True,
    )
    if "-D" in options.rest or "--daemon" in options.rest:
        return 0
    while True:
        signal.pause()


def database(options):
    if options.what in ("reset", "clean"):
        print(
            f"airflow db {options.what}: nothing is removed; Tidemill's own data lies in the project's .tidemill folder"
        )
    else:
        print(f"airflow db {options.what}: Tidemill keeps its metadata itself; there is nothing to do")


def _users(commands):
    _add(commands, "create", users_create, passes=True)
    _listed(commands, "list", lambda options: show([], ["id", "username", "email", "roles"], options.output))
    _add(commands, "delete", users_create, passes=True)


def users_create(options):
    print("airflow users: Tidemill answers on this machine only and has no users; there is nothing to do")


def _version():
    return api("GET", "/version")["version"] if os.environ.get("TIDEMILL_SCHEDULER_URL") else "tidemill"


def info(options):
    url = os.environ.get("TIDEMILL_SCHEDULER_URL", "")
    print(f"scheduler    | {url or 'none'}")
    print(f"dags_folder  | {os.environ.get('TIDEMILL_DAGS_FOLDER', '')}")
    print(f"python       | {sys.executable} {sys.version.split()[0]}")


def config_value(options):
    from _tidemill.exceptions import AirflowConfigException
    from _tidemill.models import conf

    try:
        print(conf.get(options.section, options.option))
    except AirflowConfigException:
        print(f"The option [{options.section}/{options.option}] is not found in config.", file=sys.stderr)
        return 1
    return 0


# DAGs.


def _dags(commands):
    _listed(commands, "list", dags_list)
    _listed(commands, "list-import-errors", import_errors)
    runs = _listed(commands, "list-runs", dags_list_runs)
    runs.add_argument("-d", "--dag-id")
    runs.add_argument("dag", nargs="?")
    runs.add_argument("--state")
    trigger = _listed(commands, "trigger", dags_trigger)
    trigger.add_argument("dag_id")
    trigger.add_argument("-c", "--conf")
    trigger.add_argument("-r", "--run-id")
    trigger.add_argument("-e", "-l", "--exec-date", "--logical-date", dest="logical_date")
    trigger.add_argument("--no-replace-microseconds", action="store_true")
    for name, paused in (("pause", True), ("unpause", False)):
        pause = _listed(commands, name, dags_pause)
        pause.set_defaults(paused=paused)
        pause.add_argument("dag_id")
        pause.add_argument("-y", "--yes", action="store_true")
    state = _add(commands, "state", dags_state)
    state.add_argument("dag_id")
    state.add_argument("run")
    test = _add(commands, "test", dags_test)
    test.add_argument("dag_id")
    test.add_argument("logical_date", nargs="?")
    test.add_argument("-c", "--conf")
    _listed(commands, "details", dags_details).add_argument("dag_id")
    _add(commands, "reserialize", lambda _: print("Tidemill reads a DAG file when it changes; there is nothing to do"))


def all_dags():
    return api("GET", "/dags?limit=1000")["dags"]


def dags_list(options):
    rows = [{**dag, "owners": ", ".join(dag["owners"]), "is_paused": str(dag["is_paused"])} for dag in all_dags()]
    show(rows, ["dag_id", "fileloc", "owners", "is_paused"], options.output)
    errors = api("GET", "/importErrors")["total_entries"]
    if errors:
        print(
            f"Error: Failed to load {errors} files. For details, run `airflow dags list-import-errors`", file=sys.stderr
        )


def import_errors(options):
    rows = api("GET", "/importErrors?limit=1000")["import_errors"]
    show(
        [{"filepath": row["filename"], "error": row["stack_trace"]} for row in rows],
        ["filepath", "error"],
        options.output,
    )
    return 1 if rows else 0


def dags_list_runs(options):
    dag_id = options.dag_id or options.dag or "~"
    path = f"/dags/{quoted(dag_id)}/dagRuns?limit=1000&order_by=-run_after"
    if options.state:
        path += f"&state={quoted(options.state)}"
    rows = [{**run, "run_id": run["dag_run_id"]} for run in api("GET", path)["dag_runs"]]
    show(rows, ["dag_id", "run_id", "state", "run_after", "logical_date", "start_date", "end_date"], options.output)


def dags_trigger(options):
    from _tidemill.dates import aware

    body = {"logical_date": aware(options.logical_date).isoformat() if options.logical_date else None}
    if options.conf:
        body["conf"] = json.loads(options.conf)
    if options.run_id:
        body["dag_run_id"] = options.run_id
    run = api("POST", f"/dags/{quoted(options.dag_id)}/dagRuns", body)
    show([run], ["conf", "dag_id", "dag_run_id", "logical_date", "state", "run_type"], options.output)


def dags_pause(options):
    dag = api("PATCH", f"/dags/{quoted(options.dag_id)}", {"is_paused": options.paused})
    show([{"dag_id": dag["dag_id"], "is_paused": str(dag["is_paused"])}], ["dag_id", "is_paused"], options.output)


def dags_state(options):
    """By run id, or by logical date, as Airflow 2 has it."""
    try:
        print(api("GET", f"/dags/{quoted(options.dag_id)}/dagRuns/{quoted(options.run)}")["state"])
    except Refused:
        from _tidemill.dates import parse

        at = parse(options.run)
        runs = api("GET", f"/dags/{quoted(options.dag_id)}/dagRuns?limit=1000")["dag_runs"]
        states = [run["state"] for run in runs if run["logical_date"] and parse(run["logical_date"]) == at]
        print(states[0] if states else "None")


def dags_test(options):
    run = api(
        "POST",
        f"/dags/{quoted(options.dag_id)}/dagRuns",
        {
            "logical_date": None,
            "conf": json.loads(options.conf) if options.conf else {},
        },
    )
    return follow(options.dag_id, run["dag_run_id"])


def follow(dag_id, run_id):
    """Prints what the tasks of a run print until it ends."""
    import time

    path, shown = f"/dags/{quoted(dag_id)}/dagRuns/{quoted(run_id)}", set()
    while True:
        state = api("GET", path)["state"]
        for task in api("GET", f"{path}/taskInstances?limit=1000")["task_instances"]:
            is_over = task["state"] in ("success", "failed", "skipped", "upstream_failed")
            if is_over and task["task_id"] not in shown:
                shown.add(task["task_id"])
                print(f"[{task['task_id']}] {task['state']}", flush=True)
                print_log(path, task)
        if state in ("success", "failed"):
            print(f"DagRun Finished: dag_id={dag_id}, run_id={run_id}, state={state}")
            return 0 if state == "success" else 1
        time.sleep(0.2)


def print_log(path, task):
    try:
        found = api("GET", f"{path}/taskInstances/{quoted(task['task_id'])}/logs/{max(task['try_number'], 1)}")
    except Refused:
        return
    for line in found["content"] if isinstance(found["content"], list) else []:
        print(f"  {line.get('event', '')}")


def dags_details(options):
    dag = api("GET", f"/dags/{quoted(options.dag_id)}/details")
    rows = [{"property": name, "value": _text(value)} for name, value in dag.items()]
    show(rows, ["property", "value"], options.output)


# Tasks.


def _tasks(commands):
    listed = _listed(commands, "list", tasks_list)
    listed.add_argument("dag_id")
    listed.add_argument("-t", "--tree", action="store_true")
    for name in ("test", "run"):
        run = _add(commands, name, tasks_test)
        run.add_argument("dag_id")
        run.add_argument("task_id")
        run.add_argument("logical_date", nargs="?")
    state = _add(commands, "state", tasks_state)
    state.add_argument("dag_id")
    state.add_argument("task_id")
    state.add_argument("run")
    states = _listed(commands, "states-for-dag-run", tasks_states)
    states.add_argument("dag_id")
    states.add_argument("run")


def tasks_list(options):
    for task in sorted(api("GET", f"/dags/{quoted(options.dag_id)}/tasks")["tasks"], key=lambda task: task["task_id"]):
        print(task["task_id"])


def tasks_test(options):
    """Runs one task here, with nothing kept, from the DAG's file as it is now."""
    from _tidemill import state
    from _tidemill.rehearsal import rehearse
    from _tidemill.source import run_file

    path = api("GET", f"/dags/{quoted(options.dag_id)}")["fileloc"]
    with open(path, encoding="utf-8") as file:
        run_file(path, file.read())
    dag = next(dag for dag in state.made if dag.dag_id == options.dag_id)
    for other in [task for task in dag.tasks if task.task_id != options.task_id]:
        del dag.task_dict[other.task_id]
    task = dag.get_task(options.task_id)
    task.upstream_task_ids, task.downstream_task_ids = set(), set()
    rehearse(dag, options.logical_date)


def _instances(dag_id, run):
    return api("GET", f"/dags/{quoted(dag_id)}/dagRuns/{quoted(run)}/taskInstances?limit=1000")["task_instances"]


def tasks_state(options):
    found = [one["state"] for one in _instances(options.dag_id, options.run) if one["task_id"] == options.task_id]
    print(found[0] if found else "None")


def tasks_states(options):
    show(
        _instances(options.dag_id, options.run),
        ["dag_id", "task_id", "state", "start_date", "end_date"],
        options.output,
    )


# Variables, connections, pools.


def _variables(commands):
    get = _add(commands, "get", variables_get)
    get.add_argument("key")
    get.add_argument("-d", "--default")
    get.add_argument("-j", "--json", action="store_true")
    put = _add(commands, "set", variables_set)
    put.add_argument("key")
    put.add_argument("value")
    put.add_argument("-j", "--json", action="store_true")
    put.add_argument("--description")
    _add(commands, "delete", variables_delete).add_argument("key")
    _listed(
        commands,
        "list",
        lambda options: show(api("GET", "/variables?limit=1000")["variables"], ["key"], options.output),
    )
    imported = _add(commands, "import", variables_import)
    imported.add_argument("file")
    imported.add_argument("-a", "--action-on-existing-key", choices=["overwrite", "fail", "skip"], default="overwrite")
    _add(commands, "export", variables_export).add_argument("file")


def _kept(kind, path, body, key):
    """Makes it, or changes the one that is there: a script may run twice."""
    try:
        api("POST", kind, body)
    except Refused as refused:
        if refused.status != 409:
            raise
        api("PATCH", f"{kind}/{quoted(path)}", {**body, key: path})


def variables_get(options):
    try:
        print(api("GET", f"/variables/{quoted(options.key)}")["value"])
    except Refused as refused:
        if refused.status != 404 or options.default is None:
            raise
        print(options.default)


def variables_set(options):
    _kept(
        "/variables",
        options.key,
        {"key": options.key, "value": options.value, "description": options.description},
        "key",
    )
    print(f"Variable {options.key} created")


def variables_delete(options):
    api("DELETE", f"/variables/{quoted(options.key)}")
    print(f"Variable {options.key} deleted")


def variables_import(options):
    with open(options.file, encoding="utf-8") as file:
        found = json.load(file)
    known = {one["key"] for one in api("GET", "/variables?limit=1000")["variables"]}
    for key, value in found.items():
        if key in known and options.action_on_existing_key == "skip":
            continue
        if key in known and options.action_on_existing_key == "fail":
            print(f"Variable {key} already exists", file=sys.stderr)
            return 1
        text = value if isinstance(value, str) else json.dumps(value)
        _kept("/variables", key, {"key": key, "value": text}, "key")
    print(f"{len(found)} of {len(found)} variables successfully updated.")
    return 0


def variables_export(options):
    found = {one["key"]: one["value"] for one in api("GET", "/variables?limit=1000")["variables"]}
    text = json.dumps(found, indent=4)
    if options.file == "-":
        print(text)
    else:
        with open(options.file, "w", encoding="utf-8") as file:
            file.write(text)


def _connections(commands):
    add = _add(commands, "add", connections_add)
    add.add_argument("conn_id")
    for name in ("type", "host", "login", "password", "schema", "port", "extra", "description", "uri", "json"):
        add.add_argument(f"--conn-{name}")
    get = _listed(commands, "get", connections_get)
    get.add_argument("conn_id")
    _listed(commands, "list", connections_list)
    _add(commands, "delete", connections_delete).add_argument("conn_id")


def connections_add(options):
    from _tidemill.models import Connection

    if options.conn_json:
        made = Connection(options.conn_id, **json.loads(options.conn_json))
    elif options.conn_uri:
        made = Connection(options.conn_id, uri=options.conn_uri)
    else:
        names = ("host", "login", "password", "schema", "port", "extra", "description")
        made = Connection(
            options.conn_id, options.conn_type, **{name: getattr(options, f"conn_{name}") for name in names}
        )
    names = ("conn_type", "description", "host", "login", "password", "schema", "port", "extra")
    body = {
        "connection_id": options.conn_id,
        **{name: getattr(made, name) for name in names if getattr(made, name) is not None},
    }
    _kept("/connections", options.conn_id, body, "connection_id")
    print(f"Successfully added `conn_id`={options.conn_id} : {made.conn_type}://")


CONNECTION = ["connection_id", "conn_type", "host", "login", "schema", "port", "extra"]


def connections_get(options):
    show([api("GET", f"/connections/{quoted(options.conn_id)}")], CONNECTION, options.output)


def connections_list(options):
    show(api("GET", "/connections?limit=1000")["connections"], CONNECTION, options.output)


def connections_delete(options):
    api("DELETE", f"/connections/{quoted(options.conn_id)}")
    print(f"Successfully deleted connection with `conn_id`={options.conn_id}")


def _pools(commands):
    _listed(commands, "list", pools_list)
    put = _add(commands, "set", pools_set)
    put.add_argument("pool")
    put.add_argument("slots", type=int)
    put.add_argument("description", nargs="?", default="")
    _listed(commands, "get", pools_get).add_argument("pool")
    _add(commands, "delete", pools_delete).add_argument("pool")


def pools_list(options):
    show(api("GET", "/pools?limit=1000")["pools"], ["name", "slots", "description"], options.output)


def pools_get(options):
    show([api("GET", f"/pools/{quoted(options.pool)}")], ["name", "slots", "description"], options.output)


def pools_set(options):
    body = {"name": options.pool, "slots": options.slots, "description": options.description}
    _kept("/pools", options.pool, body, "pool")
    print(f"Pool {options.pool} created")


def pools_delete(options):
    api("DELETE", f"/pools/{quoted(options.pool)}")
    print(f"Pool {options.pool} deleted")


if __name__ == "__main__":
    sys.exit(main())
