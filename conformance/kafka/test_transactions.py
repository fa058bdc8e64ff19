"""Transactions with clients nobody here wrote: librdkafka, kafka-python, Kafka's own Java tools."""

import time

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaProducer
from kafka.structs import OffsetAndMetadata
from kafka.structs import TopicPartition as PythonPartition
from peers import kafka as peer
from test_console_tools import CONSUMER, ran

COPIER = "org.apache.kafka.tools.TransactionalMessageCopier"
TRANSACTIONS = "org.apache.kafka.tools.TransactionsCommand"


@pytest.fixture
def topics(kafka, name):
    """Two topics of two partitions."""
    names = [f"{name}-in", f"{name}-out"]
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic(topic, 2, 1) for topic in names]).values():
        future.result(30)
    return names


def producer(kafka, transactional_id, **settings):
    options = {"bootstrap.servers": kafka, "transactional.id": transactional_id, **settings}
    begun = Producer(options)
    begun.init_transactions(30)
    return begun


def values(kafka, topic, count, isolation="read_committed"):
    """What a reader is given until it has `count` values and stands at the end."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic, "auto.offset.reset": "earliest",
                         "enable.auto.commit": False, "isolation.level": isolation, "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in (0, 1)])
    found, ended, end = [], set(), time.monotonic() + 30
    while (len(found) < count or len(ended) < 2) and time.monotonic() < end:
        record = consumer.poll(0.5)
        if record is None:
            continue
        if record.error():
            ended.add(record.partition())
        else:
            ended.discard(record.partition())
            found.append(record.value().decode())
    consumer.close()
    return sorted(found)


def test_what_is_committed_is_read_and_what_is_aborted_is_not(kafka, name, topics):
    writer, expected = producer(kafka, name), []
    for round in range(6):
        writer.begin_transaction()
        for n in range(20):
            writer.produce(topics[n % 2], f"{round}-{n}")
        assert writer.flush(30) == 0
        if round % 3 == 1:
            writer.abort_transaction(30)
        else:
            writer.commit_transaction(30)
            expected += [f"{round}-{n}" for n in range(20)]
    for index, topic in enumerate(topics):
        mine = sorted(value for value in expected if int(value.split("-")[1]) % 2 == index)
        assert values(kafka, topic, len(mine)) == mine
        assert len(values(kafka, topic, 60, "read_uncommitted")) == 60


def test_an_instance_that_comes_later_fences_the_one_before(kafka, name, topics):
    old = producer(kafka, name)
    old.begin_transaction()
    old.produce(topics[0], "old")
    old.flush(30)
    new = producer(kafka, name)
    new.begin_transaction()
    new.produce(topics[0], "new")
    new.commit_transaction(30)
    with pytest.raises(KafkaException) as raised:
        old.commit_transaction(30)
    assert raised.value.args[0].fatal()
    assert values(kafka, topics[0], 1) == ["new"]


def test_records_are_copied_exactly_once_whatever_is_aborted(kafka, name, topics):
    source, target = topics
    writer = producer(kafka, f"{name}-fill")
    writer.begin_transaction()
    for n in range(200):
        writer.produce(source, str(n), partition=n % 2)
    writer.commit_transaction(30)
    done, attempt = 0, 0
    while done < 200:
        attempt += 1
        consumer = Consumer({"bootstrap.servers": kafka, "group.id": name, "auto.offset.reset": "earliest",
                             "enable.auto.commit": False, "isolation.level": "read_committed"})
        consumer.subscribe([source])
        copier = producer(kafka, f"{name}-copy")
        for round in range(3):
            copier.begin_transaction()
            records = consumer.consume(25, 10)
            for record in records:
                copier.produce(target, b"copy-" + record.value(), partition=record.partition())
            copier.send_offsets_to_transaction(consumer.position(consumer.assignment()),
                                               consumer.consumer_group_metadata(), 30)
            if (attempt + round) % 3 == 0:
                # This instance is given up; the next one begins where the last commit was.
                copier.abort_transaction(30)
                break
            copier.commit_transaction(30)
            done += len(records)
        consumer.close()
        assert attempt < 40
    assert values(kafka, target, 200) == sorted(f"copy-{n}" for n in range(200))


def test_kafka_python_commits_and_aborts_with_offsets(kafka, name, topics):
    writer = KafkaProducer(bootstrap_servers=kafka, transactional_id=name)
    writer.init_transactions()
    for round in range(3):
        writer.begin_transaction()
        for n in range(10):
            writer.send(topics[0], f"{round}-{n}".encode(), partition=0)
        place = PythonPartition(topics[0], 0)
        writer.send_offsets_to_transaction({place: OffsetAndMetadata(10 * round + 10, "", -1)}, name)
        if round == 1:
            writer.abort_transaction()
        else:
            writer.commit_transaction()
    writer.close()
    expected = sorted(f"{round}-{n}" for round in (0, 2) for n in range(10))
    assert values(kafka, topics[0], 20) == expected
    reader = Consumer({"bootstrap.servers": kafka, "group.id": name})
    assert reader.committed([TopicPartition(topics[0], 0)], 30)[0].offset == 30
    reader.close()


def test_kafkas_own_copier_copies_exactly_once(kafka, name, topics):
    source, target = topics
    writer = producer(kafka, f"{name}-fill")
    writer.begin_transaction()
    for n in range(300):
        writer.produce(source, str(n), partition=0)
    writer.commit_transaction(30)
    done = peer.tool(COPIER, "--broker-list", kafka, "--input-topic", source, "--input-partition", "0",
                     "--output-topic", target, "--max-messages", "300", "--consumer-group", name,
                     "--transaction-size", "20", "--transactional-id", name, "--enable-random-aborts")
    assert done.returncode == 0, done.stdout + done.stderr
    read = ran(CONSUMER, kafka, "--topic", target, "--from-beginning", "--max-messages", "300",
               "--isolation-level", "read_committed", "--timeout-ms", "20000")
    assert sorted(read.split()) == sorted(str(n) for n in range(300))
    assert name in ran(TRANSACTIONS, kafka, "list")
    assert "CompleteCommit" in ran(TRANSACTIONS, kafka, "describe", "--transactional-id", name)
