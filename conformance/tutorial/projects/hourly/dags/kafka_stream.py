import uuid
from datetime import datetime

from airflow import DAG
from airflow.operators.python import PythonOperator

default_args = {
    'owner': 'mill',
    'retries': 1,
    'start_date': datetime(2023, 9, 3, 10, 00)
}


def fetch_person():
    import requests

    answer = requests.get("https://randomuser.me/api/")
    return answer.json()['results'][0]


def as_record(person):
    home = person['location']
    street = home['street']
    record = {}
    record['id'] = str(uuid.uuid4())
    record['first_name'] = person['name']['first']
    record['last_name'] = person['name']['last']
    record['gender'] = person['gender']
    record['address'] = f"{street['number']} {street['name']}, {home['city']}, {home['state']}, {home['country']}"
    record['post_code'] = home['postcode']
    record['email'] = person['email']
    record['username'] = person['login']['username']
    record['dob'] = person['dob']['date']
    record['registered_date'] = person['registered']['date']
    record['phone'] = person['phone']
    record['picture'] = person['picture']['medium']
    return record


def stream_data():
    import json
    import logging
    import time

    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=['broker:29092'], max_block_ms=5000)
    begin = time.time()

    while True:
        if time.time() > begin + 4:
            break
        try:
            record = as_record(fetch_person())
            producer.send('users_created', json.dumps(record).encode('utf-8'))
        except Exception as error:
            logging.error(f'something went wrong: {error}')
            continue


with DAG('user_automation',
         default_args=default_args,
         schedule='@hourly',
         catchup=False) as dag:

    stream = PythonOperator(
        task_id='stream_data_from_api',
        python_callable=stream_data
    )
