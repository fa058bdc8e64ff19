"""A task that takes its time, for whoever pulls the plug meanwhile."""

import os
import time
from datetime import timedelta

from airflow.sdk import DAG, task


@task(retries=2, retry_delay=timedelta(seconds=0))
def wait(ti=None):
    print(f"try {ti.try_number} of process {os.getpid()}", flush=True)
    if ti.try_number == 1:
        time.sleep(600)
    return ti.try_number


@task
def after(tries):
    return tries * 100


with DAG("patience", schedule=None):
    after(wait())
