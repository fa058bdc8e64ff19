//! Serves one of the APIs until Ctrl-C.
//!
//! - `serve replay FILE [ADDRESS]`, then `curl 'http://127.0.0.1:8899/rows?limit=2'`
//! - `serve randomuser [ADDRESS [FAULTS]]`, then `curl 'http://127.0.0.1:8899/api/?results=3'`;
//!   faults as in `500@0.05,latency=200ms`

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use tidemill_runtime::{Tasks, World};
use tidemill_sample_apis::{SampleApi, serve};

const USAGE: &str = "usage: serve replay FILE [ADDRESS] | serve randomuser [ADDRESS [FAULTS]]";
const ADDRESS: &str = "127.0.0.1:8899";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let tasks = Tasks::new();
    let served = match arguments() {
        Ok((what, address)) => serve(address, what, World::real(), &tasks).await,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match served {
        Ok(address) => println!("serving http://{address} until Ctrl-C"),
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

fn arguments() -> Result<(SampleApi, SocketAddr), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut what = match arguments.next().as_deref() {
        Some("replay") => SampleApi::Replay { file: arguments.next().ok_or("no FILE")?.into() },
        Some("randomuser") => SampleApi::random_user(),
        other => return Err(format!("no such API: {}", other.unwrap_or_default()).into()),
    };
    let address = arguments.next().unwrap_or_else(|| ADDRESS.to_owned()).parse()?;
    if let (SampleApi::RandomUser { faults }, Some(given)) = (&mut what, arguments.next()) {
        *faults = given.parse()?;
    }
    match arguments.next() {
        Some(extra) => Err(format!("what is {extra:?}?").into()),
        None => Ok((what, address)),
    }
}
