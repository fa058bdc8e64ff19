"""Runs a script as __main__ with what surrounds it under Tidemill."""

import os
import runpy
import sys


def leash():
    """Ends the whole group when the process that started it is gone: its end of stdin closes then."""
    import signal
    import threading

    def wait():
        while os.read(0, 4096):
            pass
        os.killpg(0, signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def tell(text):
    print(f"tidemill: {text}", file=sys.stderr, flush=True)


class Context:
    """What scripts of classic Spark ask a SparkContext for, as far as it means something here."""

    def __init__(self, session):
        self._session = session
        self.version = session.version
        self.master = "sc://"
        self.defaultParallelism = 1

    def setLogLevel(self, level):
        pass

    @property
    def appName(self):
        return self._session.conf.get("spark.app.name", "")

    @property
    def applicationId(self):
        return self._session.session_id

    def __getattr__(self, name):
        raise AttributeError(f"sparkContext.{name} needs a JVM; use the session's own methods, as Spark Connect asks for")


CASSANDRA = "spark.cassandra.connection"


def led(options):
    """Options whose addresses lead to where they lead in this process: the engine is another one."""
    try:
        from _tidemill import hosts
    except ImportError:
        return options
    found = {}
    for key, value in options.items():
        if key.lower() == "kafka.bootstrap.servers":
            found[key] = hosts.redirected(value)
        elif key.lower() == f"{CASSANDRA}.host":
            port = options.get(f"{CASSANDRA}.port", 9042)
            places = [hosts.where(host.strip(), port) for host in str(value).split(",")]
            first = next(filter(None, places), None)
            found[key] = first[0] if first else value
            if first:
                found[f"{CASSANDRA}.port"] = str(first[1])
        else:
            found.setdefault(key, value)
    return found


def lead_options(kind):
    """Readers and writers give the engine addresses instead of names."""
    plain = kind.option

    def option(self, key, value):
        for name, of in led({key: value}).items():
            plain(self, name, of)
        return self

    kind.option = option


def prepare_spark():
    """A master is a cluster's address; here the engine is the cluster, and SPARK_REMOTE leads to it."""
    from pyspark.sql.connect.readwriter import DataFrameReader, DataFrameWriter
    from pyspark.sql.connect.session import SparkSession as Connected
    from pyspark.sql.connect.streaming.readwriter import DataStreamReader, DataStreamWriter
    from pyspark.sql.session import SparkSession as Classic

    for kind in (DataFrameReader, DataFrameWriter, DataStreamReader, DataStreamWriter):
        lead_options(kind)

    def without_master(builder):
        plain = builder.config

        def config(self, key=None, value=None, **rest):
            given = dict(rest.get("map") or {})
            if key is None and not given:
                return plain(self, key, value, **rest)
            if key is not None:
                given[key] = value
            given.pop("spark.master", None)
            for name, of in led(given).items():
                plain(self, name, of)
            return self

        builder.config = config
        builder.master = lambda self, master: self

    for session in (Classic, Connected):
        without_master(session.Builder)

    contexts = {}

    def context(self):
        return contexts.setdefault(self.session_id, Context(self))

    Connected.sparkContext = property(context)


def main():
    script = sys.argv[1]
    # Spark's client takes a program without a file for one of its own tests.
    sys.modules["__main__"].__file__ = script
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    if os.environ.pop("TIDEMILL_LEASH", None):
        leash()
    with open(script, encoding="utf-8", errors="replace") as file:
        uses_spark = "pyspark" in file.read()
    if uses_spark:
        os.environ.pop("MASTER", None)
        try:
            prepare_spark()
        except ImportError as error:
            tell(f"{error}; a Spark script needs: pip install pyspark-client")
    runpy.run_path(script, run_name="__main__")


main()
