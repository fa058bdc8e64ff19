//! The DAG folder: which files there are, and the last good version of each.
//!
//! YAML is read at once. A Python file has to be run to know what is in it, which takes an
//! interpreter and time: the folder says which files it [wants](DagFolder::take_wanted), goes on
//! with what it had, and takes the answer when it comes ([`DagFolder::parsed`]).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tidemill_runtime::{ByteSize, Disk};

use super::{Dag, DagFile, ImportError, ParsedFile, dags_of, is_python, parse};

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
    known: BTreeMap<String, Vec<DagFile>>,
    /// The DAGs in force.
    current: BTreeMap<Arc<str>, Arc<Dag>>,
    /// Python files that have to be run.
    wanted: BTreeSet<String>,
}

/// A text that was good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVersion(pub DagFile);

/// A Python file that is to be run, to know which DAGs it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonFile {
    /// Path inside the DAG folder.
    pub name: Arc<str>,
    /// Its text.
    pub source: Arc<str>,
}

#[derive(Debug)]
struct FileState {
    content: Result<Arc<str>, String>,
    good: Vec<Arc<Dag>>,
    error: Option<ImportError>,
    /// DAGs whose `dag_id` another file had first.
    duplicates: BTreeMap<Arc<str>, ImportError>,
    /// Files of the folder that a Python file loads.
    imports: BTreeSet<String>,
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
    pub fn new(disk: Arc<dyn Disk>, root: PathBuf, versions: Vec<KnownVersion>) -> DagFolder {
        let mut known: BTreeMap<String, Vec<DagFile>> = BTreeMap::new();
        for KnownVersion(file) in versions {
            known.entry(file.name.to_string()).or_default().push(file);
        }
        DagFolder {
            disk,
            root,
            files: BTreeMap::new(),
            known,
            current: BTreeMap::new(),
            wanted: BTreeSet::new(),
        }
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
        let mut changed: BTreeSet<String> = BTreeSet::new();
        changed
            .extend(self.files.keys().filter(|name| names.binary_search(name).is_err()).cloned());
        self.files.retain(|name, _| names.binary_search(name).is_ok());
        for name in names {
            if self.look_at(&name, now) {
                changed.insert(name);
            }
        }
        // What a file loads is a part of it.
        let loads = |state: &FileState| !state.imports.is_disjoint(&changed);
        let affected = self.files.iter().filter(|(_, state)| loads(state));
        self.wanted.extend(affected.map(|(name, _)| name.clone()));
        self.settle_duplicates(now);
        self.changes()
    }

    /// Python files that have to be run since the last call.
    pub fn take_wanted(&mut self) -> Vec<PythonFile> {
        let wanted = std::mem::take(&mut self.wanted);
        let files = wanted.into_iter().filter_map(|name| {
            let source = self.files.get(&name)?.content.as_ref().ok()?.clone();
            Some(PythonFile { name: name.into(), source })
        });
        files.collect()
    }

    /// What became of running a file; `Err` if it could not be run. An answer about a text that the
    /// file no longer has is dropped: another one will come.
    pub(crate) fn parsed(
        &mut self,
        file: &PythonFile,
        answer: Result<ParsedFile, String>,
        now: Timestamp,
    ) -> Vec<FolderChange> {
        let Some(state) = self.files.get_mut(&*file.name) else { return Vec::new() };
        if state.content.as_ref() != Ok(&file.source) {
            return Vec::new();
        }
        let loaded = answer.as_ref().map(|parsed| parsed.imports.as_slice()).unwrap_or_default();
        state.imports = inside(&self.root, loaded);
        let dags = match answer {
            Ok(parsed) => dags_of(&file.name, &file.source, parsed, &self.root),
            Err(reason) => Err(ImportError::of_file(&file.name, reason)),
        };
        match dags {
            Ok(dags) => {
                state.good = dags.into_iter().map(|dag| same(&state.good, dag)).collect();
                state.error = None;
            }
            Err(error) if state.error.as_ref() == Some(&error) => {}
            Err(error) => {
                state.error = Some(error);
                state.since = now;
            }
        }
        self.settle_duplicates(now);
        self.changes()
    }

    /// Files that could not be taken, and since when.
    pub fn errors(&self) -> Vec<(ImportError, Timestamp)> {
        let errors = self.files.values().flat_map(|state| {
            let errors = state.error.iter().chain(state.duplicates.values());
            errors.map(|error| (error.clone(), state.since))
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

    /// Takes a file as it is now; whether it has changed.
    fn look_at(&mut self, name: &str, now: Timestamp) -> bool {
        let content = read(&*self.disk, &self.root.join(name));
        let before = self.files.remove(name);
        if let Some(state) = before.as_ref()
            && state.content == content
        {
            self.files.extend(before.map(|state| (name.to_owned(), state)));
            return false;
        }
        let (good, error) = match before {
            Some(state) => (state.good, state.error),
            None => (self.known_good(name, content.as_ref().ok()), None),
        };
        let mut state = FileState {
            content,
            good,
            error: None,
            duplicates: BTreeMap::new(),
            imports: BTreeSet::new(),
            since: now,
        };
        match &state.content {
            Err(reason) => state.error = Some(ImportError::of_file(name, reason)),
            Ok(source) if is_python(name) && may_have_dags(source) => {
                // It stays broken until an interpreter says otherwise.
                state.error = error;
                self.wanted.insert(name.to_owned());
            }
            Ok(_) if is_python(name) => state.good = Vec::new(),
            Ok(source) => match parse(name, source) {
                Ok(dag) => state.good = vec![Arc::new(dag)],
                Err(error) => state.error = Some(error),
            },
        }
        self.files.insert(name.to_owned(), state);
        true
    }

    /// What an earlier process knew of a file: of its text as it is now, otherwise of an older one.
    fn known_good(&self, name: &str, content: Option<&Arc<str>>) -> Vec<Arc<Dag>> {
        let known = self.known.get(name).map(Vec::as_slice).unwrap_or_default();
        let is_current = |file: &&DagFile| Some(&file.text()) == content;
        let any_current = known.iter().any(|file| is_current(&file));
        let chosen = known.iter().filter(|file| !any_current || is_current(file));
        chosen.filter_map(|file| parse(name, &file.source).ok().map(Arc::new)).collect()
    }

    /// A `dag_id` belongs to the file that has it already, otherwise to the first by name.
    fn settle_duplicates(&mut self, now: Timestamp) {
        let mut owners: BTreeMap<Arc<str>, String> = BTreeMap::new();
        for (dag_id, dag) in &self.current {
            let holder = self.files.get(&*dag.file.name);
            if holder.is_some_and(|state| state.good.iter().any(|good| good.dag_id == *dag_id)) {
                owners.insert(dag_id.clone(), dag.file.name.to_string());
            }
        }
        for (name, state) in &self.files {
            for dag in &state.good {
                owners.entry(dag.dag_id.clone()).or_insert_with(|| name.clone());
            }
        }
        for (name, state) in &mut self.files {
            let twins = state.good.iter().filter_map(|dag| {
                let owner = owners.get(&dag.dag_id).filter(|owner| *owner != name)?;
                let message = format!("dag_id {:?} is already defined in {owner}", dag.dag_id);
                Some((dag.dag_id.clone(), ImportError::of_file(name, message)))
            });
            let duplicates: BTreeMap<Arc<str>, ImportError> = twins.collect();
            if duplicates != state.duplicates {
                state.duplicates = duplicates;
                state.since = now;
            }
        }
    }

    fn changes(&mut self) -> Vec<FolderChange> {
        let own = |state: &'_ FileState| -> Vec<Arc<Dag>> {
            let is_own = |dag: &&Arc<Dag>| !state.duplicates.contains_key(&dag.dag_id);
            state.good.iter().filter(is_own).cloned().collect()
        };
        let next: BTreeMap<Arc<str>, Arc<Dag>> =
            self.files.values().flat_map(own).map(|dag| (dag.dag_id.clone(), dag)).collect();
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

/// The DAG that is there already, if a new one is no different: nothing has to be told of it.
fn same(known: &[Arc<Dag>], dag: Arc<Dag>) -> Arc<Dag> {
    known.iter().find(|known| known.file == dag.file).cloned().unwrap_or(dag)
}

/// Names in the folder, of absolute paths that lie in it.
fn inside(root: &Path, paths: &[String]) -> BTreeSet<String> {
    let names = paths.iter().filter_map(|path| Path::new(path).strip_prefix(root).ok());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

fn has_dags(name: &str) -> bool {
    [".yaml", ".yml", ".py"].iter().any(|ending| name.ends_with(ending))
}

/// Airflow's own test for whether a Python file is worth loading.
fn may_have_dags(source: &str) -> bool {
    let text = source.to_ascii_lowercase();
    text.contains("airflow") && text.contains("dag")
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

#[cfg(test)]
mod tests {
    use tidemill_runtime::OsDisk;

    use super::*;

    fn told(change: &FolderChange) -> String {
        match change {
            FolderChange::Loaded(dag) => format!("{} {}", dag.dag_id, dag.tasks[0].task_id),
            FolderChange::Gone(dag_id) => format!("gone {dag_id}"),
        }
    }

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
            self.folder.scan(Timestamp::UNIX_EPOCH).iter().map(told).collect()
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
    fn what_is_no_text_or_too_long_is_an_error_not_silence() {
        let mut bench = Bench::new(Vec::new());
        bench.write("bytes.yaml", b"dag_id: a\n# \xff\n");
        bench.write("long.yaml", vec![b'#'; 2 << 20]);
        assert!(bench.scan().is_empty());
        let errors = bench.errors();
        assert_eq!(errors[0], "bytes.yaml: line 2 is not UTF-8");
        assert!(errors[1].contains("at most 1MiB"), "{errors:?}");
        assert_eq!(errors.len(), 2);
    }

    /// What an interpreter would say of a file: its DAGs, each with one task, and what it loads.
    fn answer(dags: &[(&str, &str)], imports: &[&str]) -> ParsedFile {
        let dag = |(id, task): &(&str, &str)| {
            let task = serde_json::json!({
                "task_id": task, "operator": "PythonOperator", "is_empty": false, "owner": "a",
                "upstream": [], "trigger_rule": "all_success", "retries": 0,
                "retry_exponential_backoff": 0.0, "priority_weight": 1,
            });
            serde_json::json!({
                "dag_id": id, "schedule": null, "timezone": "UTC", "catchup": false, "tags": [],
                "max_active_runs": 1, "max_active_tasks": 1, "params": {}, "tasks": [task],
            })
        };
        let dags: Vec<_> = dags.iter().map(dag).collect();
        let parsed = serde_json::json!({"dags": dags, "imports": imports});
        serde_json::from_value(parsed).unwrap()
    }

    impl Bench {
        fn wanted(&mut self) -> Vec<PythonFile> {
            self.folder.take_wanted()
        }

        fn parsed(&mut self, file: &PythonFile, answer: Result<ParsedFile, String>) -> Vec<String> {
            let changes = self.folder.parsed(file, answer, Timestamp::UNIX_EPOCH);
            changes.iter().map(told).collect()
        }
    }

    const FILE: &str = "from airflow import DAG\n";

    #[test]
    fn a_python_file_is_wanted_once_and_may_have_many_dags() {
        let mut bench = Bench::new(Vec::new());
        bench.write("flow.py", FILE);
        bench.write("helpers.py", "def f(): pass\n");
        assert!(bench.scan().is_empty());
        let wanted = bench.wanted();
        assert_eq!((wanted.len(), &*wanted[0].name), (1, "flow.py"));
        bench.scan();
        assert!(bench.wanted().is_empty(), "nothing has changed");
        let changes = bench.parsed(&wanted[0], Ok(answer(&[("a", "one"), ("b", "one")], &[])));
        assert_eq!(changes, ["a one", "b one"]);
        let changes = bench.parsed(&wanted[0], Ok(answer(&[("a", "one")], &[])));
        assert_eq!(changes, ["gone b"], "what is the same is not told again");
    }

    #[test]
    fn a_python_file_that_breaks_keeps_its_last_good_version() {
        let mut bench = Bench::new(Vec::new());
        bench.write("flow.py", FILE);
        bench.scan();
        let first = bench.wanted().pop().unwrap();
        bench.parsed(&first, Ok(answer(&[("a", "one")], &[])));
        bench.write("flow.py", format!("{FILE}1/0\n"));
        assert!(bench.scan().is_empty());
        let second = bench.wanted().pop().unwrap();
        assert!(bench.parsed(&second, Err("no interpreter".to_owned())).is_empty());
        assert_eq!(bench.errors(), ["flow.py: no interpreter"]);
        assert!(bench.parsed(&first, Ok(answer(&[("z", "one")], &[]))).is_empty(), "an old answer");
        bench.write("flow.py", FILE);
        bench.scan();
        assert_eq!(bench.errors().len(), 1, "until the interpreter says otherwise");
        let third = bench.wanted().pop().unwrap();
        assert!(bench.parsed(&third, Ok(answer(&[("a", "one")], &[]))).is_empty());
        assert!(bench.errors().is_empty());
    }

    #[test]
    fn a_file_is_run_again_when_what_it_loads_changes() {
        let mut bench = Bench::new(Vec::new());
        bench.write("flow.py", FILE);
        bench.write("lib/helpers.py", "N = 1\n");
        bench.scan();
        let wanted = bench.wanted().pop().unwrap();
        let helpers = bench.folder.root().join("lib/helpers.py").display().to_string();
        bench.parsed(&wanted, Ok(answer(&[("a", "one")], &[&helpers])));
        bench.write("lib/helpers.py", "N = 2\n");
        bench.scan();
        assert_eq!(bench.wanted().len(), 1);
        bench.write("lib/other.py", "N = 2\n");
        bench.scan();
        assert!(bench.wanted().is_empty());
    }
}
