"""Apache ZooKeeper, one server standing alone; and its command line."""

import socket
import subprocess

from .process import HOST, Server, free_port, jars

VERSION = "3.9.5"
CURATOR = "5.9.0"


def class_path():
    # All but the first are "provided" in ZooKeeper's own pom: to serve, and for its command line.
    return jars("zookeeper", [
        f"org.apache.zookeeper:zookeeper:{VERSION}",
        "io.dropwizard.metrics:metrics-core:4.1.12.1",
        "org.xerial.snappy:snappy-java:1.1.10.5",
        "commons-cli:commons-cli:1.5.0",
    ])


def curator_class_path():
    return jars("curator", [f"org.apache.curator:curator-recipes:{CURATOR}",
                            f"org.apache.zookeeper:zookeeper:{VERSION}"])


def java(folder, main_class, *arguments, properties=(), heap="256m"):
    """The command line of one class with the jars of a folder."""
    return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            *(f"-D{name}" for name in properties), "-cp", f"{folder}/*:{folder}", main_class, *arguments]


def tool(main_class, *arguments, stdin=None, timeout=60):
    """Runs one of ZooKeeper's tools to its end."""
    return subprocess.run(java(class_path(), main_class, *arguments), input=stdin,
                          capture_output=True, text=True, timeout=timeout)


def cli(address, *lines):
    """What zkCli.sh prints for a script."""
    done = tool("org.apache.zookeeper.ZooKeeperMain", "-server", address, stdin="\n".join(lines) + "\nquit\n")
    return done.stdout + done.stderr


def compiled(source):
    """A folder with a Java source compiled against Curator, beside Curator's jars."""
    folder = curator_class_path()
    stamp = folder / f"{source.stem}.source"
    text = source.read_text()
    if not (stamp.exists() and stamp.read_text() == text):
        subprocess.run(["javac", "-cp", f"{folder}/*", "-d", folder, source], check=True)
        stamp.write_text(text)
    return folder


def serves(port):
    """Whether a server answers: the port is open before that."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as asked:
            asked.sendall(b"srvr")
            return b"Mode:" in asked.makefile("rb").read()
    except OSError:
        return False


def start(folder, port=None, data=None):
    """A server in `folder`: the server and its address."""
    lib, port = class_path(), port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "zoo.cfg"
    settings.write_text("\n".join([
        "tickTime=500",
        "maxSessionTimeout=40000",
        f"dataDir={data or folder / 'data'}",
        f"clientPort={port}",
        f"clientPortAddress={HOST}",
        "maxClientCnxns=0",
        "admin.enableServer=false",
        "4lw.commands.whitelist=*",
    ]))
    server = Server(java(lib, "org.apache.zookeeper.server.quorum.QuorumPeerMain", settings, heap="512m",
                         properties=["zookeeper.admin.enableServer=false",
                                     "zookeeper.extendedTypesEnabled=true",
                                     "znode.container.checkIntervalMs=1000"]), folder)
    return server.wait_until(lambda: serves(port), 60), f"{HOST}:{port}"
