"""`dag.test()`: every task once, in order, in this process, with nothing kept."""

import datetime


def rehearse(dag, logical_date=None, conf=None):
    """Runs the tasks; stops at the first that fails. Returns the states by task."""
    from _tidemill.context import build
    from _tidemill.dates import aware
    from _tidemill.exceptions import AirflowSkipException
    from _tidemill.template import Renderer

    at = aware(logical_date or datetime.datetime.now(datetime.timezone.utc)).isoformat()
    run = {
        "run_id": f"manual__{at}",
        "dag_id": dag.dag_id,
        "run_type": "manual",
        "conf": conf or {},
        "logical_date": at,
        "data_interval_start": at,
        "data_interval_end": at,
        "run_after": at,
        "queued_at": at,
        "start_date": at,
    }
    states, values = {}, []
    for task in dag.topological_sort():
        is_cut_off = any(states[before] in ("skipped", "failed") for before in task.upstream_task_ids)
        if is_cut_off and task.trigger_rule == "all_success":
            states[task.task_id] = "skipped"
            continue
        if states.get(task.task_id) == "skipped":
            continue
        given = {"dag_run": run, "try_number": 1, "max_tries": 0, "xcoms": values, "test_mode": True}
        context = build(task, given)
        print(f"[{dag.dag_id}.{task.task_id}]", flush=True)
        Renderer(dag, context).render_fields(task)
        try:
            returned = task.execute(context)
        except AirflowSkipException as skipped:
            print(f"skipped: {skipped}")
            states[task.task_id] = "skipped"
            continue
        if returned is not None and task.do_xcom_push:
            context["ti"].xcom_push("return_value", returned)
        values = values + [[task.task_id, key, value] for key, value in context["ti"].pushed.items()]
        states.update(dict.fromkeys(context["ti"].skipped, "skipped"))
        states[task.task_id] = "success"
    return states
