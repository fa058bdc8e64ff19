//! The clients that nobody here wrote: fetched once into the cache, at pinned versions.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::run::{cache, has, is_ci, program, root, step};

/// Debian's packages that the suite uses, and a program of each.
const DEBIAN: [(&str, &str); 4] = [
    ("kcat", "kcat"),
    ("chromium", "chromium"),
    ("postgresql", "pg_ctlcluster"),
    ("openssl", "openssl"),
];

/// playwright-core: it drives Debian's Chromium and downloads no browser of its own.
const PLAYWRIGHT: &str = "playwright-core@1.65.1";

/// The interpreter of a virtual environment that holds `conformance/requirements.txt`.
pub(crate) fn python() -> Result<PathBuf> {
    let wanted = fs::read_to_string(root().join("conformance/requirements.txt"))?;
    let venv = cache().join("clients").join("python");
    let (python, stamp) = (venv.join("bin/python"), venv.join("complete"));
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    if venv.exists() {
        fs::remove_dir_all(&venv)?;
    }
    fs::create_dir_all(venv.parent().context("the cache has a parent")?)?;
    step("python environment", program("python3").args(["-m", "venv"]).arg(&venv))?;
    let requirements = ["-m", "pip", "install", "-q", "-r", "conformance/requirements.txt"];
    step("python clients", program(&python).args(requirements))?;
    fs::write(stamp, wanted)?;
    Ok(python)
}

/// The folder whose `node_modules` holds playwright-core.
pub(crate) fn node() -> Result<PathBuf> {
    let folder = cache().join("clients").join("node");
    let stamp = folder.join("complete");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == PLAYWRIGHT) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), "{\"private\":true}")?;
    let mut npm = program("npm");
    npm.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--silent", PLAYWRIGHT]);
    step("node clients", &mut npm)?;
    fs::write(stamp, PLAYWRIGHT)?;
    Ok(folder)
}

/// Installs what is missing of Debian's packages, if this is Debian and we may.
pub(crate) fn debian() -> Result<()> {
    let missing: Vec<&str> =
        DEBIAN.iter().filter(|(_, p)| !has(p)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if has("apt-get") && is_root() {
        step("package lists", program("apt-get").args(["update", "-qq"]))?;
        let mut install = program("apt-get");
        install.env("DEBIAN_FRONTEND", "noninteractive");
        install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing);
        // What it prints is long and, when all goes well, of no interest.
        install.stdout(std::process::Stdio::null());
        return step("packages", &mut install);
    }
    let said = format!("missing: {} (apt-get install {0})", missing.join(" "));
    if is_ci() {
        bail!(said);
    }
    println!("\n!! NOT RUN: {said}");
    Ok(())
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t")))
}
