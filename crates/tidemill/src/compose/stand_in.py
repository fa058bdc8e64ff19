"""Lets requests to some hosts go without TLS: their names lead to this machine, where a look-alike answers."""

import os
import ssl

_there = os.environ.get("TIDEMILL_STAND_IN")

if _there:
    _with_tls = ssl.SSLContext.wrap_socket

    def _wrap_socket(self, sock, *arguments, **options):
        try:
            leads_there = "%s:%d" % sock.getpeername()[:2] == _there
        except (OSError, TypeError):
            leads_there = False
        # Such a connection is one of this machine with itself.
        return sock if leads_there else _with_tls(self, sock, *arguments, **options)

    ssl.SSLContext.wrap_socket = _wrap_socket
