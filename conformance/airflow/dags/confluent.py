"""confluent-kafka resolves names in C: its configuration is what leads it here."""

from airflow.sdk import DAG, task


@task
def produce(count=20):
    import json

    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient

    assert AdminClient({"bootstrap.servers": "broker:29092"}).list_topics(timeout=10).brokers
    producer = Producer({"bootstrap.servers": "broker:29092,kafka:29092"})
    for number in range(count):
        producer.produce("confluent_users", json.dumps({"n": number}).encode())
    return count


with DAG("confluent", schedule=None):
    produce()
