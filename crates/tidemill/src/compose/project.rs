//! Finding and reading the compose file of a folder.

use std::io;
use std::path::{Path, PathBuf};

use super::defects::{self, Notice};
use super::interpolate::{self, Variables};
use super::plan::{self, Plan};
use super::service::{self, Service};
use super::sources::Sources;
use super::tree::{Node, Unreadable};

/// The names compose looks for, in its order.
const FILES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
/// What compose lays over them by itself.
const OVERRIDES: [&str; 4] = [
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
];
/// Bytes of a compose file.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Why a folder's compose file was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeError {
    #[error("cannot read {path}", path = path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// Something in the file; the line if one can be named.
    #[error("{place}: {message}")]
    Wrong { place: String, message: String },
}

/// A folder's compose file, read.
#[derive(Debug, Clone)]
pub(crate) struct ComposeProject {
    pub(crate) dir: PathBuf,
    /// The compose file's own name.
    pub(crate) file: String,
    /// The project's name, as compose would call it.
    pub(crate) name: String,
    pub(crate) services: Vec<Service>,
    pub(crate) plan: Plan,
}

impl ComposeProject {
    /// The compose file in `dir`; none if there is none, or if the folder is a Tidemill project of
    /// its own. `environment` is the process's.
    pub(crate) fn find(
        dir: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Option<ComposeProject>, ComposeError> {
        if dir.join(crate::config::FILE).exists() {
            return Ok(None);
        }
        match FILES.iter().find(|file| dir.join(file).is_file()) {
            Some(file) => ComposeProject::read(dir, file, environment).map(Some),
            None => Ok(None),
        }
    }

    fn read(
        dir: &Path,
        file: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<ComposeProject, ComposeError> {
        let outer: Variables = environment.collect();
        let mut variables = match std::fs::read_to_string(dir.join(".env")) {
            Ok(text) => interpolate::dotenv(&text, &outer),
            Err(_) => Variables::new(),
        };
        // What the shell says goes before what the file says.
        variables.extend(outer);
        let mut tree = parse(dir, file)?;
        if let Some(over) = OVERRIDES.iter().find(|file| dir.join(file).is_file()) {
            tree = tree.overlaid(parse(dir, over)?);
        }
        let wrong =
            |(line, message)| ComposeError::Wrong { place: place(dir, file, line), message };
        let services = service::read(&mut tree, dir, &variables).map_err(wrong)?;
        let profiles = variables.get("COMPOSE_PROFILES").map_or("", String::as_str);
        let chosen: Vec<&str> =
            profiles.split(',').map(str::trim).filter(|profile| !profile.is_empty()).collect();
        let plan = plan::plan(&services, dir, &chosen).map_err(wrong)?;
        let named = tree.get("name").and_then(Node::text).map(str::to_owned);
        let name = named.unwrap_or_else(|| folder_name(dir));
        Ok(ComposeProject { dir: dir.to_owned(), file: file.to_owned(), name, services, plan })
    }

    /// The Python files and lists of packages of the folder.
    pub(crate) fn sources(&self) -> Sources {
        Sources::read(&self.dir, self.plan.dags.as_deref(), &self.plan.requirements)
    }

    /// What is wrong in the project's own files, worst first.
    pub(crate) fn notices(&self, sources: &Sources) -> Vec<Notice> {
        defects::find(self, sources)
    }
}

fn parse(dir: &Path, file: &str) -> Result<Node, ComposeError> {
    let path = dir.join(file);
    let unreadable = |source| ComposeError::Unreadable { path: path.clone(), source };
    if std::fs::metadata(&path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        let message = format!("longer than {FILE_BYTES_MAX} bytes");
        return Err(ComposeError::Wrong { place: path.display().to_string(), message });
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    Node::parse(&text).map_err(|Unreadable { line, message }| ComposeError::Wrong {
        place: place(dir, file, line.unwrap_or(0)),
        message,
    })
}

fn place(dir: &Path, file: &str, line: usize) -> String {
    let path = dir.join(file);
    match line {
        0 => path.display().to_string(),
        line => format!("{}:{line}", path.display()),
    }
}

fn folder_name(dir: &Path) -> String {
    let absolute = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    absolute.file_name().map_or("compose".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(files: &[(&str, &str)]) -> Result<Option<ComposeProject>, ComposeError> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        ComposeProject::find(dir.path(), [("SHELL_TAG".to_owned(), "s".to_owned())].into_iter())
    }

    #[test]
    fn a_folder_of_tidemills_own_is_no_compose_project() {
        assert!(find(&[]).unwrap().is_none());
        let both = [("tidemill.toml", ""), ("docker-compose.yml", "services: {}")];
        assert!(find(&both).unwrap().is_none());
    }

    #[test]
    fn dotenv_and_override_files_count_as_compose_counts_them() {
        let project = find(&[
            ("docker-compose.yml", "name: line\nservices:\n  k:\n    image: apache/kafka:${TAG}\n"),
            (".env", "TAG=4.0.0\n"),
            ("docker-compose.override.yml", "services:\n  k:\n    ports: ['9092:9092']\n"),
        ])
        .unwrap()
        .unwrap();
        assert_eq!(project.name, "line");
        assert_eq!(project.services[0].image.as_deref(), Some("apache/kafka:4.0.0"));
        assert_eq!(project.plan.lines[0].opened, [9092]);
    }

    #[test]
    fn broken_yaml_has_file_line_and_reason() {
        for (text, line) in [
            ("services:\n  a:\n    image: [x\n", "docker-compose.yml:3"),
            ("services:\n  a:\n    ports:\n    - nine\n", "docker-compose.yml:4"),
        ] {
            let error = find(&[("docker-compose.yml", text)]).unwrap_err().to_string();
            assert!(error.contains(line), "{text:?}: {error}");
        }
    }
}
