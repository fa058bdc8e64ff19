"""What starting a server has in common: its jars, its process, its first answer, its end."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tidemill" / "peers"
HOST = "127.0.0.1"


def free_port():
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def jars(name, artifacts):
    """A folder with the artifacts (group:artifact:version) and all they need at run time."""
    folder = CACHE / "jars" / name
    stamp = folder / "complete"
    wanted = "\n".join(artifacts)
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = []
    for artifact in artifacts:
        group, identifier, version = artifact.split(":")
        rows.append(
            f"<dependency><groupId>{group}</groupId><artifactId>{identifier}</artifactId>"
            f"<version>{version}</version></dependency>"
        )
    (folder / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>peers</groupId>"
        f"<artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{''.join(rows)}</dependencies></project>"
    )
    subprocess.run(
        ["mvn", "-q", "-B", "-f", folder / "pom.xml", "dependency:copy-dependencies",
         f"-DoutputDirectory={folder}", "-DincludeScope=runtime"],
        check=True,
    )
    stamp.write_text(wanted)
    return folder


class Server:
    """A child process in a group of its own; ended with all its children, asked to by `signal_of_end`."""

    def __init__(self, command, folder, environment=None, signal_of_end=signal.SIGTERM):
        folder.mkdir(parents=True, exist_ok=True)
        self.signal_of_end = signal_of_end
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_until(self, answers, seconds):
        """Returns when `answers()` is true; raises with the end of the log otherwise."""
        end = time.monotonic() + seconds
        while not answers():
            if self.process.poll() is not None or time.monotonic() > end:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
                self.stop()
                raise RuntimeError(f"not ready after {seconds} s:\n{tail}")
            time.sleep(0.05)
        return self

    def hold(self, held=True):
        """Lets the process neither answer nor hang up, as a machine that is gone does; or lets it go on."""
        os.killpg(self.process.pid, signal.SIGSTOP if held else signal.SIGCONT)

    def stop(self):
        for sign in (self.signal_of_end, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.process.pid, sign)
                try:
                    self.process.wait(20)
                except subprocess.TimeoutExpired:
                    continue


def accepts(port):
    """Whether something accepts connections."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
