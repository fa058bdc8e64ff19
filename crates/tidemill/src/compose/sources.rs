//! The Python files of a project and what they import: read as text, never run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::requirements::Requirements;

/// Files of one project that are read.
const FILES_MAX: usize = 500;
/// Bytes of a file that is read; no DAG is longer.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Folders below the project's in which scripts are looked for.
const DEPTH_MAX: usize = 4;
/// Folders that hold other people's files.
const NOT_OURS: [&str; 9] = [
    "venv",
    "env",
    "node_modules",
    "site-packages",
    "__pycache__",
    "logs",
    "plugins",
    "build",
    "dist",
];

/// What lies in the project's folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) requirements: Vec<Requirements>,
}

/// One Python file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Inside the project.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Whether it lies in the DAG folder.
    pub(crate) is_dag: bool,
}

/// A module that a file imports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    /// As written: `cassandra.cluster`.
    pub(crate) module: String,
    pub(crate) line: usize,
}

impl Sources {
    /// Reads the project's Python files; what cannot be read is left out.
    pub(super) fn read(dir: &Path, dags: Option<&Path>, requirements: &[PathBuf]) -> Sources {
        let dags = dags.map_or_else(|| dir.join("dags"), |dags| dags.components().collect());
        let mut sources = Sources::default();
        sources.walk(dir, dir, &dags, 0);
        if !dags.starts_with(dir) {
            sources.walk(&dags, &dags, &dags, 0);
        }
        sources.files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut lists: Vec<PathBuf> = requirements.to_vec();
        let usual = dir.join("requirements.txt");
        if usual.is_file() && !lists.iter().any(|list| same(list, &usual)) {
            lists.push(usual);
        }
        for list in lists {
            if let Some(read) = Requirements::read(dir, &list) {
                sources.requirements.push(read);
            }
        }
        sources
    }

    fn walk(&mut self, root: &Path, folder: &Path, dags: &Path, depth: usize) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(kind) = entry.file_type() else { continue };
            if name.starts_with('.') || self.files.len() >= FILES_MAX {
                continue;
            }
            if kind.is_dir() {
                let other = NOT_OURS.contains(&name.as_str()) || path.join("pyvenv.cfg").exists();
                if !other && depth < DEPTH_MAX {
                    self.walk(root, &path, dags, depth + 1);
                }
            } else if name.ends_with(".py")
                && entry.metadata().is_ok_and(|found| found.len() <= FILE_BYTES_MAX)
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                let is_dag = path.starts_with(dags);
                let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
                self.files.push(SourceFile { path, text, is_dag });
            }
        }
    }

    /// Modules that come from outside the project: those of its own files are left out. The
    /// standard library's are in it; only the interpreter knows which they are.
    pub(crate) fn imports(&self) -> BTreeSet<String> {
        let own: BTreeSet<String> = self
            .files
            .iter()
            .flat_map(|file| {
                let stem = file.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                let parents = file.path.parent().into_iter().flat_map(Path::components);
                let folders = parents.map(|part| part.as_os_str().to_string_lossy().into_owned());
                stem.into_iter().chain(folders)
            })
            .collect();
        self.used()
            .flat_map(|file| imports(&file.text))
            .map(|import| import.module)
            .filter(|module| !own.contains(top(module)))
            .collect()
    }
}

impl Sources {
    /// DAGs, Spark scripts, and the project's own modules that these import.
    fn used(&self) -> impl Iterator<Item = &SourceFile> {
        let mut used: BTreeSet<&Path> = BTreeSet::new();
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        loop {
            let before = used.len();
            for file in &self.files {
                let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
                let folder = file.path.components().next();
                let folder = folder.map(|part| part.as_os_str().to_string_lossy());
                let is_wanted = wanted.contains(stem.as_ref())
                    || folder.is_some_and(|folder| wanted.contains(folder.as_ref()));
                if (file.is_dag || is_wanted || file.imports("pyspark")) && used.insert(&file.path)
                {
                    let modules = imports(&file.text).into_iter();
                    wanted.extend(modules.map(|import| top(&import.module).to_owned()));
                }
            }
            if used.len() == before {
                return self.files.iter().filter(move |file| used.contains(file.path.as_path()));
            }
        }
    }
}

impl SourceFile {
    /// Whether it is meant to be started: it does something when it is run.
    pub(crate) fn is_script(&self) -> bool {
        !self.is_dag && (self.text.contains("__main__") || self.imports("pyspark"))
    }

    /// Whether it imports a module or something below it.
    pub(crate) fn imports(&self, name: &str) -> bool {
        imports(&self.text).iter().any(|import| top(&import.module) == name)
    }
}

/// The first part of a dotted name.
pub(super) fn top(module: &str) -> &str {
    module.split('.').next().unwrap_or(module)
}

/// Every `import` and `from … import` of a text, also those inside functions; relative ones and
/// what stands in longer strings are left out.
pub(crate) fn imports(text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for (number, line) in code_lines(text) {
        let line = line.trim_start();
        let mut add = |module: &str| {
            let module = module.trim();
            let named = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
            if !module.is_empty() && !module.starts_with('.') && module.chars().all(named) {
                found.push(Import { module: module.to_owned(), line: number });
            }
        };
        if let Some(rest) = line.strip_prefix("import ") {
            let rest = rest.split(['#', ';']).next().unwrap_or(rest);
            for module in rest.split(',') {
                add(module.split_whitespace().next().unwrap_or_default());
            }
        } else if let Some(rest) = line.strip_prefix("from ")
            && let Some((module, _)) = rest.split_once(" import")
        {
            add(module);
        }
    }
    found
}

/// The lines of a text outside of strings in triple quotes, numbered from 1.
pub(super) fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut within: Option<&'static str> = None;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let begun_inside = within.is_some();
        let mut rest = line;
        loop {
            match within {
                Some(quotes) => match rest.find(quotes) {
                    Some(end) => {
                        rest = &rest[end + 3..];
                        within = None;
                    }
                    None => break,
                },
                None => {
                    let first = ["\"\"\"", "'''"]
                        .into_iter()
                        .filter_map(|quotes| Some((rest.find(quotes)?, quotes)))
                        .min();
                    match first {
                        Some((start, quotes)) if !rest[..start].trim_start().starts_with('#') => {
                            rest = &rest[start + 3..];
                            within = Some(quotes);
                        }
                        _ => break,
                    }
                }
            }
        }
        (!begun_inside).then_some((at + 1, line))
    })
}

fn same(a: &Path, b: &Path) -> bool {
    a.components().eq(b.components())
        || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_wherever_they_stand() {
        let text = "import os, json as j\nfrom kafka import KafkaProducer\n\"\"\"\nimport nothing\n\
                    \"\"\"\ndef f():\n    import requests  # here\n    from cassandra.cluster import \
                    Cluster\nfrom . import own\nimportant = 1\n";
        let found: Vec<(String, usize)> =
            imports(text).into_iter().map(|import| (import.module, import.line)).collect();
        let expected =
            [("os", 1), ("json", 1), ("kafka", 2), ("requests", 7), ("cassandra.cluster", 8)];
        assert_eq!(found, expected.map(|(module, line)| (module.to_owned(), line)));
    }

    #[test]
    fn a_projects_files_are_read_and_other_peoples_are_not() {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("dags/kafka_stream.py", "import helper\nfrom kafka import KafkaProducer\n"),
            ("dags/helper.py", "import requests\n"),
            ("spark_stream.py", "from pyspark.sql import SparkSession\n"),
            ("notes.py", "import torch\n"),
            ("venv/lib/x.py", "import x\n"),
            (".hidden/y.py", "import y\n"),
            ("requirements.txt", "requests\n"),
        ] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources = Sources::read(dir.path(), None, &[dir.path().join("./requirements.txt")]);
        let names: Vec<String> =
            sources.files.iter().map(|file| file.path.display().to_string()).collect();
        assert_eq!(
            names,
            ["dags/helper.py", "dags/kafka_stream.py", "notes.py", "spark_stream.py"]
        );
        assert_eq!(sources.requirements.len(), 1, "one list, however its path is written");
        let imported: Vec<String> = sources.imports().into_iter().collect();
        assert_eq!(imported, ["kafka", "pyspark.sql", "requests"]);
    }
}
