"""Modules that DAG files expect to be there because the real Airflow brings them. Ours are asked last:
an installed one always wins."""

import sys

STAND_INS = {"pendulum": "_tidemill.pendulum", "pendulum.tz": "_tidemill.pendulum"}


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        stand_in = STAND_INS.get(name)
        if stand_in is None:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, Loader(stand_in), is_package=True)


class Loader:
    def __init__(self, stand_in):
        self.stand_in = stand_in

    def create_module(self, spec):
        from importlib import import_module

        # The same module under another name; importlib gives every name its own spec.
        source = import_module(self.stand_in)
        module = type(sys)(spec.name)
        module.__dict__.update({k: v for k, v in vars(source).items() if not k.startswith("__")})
        return module

    def exec_module(self, module):
        pass


def install():
    sys.meta_path.append(Finder)
