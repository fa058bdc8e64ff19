//! Everything that is run on the project itself: `cargo xtask <what>`.
//!
//! `check` formats, lints and looks at the tree; `test` is the README's second command and CI's
//! only one; `conform` runs real clients against the binary or the real systems.

mod bench;
mod check;
mod clients;
mod conform;
mod data;
mod run;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Everything that is run on the project itself.")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Format, lint, and look at the arrows between crates.
    Check,
    /// All of it: check, every test, the real clients against the binary.
    Test,
    /// Real clients against this tree's binary, or against the real systems.
    Conform(conform::Conform),
    /// Side by side with the real systems; writes a dated result.
    Bench(bench::Bench),
    /// Downloads the data that an example streams.
    Data {
        /// Which example.
        #[arg(value_parser = ["flights"])]
        example: String,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    match Arguments::parse().what {
        What::Check => check::run(),
        What::Test => test::run(),
        What::Conform(conform) => conform::run(&conform),
        What::Bench(bench) => bench::run(&bench),
        What::Data { example } => data::fetch(&example).map(|file| println!("{}", file.display())),
    }
}
