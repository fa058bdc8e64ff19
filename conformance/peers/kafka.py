"""Apache Kafka, broker and controller in one process (KRaft); and its command line tools."""

import subprocess

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


def start(folder):
    """A broker in `folder`: the server and its address."""
    port, controller = free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "server.properties"
    settings.write_text("\n".join([
        "process.roles=broker,controller",
        "node.id=1",
        f"controller.quorum.voters=1@{HOST}:{controller}",
        f"listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        f"advertised.listeners=PLAINTEXT://{HOST}:{port}",
        "controller.listener.names=CONTROLLER",
        f"log.dirs={folder / 'data'}",
        "offsets.topic.replication.factor=1",
        "offsets.topic.num.partitions=1",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1",
        "share.coordinator.state.topic.replication.factor=1",
        "share.coordinator.state.topic.min.isr=1",
        "group.initial.rebalance.delay.ms=0",
    ]))
    formatted = tool("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(settings))
    if formatted.returncode != 0:
        raise RuntimeError(formatted.stdout + formatted.stderr)
    server = Server(java("kafka.Kafka", settings, heap="1g"), folder)
    return server.wait_until(lambda: accepts(port), 120), f"{HOST}:{port}"
