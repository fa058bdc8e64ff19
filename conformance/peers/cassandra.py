"""Apache Cassandra, one node, from its Maven jars on Java 17."""

from .process import HOST, Server, accepts, free_port, jars

VERSION = "5.0.9"

EXPORTS = """java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi
java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.rmi/sun.rmi.transport.tcp java.sql/java.sql
java.base/java.lang.ref java.base/jdk.internal.ref java.base/sun.nio.ch
jdk.unsupported/sun.misc jdk.compiler/com.sun.tools.javac.api
jdk.compiler/com.sun.tools.javac.file""".split()

OPENS = """java.base/java.lang java.base/java.lang.module java.base/java.lang.reflect
java.base/java.math java.base/java.io java.base/java.net java.base/java.nio
java.base/java.nio.charset java.base/java.nio.file.spi java.base/java.util
java.base/java.util.concurrent java.base/java.util.concurrent.atomic
java.base/java.util.concurrent.locks java.base/jdk.internal.loader
java.base/jdk.internal.math java.base/jdk.internal.module java.base/jdk.internal.ref
java.base/jdk.internal.reflect java.base/jdk.internal.util java.base/jdk.internal.util.jar
java.base/jdk.internal.vm java.base/sun.nio.ch java.base/sun.nio.fs
java.base/sun.util.locale.provider java.logging/java.util.logging
java.rmi/sun.rmi.transport.tcp java.sql/java.sql jdk.management/com.sun.management.internal
jdk.compiler/com.sun.tools.javac jdk.naming.dns/com.sun.jndi.dns jdk.unsupported/sun.misc
java.management/java.lang.management java.management/com.sun.jmx.mbeanserver
java.management/javax.management""".split()


PASSWORD = ["authenticator: PasswordAuthenticator", "authorizer: CassandraAuthorizer", "role_manager: CassandraRoleManager"]


def encryption(server_pem):
    return [
        "client_encryption_options:",
        "  enabled: true",
        "  optional: false",
        "  ssl_context_factory:",
        "    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory",
        f"  keystore: {server_pem}",
    ]


def start(folder, heap="1g", port=None, with_password=False, server_pem=None):
    """A node in `folder`: the server and its address. With the port of one that was stopped it is that one again.
    `with_password`: it asks for one, and user cassandra has the password cassandra. `server_pem`: key and certificate
    that its clients are shown."""
    lib = jars("cassandra", [f"org.apache.cassandra:cassandra-all:{VERSION}"])
    port, storage, jmx = port or free_port(), free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cassandra.yaml").write_text("\n".join([
        "cluster_name: peers",
        "num_tokens: 16",
        "partitioner: org.apache.cassandra.dht.Murmur3Partitioner",
        f"listen_address: {HOST}",
        f"rpc_address: {HOST}",
        f"native_transport_port: {port}",
        f"storage_port: {storage}",
        "start_native_transport: true",
        "endpoint_snitch: SimpleSnitch",
        "seed_provider:",
        "  - class_name: org.apache.cassandra.locator.SimpleSeedProvider",
        f"    parameters: [{{seeds: '{HOST}:{storage}'}}]",
        "commitlog_sync: periodic",
        "commitlog_sync_period: 10000ms",
        f"data_file_directories: ['{folder}/data']",
        f"commitlog_directory: {folder}/commitlog",
        f"saved_caches_directory: {folder}/saved_caches",
        f"hints_directory: {folder}/hints",
        f"cdc_raw_directory: {folder}/cdc_raw",
        "auto_snapshot: false",
        "materialized_views_enabled: true",
        "user_defined_functions_enabled: true",
        *(PASSWORD if with_password else []),
        *(encryption(server_pem) if server_pem else []),
    ]))
    (folder / "logback.xml").write_text(
        '<configuration><appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder>'
        "<pattern>%-5level %msg%n</pattern></encoder></appender>"
        '<root level="INFO"><appender-ref ref="OUT"/></root></configuration>'
    )
    agent = next(lib.glob("jamm-*.jar"))
    command = [
        "java", f"-Xms{heap}", f"-Xmx{heap}", "-XX:+UseG1GC",
        *(f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS),
        *(f"--add-opens={name}=ALL-UNNAMED" for name in OPENS),
        "-Djdk.attach.allowAttachSelf=true", f"-javaagent:{agent}",
        f"-Dcassandra.config=file://{folder}/cassandra.yaml",
        f"-Dlogback.configurationFile={folder}/logback.xml",
        f"-Dcassandra.storagedir={folder}", f"-Dcassandra.logdir={folder}",
        "-Dcassandra-foreground=yes", f"-Dcassandra.jmx.local.port={jmx}",
        "-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Djava.net.preferIPv4Stack=true",
        "-cp", f"{lib}/*", "org.apache.cassandra.service.CassandraDaemon",
    ]
    return Server(command, folder).wait_until(lambda: accepts(port), 180), f"{HOST}:{port}"
