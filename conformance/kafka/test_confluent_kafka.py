"""confluent-kafka: librdkafka, the client under most languages but Java."""

import time

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

RECORDS = 2000


@pytest.fixture
def admin(kafka):
    return AdminClient({"bootstrap.servers": kafka})


def produce(kafka, topic, count=RECORDS, **settings):
    failed = []
    options = {"bootstrap.servers": kafka, **{key.replace("_", "."): value for key, value in settings.items()}}
    producer = Producer(options)
    for n in range(count):
        producer.produce(topic, key=str(n % 7), value=b"%d " % n + b"x" * 100,
                         on_delivery=lambda error, _: failed.append(error) if error else None)
        producer.poll(0)
    assert producer.flush(30) == 0
    assert failed == []


def consume(kafka, topic, count, group, **settings):
    options = {"bootstrap.servers": kafka, "group.id": group, "auto.offset.reset": "earliest", **settings}
    consumer = Consumer(options)
    consumer.subscribe([topic])
    records, end = [], time.monotonic() + 30
    while len(records) < count and time.monotonic() < end:
        record = consumer.poll(0.5)
        if record is not None and not record.error():
            records.append(record)
    consumer.close()
    return records


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_codec_passes_through(kafka, name, codec):
    produce(kafka, name, count=300, compression_type=codec, linger_ms=20)
    records = consume(kafka, name, 300, name)
    assert sorted(int(record.value().split()[0]) for record in records) == list(range(300))


def test_an_idempotent_producer_writes_each_record_once(kafka, name):
    produce(kafka, name, enable_idempotence=True, acks="all")
    records = consume(kafka, name, RECORDS, name)
    assert sorted(int(record.value().split()[0]) for record in records) == list(range(RECORDS))


def test_the_cluster_names_its_one_broker(admin, kafka):
    metadata = admin.list_topics(timeout=10)
    assert [f"{broker.host}:{broker.port}" for broker in metadata.brokers.values()] == [kafka]
    assert metadata.controller_id in metadata.brokers
    described = admin.describe_cluster().result(10)
    assert described.cluster_id == metadata.cluster_id


def test_topics_are_created_with_their_configuration(admin, name):
    topic = NewTopic(name, num_partitions=2, replication_factor=1, config={"retention.ms": "60000"})
    admin.create_topics([topic])[name].result(10)
    resource = ConfigResource(ResourceType.TOPIC, name)
    entries = admin.describe_configs([resource])[resource].result(10)
    assert entries["retention.ms"].value == "60000"
    assert entries["cleanup.policy"].value == "delete"
    admin.delete_topics([name])[name].result(10)
    assert name not in admin.list_topics(timeout=10).topics


@pytest.mark.parametrize(
    ("topic", "partitions", "replication", "code"),
    [
        ("bad name!", 1, 1, KafkaError.TOPIC_EXCEPTION),
        ("x" * 250, 1, 1, KafkaError.TOPIC_EXCEPTION),
        ("fine", 1, 3, KafkaError.INVALID_REPLICATION_FACTOR),
    ],
)
def test_a_topic_that_cannot_be_is_refused(admin, topic, partitions, replication, code):
    created = admin.create_topics([NewTopic(topic, partitions, replication)])
    with pytest.raises(KafkaException) as raised:
        created[topic].result(10)
    assert raised.value.args[0].code() == code


def test_groups_are_listed_described_and_deleted(admin, kafka, name):
    produce(kafka, name, count=10)
    consume(kafka, name, 10, name)
    assert name in [group.group_id for group in admin.list_consumer_groups().result(10).valid]
    described = admin.describe_consumer_groups([name])[name].result(10)
    assert described.group_id == name and described.members == []
    admin.delete_consumer_groups([name])[name].result(10)
    assert name not in [group.group_id for group in admin.list_consumer_groups().result(10).valid]


def test_an_offset_beyond_the_end_is_out_of_range(kafka, name):
    produce(kafka, name, count=5)
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": name, "auto.offset.reset": "error"})
    consumer.assign([TopicPartition(name, 0, 1_000_000)])
    end, error = time.monotonic() + 20, None
    while error is None and time.monotonic() < end:
        record = consumer.poll(0.5)
        error = record.error() if record is not None else None
    consumer.close()
    assert error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET


def test_committed_metadata_comes_back(kafka, name):
    produce(kafka, name, count=5)
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": name})
    consumer.commit(offsets=[TopicPartition(name, 0, 3, metadata="half way")], asynchronous=False)
    committed = consumer.committed([TopicPartition(name, 0)], timeout=10)[0]
    consumer.close()
    assert (committed.offset, committed.metadata) == (3, "half way")


def test_a_record_too_large_is_refused(kafka, name):
    admin = AdminClient({"bootstrap.servers": kafka})
    topic = NewTopic(name, 1, 1, config={"max.message.bytes": "1000"})
    admin.create_topics([topic])[name].result(10)
    outcome = []
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(name, b"x" * 5000, on_delivery=lambda error, _: outcome.append(error))
    producer.flush(20)
    assert outcome[0].code() == KafkaError.MSG_SIZE_TOO_LARGE
