//! Side by side with the real systems, in one run, at stated durability; a dated result file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::clients;
use crate::run::{output, program, root, step, target};

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What is measured; all if none is given.
    #[arg(value_parser = ["platform", "broker", "line"])]
    what: Vec<String>,
    /// Rounds of each comparison, alternating between the two.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

pub(crate) fn run(bench: &Bench) -> Result<()> {
    let python = clients::python()?;
    step("build", program("cargo").args(["build", "--release", "--quiet"]))?;
    let commit = output(program("git").args(["rev-parse", "--short", "HEAD"]))?;
    let mut compare = program(python);
    compare.arg("bench/compare.py").args(&bench.what);
    compare.args(["--rounds", &bench.rounds.to_string(), "--commit", commit.trim()]);
    compare.env("TIDEMILL_BIN", binary());
    compare.env("PYTHONPATH", root().join("conformance"));
    step("bench", &mut compare)
}

fn binary() -> PathBuf {
    target().join("release/tidemill")
}
