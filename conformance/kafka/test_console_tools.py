"""Kafka's own command line tools (Java): what people have in their scripts."""

import shutil

from peers import kafka as peer

if shutil.which("java") is None or shutil.which("mvn") is None:
    raise RuntimeError("Kafka's tools need java and mvn: apt-get install openjdk-17-jdk-headless maven")


def ran(main_class, kafka, *arguments, stdin=None):
    done = peer.tool(main_class, "--bootstrap-server", kafka, *arguments, stdin=stdin)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


TOPICS = "org.apache.kafka.tools.TopicCommand"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
PRODUCER = "org.apache.kafka.tools.ConsoleProducer"
OFFSETS = "org.apache.kafka.tools.GetOffsetShell"
CONFIGS = "kafka.admin.ConfigCommand"
VERSIONS = "org.apache.kafka.tools.BrokerApiVersionsCommand"


def test_a_topic_lives_and_its_records_are_read(kafka, name):
    ran(TOPICS, kafka, "--create", "--topic", name, "--partitions", "2")
    described = ran(TOPICS, kafka, "--describe", "--topic", name)
    assert "PartitionCount: 2" in described and "ReplicationFactor: 1" in described
    ran(PRODUCER, kafka, "--topic", name, stdin="one\ntwo\nthree\n")
    read = ran(CONSUMER, kafka, "--topic", name, "--from-beginning", "--max-messages", "3",
               "--group", name, "--timeout-ms", "20000")
    assert sorted(read.split()) == ["one", "three", "two"]
    offsets = ran(OFFSETS, kafka, "--topic", name)
    assert sum(int(line.rsplit(":", 1)[1]) for line in offsets.split()) == 3
    assert name in ran(GROUPS, kafka, "--list")
    lag = ran(GROUPS, kafka, "--describe", "--group", name)
    assert name in lag and "LAG" in lag
    ran(TOPICS, kafka, "--delete", "--topic", name)
    assert name not in ran(TOPICS, kafka, "--list").split()


def test_a_topics_configuration_is_changed(kafka, name):
    ran(TOPICS, kafka, "--create", "--topic", name)
    ran(CONFIGS, kafka, "--alter", "--entity-type", "topics", "--entity-name", name,
        "--add-config", "retention.ms=12345")
    described = ran(CONFIGS, kafka, "--describe", "--entity-type", "topics", "--entity-name", name)
    assert "retention.ms=12345" in described


def test_the_api_versions_are_understood(kafka):
    listed = ran(VERSIONS, kafka)
    for api in ("Produce(0)", "Fetch(1)", "JoinGroup(11)", "InitProducerId(22)"):
        line = next(line for line in listed.splitlines() if api in line)
        assert "UNSUPPORTED" not in line, line
