"""Variable, Connection, hooks: what the scheduler keeps for tasks."""

import json
import os

from _tidemill.exceptions import AirflowException, AirflowNotFoundException

UNSET = object()


def _asked(method, path, body=None):
    from _tidemill.rest import Refused, execution

    try:
        return execution(method, path, body)
    except Refused as refused:
        if refused.status == 404:
            return None
        raise AirflowException(str(refused)) from None


def _quoted(text):
    from _tidemill.rest import quoted

    return quoted(text)


class Variable:
    """Values under names, kept by the scheduler. `AIRFLOW_VAR_<NAME>` goes first, as in Airflow."""

    def __init__(self, key=None, val=None, description=None):
        self.key, self.val, self.description = key, val, description

    @classmethod
    def get(cls, key, default_var=UNSET, deserialize_json=False, default=UNSET):
        default = default_var if default is UNSET else default
        value = os.environ.get(f"AIRFLOW_VAR_{key.upper()}")
        if value is None:
            found = _asked("GET", f"/variables/{_quoted(key)}")
            value = None if found is None else found["value"]
            if found is None:
                if default is UNSET:
                    raise KeyError(f"Variable {key} does not exist")
                return default
        return json.loads(value) if deserialize_json else value

    @classmethod
    def set(cls, key, value, description=None, serialize_json=False, **_):
        text = json.dumps(value, indent=2) if serialize_json else str(value)
        _asked("PUT", f"/variables/{_quoted(key)}", {"value": text, "description": description})

    @classmethod
    def setdefault(cls, key, default, description=None, deserialize_json=False):
        found = cls.get(key, None, deserialize_json)
        if found is not None:
            return found
        cls.set(key, default, description, serialize_json=deserialize_json)
        return default

    @classmethod
    def update(cls, key, value, serialize_json=False, **_):
        cls.get(key)
        cls.set(key, value, serialize_json=serialize_json)

    @classmethod
    def delete(cls, key, **_):
        found = _asked("DELETE", f"/variables/{_quoted(key)}")
        return 0 if found is None else 1


class Connection:
    """How to reach a system. `AIRFLOW_CONN_<ID>`, as URI or JSON, goes first, as in Airflow."""

    def __init__(
        self,
        conn_id=None,
        conn_type=None,
        description=None,
        host=None,
        login=None,
        password=None,
        schema=None,
        port=None,
        extra=None,
        uri=None,
    ):
        self.conn_id, self.conn_type, self.description = conn_id, conn_type, description
        self.host, self.login, self.password, self.schema = host, login, password, schema
        self.port = int(port) if port not in (None, "") else None
        self.extra = json.dumps(extra) if isinstance(extra, dict) else extra
        if uri:
            self._read(uri)

    def _read(self, uri):
        from urllib.parse import parse_qsl, unquote, urlsplit

        parts = urlsplit(uri)
        found = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.conn_type = {"postgresql": "postgres"}.get(parts.scheme, parts.scheme.replace("-", "_"))
        host = unquote(parts.hostname) if parts.hostname else None
        if (
            self.conn_type != "http"
            and "__extra__" not in found
            and host is not None
            and parts.scheme in ("http", "https")
        ):
            host = f"{parts.scheme}://{host}"
        self.host = host
        self.schema = unquote(parts.path[1:]) or None if parts.path else None
        self.login = unquote(parts.username) if parts.username is not None else None
        self.password = unquote(parts.password) if parts.password is not None else None
        self.port = parts.port
        if "__extra__" in found:
            self.extra = found["__extra__"]
        elif found:
            self.extra = json.dumps(found)

    @classmethod
    def get(cls, conn_id):
        text = os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}")
        if text:
            if text.lstrip().startswith("{"):
                return cls(conn_id=conn_id, **json.loads(text))
            return cls(conn_id=conn_id, uri=text)
        found = _asked("GET", f"/connections/{_quoted(conn_id)}")
        if found is None:
            raise AirflowNotFoundException(f"The conn_id `{conn_id}` isn't defined")
        names = ("conn_id", "conn_type", "description", "host", "login", "password", "schema", "port", "extra")
        return cls(**{name: found.get(name) for name in names})

    get_connection_from_secrets = get

    @property
    def extra_dejson(self):
        if not self.extra:
            return {}
        try:
            return json.loads(self.extra)
        except ValueError:
            return {}

    def get_extra_dejson(self, **_):
        return self.extra_dejson

    def get_password(self):
        return self.password

    def get_uri(self):
        from urllib.parse import quote, urlencode

        def part(text):
            return quote(str(text), safe="")

        uri = f"{str(self.conn_type or '').lower().replace('_', '-')}://"
        if self.login is not None or self.password is not None:
            secret = f":{part(self.password)}" if self.password is not None else ""
            uri += f"{part(self.login or '')}{secret}@"
        uri += part(self.host) if self.host else ""
        uri += f":{self.port}" if self.port else ""
        uri += f"/{part(self.schema)}" if self.schema else ""
        if self.extra_dejson:
            flat = all(isinstance(value, str) for value in self.extra_dejson.values())
            query = self.extra_dejson if flat else {"__extra__": self.extra}
            uri += ("" if self.schema else "/") + f"?{urlencode(query)}"
        return uri

    def __repr__(self):
        return self.conn_id or ""

    @property
    def id(self):
        return self.conn_id

    def get_hook(self, **_):
        from _tidemill.refusal import unsupported

        raise unsupported(f"Connection.get_hook() of type {self.conn_type!r}", "use the system's own client")


class BaseHook:
    """The base of hooks of one's own."""

    def __init__(self, logger_name=None):
        pass

    @classmethod
    def get_connection(cls, conn_id):
        return Connection.get(conn_id)

    @classmethod
    def get_hook(cls, conn_id, hook_params=None):
        return cls.get_connection(conn_id).get_hook()

    def get_conn(self):
        raise NotImplementedError

    @property
    def log(self):
        import logging

        return logging.getLogger(f"airflow.task.hooks.{type(self).__module__}.{type(self).__qualname__}")


class BaseNotifier:
    """The base of notifiers of one's own: a callback with templates."""

    template_fields = ()

    def __init__(self, **_):
        pass

    def notify(self, context):
        raise NotImplementedError

    def __call__(self, *args):
        from _tidemill.template import Renderer

        context = args[0] if args else {}
        Renderer(context.get("dag"), context).render_fields(self)
        self.notify(context)


class LoggingMixin:
    """`self.log`."""

    @property
    def log(self):
        import logging

        return logging.getLogger(f"{type(self).__module__}.{type(self).__name__}")


class Dataset:
    """The name of some data. Schedules that wait for one are not supported."""

    def __init__(self, uri=None, name=None, group="asset", extra=None, **_):
        self.uri = uri or name
        self.name = name or uri
        self.group, self.extra = group, extra or {}

    def __repr__(self):
        return f"{type(self).__name__}(uri={self.uri!r}, extra={self.extra!r})"

    def __hash__(self):
        return hash(self.uri)

    def __eq__(self, other):
        return isinstance(other, Dataset) and other.uri == self.uri

    def __and__(self, other):
        return [self, other]

    __or__ = __and__


class Asset(Dataset):
    pass


class Conf:
    """`airflow.configuration.conf`: `AIRFLOW__SECTION__KEY`, and what tasks commonly ask."""

    def get(self, section, key, fallback=UNSET, **_):
        value = os.environ.get(f"AIRFLOW__{section.upper()}__{key.upper()}")
        if value is not None:
            return value
        known = {
            ("core", "dags_folder"): os.environ.get("TIDEMILL_DAGS_FOLDER"),
            ("core", "default_timezone"): "utc",
            ("core", "executor"): "LocalExecutor",
            ("core", "load_examples"): "False",
            ("api", "base_url"): os.environ.get("TIDEMILL_SCHEDULER_URL"),
            ("webserver", "base_url"): os.environ.get("TIDEMILL_SCHEDULER_URL"),
        }.get((section.lower(), key.lower()))
        if known is not None:
            return known
        if fallback is UNSET:
            from _tidemill.exceptions import AirflowConfigException

            raise AirflowConfigException(f"section/key [{section}/{key}] not found in config")
        return fallback

    def getboolean(self, section, key, **options):
        return str(self.get(section, key, **options)).strip().lower() in ("t", "true", "1")

    def getint(self, section, key, **options):
        return int(self.get(section, key, **options))

    def getfloat(self, section, key, **options):
        return float(self.get(section, key, **options))

    def has_option(self, section, option):
        return self.get(section, option, fallback=None) is not None


conf = Conf()
