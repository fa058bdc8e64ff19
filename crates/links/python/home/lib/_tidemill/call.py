"""How a function gets what it asks for: its own arguments, and of the context what it has names for."""

import sys


def arguments_for(function, op_args, op_kwargs, context):
    """Keyword arguments of a task's function: `op_kwargs`, and from the context every name that it
    has a parameter for, or all of it if it takes any."""
    names, takes_any = names_of(function)
    taken = set(names[: len(op_args)])
    clash = sorted(taken & set(context) - set(op_kwargs))
    if clash:
        raise ValueError(f"The key {clash[0]!r} in args is a part of kwargs and therefore reserved.")
    if takes_any:
        return {**{name: value for name, value in context.items() if name not in taken}, **op_kwargs}
    found = {name: context[name] for name in names if name in context and name not in taken}
    return {**found, **{name: value for name, value in op_kwargs.items() if name in names or name not in context}}


def names_of(function):
    """Parameter names of a callable, and whether it takes any others by name."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return _names_by_inspection(function)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if getattr(function, "__self__", None) is not None:
        names = names[1:]
    return list(names), bool(code.co_flags & 0x08)


def _names_by_inspection(function):
    import inspect

    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [], False
    names = [one.name for one in found if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    return names, any(one.kind == one.VAR_KEYWORD for one in found)


def call(function, op_args, op_kwargs, context):
    """Calls a task's function as Airflow does; a coroutine is run to its end."""
    result = function(*op_args, **arguments_for(function, op_args, op_kwargs, context))
    if hasattr(result, "__await__"):
        import asyncio

        async def settle():
            return await result

        return asyncio.run(settle())
    return result


def is_mapping_annotation(function):
    """Whether a function says that it returns a mapping: then each key is a value of its own."""
    returns = getattr(function, "__annotations__", {}).get("return")
    if isinstance(returns, str):
        return returns.split("[")[0].rsplit(".", 1)[-1].lower() in ("dict", "mapping")
    origin = getattr(returns, "__origin__", returns)
    if origin is dict:
        return True
    abc = sys.modules.get("collections.abc")
    return abc is not None and origin is not None and origin is abc.Mapping
