"""Lets requests to some hosts go without TLS: the names lead to this machine, where a look-alike answers."""

import os
import ssl

_hosts = set(filter(None, os.environ.get("TIDEMILL_STAND_IN", "").split(",")))

if _hosts:
    _with_tls = ssl.SSLContext.wrap_socket

    def _wrap_socket(self, sock, *arguments, **options):
        # The connection is already one of this machine with itself.
        if options.get("server_hostname") in _hosts:
            return sock
        return _with_tls(self, sock, *arguments, **options)

    ssl.SSLContext.wrap_socket = _wrap_socket
