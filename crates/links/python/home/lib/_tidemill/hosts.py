"""Host names of a compose file, and where they lead. Nothing of the machine is changed.

`TIDEMILL_HOSTS` is a JSON object: `name:port` or `name` to `address:port`. A name with its port goes
first; a name alone stands for all its ports.
"""

import json
import os

LEADS_TO = {name.lower(): where for name, where in json.loads(os.environ.get("TIDEMILL_HOSTS") or "{}").items()}


def where(host, port):
    """Where a host and port lead to, or None if they mean what they say."""
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    if not isinstance(host, str):
        return None
    found = LEADS_TO.get(f"{host.lower()}:{port}") or LEADS_TO.get(host.lower())
    if found is None:
        return None
    address, _, its_port = found.rpartition(":")
    return address.strip("[]"), int(its_port)


def redirected(servers):
    """`bootstrap.servers` with every known name replaced."""
    if not isinstance(servers, str):
        return servers
    return ",".join(_redirected(server.strip()) for server in servers.split(","))


def _redirected(server):
    scheme, separator, address = server.rpartition("://")
    address, slash, path = address.partition("/")
    host, _, port = address.rpartition(":")
    found = where(host, port) if host else where(address, 9092)
    return f"{scheme}{separator}{found[0]}:{found[1]}{slash}{path}" if found else server


def patch_socket(module):
    """Names are resolved here; the address that comes out has the right port already."""
    original = module.getaddrinfo
    by_name, by_name_full = module.gethostbyname, module.gethostbyname_ex

    def getaddrinfo(host, port, *args, **kwargs):
        found = where(host, port)
        if found is None:
            return original(host, port, *args, **kwargs)
        return original(found[0], port if port is None else found[1], *args, **kwargs)

    def gethostbyname(host):
        found = where(host, None)
        return found[0] if found else by_name(host)

    def gethostbyname_ex(host):
        found = where(host, None)
        return (host, [], [found[0]]) if found else by_name_full(host)

    class Redirected(module.socket):
        """A socket that is given names instead of addresses."""

        __slots__ = ()

        def connect(self, address):
            return super().connect(_address(address))

        def connect_ex(self, address):
            return super().connect_ex(_address(address))

    Redirected.__name__ = Redirected.__qualname__ = Redirected.__module__ = "socket"
    module.getaddrinfo, module.gethostbyname = getaddrinfo, gethostbyname
    module.gethostbyname_ex = gethostbyname_ex
    module.socket = module.SocketType = Redirected


def patch_http(module):
    """The Host header names where a request really goes: our servers answer to their own names only."""
    original = module.HTTPConnection.__init__

    def __init__(self, host, port=None, *args, **kwargs):
        name, separator, written = host.rpartition(":")
        if port is None and separator and written.isdigit():
            host, port = name, int(written)
        # A certificate is for the name that was asked for: with TLS only the address changes, below.
        is_plain = self.default_port == module.HTTP_PORT
        found = where(host, self.default_port if port is None else port) if is_plain else None
        if found:
            host, port = found
        original(self, host, port, *args, **kwargs)

    module.HTTPConnection.__init__ = __init__


def _address(address):
    if isinstance(address, tuple) and len(address) >= 2:
        found = where(address[0], address[1])
        if found:
            return found + tuple(address[2:])
    return address


def configured(config):
    """A librdkafka configuration with its servers replaced."""
    if not isinstance(config, dict):
        return config
    for name in ("bootstrap.servers", "metadata.broker.list"):
        if name in config:
            config = {**config, name: redirected(config[name])}
    return config


def patch_confluent(module):
    """librdkafka resolves names itself: its configuration gets addresses."""
    for name in ("Producer", "Consumer", "_AdminClientImpl"):
        base = getattr(module, name, None)
        if base is not None:
            setattr(module, name, _redirecting(base))


def patch_schema_registry(module):
    """Confluent's registry client: its requests name the host they really go to."""
    for name in ("_BaseRestClient", "_AsyncBaseRestClient"):
        base = getattr(module, name, None)
        if base is None:
            continue
        original = base.__init__

        def __init__(self, conf, *args, original=original, **kwargs):
            if isinstance(conf, dict) and "url" in conf:
                conf = {**conf, "url": redirected(conf["url"])}
            original(self, conf, *args, **kwargs)

        base.__init__ = __init__


def _redirecting(base):
    def given(args, kwargs):
        # A configuration is one dict, or keywords.
        if args and isinstance(args[0], dict):
            args = (configured(args[0]),) + args[1:]
        return args, configured(kwargs)

    def __new__(cls, *args, **kwargs):
        args, kwargs = given(args, kwargs)
        return base.__new__(cls, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        args, kwargs = given(args, kwargs)
        base.__init__(self, *args, **kwargs)

    return type(base.__name__, (base,), {"__new__": __new__, "__init__": __init__, "__doc__": base.__doc__})
