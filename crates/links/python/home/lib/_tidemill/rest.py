"""The scheduler's REST interface, over a plain socket: importing an HTTP library takes longer than
most tasks run."""

import json
import os
import socket

#: Seconds to connect, and to wait for an answer.
TIMEOUT = 30
#: Bytes of the largest answer that is read.
ANSWER_BYTES_MAX = 32 << 20


class Refused(Exception):
    """The scheduler's error: its status and its own words."""

    def __init__(self, status, detail):
        super().__init__(detail)
        self.status = status


class Unreachable(Exception):
    """There is no scheduler to ask."""


def quoted(text):
    """A text as one part of a path."""
    return "".join(
        c if c.isascii() and (c.isalnum() or c in "-_.~") else "".join(f"%{b:02X}" for b in c.encode())
        for c in str(text)
    )


def api(method, path, body=None):
    """Asks `/api/v2`, Airflow's public REST API."""
    return ask(method, f"/api/v2{path}", body)


def execution(method, path, body=None):
    """Asks `/execution`, what tasks may ask: it tells passwords, so it wants the task's token."""
    token = os.environ.get("TIDEMILL_TASK_TOKEN", "")
    return ask(method, f"/execution{path}", body, {"Authorization": f"Bearer {token}"})


def ask(method, path, body=None, headers=None):
    """One request; the answer's JSON. Raises Refused for the scheduler's own errors."""
    url = os.environ.get("TIDEMILL_SCHEDULER_URL")
    if not url:
        raise Unreachable("no scheduler: TIDEMILL_SCHEDULER_URL is not set (is `tidemill up` running?)")
    address = url.split("://", 1)[-1].rstrip("/")
    host, _, port = address.rpartition(":")
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address}", "Connection: close", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines += ["Content-Type: application/json"]
    lines += [f"Content-Length: {len(content)}", "", ""]
    try:
        with socket.create_connection((host.strip("[]"), int(port)), TIMEOUT) as connection:
            connection.sendall("\r\n".join(lines).encode() + content)
            answer = _all_of(connection)
    except OSError as error:
        raise Unreachable(f"the scheduler does not answer at {url}: {error}") from None
    return _parsed(answer)


def _all_of(connection):
    parts, size = [], 0
    while True:
        part = connection.recv(1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise OSError(f"an answer of more than {ANSWER_BYTES_MAX} bytes")


def _parsed(answer):
    head, _, content = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1])
    if any(line.lower().replace(" ", "") == "transfer-encoding:chunked" for line in lines):
        content = _unchunked(content)
    try:
        found = json.loads(content) if content.strip() else None
    except ValueError:
        found = None
    if 200 <= status < 300:
        return found
    detail = found.get("detail") if isinstance(found, dict) else None
    if isinstance(detail, (dict, list)):
        detail = json.dumps(detail)
    raise Refused(status, detail or f"HTTP {status}")


def _unchunked(content):
    whole = b""
    while content:
        size, _, content = content.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if length == 0:
            break
        whole, content = whole + content[:length], content[length + 2 :]
    return whole
