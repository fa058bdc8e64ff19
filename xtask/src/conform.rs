//! Real clients, the same scenarios against this tree's binary and against the real systems.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::clients;
use crate::run::{has, is_ci, now, program, root, step, target};

#[derive(Debug, Args)]
pub(crate) struct Conform {
    /// What answers.
    #[arg(long, default_value = "tidemill", value_parser = ["tidemill", "real", "external"])]
    pub(crate) target: String,
    /// Only the scenarios whose names match (pytest's -k).
    #[arg(short)]
    pub(crate) k: Option<String>,
    /// Folders or files under `conformance/`; all if none is given.
    pub(crate) what: Vec<PathBuf>,
}

pub(crate) fn run(conform: &Conform) -> Result<()> {
    clients::debian()?;
    let python = clients::python()?;
    let binary = match conform.target.as_str() {
        "real" => None,
        // Ours, alone or with real systems in place of some of its parts.
        _ => Some(build()?),
    };
    scenarios(conform, &python, binary.as_deref())
}

/// Builds the binary as the tests are built: with other features in the graph, all of it would be
/// compiled a second time.
pub(crate) fn build() -> Result<PathBuf> {
    step("build", program("cargo").args(["test", "--workspace", "--quiet", "--no-run"]))?;
    Ok(target().join("debug/tidemill"))
}

/// Runs pytest.
pub(crate) fn scenarios(conform: &Conform, python: &Path, binary: Option<&Path>) -> Result<()> {
    let mut pytest = program(python);
    pytest.current_dir(root().join("conformance"));
    pytest.args(["-m", "pytest", "-q", "--target", &conform.target]);
    if let Some(binary) = binary {
        pytest.env("TIDEMILL_BIN", binary);
    }
    if let Some(k) = &conform.k {
        pytest.args(["-k", k]);
    }
    pytest.env("TIDEMILL_NODE_CLIENTS", clients::node()?);
    pytest.env("PYTHONDONTWRITEBYTECODE", "1");
    for (tool, folder) in [
        ("java", "kafka/test_console_tools.py"),
        ("java", "zookeeper/test_cli.py"),
        ("javac", "zookeeper/test_curator.py"),
        ("kcat", "kafka/test_kcat.py"),
        ("chromium", "console"),
    ] {
        if !has(tool) && !is_ci() {
            println!("\n!! NOT RUN: conformance/{folder}, because {tool} is missing");
            pytest.arg(format!("--ignore={folder}"));
        }
    }
    pytest.args(&conform.what);
    let begun = now();
    step("conformance", &mut pytest)?;
    println!("── conformance with {}: {:.0} s", conform.target, begun.elapsed().as_secs_f64());
    Ok(())
}
