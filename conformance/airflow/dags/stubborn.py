"""A task that goes on after every error, and has something to tidy up when it is told to end."""

import time

from airflow.sdk import DAG, BaseOperator


class Stubborn(BaseOperator):
    def execute(self, context):
        print("begun", flush=True)
        try:
            while True:
                try:
                    time.sleep(600)
                except Exception:
                    continue
        finally:
            print("tidied up", flush=True)

    def on_kill(self):
        print("told to end", flush=True)


with DAG("stubborn", schedule=None):
    Stubborn(task_id="work")
