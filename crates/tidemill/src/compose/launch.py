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


def prepare_spark():
    """A master is a cluster's address; here the engine is the cluster, and SPARK_REMOTE leads to it."""
    from pyspark.sql.connect.session import SparkSession as Connected
    from pyspark.sql.session import SparkSession as Classic

    def without_master(builder):
        plain = builder.config

        def config(self, key=None, value=None, **rest):
            if key == "spark.master":
                return self
            if isinstance(rest.get("map"), dict):
                rest["map"] = {name: of for name, of in rest["map"].items() if name != "spark.master"}
            return plain(self, key, value, **rest)

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
