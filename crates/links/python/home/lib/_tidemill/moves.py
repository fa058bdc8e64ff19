"""What a process produced, and what it complained about: one line of JSON at its end.

A task that built a producer, logged errors and moved nothing has failed, however it ended. The line
goes to the file that `TIDEMILL_MOVES` names, so that scripts a task starts are counted, too.
"""

import atexit
import os
import sys

#: Different errors that are counted apart.
ERRORS_MAX = 16
#: Seconds that records under way get at the end of a task.
FLUSH_SECONDS = 10

#: Topic to [sent, acknowledged, refused].
topics = {}
#: Producers that were built.
producers = []
#: Text of an error to how often it was logged, in the order they came.
errors = {}
error_count = 0


def install():
    atexit.register(report)
    _watch_print()


def report():
    """Writes the line, if there is anything to tell."""
    if not producers and not topics:
        return
    import json

    line = json.dumps(
        {
            "producers": len(producers),
            "topics": topics,
            "errors": error_count,
            "first": _first(),
        }
    )
    try:
        with open(os.environ["TIDEMILL_MOVES"], "a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError:
        # Counting must never be what fails a task.
        pass


def _first():
    """The first error, with what to type where everybody knows it."""
    from _tidemill.advice import advice

    first = next(iter(errors), None)
    what = advice(first) if first else None
    return f"{first}: {what}" if what else first


def flush():
    """Waits for records under way: a task that does not flush loses what is not sent when it ends."""
    for producer in producers:
        try:
            producer.flush(FLUSH_SECONDS)
        except Exception as error:  # noqa: B902 - told, and counted
            complain(error)


def counts(topic):
    return topics.setdefault(str(topic), [0, 0, 0])


def complain(error):
    """Counts an exception that was caught and only logged."""
    global error_count
    error_count += 1
    from _tidemill.source import told

    text = told(error, os.environ.get("TIDEMILL_DAG_FILE") or os.path.abspath(sys.argv[0] or "."))
    if text in errors:
        errors[text] += 1
    elif len(errors) < ERRORS_MAX:
        errors[text] = 1


def _watch_print():
    """`except Exception as e: print(e)` is a complaint as well."""
    import builtins

    original = builtins.print

    def print(*args, **kwargs):  # noqa: A001
        error = sys.exc_info()[1]
        if error is not None and producers:
            complain(error)
        original(*args, **kwargs)

    builtins.print = print


def patch_logging(module):
    """An error that is logged while an exception is handled is that exception."""
    original = module.Logger.handle

    def handle(self, record):
        if record.levelno >= 30 and producers:
            error = sys.exc_info()[1] or (record.exc_info and record.exc_info[1]) or None
            if error is not None and not self.name.startswith(("kafka.", "urllib3.")):
                complain(error)
        original(self, record)

    module.Logger.handle = handle


def patch_kafka_python(module):
    base_init, base_send = module.KafkaProducer.__init__, module.KafkaProducer.send

    def __init__(self, *args, **kwargs):
        producers.append(self)
        try:
            base_init(self, *args, **kwargs)
        except BaseException:
            producers.remove(self)
            raise

    def send(self, topic, *args, **kwargs):
        count = counts(topic)
        future = base_send(self, topic, *args, **kwargs)
        count[0] += 1

        def acknowledged(_):
            count[1] += 1

        def refused(error):
            count[2] += 1
            complain(error)

        future.add_callback(acknowledged)
        future.add_errback(refused)
        return future

    module.KafkaProducer.__init__, module.KafkaProducer.send = __init__, send


def patch_confluent(module):
    from _tidemill import hosts

    hosts.patch_confluent(module)
    base = module.Producer

    class Producer(base):
        __doc__ = base.__doc__

        def __init__(self, *args, **kwargs):
            base.__init__(self, *args, **kwargs)
            producers.append(self)

        def produce(self, topic, *args, **kwargs):
            count = counts(topic)
            # Positional: value, key, partition, and then the callback under either of its names.
            args = list(args)
            name = "callback" if "callback" in kwargs else "on_delivery"
            if len(args) > 3:
                args[3] = _delivered(count, args[3])
            else:
                kwargs[name] = _delivered(count, kwargs.get(name))
            found = base.produce(self, topic, *args, **kwargs)
            count[0] += 1
            return found

    module.Producer = Producer


def _delivered(count, callback):
    def delivered(error, message):
        count[2 if error is not None else 1] += 1
        if callback is not None:
            callback(error, message)

    return delivered
