//! DAGs, runs and tasks: the box in place of Airflow. Speaks Airflow's REST API.
//!
//! What it does, walking down: [`dag`] reads the files of the DAG folder into checked DAGs;
//! [`core`], a synchronous state machine, decides what runs when, from [`timetable`]s, trigger rules
//! and what tries report; `shell` takes events, lets the core decide, commits its decisions to the
//! [`store`] in one transaction, and only then lets them happen; [`executor`] runs tries, each with
//! a log ([`logs`]); `handlers` answers Airflow's REST API from the store and the directory of DAGs.
//!
//! What always holds: one data interval of a DAG has at most one run; a try is started only when
//! that is on disk; every change of a row names the state it was decided on; a task that should move
//! records and moved none has failed.

pub mod core;
pub mod dag;
pub mod executor;
pub mod logs;
pub mod store;
pub mod template;
pub mod text;
pub mod timetable;

mod config;
mod directory;
mod error;
mod handlers;
mod leadership;
mod node_name;
mod parser;
mod server;
mod shell;
mod watch;

pub use config::Config;
pub use error::StartError;
pub use leadership::{Leadership, LeadershipError, Term};
pub use server::{Scheduler, SchedulerPaths};
