//! What a child Python or shell finds when Tidemill starts it: our small `airflow` package, host
//! names of a compose file that lead to where Tidemill answers, and an `airflow` command.
//!
//! The files under `home/` are embedded in the binary and unpacked once into the data directory,
//! under a name made of their content, so that two versions never share a folder. Nothing of the
//! machine is changed: all of it works through the child's environment ([`PythonHome::environment`]).
//!
//! - `home/lib/airflow`: the names of Airflow 2 and 3, each resolved when it is asked for.
//! - `home/lib/_tidemill`: what is behind them; `parse` and `run` are what the scheduler starts.
//! - `home/lib/sitecustomize.py`: host names and the count of produced records, in any Python.
//! - `home/bin/airflow`: the commands that entrypoint scripts call.

mod home;

pub use home::{PythonHome, PythonHomeError, Surroundings};
