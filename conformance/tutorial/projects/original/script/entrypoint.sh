#!/bin/bash
# Installs, prepares the database, makes a user, serves the pages.
set -e
if [ -e requirements.txt ]; then
  pip install --user -r requirements.txt
fi
airflow db init
airflow users create --username admin --password admin --role Admin \
  --firstname a --lastname a --email admin@example.com
exec airflow webserver
