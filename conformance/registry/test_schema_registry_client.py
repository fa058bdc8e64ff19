"""confluent-kafka's SchemaRegistryClient with its Avro serialisers."""

import pytest
import requests
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

USER = '{"type":"record","name":"User","fields":[{"name":"id","type":"string"}]}'
USER_AGE = ('{"type":"record","name":"User","fields":[{"name":"id","type":"string"},'
            '{"name":"age","type":"int"}]}')
USER_AGE_0 = ('{"type":"record","name":"User","fields":[{"name":"id","type":"string"},'
              '{"name":"age","type":"int","default":0}]}')


@pytest.fixture
def client(registry):
    return SchemaRegistryClient({"url": registry})


def test_a_schema_is_registered_once_and_found(client, name):
    first = client.register_schema(name, Schema(USER, "AVRO"))
    assert client.register_schema(name, Schema(USER, "AVRO")) == first
    assert client.register_schema(name + "-other", Schema(USER, "AVRO")) == first
    assert client.get_versions(name) == [1]
    assert client.get_latest_version(name).schema_id == first
    assert client.lookup_schema(name, Schema(USER, "AVRO")).version == 1
    assert name in client.get_subjects()


def test_an_incompatible_schema_is_refused(client, name):
    client.set_compatibility(subject_name=name, level="BACKWARD")
    client.register_schema(name, Schema(USER, "AVRO"))
    assert client.test_compatibility(name, Schema(USER_AGE_0, "AVRO"))
    assert not client.test_compatibility(name, Schema(USER_AGE, "AVRO"))
    with pytest.raises(SchemaRegistryError) as raised:
        client.register_schema(name, Schema(USER_AGE, "AVRO"))
    assert raised.value.http_status_code == 409
    client.register_schema(name, Schema(USER_AGE_0, "AVRO"))
    assert client.get_versions(name) == [1, 2]


@pytest.mark.parametrize(
    ("level", "then", "accepted"),
    [
        ("BACKWARD", USER_AGE_0, True), ("BACKWARD", USER_AGE, False),
        ("FORWARD", USER_AGE, True), ("FULL", USER_AGE, False), ("FULL", USER_AGE_0, True),
        ("NONE", USER_AGE, True), ("BACKWARD_TRANSITIVE", USER_AGE, False),
    ],
)
def test_the_level_decides(client, name, level, then, accepted):
    client.register_schema(name, Schema(USER, "AVRO"))
    client.set_compatibility(subject_name=name, level=level)
    assert client.get_compatibility(subject_name=name) == level
    assert client.test_compatibility(name, Schema(then, "AVRO")) is accepted


def test_a_version_is_deleted_softly_then_for_good(client, name):
    client.register_schema(name, Schema(USER, "AVRO"))
    assert client.delete_version(name, 1) == 1
    with pytest.raises(SchemaRegistryError) as raised:
        client.get_version(name, 1)
    assert raised.value.http_status_code == 404
    assert client.delete_subject(name, permanent=True) == [1]
    assert name not in client.get_subjects()


def test_what_is_unknown_is_404_and_what_is_no_schema_422(registry, name):
    answer = requests.get(f"{registry}/subjects/{name}/versions", timeout=10)
    assert (answer.status_code, answer.json()["error_code"]) == (404, 40401)
    answer = requests.get(f"{registry}/schemas/ids/999999", timeout=10)
    assert (answer.status_code, answer.json()["error_code"]) == (404, 40403)
    answer = requests.post(f"{registry}/subjects/{name}/versions", json={"schema": '{"type":"nonsense"}'}, timeout=10)
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42201)


def test_records_travel_as_avro(client, kafka, name):
    serialise = AvroSerializer(client, USER_AGE_0)
    context = SerializationContext(name, MessageField.VALUE)
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(name, value=serialise({"id": "a", "age": 7}, context))
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": name, "auto.offset.reset": "earliest"})
    consumer.subscribe([name])
    record = consumer.poll(20)
    consumer.close()
    assert AvroDeserializer(client)(record.value(), context) == {"id": "a", "age": 7}
