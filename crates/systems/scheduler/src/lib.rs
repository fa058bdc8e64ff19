//! DAGs, runs and tasks: the box in place of Airflow. Speaks Airflow's REST API.
pub mod core;
pub mod dag;
pub mod executor;
pub mod logs;
pub mod store;
pub mod template;
pub mod text;
pub mod timetable;
