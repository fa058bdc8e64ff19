"""Which topics a task's function writes, as far as the text of its file says it."""

import ast

#: Methods that write a record, and whose first argument is the topic.
WRITERS = ("send", "produce", "send_and_wait")


def topics_by_function(text):
    """Function name to the topics in its body and the names it calls."""
    tree = ast.parse(text)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            topics, calls = found.setdefault(node.name, ([], set()))
            for call in ast.walk(node):
                if isinstance(call, ast.Call):
                    _look_at(call, constants, topics, calls)
    return found


def _look_at(call, constants, topics, calls):
    function = call.func
    if isinstance(function, ast.Name):
        calls.add(function.id)
    elif isinstance(function, ast.Attribute):
        calls.add(function.attr)
        given = call.args[:1] + [word.value for word in call.keywords if word.arg == "topic"]
        if function.attr in WRITERS and given:
            topic = given[0]
            name = constants.get(topic.id) if isinstance(topic, ast.Name) else getattr(topic, "value", None)
            if isinstance(name, str) and name not in topics:
                topics.append(name)


def topics_of(function, by_function):
    """The topics a function writes, itself or through what it calls in its file."""
    function = getattr(function, "func", function)
    name = getattr(getattr(function, "__wrapped__", function), "__name__", None)
    found, seen, left = [], set(), [name]
    while left:
        name = left.pop()
        if name in seen or name not in by_function:
            continue
        seen.add(name)
        topics, calls = by_function[name]
        found += [topic for topic in topics if topic not in found]
        left += calls
    return found
