"""Python runs this at every start that has our folder on its path. It must cost nothing when there is
nothing to do: what it watches for is patched only once somebody imports it."""

import os
import sys

if os.environ.get("TIDEMILL_HOSTS") or os.environ.get("TIDEMILL_MOVES"):
    import _tidemill.hook

    _tidemill.hook.install()

import _tidemill.last_resort

_tidemill.last_resort.install()


def _next_in_line():
    """The sitecustomize that Python would have run without ours: a distribution's, or the user's."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    rest = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_next_in_line()
