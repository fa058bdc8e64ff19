"""Jinja's expressions: from their text to a function of the context.

The grammar is Jinja's. What it has and this has not raises Unsupported, and then Jinja itself is asked,
if it is installed.
"""

import operator
import re

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<text>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")|(?P<mark>\*\*|//|==|!=|<=|>=|[-+*/%~<>()\[\]{}.,:|=]))",
    re.S,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SUM = {"+": operator.add, "-": operator.sub}
PRODUCT = {"*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod}
CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}
#: Names that join expressions, so that none of them begins one.
JOINING = ("and", "or", "if", "else", "is", "in", "not")
#: Expressions nested deeper than this are refused.
DEPTH_MAX = 50


class Unsupported(Exception):
    """Jinja can do it; this cannot."""


class TemplateSyntaxError(Exception):
    """It is no template."""


class UndefinedError(Exception):
    """A name in it has no value."""


class Undefined:
    """What a name without a value gives: it can be asked whether it is defined, and nothing else."""

    def __init__(self, hint):
        self._hint = hint

    def fail(self, *_, **__):
        raise UndefinedError(self._hint)

    __getattr__ = __getitem__ = __call__ = __str__ = __iter__ = __bool__ = __len__ = fail
    __add__ = __radd__ = __sub__ = __mul__ = __eq__ = __ne__ = __lt__ = __gt__ = __contains__ = fail
    __hash__ = object.__hash__


def member(value, name):
    """`value.name`: an attribute, otherwise an item."""
    if isinstance(value, Undefined):
        value.fail()
    if isinstance(name, str) and name.startswith("__"):
        raise UndefinedError(f"access to attribute {name!r} is unsafe")
    try:
        return getattr(value, name)
    except AttributeError:
        try:
            return value[name]
        except (TypeError, LookupError):
            return Undefined(f"'{_kind(value)}' has no attribute '{name}'")


def item(value, key):
    """`value[key]`: an item, otherwise an attribute."""
    if isinstance(value, Undefined):
        value.fail()
    try:
        return value[key]
    except (AttributeError, TypeError, LookupError):
        if isinstance(key, str) and not key.startswith("__") and hasattr(value, key):
            return getattr(value, key)
        return Undefined(f"'{_kind(value)}' has no attribute {key!r}")


def _kind(value):
    return f"{type(value).__name__} object"


class Parser:
    """One expression. Each method takes what it can and returns a function of the context."""

    def __init__(self, text, filters, tests):
        self.tokens, self.at, self.text = tokens(text), 0, text
        self.filters, self.tests = filters, tests
        self.depth = 0

    # Tokens.

    def peek(self, kind=None, *values):
        if self.at >= len(self.tokens):
            return False
        found, value = self.tokens[self.at]
        return (kind is None or found == kind) and (not values or value in values)

    def take(self, kind, *values):
        if not self.peek(kind, *values):
            return None
        self.at += 1
        return self.tokens[self.at - 1][1]

    def need(self, kind, *values):
        found = self.take(kind, *values)
        if found is None:
            wanted = " or ".join(values) or kind
            raise TemplateSyntaxError(f"expected {wanted} in {self.text.strip()!r}")
        return found

    def end(self):
        if self.at < len(self.tokens):
            raise TemplateSyntaxError(f"unexpected {self.tokens[self.at][1]!r} in {self.text.strip()!r}")

    # Expressions, from what binds least to what binds most.

    def whole(self):
        found = self.tuple_or_one()
        self.end()
        return found

    def tuple_or_one(self):
        first = self.expression()
        if not self.peek("mark", ","):
            return first
        parts = [first]
        while self.take("mark", ","):
            if self.at >= len(self.tokens) or self.peek("mark", ")"):
                break
            parts.append(self.expression())
        return lambda context: tuple(part(context) for part in parts)

    def expression(self):
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise TemplateSyntaxError(f"an expression nested deeper than {DEPTH_MAX}")
        value = self.either()
        while self.take("name", "if"):
            condition, then = self.either(), value
            otherwise = self.expression() if self.take("name", "else") else lambda context: ""
            value = _choice(condition, then, otherwise)
        self.depth -= 1
        return value

    def either(self):
        left = self.both()
        while self.take("name", "or"):
            left = _either(left, self.both())
        return left

    def both(self):
        left = self.negated()
        while self.take("name", "and"):
            left = _both(left, self.negated())
        return left

    def negated(self):
        if self.take("name", "not"):
            inner = self.negated()
            return lambda context: not inner(context)
        return self.compared()

    def compared(self):
        left, steps = self.sum(), []
        while True:
            mark = self.take("mark", *COMPARE)
            if mark:
                steps.append((COMPARE[mark], self.sum()))
            elif self.take("name", "in"):
                steps.append((lambda a, b: a in b, self.sum()))
            elif self.peek("name", "not") and self.tokens[self.at + 1 : self.at + 2] == [("name", "in")]:
                self.at += 2
                steps.append((lambda a, b: a not in b, self.sum()))
            else:
                return _comparison(left, steps) if steps else left

    def sum(self):
        return self.binary(self.joined, SUM)

    def joined(self):
        parts = [self.product()]
        while self.take("mark", "~"):
            parts.append(self.product())
        return parts[0] if len(parts) == 1 else lambda context: "".join(str(part(context)) for part in parts)

    def product(self):
        return self.binary(self.power, PRODUCT)

    def binary(self, inner, marks):
        left = inner()
        while True:
            mark = self.take("mark", *marks)
            if not mark:
                return left
            left = _applied(marks[mark], left, inner())

    def power(self):
        left = self.signed()
        while self.take("mark", "**"):
            left = _applied(operator.pow, left, self.signed())
        return left

    def signed(self):
        if self.take("mark", "-"):
            inner = self.signed()
            return lambda context: -inner(context)
        if self.take("mark", "+"):
            return self.signed()
        return self.followed(self.primary())

    def followed(self, value):
        while True:
            if self.take("mark", "."):
                name = self.take("name") or self.need("number")
                key = int(name) if name[0].isdigit() else name
                value = _member(value, key)
            elif self.take("mark", "["):
                key = self.subscript()
                self.need("mark", "]")
                value = _applied(item, value, key)
            elif self.take("mark", "("):
                value = _call(value, *self.arguments())
            elif self.take("mark", "|"):
                value = self.filtered(value)
            elif self.take("name", "is"):
                value = self.tested(value)
            else:
                return value

    def subscript(self):
        if self.peek("mark", ":"):
            start = lambda context: None  # noqa: E731
        else:
            start = self.expression()
            if not self.peek("mark", ":"):
                return start
        parts = [start]
        while self.take("mark", ":"):
            is_open = self.peek("mark", ":", "]")
            parts.append((lambda context: None) if is_open else self.expression())
        return lambda context: slice(*[part(context) for part in parts])

    def arguments(self):
        args, kwargs = [], {}
        while not self.take("mark", ")"):
            if self.peek("name") and self.tokens[self.at + 1 : self.at + 2] == [("mark", "=")]:
                name = self.take("name")
                self.at += 1
                kwargs[name] = self.expression()
            elif self.peek("mark", "*", "**"):
                raise Unsupported("* in a call")
            else:
                args.append(self.expression())
            if not self.peek("mark", ")"):
                self.need("mark", ",")
        return args, kwargs

    def filtered(self, value):
        name = self.need("name")
        if name not in self.filters:
            raise Unsupported(f"filter {name!r}")
        args, kwargs = self.arguments() if self.take("mark", "(") else ([], {})
        return _call(lambda context, f=self.filters[name]: f, [value, *args], kwargs)

    def tested(self, value):
        is_negated = bool(self.take("name", "not"))
        name = self.need("name")
        if name not in self.tests:
            raise Unsupported(f"test {name!r}")
        args = []
        if self.take("mark", "("):
            args = self.arguments()[0]
        elif self.peek("text") or self.peek("number") or (self.peek("name") and not self.peek("name", *JOINING)):
            args = [self.followed(self.primary())]
        test = self.tests[name]
        return lambda context: bool(test(value(context), *[arg(context) for arg in args])) != is_negated

    def primary(self):
        number = self.take("number")
        if number is not None:
            plain = number.replace("_", "")
            literal = int(plain) if plain.isdigit() else float(plain)
            return lambda context: literal
        text = self.take("text")
        if text is not None:
            whole = _unescaped(text)
            while self.peek("text"):
                whole += _unescaped(self.take("text"))
            return lambda context: whole
        name = self.take("name")
        if name is not None:
            if name in CONSTANTS:
                return lambda context: CONSTANTS[name]
            return lambda context: context[name] if name in context else Undefined(f"'{name}' is undefined")
        if self.take("mark", "("):
            if self.take("mark", ")"):
                return lambda context: ()
            inner = self.tuple_or_one()
            self.need("mark", ")")
            return inner
        if self.take("mark", "["):
            return self.list()
        if self.take("mark", "{"):
            return self.map()
        raise TemplateSyntaxError(f"expected an expression in {self.text.strip()!r}")

    def list(self):
        parts = []
        while not self.take("mark", "]"):
            parts.append(self.expression())
            if not self.peek("mark", "]"):
                self.need("mark", ",")
        return lambda context: [part(context) for part in parts]

    def map(self):
        pairs = []
        while not self.take("mark", "}"):
            key = self.expression()
            self.need("mark", ":")
            pairs.append((key, self.expression()))
            if not self.peek("mark", "}"):
                self.need("mark", ",")
        return lambda context: {key(context): value(context) for key, value in pairs}


def tokens(text):
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise TemplateSyntaxError(f"unexpected char {text[at:].lstrip()[:1]!r} in {text.strip()!r}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def _unescaped(text):
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match.group(1), match.group(0)), text[1:-1], flags=re.S)


def _either(left, right):
    return lambda context: left(context) or right(context)


def _both(left, right):
    return lambda context: left(context) and right(context)


def _applied(function, left, right):
    return lambda context: function(left(context), right(context))


def _member(value, key):
    return lambda context: (member if isinstance(key, str) else item)(value(context), key)


def _choice(condition, then, otherwise):
    return lambda context: then(context) if condition(context) else otherwise(context)


def _comparison(left, steps):
    def compare(context):
        value = left(context)
        for test, part in steps:
            following = part(context)
            if not test(value, following):
                return False
            value = following
        return True

    return compare


def _call(function, args, kwargs):
    def call(context):
        target = function(context)
        if isinstance(target, Undefined):
            target.fail()
        return target(*[arg(context) for arg in args], **{name: arg(context) for name, arg in kwargs.items()})

    return call
