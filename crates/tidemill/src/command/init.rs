//! `tidemill init`: writes a new project.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::Context;
use crate::arguments::Init;
use crate::config;
use crate::output;

/// The files of `examples/users`, as they are in the tree.
const USERS: [(&str, &str); 5] = [
    ("tidemill.toml", include_str!("../../../../examples/users/tidemill.toml")),
    ("README.md", include_str!("../../../../examples/users/README.md")),
    (
        "dags/user_automation.yaml",
        include_str!("../../../../examples/users/dags/user_automation.yaml"),
    ),
    ("pipelines/users.sql", include_str!("../../../../examples/users/pipelines/users.sql")),
    (
        "tests/fixtures/users.jsonl",
        include_str!("../../../../examples/users/tests/fixtures/users.jsonl"),
    ),
];

/// Data never belongs into a repository.
const IGNORE: &str = ".tidemill/\n";

pub(crate) fn run(context: &Context, init: &Init) -> anyhow::Result<()> {
    let dir = context.dir.join(&init.path);
    if dir.join(config::FILE).exists() {
        bail!("{} is a project already; start it with: tidemill up {0}", dir.display());
    }
    let name = dir.file_name().map_or("tidemill".into(), |name| name.to_string_lossy());
    match init.template.as_str() {
        "blank" => write_blank(&dir, &name)?,
        _ => write_users(&dir, &name)?,
    }
    if context.json {
        return output::json(&serde_json::json!({ "project": name, "dir": dir }));
    }
    output::line(&format!("wrote project {name} to {}", dir.display()))?;
    output::line(&format!("next: tidemill up {}", init.path.display()))
}

/// Writes the users project; files that are there stay as they are.
pub(super) fn write_users(dir: &Path, name: &str) -> anyhow::Result<()> {
    for (path, text) in USERS {
        let text = if path == config::FILE {
            text.replacen("name = \"users\"", &format!("name = {name:?}"), 1)
        } else {
            text.to_owned()
        };
        write_new(&dir.join(path), &text)?;
    }
    write_new(&dir.join(".gitignore"), IGNORE)
}

fn write_blank(dir: &Path, name: &str) -> anyhow::Result<()> {
    write_new(&dir.join(config::FILE), &format!("[project]\nname = {name:?}\n"))?;
    for folder in ["dags", "pipelines"] {
        fs::create_dir_all(dir.join(folder))?;
    }
    write_new(&dir.join(".gitignore"), IGNORE)
}

/// A user's file is never overwritten.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
