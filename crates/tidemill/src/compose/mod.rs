//! A folder with a compose file instead of a `tidemill.toml`: the well-known stack's own project,
//! run as it is.
//!
//! ```text
//! docker-compose.yml ─▶ tree ─▶ service ─▶ role ─▶ plan ─┬▶ settings: what tidemill.toml would say
//!  .env, env_file        interpolate, extends            ├▶ report: which service became which box
//!                                                        └▶ hosts: names that tasks and scripts use
//! *.py, requirements ─▶ sources ─┬▶ defects: what is wrong in the project's own files
//!                                ├▶ python: an interpreter that has what they import
//!                                └▶ scripts: streaming jobs, started and kept alive
//! ```
//!
//! Nothing of the user's files is edited, and nothing in them is run that Tidemill understands:
//! entrypoints, health checks and images are read for what they mean.

mod defects;
mod interpolate;
mod offline;
mod plan;
mod ports;
mod project;
mod python;
mod relay;
mod report;
mod requirements;
mod role;
mod scripts;
mod service;
mod session;
mod settings;
mod sources;
mod tree;

pub(crate) use project::{ComposeError, ComposeProject};
pub(crate) use python::Environment;
pub(crate) use scripts::{Said, Scripts, launcher};
pub(crate) use session::Session;
pub(crate) use settings::tables;
