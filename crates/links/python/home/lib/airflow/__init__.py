"""The names that DAG files import from Airflow, in its 2.x and 3.x spellings.

`_names.py` says which module has which names and where each is made; a name is looked up when it is
asked for, so a file that needs DAG and PythonOperator loads these and nothing else. A name that is
not there is refused with the place that asks for it.
"""

import sys
from importlib.machinery import ModuleSpec

from airflow._names import MODULES

__version__ = "3.3.2"


def _resolve(module, name):
    """The object behind a name of a module."""
    where = MODULES[module].get(name)
    if where is None:
        if f"{module}.{name}" in MODULES:
            from importlib import import_module

            return import_module(f"{module}.{name}")
        if name.startswith("__"):
            raise AttributeError(name)
        from _tidemill.refusal import refused

        raise refused(f"{module}.{name}", is_module=False)
    home, _, attribute = where.partition(":")
    __import__(home)
    found = getattr(sys.modules[home], attribute) if attribute else sys.modules[home]
    sys.modules[module].__dict__[name] = found
    return found


class _Loader:
    """Fills a module whose names come from the table."""

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        name = module.__name__
        module.__getattr__ = lambda attribute: _resolve(name, attribute)
        module.__all__ = [known for known in MODULES[name] if not known.startswith("_")]
        module.__dir__ = lambda: list(module.__all__)


class _Finder:
    """Finds the modules of the table, and refuses the other ones by name."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in MODULES:
            return ModuleSpec(name, _Loader, is_package=True)
        if name.startswith("airflow.") and not name.startswith("airflow._"):
            from _tidemill.refusal import refused

            raise refused(name, is_module=True)
        return None


sys.meta_path.insert(0, _Finder)


def __getattr__(name):
    return _resolve("airflow", name)
