"""What is being built while a DAG file runs: the open `with` blocks, and every DAG there is."""

#: Open `with DAG(...)` blocks, innermost last.
dags = []
#: Open `with TaskGroup(...)` blocks, innermost last.
groups = []
#: Every DAG that was made, in order.
made = []
#: What a file says that has no effect here: text, file, line.
notices = []
#: The context of the task that runs.
context = None


def current_dag():
    return dags[-1] if dags else None


def current_group(dag):
    return groups[-1] if groups and groups[-1].dag is dag else None


def notice(text):
    """Something that is accepted and has no effect: the reader of the file should know."""
    from _tidemill.refusal import asking_frame, shown_place

    frame = asking_frame()
    place = shown_place(frame.f_code.co_filename, frame.f_lineno) if frame else ""
    entry = {"text": text, "place": place}
    if entry not in notices:
        notices.append(entry)
