//! The embedded files, and the environment that leads a child to them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};
use tidemill_runtime::{Disk, OpenMode};

/// Characters of the content's hash in the folder's name.
const HASH_CHARS: usize = 16;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/home"]
struct Embedded;

/// Why the files could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum PythonHomeError {
    /// The disk said no.
    #[error("the Python files cannot be written to {path}: {source}", path = path.display())]
    Disk {
        /// Where to.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The embedded files, unpacked. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonHome {
    dir: PathBuf,
}

/// What a child finds around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `host:port` or `host`, as a project's files write it, and where that answers. A name with its
    /// port goes first; a name alone stands for all its ports.
    pub hosts: BTreeMap<String, SocketAddr>,
    /// The scheduler's REST API: `http://127.0.0.1:8080`.
    pub scheduler_url: Option<String>,
    /// Further variables, such as `AIRFLOW_*` of a compose file. `PATH` and `PYTHONPATH` in it come
    /// after ours.
    pub extra: BTreeMap<String, String>,
}

impl PythonHome {
    /// Writes the files under `dir`, unless they are there already. What is there is complete: the
    /// folder gets its name last.
    pub fn unpack(disk: &dyn Disk, dir: &Path) -> Result<PythonHome, PythonHomeError> {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let home = dir.join(format!("python-{}", content_hash()));
        if !disk.exists(&home) {
            write_all(disk, &dir, &home)?;
        }
        Ok(PythonHome { dir: home })
    }

    /// The folder with `lib` and `bin`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Variables for any child, Python or shell: `PYTHONPATH` and `PATH` with ours first, and
    /// `TIDEMILL_*` for the hook.
    pub fn environment(&self, surroundings: &Surroundings) -> Vec<(OsString, OsString)> {
        let Surroundings { hosts, scheduler_url, extra } = surroundings;
        let mut variables: BTreeMap<OsString, OsString> =
            extra.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let path = extra.get("PATH").map(OsString::from).or_else(|| std::env::var_os("PATH"));
        let python_path = extra.get("PYTHONPATH").map(OsString::from);
        variables.insert("PATH".into(), joined(self.dir.join("bin"), path));
        variables.insert("PYTHONPATH".into(), joined(self.dir.join("lib"), python_path));
        if !hosts.is_empty() {
            let hosts: serde_json::Map<String, serde_json::Value> =
                hosts.iter().map(|(name, at)| (name.clone(), at.to_string().into())).collect();
            let hosts = serde_json::Value::Object(hosts).to_string();
            variables.insert("TIDEMILL_HOSTS".into(), hosts.into());
        }
        if let Some(url) = scheduler_url {
            variables.insert("TIDEMILL_SCHEDULER_URL".into(), url.into());
        }
        variables.into_iter().collect()
    }
}

fn joined(first: PathBuf, rest: Option<OsString>) -> OsString {
    let mut path = first.into_os_string();
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        path.push(":");
        path.push(rest);
    }
    path
}

/// Names of the files, in order; what Python compiled beside them is not one of them.
fn names() -> Vec<String> {
    let names = Embedded::iter().map(|name| name.into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.contains("__pycache__")).collect();
    names.sort();
    names
}

/// What all files together are, in a few letters.
fn content_hash() -> String {
    let mut hash = Sha256::new();
    for name in names() {
        let Some(file) = Embedded::get(&name) else { continue };
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(file.metadata.sha256_hash());
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..HASH_CHARS].to_owned()
}

fn write_all(disk: &dyn Disk, dir: &Path, home: &Path) -> Result<(), PythonHomeError> {
    // Somebody else may unpack into the same folder at this moment: each writes its own.
    let partial = dir.join(format!("python-{}.partial", std::process::id()));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PythonHomeError::Disk { path, source }
    };
    if disk.exists(&partial) {
        disk.remove_dir_all(&partial).map_err(failed(&partial))?;
    }
    for name in names() {
        let Some(file) = Embedded::get(&name) else { continue };
        let path = partial.join(&name);
        write(disk, &path, &file.data).map_err(failed(&path))?;
    }
    match disk.rename(&partial, home) {
        Ok(()) => disk.sync_dir(dir).map_err(failed(dir)),
        // The other one was faster.
        Err(_) if disk.exists(home) => disk.remove_dir_all(&partial).map_err(failed(&partial)),
        Err(source) => Err(PythonHomeError::Disk { path: home.to_owned(), source }),
    }
}

fn write(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        disk.create_dir_all(folder)?;
    }
    let file = disk.open(path, OpenMode::OrCreate)?;
    file.write_all_at(content, 0)?;
    file.sync_all()?;
    // A simulated disk has no files of the machine to mark.
    if content.starts_with(b"#!") && file.as_fd().is_some() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tidemill_runtime::OsDisk;

    use super::*;

    fn value(variables: &[(OsString, OsString)], name: &str) -> String {
        let found = variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.to_string_lossy().into_owned()).unwrap_or_default()
    }

    #[test]
    fn files_are_unpacked_once_and_the_command_can_be_run() {
        let dir = tempfile::tempdir().unwrap();
        let home = PythonHome::unpack(&OsDisk::new(), dir.path()).unwrap();
        let command = home.dir().join("bin/airflow");
        assert_eq!(std::fs::metadata(&command).unwrap().permissions().mode() & 0o111, 0o111);
        let written = std::fs::metadata(&command).unwrap().modified().unwrap();
        assert_eq!(PythonHome::unpack(&OsDisk::new(), dir.path()).unwrap(), home);
        assert_eq!(std::fs::metadata(&command).unwrap().modified().unwrap(), written);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn ours_comes_first_on_both_paths() {
        let dir = tempfile::tempdir().unwrap();
        let home = PythonHome::unpack(&OsDisk::new(), dir.path()).unwrap();
        let extra = [("PATH", "/usr/bin"), ("PYTHONPATH", "/opt/plugins"), ("AIRFLOW_HOME", "/a")];
        let surroundings = Surroundings {
            hosts: BTreeMap::from([(
                "broker:29092".to_owned(),
                SocketAddr::from(([127, 0, 0, 1], 9092)),
            )]),
            scheduler_url: Some("http://127.0.0.1:8080".to_owned()),
            extra: extra.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        };
        let variables = home.environment(&surroundings);
        let dir = home.dir().display();
        assert_eq!(value(&variables, "PATH"), format!("{dir}/bin:/usr/bin"));
        assert_eq!(value(&variables, "PYTHONPATH"), format!("{dir}/lib:/opt/plugins"));
        assert_eq!(value(&variables, "TIDEMILL_HOSTS"), r#"{"broker:29092":"127.0.0.1:9092"}"#);
        assert_eq!(value(&variables, "TIDEMILL_SCHEDULER_URL"), "http://127.0.0.1:8080");
        assert_eq!(value(&variables, "AIRFLOW_HOME"), "/a");
    }
}
