"""PostgreSQL from the distribution's package, in a folder of its own."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess

from .process import HOST, Server, free_port

USER = "postgres"


def programs():
    """Where initdb and postgres are."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    if there is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    return pathlib.Path(there).resolve().parent


def as_postgres(command):
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", *command]


def start(folder, port=None, password="tide/mill", server_pem=None):
    """A server in `folder`: it, and the address of its database `airflow`. With the port of one that was stopped it is
    that one again. `server_pem`: key and certificate that its clients are shown."""
    bin, port = programs(), port or free_port()
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        account = pwd.getpwnam(USER)
        # Every folder above has to let the server through.
        for above in [folder, *folder.parents][:-1]:
            if above.stat().st_uid == 0 and above != pathlib.Path("/"):
                above.chmod(above.stat().st_mode | 0o011)
        os.chown(folder, account.pw_uid, account.pw_gid)
    if not data.exists():
        secret = folder / "password"
        secret.write_text(password)
        if os.geteuid() == 0:
            shutil.chown(secret, USER, USER)
        subprocess.run(
            as_postgres([bin / "initdb", "-D", data, "-U", "airflow", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8"]),
            check=True, capture_output=True,
        )
    options = ["-h", HOST, "-p", str(port), "-k", "", "-c", "fsync=on"]
    if server_pem is not None:
        # The server takes a key that nobody else can read.
        own = folder / "server.pem"
        shutil.copyfile(server_pem, own)
        own.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(own, USER, USER)
        options += ["-c", "ssl=on", "-c", f"ssl_cert_file={own}", "-c", f"ssl_key_file={own}"]
    server = Server(as_postgres([bin / "postgres", "-D", data, *options]), folder)
    # It ends without waiting for its clients.
    server.signal_of_end = signal.SIGINT
    environment = {**os.environ, "PGPASSWORD": password}

    def query(text, database="airflow"):
        command = [bin / "psql", "-h", HOST, "-p", str(port), "-U", "airflow", "-d", database, "-Atc", text]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    server.wait_until(lambda: query("select 1", "postgres").returncode == 0, 60)
    if query("select 1").returncode != 0:
        query("create database airflow", "postgres")
    server.query = query
    quoted = password.replace("/", "%2F")
    return server, f"postgres://airflow:{quoted}@{HOST}:{port}/airflow"
