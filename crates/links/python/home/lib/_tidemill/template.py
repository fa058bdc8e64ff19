"""Templates of a task's fields: Jinja's language, without Jinja.

Texts, expressions, `if`, `for`, `set` and comments are rendered here; for anything else Jinja itself is
asked, if it is installed. Undefined names are errors, as in Airflow.
"""

import os
import re

from _tidemill.expression import Parser, TemplateSyntaxError, Undefined, UndefinedError, Unsupported

PIECE = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.S)
#: Containers nested deeper than this are refused.
DEPTH_MAX = 32
UNSET = object()


def _default(value, default="", boolean=False):
    return default if isinstance(value, Undefined) or (boolean and not value) else value


def _tojson(value, indent=None):
    import json

    return json.dumps(value, indent=indent, sort_keys=True)


def _round(value, precision=0, method="common"):
    import math

    if method == "common":
        return round(float(value), precision)
    return getattr(math, method)(value * 10**precision) / 10**precision


FILTERS = {
    "abs": abs,
    "default": _default,
    "d": _default,
    "float": lambda v, default=0.0: _number(float, v, default),
    "first": lambda v: next(iter(v), Undefined("No first item, sequence was empty.")),
    "int": lambda v, default=0: _number(int, v, default),
    "join": lambda v, d="": str(d).join(str(one) for one in v),
    "last": lambda v: list(v)[-1],
    "length": len,
    "count": len,
    "list": list,
    "lower": lambda v: str(v).lower(),
    "upper": lambda v: str(v).upper(),
    "max": max,
    "min": min,
    "replace": lambda v, old, new: str(v).replace(str(old), str(new)),
    "round": _round,
    "sort": lambda v, reverse=False: sorted(v, reverse=reverse),
    "string": str,
    "sum": sum,
    "title": lambda v: str(v).title(),
    "capitalize": lambda v: str(v).capitalize(),
    "tojson": _tojson,
    "trim": lambda v, chars=None: str(v).strip(chars),
    "unique": lambda v: list(dict.fromkeys(v)),
    "reverse": lambda v: v[::-1] if isinstance(v, str) else list(v)[::-1],
    "items": lambda v: list(v.items()),
    # Airflow's own.
    "ds": lambda v: v.strftime("%Y-%m-%d"),
    "ds_nodash": lambda v: v.strftime("%Y%m%d"),
    "ts": lambda v: v.isoformat(),
    "ts_nodash": lambda v: v.strftime("%Y%m%dT%H%M%S"),
    "ts_nodash_with_tz": lambda v: v.isoformat().replace("-", "").replace(":", ""),
}
TESTS = {
    "defined": lambda v: not isinstance(v, Undefined),
    "undefined": lambda v: isinstance(v, Undefined),
    "none": lambda v: v is None,
    "string": lambda v: isinstance(v, str),
    "number": lambda v: isinstance(v, (int, float)),
    "mapping": lambda v: isinstance(v, dict),
    "sequence": lambda v: hasattr(v, "__getitem__"),
    "iterable": lambda v: hasattr(v, "__iter__"),
    "even": lambda v: v % 2 == 0,
    "odd": lambda v: v % 2 == 1,
    "true": lambda v: v is True,
    "false": lambda v: v is False,
    "equalto": lambda v, other: v == other,
    "eq": lambda v, other: v == other,
    "in": lambda v, other: v in other,
    "boolean": lambda v: isinstance(v, bool),
    "divisibleby": lambda v, n: v % n == 0,
}
GLOBALS = {"range": range, "dict": dict}


def _number(kind, value, default):
    try:
        return kind(float(value)) if kind is int and isinstance(value, str) and "." in value else kind(value)
    except (TypeError, ValueError):
        return default


class Template:
    """A text with templates in it, ready to be rendered."""

    def __init__(self, text, filters):
        self.filters = filters
        self.pieces = PIECE.split(text[:-1] if text.endswith("\n") else text)
        self.at = 0
        self._trim()
        self.body = self._block(())

    def _trim(self):
        """`{%-` and `-%}` take the white space beside them."""
        for at in range(1, len(self.pieces), 2):
            piece = self.pieces[at]
            if piece[2:3] == "-":
                self.pieces[at - 1] = self.pieces[at - 1].rstrip()
            if piece[-3:-2] == "-" and len(piece) > 4:
                self.pieces[at + 1] = self.pieces[at + 1].lstrip()
            inside = piece[2:-2].strip("+") if piece.startswith("{%") else piece[2:-2]
            self.pieces[at] = piece[:2] + inside.removeprefix("-").removesuffix("-") + piece[-2:]

    def _expression(self, text):
        return Parser(text, self.filters, TESTS).whole()

    def _block(self, ends):
        """Pieces up to a statement that ends the block; that one is left for who asked."""
        parts = []
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            if self.at % 2 == 0:
                if any(mark in piece for mark in ("{{", "{%")):
                    raise TemplateSyntaxError(f"unexpected end of template in {piece.strip()!r}")
                parts.append(lambda context, out, piece=piece: out.append(piece))
            elif piece.startswith("{{"):
                value = self._expression(piece[2:-2])
                parts.append(lambda context, out, value=value: out.append(str(value(context))))
            elif piece.startswith("{%"):
                word = piece[2:-2].split(None, 1)[0] if piece[2:-2].split() else ""
                if word in ends:
                    return parts
                parts.append(self._statement(word, piece[2:-2].strip()[len(word) :]))
                continue
            self.at += 1
        if ends:
            raise TemplateSyntaxError(f"Unexpected end of template. Jinja was looking for {' or '.join(ends)}.")
        return parts

    def _statement(self, word, rest):
        self.at += 1
        if word == "if":
            return self._if(rest)
        if word == "for":
            return self._for(rest)
        if word == "set" and "=" in rest:
            name, _, text = rest.partition("=")
            if not name.strip().isidentifier():
                raise Unsupported("set of several names")
            value = self._expression(text)
            return lambda context, out: context.__setitem__(name.strip(), value(context))
        raise Unsupported(f"statement {word!r}")

    def _next_word(self):
        inside = self.pieces[self.at][2:-2].strip()
        self.at += 1
        word = inside.split(None, 1)[0]
        return word, inside[len(word) :]

    def _if(self, rest):
        arms, condition = [], self._expression(rest)
        while True:
            body = self._block(("elif", "else", "endif"))
            arms.append((condition, body))
            word, rest = self._next_word()
            if word == "endif":
                break
            condition = self._expression(rest) if word == "elif" else lambda context: True

        def render(context, out):
            for condition, body in arms:
                if condition(context):
                    run(body, context, out)
                    return

        return render

    def _for(self, rest):
        names, separator, source = rest.partition(" in ")
        names = [name.strip() for name in names.strip().strip("()").split(",")]
        if not separator or not all(name.isidentifier() for name in names):
            raise TemplateSyntaxError(f"expected names and in: for {rest.strip()}")
        if re.search(r"\bif\b|\brecursive\b", source):
            raise Unsupported("for ... if")
        values, otherwise = self._expression(source), []
        body = self._block(("else", "endfor"))
        if self._next_word()[0] == "else":
            otherwise = self._block(("endfor",))
            self._next_word()

        def render(context, out):
            found = list(values(context))
            for number, value in enumerate(found):
                loop = {
                    "index": number + 1,
                    "index0": number,
                    "first": number == 0,
                    "last": number + 1 == len(found),
                    "length": len(found),
                }
                given = dict(zip(names, value)) if len(names) > 1 else {names[0]: value}
                run(body, {**context, **given, "loop": loop}, out)
            if not found:
                run(otherwise, context, out)

        return render

    def render(self, context):
        out = []
        run(self.body, dict(context), out)
        return "".join(out)


def run(parts, context, out):
    for part in parts:
        part(context, out)


class Renderer:
    """Renders values for one task."""

    def __init__(self, dag, context):
        self.dag, self.context = dag, context
        self.filters = {**FILTERS, **(getattr(dag, "user_defined_filters", None) or {})}
        self.names = {**GLOBALS, **(getattr(dag, "user_defined_macros", None) or {}), **context}
        self.extensions = ()

    def render_fields(self, task):
        """Renders every template field of a task, in place."""
        self.extensions = tuple(task.template_ext or ())
        for name in task.template_fields:
            if not hasattr(task, name):
                raise AttributeError(
                    f"{name!r} is configured as a template field but {task.task_type} does not have this attribute."
                )
            value = getattr(task, name)
            if value:
                setattr(task, name, self.render(value))

    def render(self, value, depth=0):
        if depth > DEPTH_MAX:
            raise TemplateSyntaxError(f"a template field nested deeper than {DEPTH_MAX}")
        if isinstance(value, str):
            return self.text(value)
        if hasattr(value, "resolve") and callable(value.resolve):
            return value.resolve(self.context)
        if isinstance(value, tuple):
            rendered = [self.render(one, depth + 1) for one in value]
            return type(value)(*rendered) if hasattr(value, "_fields") else tuple(rendered)
        if isinstance(value, list):
            return [self.render(one, depth + 1) for one in value]
        if isinstance(value, dict):
            return {key: self.render(one, depth + 1) for key, one in value.items()}
        if isinstance(value, set):
            return {self.render(one, depth + 1) for one in value}
        return value

    def text(self, text):
        if self.extensions and text.endswith(self.extensions):
            text = self._file(text)
        if "{" not in text:
            # Jinja takes one line's end from the end, also of a text without templates.
            return text[:-1] if text.endswith("\n") else text
        native = getattr(self.dag, "render_template_as_native_obj", False)
        if getattr(self.dag, "jinja_environment_kwargs", None):
            return self._with_jinja(text, "jinja_environment_kwargs")
        try:
            if native:
                return self._native(text)
            return Template(text, self.filters).render(self.names)
        except Unsupported as what:
            return self._with_jinja(text, str(what))
        except (UndefinedError, TemplateSyntaxError) as error:
            raise type(error)(f"{error} (template {text.strip()[:200]!r})") from None

    def _native(self, text):
        """`render_template_as_native_obj`: one expression keeps its type, other text is read as a literal."""
        import ast

        inside = text.strip()
        if inside.startswith("{{") and inside.endswith("}}") and inside.count("{{") == 1:
            value = Parser(inside[2:-2], self.filters, TESTS).whole()(self.names)
            if isinstance(value, Undefined):
                value.fail()
            return value
        rendered = Template(text, self.filters).render(self.names)
        try:
            return ast.literal_eval(rendered)
        except (ValueError, SyntaxError):
            return rendered

    def _folders(self):
        return [self.dag.folder, *(self.dag.template_searchpath or ())]

    def _file(self, name):
        for folder in self._folders():
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, encoding="utf-8") as file:
                    return file.read()
        raise FileNotFoundError(
            f"TemplateNotFound: {name!r} in {', '.join(self._folders())} (a command that only ends like a file's name "
            "needs a space at its end)"
        )

    def _with_jinja(self, text, what):
        try:
            import jinja2
            import jinja2.nativetypes
        except ImportError:
            raise Unsupported(f"template {text.strip()[:200]!r} needs Jinja for {what}: pip install jinja2") from None
        native = getattr(self.dag, "render_template_as_native_obj", False)
        kind = jinja2.nativetypes.NativeEnvironment if native else jinja2.Environment
        options = {"undefined": jinja2.StrictUndefined, "loader": jinja2.FileSystemLoader(self._folders())}
        environment = kind(**{**options, **(self.dag.jinja_environment_kwargs or {})})
        environment.filters.update(
            {name: FILTERS[name] for name in ("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz")}
        )
        environment.filters.update(self.dag.user_defined_filters or {})
        return environment.from_string(text).render(self.names)
