//! The README's second command, and CI's only one.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::conform::{self, Conform};
use crate::run::{has, is_ci, output, program, root, step};
use crate::{check, clients};

pub(crate) fn run() -> Result<()> {
    clients::debian()?;
    check::run()?;
    step("tests", program("cargo").args(["test", "--workspace", "--quiet"]))?;
    console()?;
    let conform = Conform { target: "tidemill".into(), k: None, what: Vec::<PathBuf>::new() };
    let python = clients::python()?;
    let binary = conform::build()?;
    conform::scenarios(&conform, &python, Some(&binary))
}

/// The console's page is what its source builds, to the byte.
fn console() -> Result<()> {
    if !has("npm") {
        if is_ci() {
            bail!("npm is missing: apt-get install npm");
        }
        println!("\n!! NOT RUN: the console's source, because npm is missing");
        return Ok(());
    }
    let npm = |arguments: &[&str]| {
        let mut npm = program("npm");
        npm.current_dir(root().join("web")).args(arguments);
        npm
    };
    step("console packages", &mut npm(&["ci", "--no-audit", "--no-fund", "--silent"]))?;
    for script in ["check", "test", "build"] {
        step(&format!("console {script}"), &mut npm(&["run", "--silent", script]))?;
    }
    let dist = "crates/systems/console/dist";
    let changed = output(program("git").args(["status", "--porcelain", "--", dist]))?;
    if !changed.is_empty() {
        bail!(
            "{dist} is not what web/ builds; commit it after: cd web && npm run build\n{changed}"
        );
    }
    Ok(())
}
