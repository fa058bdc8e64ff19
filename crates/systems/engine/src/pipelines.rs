//! The pipelines of a project: `pipelines/*.sql`, in the order of their names, over one catalog.

use std::path::Path;

use crate::catalog::Catalog;
use crate::session::{Core, Session};
use crate::sql::SqlError;

/// Bytes of one file at most.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Executes all files. A file that is wrong is listed as a failed pipeline, from its first wrong
/// statement on; the others run. The user's files are only read, and may be read-only, which the
/// disk port cannot open: so they are not read through it.
pub(crate) async fn start(project: &Path, core: &Core) -> Catalog {
    let mut session = Session::default();
    let dir = project.join("pipelines");
    let mut names = match list(&dir) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let dir = dir.display().to_string();
            core.jobs.submit_failed("pipelines", "pipelines", "", format!("{dir}: {error}"));
            Vec::new()
        }
    };
    names.sort();
    for name in names {
        let file = format!("pipelines/{name}");
        let stem = name.trim_end_matches(".sql");
        session.file = Some(file.clone());
        let text = read(&dir.join(&name));
        let result = match &text {
            Ok(text) => session.execute_file(text, core).await.map_err(|e| located(&file, &e)),
            Err(reason) => Err(format!("{file}: {reason}")),
        };
        if let Err(reason) = result {
            tracing::error!(file, reason, "pipeline not started");
            let statement = text.unwrap_or_default();
            core.jobs.submit_failed(stem, &file, statement.trim(), reason);
        }
    }
    session.catalog
}

fn list(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".sql") && !name.starts_with('.') {
            names.push(name);
        }
    }
    Ok(names)
}

fn read(path: &Path) -> Result<String, String> {
    let len = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if len > FILE_BYTES_MAX {
        return Err(format!("has more than {FILE_BYTES_MAX} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("is no UTF-8 at byte {at}")
    })
}

/// `file:line:column: message`, as compilers write it.
fn located(file: &str, error: &SqlError) -> String {
    format!("{file}:{}:{}: {error}", error.at.line, error.at.column)
}
