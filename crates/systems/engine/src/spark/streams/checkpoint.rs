//! `checkpointLocation`: a folder that makes a query the same one after a restart.
//!
//! It holds Spark's file `metadata` with the query's id, and below `tidemill` the job's checkpoints.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tidemill_runtime::World;

use crate::spark::error::{Kind, Result, SparkError};

/// Where a query keeps its state.
pub(super) struct Place {
    /// The query's id.
    pub(super) id: String,
    pub(super) dir: PathBuf,
    /// What the user should know about it.
    pub(super) notice: Option<String>,
}

/// The folder of a location: a path, or `file:` and a path.
pub(super) fn folder(location: &str, project: &Path) -> Result<PathBuf> {
    let path = match location.split_once(':') {
        Some(("file", rest)) => format!("/{}", rest.trim_start_matches('/')),
        Some((scheme, _)) if scheme.len() > 1 && !scheme.contains('/') => {
            return Err(SparkError::unsupported(format!(
                "checkpointLocation on {scheme}:; a folder of this machine is"
            )));
        }
        _ => location.to_owned(),
    };
    Ok(project.join(path))
}

/// Opens a location, and finds or makes the query's id in it.
pub(super) fn open(dir: &Path, world: &World) -> Result<Place> {
    let failed = |error: std::io::Error| {
        let text = format!("checkpointLocation {}: {error}", dir.display());
        SparkError::new(Kind::Analysis, "CANNOT_CREATE_CHECKPOINT_LOCATION", "58030", &text)
    };
    world.disk.create_dir_all(dir).map_err(failed)?;
    let file = dir.join("metadata");
    let known = match world.disk.exists(&file) {
        true => world.disk.read(&file).map_err(failed)?,
        false => Vec::new(),
    };
    let known: Option<Value> = serde_json::from_slice(&known).ok();
    let known = known.as_ref().and_then(|json| json.get("id")).and_then(Value::as_str);
    let id = match known {
        Some(id) => id.to_owned(),
        None => {
            let id = world.random.uuid().to_string();
            let text = json!({ "id": id }).to_string();
            world.disk.replace(&file, text.as_bytes()).map_err(failed)?;
            id
        }
    };
    let in_tmp = dir.starts_with("/tmp").then(|| {
        format!(
            "the checkpoint {} lies in /tmp, which a restart of the machine may empty: the query then \
             starts anew",
            dir.display()
        )
    });
    Ok(Place { id, dir: dir.join("tidemill"), notice: in_tmp })
}
