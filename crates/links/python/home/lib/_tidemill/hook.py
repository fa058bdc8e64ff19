"""What any Python that Tidemill starts has: host names of the project lead to where Tidemill answers,
and records that it produces are counted.

Modules are patched when they are imported, so a script that does not use them pays nothing.
"""

import os
import sys

#: Modules that are patched, and by what.
PATCHES = {}


def install():
    if os.environ.get("TIDEMILL_HOSTS"):
        PATCHES["socket"] = "_tidemill.hosts:patch_socket"
        PATCHES["http.client"] = "_tidemill.hosts:patch_http"
        PATCHES["confluent_kafka.cimpl"] = "_tidemill.hosts:patch_confluent"
        for kind in ("_sync", "_async"):
            module = f"confluent_kafka.schema_registry.{kind}.schema_registry_client"
            PATCHES[module] = "_tidemill.hosts:patch_schema_registry"
    if os.environ.get("TIDEMILL_MOVES"):
        from _tidemill import moves

        moves.install()
        PATCHES["kafka.producer.kafka"] = "_tidemill.moves:patch_kafka_python"
        PATCHES["logging"] = "_tidemill.moves:patch_logging"
        PATCHES["confluent_kafka.cimpl"] = "_tidemill.moves:patch_confluent"
    sys.meta_path.insert(0, Finder)
    for name in list(PATCHES):
        if name in sys.modules:
            patched(sys.modules[name])


def patched(module):
    home, _, function = PATCHES[module.__name__].partition(":")
    __import__(home)
    getattr(sys.modules[home], function)(module)


class Finder:
    """Finds what the others find, and patches it once it is loaded."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in PATCHES:
            return None
        for finder in sys.meta_path:
            if finder is Finder or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = Loader(spec.loader)
                return spec
        return None


class Loader:
    """Another loader, with something to do after it."""

    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        patched(module)

    def __getattr__(self, name):
        return getattr(self.loader, name)
