//! Tidemill: the whole real-time data stack in one binary.
//!
//! `HTTP → Kafka topic → SQL → Cassandra table → screen`. This crate is the command line, the
//! layers of the configuration, and the [`node`] that starts the boxes and stops them.

mod arguments;
mod command;
mod compose;
mod config;
mod coordination;
mod exit;
mod external;
mod hosts;
mod node;
mod output;
mod pipelines;
mod screen;
mod supervisor;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tidemill_runtime::World;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command};

/// What goes wrong; of the CQL driver only what it cannot mend itself.
const DEFAULT_LOG: &str = "warn,scylla=error";

/// Plans of deep queries recurse; an unoptimised build needs more than the default 2 MiB. Only what
/// is touched is resident.
const STACK_BYTES: usize = 8 << 20;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logging();
    // The client side of TLS (an HTTP source with an https URL) needs one provider chosen.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(arguments));
            // What still blocks after the drain is left to the end of the process.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(anyhow::Error::new(error).context("cannot start the runtime")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", output::explain(&error));
            exit::code_of(&error)
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let world = World::real();
    let context = command::Context {
        dir: arguments.dir,
        profile: arguments.profile,
        json: arguments.json,
        world,
    };
    match arguments.command {
        Command::Up(up) => command::up::run(context, up).await,
        Command::Demo(demo) => command::demo::run(context, demo).await,
        Command::Run(run) => command::run::run(context, run).await,
        Command::Init(init) => command::init::run(&context, &init),
        Command::Status => command::status::run(context).await,
        Command::Topic(topic) => command::topic::run(context, topic).await,
        Command::Cql(statement) => command::cql::run(context, statement).await,
        Command::Sql(statement) => command::sql::run(context, statement).await,
        Command::Dag(dag) => command::dag::run(context, dag).await,
        Command::Profile(profile) => command::profile::run(context, profile).await,
        Command::Doctor => command::doctor::run(context).await,
    }
}

/// stdout is data, stderr is progress and what went wrong. `TIDEMILL_LOG=info` tells more.
fn start_logging() {
    let filter =
        EnvFilter::try_from_env("TIDEMILL_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true)
        .init();
}
