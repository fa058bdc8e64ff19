//! Serves the rows of a data file until Ctrl-C: `replay FILE [ADDRESS]`.
//!
//! `curl http://127.0.0.1:8899/rows?limit=2`, or `/next?client=me&limit=2` again and again.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use tidemill_runtime::{Tasks, World};
use tidemill_sample_apis::{SampleApi, serve};

const ADDRESS: &str = "127.0.0.1:8899";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let file = arguments.next();
    let address = arguments.next().map_or(ADDRESS.to_owned(), |a| a.to_string_lossy().into_owned());
    let (Some(file), Ok(address)) = (file, address.parse::<SocketAddr>()) else {
        eprintln!("usage: replay FILE [ADDRESS], such as replay flights.json {ADDRESS}");
        return ExitCode::from(2);
    };
    let tasks = Tasks::new();
    match serve(address, SampleApi::Replay { file: file.into() }, World::real(), &tasks).await {
        Ok(address) => println!("serving http://{address}/rows and /next until Ctrl-C"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    tokio::select! {
        stop = tokio::signal::ctrl_c() => {
            tasks.stop(Duration::from_secs(1)).await;
            if stop.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        failure = tasks.failed() => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
