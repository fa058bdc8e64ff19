//! The DAG folder: which files there are, and the last good version of each.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tidemill_runtime::{ByteSize, Disk};

use super::{Dag, DagFile, ImportError, parse};

/// Largest file that is read.
const FILE_BYTES_MAX: ByteSize = ByteSize::mib(1);
/// Most files that are read.
const FILES_MAX: usize = 10_000;
/// How deep folders are looked into.
const DEPTH_MAX: usize = 8;

/// Watches over the files of one folder. `scan` looks; it does not wait for anything.
pub struct DagFolder {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    files: BTreeMap<String, FileState>,
    /// What the last process knew of files that may be broken now.
    known: BTreeMap<String, KnownVersion>,
    /// The DAGs in force.
    current: BTreeMap<Arc<str>, Arc<Dag>>,
}

/// A text that was good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVersion(pub DagFile);

#[derive(Debug)]
struct FileState {
    content: Result<Arc<str>, String>,
    good: Option<Arc<Dag>>,
    error: Option<ImportError>,
    /// Another file had its `dag_id` first.
    duplicate: Option<ImportError>,
    since: Timestamp,
}

/// What is different since the last scan.
#[derive(Debug, Clone)]
pub enum FolderChange {
    /// A DAG is new or has changed.
    Loaded(Arc<Dag>),
    /// A DAG is no longer in the folder.
    Gone(Arc<str>),
}

impl std::fmt::Debug for DagFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DagFolder").field("root", &self.root).finish_non_exhaustive()
    }
}

impl DagFolder {
    /// A folder that has not been looked into. `known` are the last versions of an earlier process:
    /// a file that is broken now goes on with the one it had.
    pub fn new(disk: Arc<dyn Disk>, root: PathBuf, known: Vec<KnownVersion>) -> DagFolder {
        let known = known.into_iter().map(|known| (known.0.name.to_string(), known)).collect();
        DagFolder { disk, root, files: BTreeMap::new(), known, current: BTreeMap::new() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Looks at every file; files with the same content are not read again into a DAG.
    pub fn scan(&mut self, now: Timestamp) -> Vec<FolderChange> {
        let mut names = Vec::new();
        self.list(&self.root, "", DEPTH_MAX, &mut names);
        names.sort();
        names.truncate(FILES_MAX);
        self.files.retain(|name, _| names.binary_search(name).is_ok());
        for name in names {
            self.look_at(name, now);
        }
        self.settle_duplicates(now);
        self.changes()
    }

    /// Files that could not be taken, and since when.
    pub fn errors(&self) -> Vec<(ImportError, Timestamp)> {
        let errors = self.files.values().filter_map(|state| {
            let error = state.error.as_ref().or(state.duplicate.as_ref())?;
            Some((error.clone(), state.since))
        });
        errors.collect()
    }

    fn list(&self, dir: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) {
        // A folder that is not there has no files.
        for entry in self.disk.list(dir).unwrap_or_default() {
            if entry.name.starts_with('.') || entry.name == "__pycache__" {
                continue;
            }
            let name = format!("{prefix}{}", entry.name);
            if entry.is_dir && depth > 0 {
                self.list(&dir.join(&entry.name), &format!("{name}/"), depth - 1, names);
            } else if !entry.is_dir && has_dags(&name) {
                names.push(name);
            }
        }
    }

    fn look_at(&mut self, name: String, now: Timestamp) {
        let content = read(&*self.disk, &self.root.join(&name));
        let before = self.files.remove(&name);
        if let Some(state) = before.as_ref()
            && state.content == content
        {
            self.files.extend(before.map(|state| (name, state)));
            return;
        }
        let good = before.and_then(|state| state.good).or_else(|| self.known_good(&name));
        let read = content
            .clone()
            .map_err(|reason| ImportError::of_file(&name, reason))
            .and_then(|source| taken(&name, &source));
        let state = match read {
            Ok(Some(dag)) => {
                FileState { content, good: Some(dag), error: None, duplicate: None, since: now }
            }
            Ok(None) => FileState { content, good: None, error: None, duplicate: None, since: now },
            Err(error) => {
                FileState { content, good, error: Some(error), duplicate: None, since: now }
            }
        };
        self.files.insert(name, state);
    }

    fn known_good(&self, name: &str) -> Option<Arc<Dag>> {
        let KnownVersion(file) = self.known.get(name)?;
        parse(name, &file.source).ok().map(Arc::new)
    }

    /// A `dag_id` belongs to the file that has it already, otherwise to the first by name.
    fn settle_duplicates(&mut self, now: Timestamp) {
        let mut owners: BTreeMap<Arc<str>, String> = BTreeMap::new();
        for (dag_id, dag) in &self.current {
            let holder = self.files.get(&*dag.file.name).and_then(|state| state.good.as_ref());
            if holder.is_some_and(|good| good.dag_id == *dag_id) {
                owners.insert(dag_id.clone(), dag.file.name.to_string());
            }
        }
        for (name, state) in &self.files {
            if let Some(dag) = &state.good {
                owners.entry(dag.dag_id.clone()).or_insert_with(|| name.clone());
            }
        }
        for (name, state) in &mut self.files {
            let Some(dag) = &state.good else { continue };
            let owner = owners.get(&dag.dag_id).filter(|owner| *owner != name);
            let duplicate = owner.map(|owner| {
                let message = format!("dag_id {:?} is already defined in {owner}", dag.dag_id);
                ImportError::of_file(name, message)
            });
            if duplicate != state.duplicate {
                state.duplicate = duplicate;
                state.since = now;
            }
        }
    }

    fn changes(&mut self) -> Vec<FolderChange> {
        let good = self.files.values().filter(|state| state.duplicate.is_none());
        let next: BTreeMap<Arc<str>, Arc<Dag>> = good
            .filter_map(|state| state.good.clone())
            .map(|dag| (dag.dag_id.clone(), dag))
            .collect();
        let gone = self.current.keys().filter(|dag_id| !next.contains_key(*dag_id));
        let mut changes: Vec<FolderChange> = gone.cloned().map(FolderChange::Gone).collect();
        changes.extend(next.iter().filter_map(|(dag_id, dag)| {
            let same = self.current.get(dag_id).is_some_and(|before| Arc::ptr_eq(before, dag));
            (!same).then(|| FolderChange::Loaded(dag.clone()))
        }));
        self.current = next;
        changes
    }
}

fn has_dags(name: &str) -> bool {
    [".yaml", ".yml", ".py"].iter().any(|ending| name.ends_with(ending))
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Arc<str>, String> {
    let told = |error: io::Error| format!("cannot be read: {error}");
    let file = disk.open(path, tidemill_runtime::OpenMode::Existing).map_err(told)?;
    let len = file.len().map_err(told)?;
    if len > FILE_BYTES_MAX.0 {
        return Err(format!("has {len} bytes; at most {FILE_BYTES_MAX}"));
    }
    let bytes = disk.read(path).map_err(told)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        format!("line {} is not UTF-8", line + 1)
    })?;
    Ok(text.into())
}

/// The DAG of a file. A Python file without a DAG has none; one with a DAG is not silently left out.
fn taken(name: &str, source: &str) -> Result<Option<Arc<Dag>>, ImportError> {
    if !name.ends_with(".py") {
        return parse(name, source).map(|dag| Some(Arc::new(dag)));
    }
    // Airflow's own test for whether a Python file is worth loading.
    let text = source.to_ascii_lowercase();
    if text.contains("airflow") && text.contains("dag") {
        let message = "DAGs in Python are not run by this version; write the DAG as YAML, its Python \
                       functions can be called by python tasks";
        return Err(ImportError::of_file(name, message));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use tidemill_runtime::OsDisk;

    use super::*;

    struct Bench {
        dir: tempfile::TempDir,
        folder: DagFolder,
    }

    impl Bench {
        fn new(known: Vec<KnownVersion>) -> Bench {
            let dir = tempfile::tempdir().unwrap();
            let folder = DagFolder::new(Arc::new(OsDisk::new()), dir.path().join("dags"), known);
            Bench { dir, folder }
        }

        fn write(&self, name: &str, text: impl AsRef<[u8]>) {
            let path = self.dir.path().join("dags").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn remove(&self, name: &str) {
            std::fs::remove_file(self.dir.path().join("dags").join(name)).unwrap();
        }

        fn scan(&mut self) -> Vec<String> {
            let changes = self.folder.scan(Timestamp::UNIX_EPOCH).into_iter();
            changes
                .map(|change| match change {
                    FolderChange::Loaded(dag) => {
                        format!("{} {}", dag.dag_id, dag.tasks[0].task_id)
                    }
                    FolderChange::Gone(dag_id) => format!("gone {dag_id}"),
                })
                .collect()
        }

        fn errors(&self) -> Vec<String> {
            self.folder.errors().iter().map(|(error, _)| error.to_string()).collect()
        }
    }

    fn dag(id: &str, task: &str) -> String {
        format!("dag_id: {id}\ntasks: [{{task_id: {task}, empty: }}]")
    }

    #[test]
    fn files_come_change_and_go() {
        let mut bench = Bench::new(Vec::new());
        assert!(bench.scan().is_empty(), "no folder, no files");
        bench.write("a.yaml", dag("a", "one"));
        bench.write("deep/er/b.yml", dag("b", "one"));
        bench.write(".hidden.yaml", "nonsense");
        bench.write("notes.txt", "nonsense");
        assert_eq!(bench.scan(), ["a one", "b one"]);
        assert!(bench.scan().is_empty(), "nothing has changed");
        bench.write("a.yaml", dag("a", "two"));
        assert_eq!(bench.scan(), ["a two"]);
        bench.write("a.yaml", dag("c", "two"));
        assert_eq!(bench.scan(), ["gone a", "c two"]);
        bench.remove("deep/er/b.yml");
        assert_eq!(bench.scan(), ["gone b"]);
    }

    #[test]
    fn a_broken_file_keeps_its_last_good_version() {
        let mut bench = Bench::new(Vec::new());
        bench.write("a.yaml", dag("a", "one"));
        bench.scan();
        bench.write("a.yaml", "dag_id: a\ntasks: [{task_id: a, bsh: x}]");
        assert!(bench.scan().is_empty());
        assert!(bench.errors()[0].starts_with("a.yaml:2:"), "{:?}", bench.errors());
        bench.write("a.yaml", dag("a", "two"));
        assert_eq!(bench.scan(), ["a two"]);
        assert!(bench.errors().is_empty());
    }

    #[test]
    fn a_file_that_was_broken_before_the_start_goes_on_with_what_the_store_has() {
        let file = DagFile { name: "a.yaml".into(), source: dag("a", "stored").into() };
        let mut bench = Bench::new(vec![KnownVersion(file)]);
        bench.write("a.yaml", "dag_id: [");
        assert_eq!(bench.scan(), ["a stored"]);
        assert_eq!(bench.errors().len(), 1);
        bench.remove("a.yaml");
        assert_eq!(bench.scan(), ["gone a"]);
    }

    #[test]
    fn a_dag_id_belongs_to_the_file_that_had_it_first() {
        let mut bench = Bench::new(Vec::new());
        bench.write("b.yaml", dag("a", "of_b"));
        assert_eq!(bench.scan(), ["a of_b"]);
        bench.write("a.yaml", dag("a", "of_a"));
        assert!(bench.scan().is_empty());
        assert_eq!(bench.errors(), ["a.yaml: dag_id \"a\" is already defined in b.yaml"]);
        bench.remove("b.yaml");
        assert_eq!(bench.scan(), ["a of_a"]);
        assert!(bench.errors().is_empty());
    }

    #[test]
    fn what_is_no_text_or_too_long_or_python_is_an_error_not_silence() {
        let mut bench = Bench::new(Vec::new());
        bench.write("bytes.yaml", b"dag_id: a\n# \xff\n");
        bench.write("long.yaml", vec![b'#'; 2 << 20]);
        bench.write("kafka_stream.py", "from airflow import DAG\n");
        bench.write("helpers.py", "def f(): pass\n");
        assert!(bench.scan().is_empty());
        let errors = bench.errors();
        assert_eq!(errors[0], "bytes.yaml: line 2 is not UTF-8");
        assert!(
            errors[1].contains("DAGs in Python are not run") && errors[2].contains("at most 1MiB")
        );
        assert_eq!(errors.len(), 3);
    }
}
