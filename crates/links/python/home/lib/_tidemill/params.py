"""`params`: values a run can override, and what they have to be."""

from _tidemill.exceptions import ParamValidationError

UNSET = object()


class Param:
    """A default with a JSON schema and a description."""

    def __init__(self, default=UNSET, description=None, source=None, **schema):
        self.value = None if default is UNSET else default
        self.has_value = default is not UNSET
        self.description = description
        self.schema = schema.pop("schema", None) or schema

    def resolve(self, value=UNSET, suppress_exception=False):
        if value is UNSET and not self.has_value and not suppress_exception:
            raise ParamValidationError("No value passed and Param has no default value")
        return self.value if value is UNSET else value

    def dump(self):
        return {"value": self.value, "description": self.description, "schema": self.schema}


class ParamsDict(dict):
    """Name to value; a Param gives its default."""

    def __init__(self, values=None):
        super().__init__()
        self.params = {}
        for name, value in (values or {}).items():
            self[name] = value

    def __setitem__(self, name, value):
        param = value if isinstance(value, Param) else None
        if param is None and name in self.params:
            param = self.params[name]
            super().__setitem__(name, value)
            return
        self.params[name] = param or Param(value)
        super().__setitem__(name, self.params[name].value)

    def setdefault(self, name, value=None):
        if name not in self:
            self[name] = value
        return self[name]

    def update(self, *args, **kwargs):
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def get_param(self, name):
        return self.params[name]

    def dump(self):
        return dict(self)


class DagParam:
    """A param of `@dag`'s function: its value is known when a task runs."""

    def __init__(self, dag, name, default=None):
        self.dag, self.name, self.default = dag, name, default

    def resolve(self, context):
        params = context.get("params", {})
        return params.get(self.name, self.default)

    def __str__(self):
        return "{{ params." + self.name + " }}"
