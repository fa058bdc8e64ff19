"""kafka-python: what scripts of the well-known tutorials use."""

import json
import time

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError


@pytest.fixture
def admin(kafka):
    client = KafkaAdminClient(bootstrap_servers=kafka)
    yield client
    client.close()


def consumer_of(kafka, *topics, **options):
    settings = {"auto_offset_reset": "earliest", "consumer_timeout_ms": 8000, **options}
    return KafkaConsumer(*topics, bootstrap_servers=kafka, **settings)


def produce(kafka, topic, values, **options):
    producer = KafkaProducer(bootstrap_servers=kafka, **options)
    written = [producer.send(topic, value).get(20) for value in values]
    producer.close()
    return written


def test_what_is_produced_is_consumed_in_order(kafka, name):
    values = [b"%d" % n for n in range(500)]
    written = produce(kafka, name, values)
    assert [each.offset for each in written] == list(range(500))
    consumer = consumer_of(kafka, name)
    read = [next(consumer).value for _ in values]
    consumer.close()
    assert read == values


# The other codecs need packages of their own; confluent-kafka's scenario has them all.
@pytest.mark.parametrize("codec", [None, "gzip"])
def test_codecs_pass_through(kafka, name, codec):
    produce(kafka, name, [b"x" * 1000] * 20, compression_type=codec)
    consumer = consumer_of(kafka, name)
    assert [next(consumer).value for _ in range(20)] == [b"x" * 1000] * 20
    consumer.close()


def test_keys_headers_and_timestamps_survive(kafka, name):
    producer = KafkaProducer(bootstrap_servers=kafka)
    headers = [("trace", b"a"), ("trace", b"b"), ("empty", b"")]
    producer.send(name, key=b"k", value=None, headers=headers, timestamp_ms=1_700_000_000_123).get(20)
    producer.close()
    consumer = consumer_of(kafka, name)
    record = next(consumer)
    consumer.close()
    assert (record.key, record.value, record.timestamp) == (b"k", None, 1_700_000_000_123)
    assert list(record.headers) == headers


def test_a_topic_is_created_once_and_deleted(admin, name):
    admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)])
    assert name in admin.list_topics()
    assert len(admin.describe_topics([name])[0]["partitions"]) == 3
    with pytest.raises(TopicAlreadyExistsError):
        admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    admin.delete_topics([name])
    assert name not in admin.list_topics()


def test_offsets_are_found_by_time(kafka, name):
    producer = KafkaProducer(bootstrap_servers=kafka)
    for n in range(100):
        producer.send(name, b"%d" % n, timestamp_ms=1_000_000 + n * 10, partition=0)
    producer.flush()
    producer.close()
    at = TopicPartition(name, 0)
    consumer = consumer_of(kafka)
    consumer.assign([at])
    assert consumer.offsets_for_times({at: 1_000_501})[at].offset == 51
    assert consumer.offsets_for_times({at: 1_000_500})[at].offset == 50
    assert consumer.offsets_for_times({at: 2_000_000})[at] is None
    assert consumer.beginning_offsets([at])[at] == 0
    assert consumer.end_offsets([at])[at] == 100
    consumer.close()


def test_a_group_resumes_where_it_committed(kafka, name):
    produce(kafka, name, [b"%d" % n for n in range(20)])
    first = consumer_of(kafka, name, group_id=name, enable_auto_commit=False, max_poll_records=10)
    taken = [next(first).value for _ in range(10)]
    first.commit()
    first.close()
    second = consumer_of(kafka, name, group_id=name, enable_auto_commit=False)
    rest = [next(second).value for _ in range(10)]
    second.close()
    assert taken + rest == [b"%d" % n for n in range(20)]


def test_two_members_share_the_partitions(kafka, admin, name):
    admin.create_topics([NewTopic(name, num_partitions=4, replication_factor=1)])
    members = [consumer_of(kafka, name, group_id=name, session_timeout_ms=10000) for _ in range(2)]
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for member in members:
            member.poll(timeout_ms=200)
        assigned = [member.assignment() for member in members]
        if [len(each) for each in assigned] == [2, 2]:
            break
    assert [len(each) for each in assigned] == [2, 2], assigned
    assert not assigned[0] & assigned[1]
    for member in members:
        member.close()


def test_json_as_the_tutorial_sends_it(kafka, name):
    produced = {"id": "x", "post_code": 12345, "first_name": "Zoë"}
    produce(kafka, name, [json.dumps(produced).encode()], max_block_ms=5000)
    consumer = consumer_of(kafka, name, value_deserializer=json.loads)
    assert next(consumer).value == produced
    consumer.close()
