"""Apicurio Registry, whose ccompat interface speaks Confluent's protocol."""

import subprocess
import tarfile
import urllib.error
import urllib.request

from .process import CACHE, HOST, Server, free_port

VERSION = "3.0.9"  # the newest line that runs on Java 17


def install():
    folder = CACHE / "jars" / "registry"
    stamp = folder / "complete"
    if stamp.exists() and stamp.read_text() == VERSION:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["mvn", "-q", "-B", "dependency:copy", f"-DoutputDirectory={folder}",
         f"-Dartifact=io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"],
        check=True,
    )
    archive = next(folder.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    archive.unlink()
    stamp.write_text(VERSION)
    return folder


def start(folder):
    """A registry that keeps its schemas in memory: the server and its URL."""
    lib, port = install(), free_port()
    jar = next(iter([*lib.rglob("*-runner.jar"), *lib.rglob("quarkus-run.jar")]))
    url = f"http://{HOST}:{port}/apis/ccompat/v7"
    server = Server(
        ["java", "-Xmx512m", f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={port}", "-jar", jar],
        folder,
    )

    def answers():
        try:
            with urllib.request.urlopen(f"{url}/subjects", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    return server.wait_until(answers, 180), url
