//! DAGs, runs and tasks: the box in place of Airflow. Speaks Airflow's REST API.
