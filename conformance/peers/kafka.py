"""Apache Kafka, broker and controller in one process (KRaft); and its command line tools."""

import dataclasses
import subprocess

from . import certificates
from .process import HOST, Server, accepts, free_port, jars

VERSION = "4.3.1"
CLUSTER_ID = "dGlkZW1pbGwtcGVlcnMwMQ"


def class_path():
    folder = jars("kafka", [
        f"org.apache.kafka:kafka_2.13:{VERSION}",
        f"org.apache.kafka:kafka-tools:{VERSION}",
        "org.apache.logging.log4j:log4j-core:2.24.3",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
    ])
    (folder / "log4j2.properties").write_text(
        "rootLogger.level = WARN\nrootLogger.appenderRef.err.ref = err\n"
        "appender.err.type = Console\nappender.err.name = err\nappender.err.target = SYSTEM_ERR\n"
        "appender.err.layout.type = PatternLayout\nappender.err.layout.pattern = %p %m%n\n"
    )
    return folder


def java(main_class, *arguments, heap="256m"):
    """The command line of one of Kafka's classes."""
    folder = class_path()
    return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
            "-cp", f"{folder}/*", main_class, *arguments]


def tool(main_class, *arguments, stdin=None, timeout=120):
    """Runs one of Kafka's tools to its end."""
    return subprocess.run(
        java(main_class, *arguments), input=stdin, capture_output=True, text=True, timeout=timeout
    )


@dataclasses.dataclass
class Secured:
    """A broker that asks for more than an address: where each listener is, who signed its certificate, and the two
    users it knows."""

    plaintext: str
    ssl: str
    sasl_plaintext: str
    sasl_ssl: str
    authority: certificates.Authority
    user: str = "ada"
    password: str = "it is a secret"


def settings(folder, listeners, controller, more=()):
    """`server.properties` of one node; `listeners` from their names to their ports."""
    folder.mkdir(parents=True, exist_ok=True)
    addresses = ",".join(f"{name}://{HOST}:{port}" for name, port in listeners.items())
    file = folder / "server.properties"
    file.write_text("\n".join([
        "process.roles=broker,controller",
        "node.id=1",
        f"controller.quorum.voters=1@{HOST}:{controller}",
        f"listeners={addresses},CONTROLLER://{HOST}:{controller}",
        f"advertised.listeners={addresses}",
        "controller.listener.names=CONTROLLER",
        f"log.dirs={folder / 'data'}",
        "offsets.topic.replication.factor=1",
        "offsets.topic.num.partitions=1",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1",
        "share.coordinator.state.topic.replication.factor=1",
        "share.coordinator.state.topic.min.isr=1",
        "group.initial.rebalance.delay.ms=0",
        *more,
    ]))
    return file


def run(folder, file, port, more=()):
    """Formats the data folder unless it is, and starts: the server, when it accepts connections."""
    if not (folder / "data" / "meta.properties").exists():
        formatted = tool("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(file), *more)
        if formatted.returncode != 0:
            raise RuntimeError(formatted.stdout + formatted.stderr)
    return Server(java("kafka.Kafka", file, heap="1g"), folder).wait_until(lambda: accepts(port), 120)


def start(folder, port=None):
    """A broker in `folder`: the server and its address. With the port of one that was stopped it is that one again."""
    port = port or free_port()
    file = settings(folder, {"PLAINTEXT": port}, free_port())
    return run(folder, file, port), f"{HOST}:{port}"


def start_secured(folder):
    """A broker with a listener of each kind: the server and what a client needs."""
    ports = {name: free_port() for name in ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")}
    signed = certificates.authority(folder / "certificates")
    secured = Secured(*(f"{HOST}:{port}" for port in ports.values()), authority=signed)
    plain = (f"org.apache.kafka.common.security.plain.PlainLoginModule required "
             f'user_{secured.user}="{secured.password}";')
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    mechanisms = {"plain": plain, "scram-sha-256": scram, "scram-sha-512": scram}
    file = settings(folder, ports, free_port(), [
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,"
        + ",".join(f"{name}:{name}" for name in ports),
        "inter.broker.listener.name=PLAINTEXT",
        f"sasl.enabled.mechanisms={','.join(mechanisms).upper()}",
        *(f"listener.name.{listener}.{mechanism}.sasl.jaas.config={module}"
          for listener in ("sasl_plaintext", "sasl_ssl") for mechanism, module in mechanisms.items()),
        "ssl.keystore.type=PEM",
        f"ssl.keystore.location={signed.server}",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={signed.ca}",
        "listener.name.ssl.ssl.client.auth=required",
    ])
    users = [part for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
             for part in ("--add-scram", f'{mechanism}=[name="{secured.user}",password="{secured.password}"]')]
    return run(folder, file, ports["SASL_SSL"], users), secured
