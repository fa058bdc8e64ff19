//! Format, lint, and the tree: arrows between crates, sizes, words that must not stand in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::Table;

use crate::run::{output, program, root, step};

/// A crate uses only layers below its own.
const LAYERS: [(&str, u8); 6] = [
    ("crates/tidemill", 5),
    ("crates/systems/", 4),
    ("crates/links/", 3),
    ("crates/protocols/", 2),
    ("crates/storage/", 2),
    ("crates/foundation/", 1),
];

/// Arrows inside a layer, each with its reason in `docs/adr` or the crate's own page.
const ALLOWED_BESIDE: [(&str, &str); 4] = [
    // What a connection needs to be let in is data, and the same for all who connect.
    ("crates/links/kafka-client", "crates/links/access"),
    ("crates/links/connectors", "crates/links/access"),
    // Connectors speak to brokers through the one client.
    ("crates/links/connectors", "crates/links/kafka-client"),
    // The simulated world implements the ports of the real one.
    ("crates/foundation/sim", "crates/foundation/runtime"),
];

/// At so many lines a file has a seam.
const LINES_MAX: usize = 600;

pub(crate) fn run() -> Result<()> {
    step("format", program("cargo").args(["fmt", "--all", "--check"]))?;
    tidy()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    step("lint", program("cargo").args(clippy))
}

/// What no compiler checks.
fn tidy() -> Result<()> {
    let mut problems = arrows()?;
    let tracked = output(program("git").args(["ls-files", "-co", "--exclude-standard"]))?;
    for file in tracked.lines() {
        problems.extend(words(file)?);
    }
    if !problems.is_empty() {
        bail!("tidy:\n  {}", problems.join("\n  "));
    }
    println!("── tidy: good");
    Ok(())
}

/// Every dependency between own crates points downwards.
fn arrows() -> Result<Vec<String>> {
    let workspace: Table = fs::read_to_string(root().join("Cargo.toml"))?.parse()?;
    let members = workspace["workspace"]["members"].as_array().context("no members")?;
    let folders: Vec<&str> = members.iter().filter_map(|member| member.as_str()).collect();
    let mut by_name = BTreeMap::new();
    let mut manifests = BTreeMap::new();
    for folder in folders {
        let manifest: Table =
            fs::read_to_string(root().join(folder).join("Cargo.toml"))?.parse()?;
        let name = manifest["package"]["name"].as_str().context("no name")?.to_owned();
        by_name.insert(name, folder);
        manifests.insert(folder, manifest);
    }
    let mut problems = Vec::new();
    for (folder, manifest) in &manifests {
        let Some(from) = layer(folder) else { continue };
        let used = manifest.get("dependencies").and_then(|value| value.as_table());
        for (name, _) in used.into_iter().flatten() {
            let Some(to_folder) = by_name.get(name) else { continue };
            let Some(to) = layer(to_folder) else { continue };
            let beside = ALLOWED_BESIDE.contains(&(folder, to_folder));
            if to >= from && !beside {
                problems
                    .push(format!("{folder} must not depend on {to_folder}: arrows point down"));
            }
        }
    }
    Ok(problems)
}

fn layer(folder: &str) -> Option<u8> {
    LAYERS.iter().find(|(prefix, _)| folder.starts_with(prefix)).map(|(_, layer)| *layer)
}

/// Paths of one machine, and files that have outgrown their idea.
fn words(file: &str) -> Result<Vec<String>> {
    let path = root().join(file);
    let known = ["rs", "toml", "md", "py", "yaml", "yml", "sql", "ts", "tsx", "mjs", "sh"];
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if !known.contains(&extension)
        || !path.is_file()
        || file.starts_with("crates/systems/console/dist")
    {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).with_context(|| format!("{file} is not text"))?;
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in ["/root/", "/work/", "todo!(", "unimplemented!("] {
            if line.contains(word) && !file.starts_with("xtask/") {
                problems.push(format!("{file}:{}: {word:?} must not stand here", number + 1));
            }
        }
    }
    let lines = text.lines().count();
    if extension == "rs" && lines > LINES_MAX && !is_table(&path) {
        problems.push(format!("{file}: {lines} lines; at 500 a file has a seam"));
    }
    Ok(problems)
}

/// Tests and tables of data may be long.
fn is_table(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.contains("tests") || path.contains("nationalities")
}
