//! Lists of Python packages, and which of them a child of Tidemill needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::sources::{Sources, top};

/// A list with Airflow and more lines than this is what `pip freeze` said in Airflow's container.
const FREEZE_LINES_MIN: usize = 60;
/// Lists that name other lists.
const DEPTH_MAX: usize = 4;

/// Modules whose package has another name.
const PACKAGES: [(&str, &str); 24] = [
    ("kafka", "kafka-python"),
    ("cassandra", "cassandra-driver"),
    ("confluent_kafka", "confluent-kafka"),
    ("pyspark", "pyspark-client"),
    ("psycopg2", "psycopg2-binary"),
    ("MySQLdb", "mysqlclient"),
    ("mysql", "mysql-connector-python"),
    ("yaml", "PyYAML"),
    ("dotenv", "python-dotenv"),
    ("bs4", "beautifulsoup4"),
    ("sklearn", "scikit-learn"),
    ("PIL", "pillow"),
    ("cv2", "opencv-python-headless"),
    ("dateutil", "python-dateutil"),
    ("faker", "Faker"),
    ("jwt", "PyJWT"),
    ("attr", "attrs"),
    ("snowflake", "snowflake-connector-python"),
    ("telegram", "python-telegram-bot"),
    ("googleapiclient", "google-api-python-client"),
    ("newsapi", "newsapi-python"),
    ("kazoo", "kazoo"),
    ("fastavro", "fastavro"),
    ("serpapi", "google-search-results"),
];

/// Packages of the same module under other names.
const SAME_MODULE: [(&str, &[&str]); 3] = [
    ("kafka-python", &["kafka-python-ng", "kafka-python", "kafka"]),
    ("psycopg2-binary", &["psycopg2-binary", "psycopg2"]),
    ("cassandra-driver", &["cassandra-driver", "scylla-driver"]),
];

/// What Tidemill brings itself.
const REPLACED: [&str; 5] = ["pyspark", "py4j", "findspark", "pyspark-client", "spark"];

/// One list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Requirements {
    /// Inside the project.
    pub(crate) path: PathBuf,
    pub(crate) lines: Vec<Requirement>,
}

/// One package of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// In lower case with dashes, as package indexes compare names.
    pub(crate) name: String,
    /// As written, without comment and options.
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Requirement {
    /// The version after `==`.
    pub(crate) fn pinned(&self) -> Option<&str> {
        let (_, version) = self.text.split_once("==")?;
        Some(version.split([';', ',', ' ']).next().unwrap_or(version).trim())
    }
}

impl Requirements {
    /// Reads a list and those that it names; none if it cannot be read.
    pub(super) fn read(dir: &Path, path: &Path) -> Option<Requirements> {
        let text = std::fs::read_to_string(path).ok()?;
        let shown: PathBuf = path.strip_prefix(dir).unwrap_or(path).components().collect();
        let mut list = Requirements { path: shown, lines: Vec::new() };
        list.add(&text, path, 0);
        Some(list)
    }

    fn add(&mut self, text: &str, path: &Path, depth: usize) {
        for (at, line) in text.lines().enumerate() {
            let line = line.split(" #").next().unwrap_or(line).trim();
            if let Some(other) = line.strip_prefix("-r ").or(line.strip_prefix("--requirement ")) {
                let other = path.parent().unwrap_or(Path::new(".")).join(other.trim());
                if depth < DEPTH_MAX
                    && let Ok(text) = std::fs::read_to_string(&other)
                {
                    self.add(&text, &other, depth + 1);
                }
                continue;
            }
            if line.is_empty() || line.starts_with(['#', '-']) || line.contains("://") {
                continue;
            }
            let end = line.find(|letter: char| !is_name(letter)).unwrap_or(line.len());
            let name = normal(&line[..end]);
            if !name.is_empty() {
                self.lines.push(Requirement { name, text: line.to_owned(), line: at + 1 });
            }
        }
    }

    /// Whether it is what Airflow's container holds rather than what the project needs.
    fn is_freeze(&self) -> bool {
        self.lines.len() >= FREEZE_LINES_MIN
            && self.lines.iter().any(|line| line.name == "apache-airflow")
    }
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

/// A package's name as indexes compare it.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// A package to be installed, and the modules that must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// As `pip install` takes it: `kafka-python==2.0.2`.
    pub(crate) spec: String,
    /// Without version.
    pub(crate) name: String,
    /// What the project's files import of it; empty if it only stands in a list.
    pub(crate) modules: Vec<String>,
}

/// The packages that a project needs: those that provide `modules`, at the version its lists pin,
/// and what else stands in lists that are not Airflow's own.
pub(crate) fn needed(sources: &Sources, modules: &BTreeSet<String>) -> Vec<Package> {
    let listed: Vec<&Requirement> =
        sources.requirements.iter().flat_map(|list| &list.lines).collect();
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for module in modules {
        let name = package_of(top(module));
        if is_airflow(&name) {
            continue;
        }
        let others = SAME_MODULE.iter().find(|(package, _)| *package == name);
        let names =
            others.map_or(std::slice::from_ref(&name.as_str()).to_vec(), |(_, all)| all.to_vec());
        let written = listed.iter().find(|line| names.contains(&line.name.as_str()));
        let replaced = REPLACED.contains(&name.as_str());
        let (spec, name) = match written.filter(|_| !replaced) {
            Some(line) => (line.text.clone(), line.name.clone()),
            None => (name.clone(), name),
        };
        let package =
            packages.entry(normal(&name)).or_insert(Package { spec, name, modules: Vec::new() });
        package.modules.push(module.clone());
    }
    if packages.contains_key("pyspark-client") {
        // The client does not know the next major version yet, and says so at every start.
        let pandas =
            Package { spec: "pandas<3".into(), name: "pandas".into(), modules: Vec::new() };
        packages.entry("pandas".to_owned()).or_insert(pandas);
    }
    for list in sources.requirements.iter().filter(|list| !list.is_freeze()) {
        for line in &list.lines {
            if is_airflow(&line.name) || REPLACED.contains(&line.name.as_str()) {
                continue;
            }
            packages.entry(line.name.clone()).or_insert_with(|| Package {
                spec: line.text.clone(),
                name: line.name.clone(),
                modules: Vec::new(),
            });
        }
    }
    packages.into_values().collect()
}

fn is_airflow(package: &str) -> bool {
    package == "airflow" || package == "apache-airflow" || package.starts_with("apache-airflow-")
}

fn package_of(module: &str) -> String {
    let named = PACKAGES.iter().find(|(name, _)| *name == module);
    named.map_or_else(|| normal(module), |(_, package)| (*package).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Requirements {
        let mut list = Requirements::default();
        list.add(text, Path::new("/nowhere/requirements.txt"), 0);
        list
    }

    fn specs(lists: &[&str], modules: &[&str]) -> Vec<String> {
        let sources = Sources {
            files: Vec::new(),
            requirements: lists.iter().map(|text| list(text)).collect(),
        };
        let modules = modules.iter().map(|module| (*module).to_owned()).collect();
        needed(&sources, &modules).into_iter().map(|package| package.spec).collect()
    }

    #[test]
    fn a_list_is_read_as_pip_reads_it() {
        let list = list(
            "# head\nrequests==2.31.0  # why\nkafka_python[lz4]>=2 ; python_version > '3'\n\
                         -i https://x\ngit+https://x/y\n\nPyYAML\n",
        );
        let names: Vec<_> = list.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["requests", "kafka-python", "pyyaml"]);
        assert_eq!(list.lines[0].pinned(), Some("2.31.0"));
        assert_eq!(list.lines[1].pinned(), None);
        assert_eq!(list.lines[0].line, 2);
    }

    #[test]
    fn what_tidemill_replaces_is_not_installed() {
        let text = "apache-airflow==2.7.0\napache-airflow-providers-http\npyspark==3.4.1\n\
                    kafka-python==2.0.2\nlz4\n";
        let modules = ["airflow.operators.python", "kafka", "pyspark.sql", "cassandra.cluster"];
        assert_eq!(
            specs(&[text], &modules),
            ["cassandra-driver", "kafka-python==2.0.2", "lz4", "pandas<3", "pyspark-client"]
        );
    }

    #[test]
    fn of_what_airflows_container_holds_only_what_is_imported_is_needed() {
        let mut text = "apache-airflow==2.7.0\nkafka-python==2.0.2\nrequests==2.31.0\n".to_owned();
        for n in 0..80 {
            text.push_str(&format!("some-package-{n}==1.0\n"));
        }
        assert_eq!(
            specs(&[&text], &["kafka", "json_logging"]),
            ["json-logging", "kafka-python==2.0.2"]
        );
    }

    #[test]
    fn a_package_of_another_name_for_the_same_module_is_taken_as_listed() {
        assert_eq!(specs(&["kafka-python-ng==2.2.3\n"], &["kafka"]), ["kafka-python-ng==2.2.3"]);
    }
}
