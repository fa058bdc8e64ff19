"""What is behind the names of the airflow package, and what the scheduler starts: `parse`, `run`."""
