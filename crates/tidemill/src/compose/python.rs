//! An interpreter that has what the project's files import: the machine's own if it does, else an
//! environment made once in `.tidemill/python` from the project's lists, less what Tidemill brings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;

use super::requirements::{Package, needed};
use super::sources::{Sources, top};

/// The environment, inside the project.
const FOLDER: &str = ".tidemill/python";
/// What it was made for, beside it; written last.
const STAMP: &str = ".tidemill/python.json";
/// The interpreter that environments are made of.
const BASE: &str = "python3";
/// What is kept of what a failed pip said, in bytes.
const SAID_BYTES_MAX: u64 = 64 << 10;
/// Modules that only Tidemill's own package provides, or a stand-in of it.
const OURS: [&str; 3] = ["airflow", "pendulum", "tidemill"];
/// Comes as source only, and needs no compiler.
const PURE_SOURCE: &str = "pyspark-client";
/// What a Spark script needs besides `pyspark` itself; importing it tells whether all is there.
const SPARK_CONNECT: &str = "pyspark.sql.connect.session";

/// Imports modules and tells which fail and why, and the versions of packages.
const PROBE: &str = r#"
import importlib, importlib.metadata, json, sys, warnings
# Spark's client takes a program without a file for one of its own tests.
__file__ = "probe"
warnings.simplefilter("ignore")
missing, versions = {}, {}
known = getattr(sys, "stdlib_module_names", sys.builtin_module_names)
standard = [name for name in json.loads(sys.argv[1]) if name.split(".")[0] in known]
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except BaseException as error:
        missing[name] = f"{type(error).__name__}: {error}"
for name in json.loads(sys.argv[2]):
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
python = "%d.%d.%d" % sys.version_info[:3]
answer = {"python": python, "standard": standard, "missing": missing, "versions": versions}
print("\n" + json.dumps(answer))
"#;

/// An interpreter, ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) interpreter: PathBuf,
    /// What is worth telling: versions that had to be others than those pinned.
    pub(crate) notes: Vec<String>,
    /// Packages with their versions; empty if it was there before.
    pub(crate) installed: Vec<String>,
}

/// Why there is no such interpreter. Each says what mends it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
    /// No Python at all.
    #[error(
        "python3 is not found; DAG files and Spark scripts need it: apt-get install python3 python3-venv"
    )]
    Interpreter,
    /// Python without what makes environments.
    #[error("python3 cannot make an environment ({said}): apt-get install python3-venv")]
    Venv {
        /// Its last line.
        said: String,
    },
    /// Packages could not be installed, or do not work.
    #[error("{what} ({said}): {command}")]
    Packages {
        /// Modules or packages that are missing.
        what: String,
        /// The reason.
        said: String,
        /// What to type when it is mended.
        command: String,
    },
}

/// What the environment is made for: the same again needs no look at anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    modules: Vec<String>,
    /// All lines of the project's lists.
    requirements: Vec<String>,
    /// The interpreter it was made of: its file and its size.
    base: String,
    /// What runs.
    interpreter: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Probe {
    python: String,
    /// Those that every Python has.
    standard: BTreeSet<String>,
    /// Those that cannot be imported, and why.
    missing: BTreeMap<String, String>,
    /// Of packages that are installed.
    versions: BTreeMap<String, String>,
}

/// The interpreter that was made for the project, if one was and it is still there.
pub(super) fn made(dir: &Path) -> Option<PathBuf> {
    let interpreter = stamp(dir)?.interpreter;
    (interpreter != Path::new(BASE) && interpreter.exists()).then_some(interpreter)
}

fn stamp(dir: &Path) -> Option<Stamp> {
    serde_json::from_str(&std::fs::read_to_string(dir.join(STAMP)).ok()?).ok()
}

/// The modules that the project's DAGs and Spark scripts import.
fn wished(sources: &Sources) -> BTreeSet<String> {
    let imports = sources.imports().into_iter();
    imports
        .filter(|module| !OURS.contains(&top(module)))
        .map(|module| if top(&module) == "pyspark" { SPARK_CONNECT.to_owned() } else { module })
        .collect()
}

impl Environment {
    /// Finds or makes the interpreter for the project in `dir`. `progress` is told what is done, at
    /// most a few times a second.
    pub(crate) async fn prepare(
        dir: &Path,
        sources: &Sources,
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Environment, Missing> {
        let modules = wished(sources);
        let base = program(BASE).ok_or(Missing::Interpreter)?;
        let lines = sources.requirements.iter().flat_map(|list| &list.lines);
        let mut wish = Stamp {
            modules: modules.iter().cloned().collect(),
            requirements: lines.map(|line| line.text.clone()).collect(),
            base: identity(&base),
            interpreter: PathBuf::new(),
        };
        if let Some(stamp) = stamp(dir) {
            wish.interpreter = stamp.interpreter.clone();
            if stamp == wish && (stamp.interpreter == Path::new(BASE) || stamp.interpreter.exists())
            {
                return Ok(Environment::there(stamp.interpreter));
            }
        }
        progress("looking at what the files import");
        let found = probe(&base, &wish.modules, &[]).await?;
        if found.missing.is_empty() {
            wish.interpreter = BASE.into();
            write_stamp(dir, &wish);
            return Ok(Environment::there(BASE.into()));
        }
        // An environment has nothing but the standard library and what is put into it.
        let foreign: BTreeSet<String> = modules.difference(&found.standard).cloned().collect();
        let packages = needed(sources, &foreign);
        let foreign: Vec<String> = foreign.into_iter().collect();
        let maker = Maker { dir, base: &base, python: &found.python, progress };
        let environment = maker.make(&foreign, &packages).await?;
        wish.interpreter = environment.interpreter.clone();
        write_stamp(dir, &wish);
        Ok(environment)
    }

    fn there(interpreter: PathBuf) -> Environment {
        Environment { interpreter, notes: Vec::new(), installed: Vec::new() }
    }

    /// What the project's files import and `interpreter` does not have: module and reason.
    pub(crate) async fn lacking(
        dir: &Path,
        sources: &Sources,
    ) -> Result<BTreeMap<String, String>, Missing> {
        let modules: Vec<String> = wished(sources).into_iter().collect();
        let interpreter = made(dir).or_else(|| program(BASE)).ok_or(Missing::Interpreter)?;
        Ok(probe(&interpreter, &modules, &[]).await?.missing)
    }
}

/// Makes an environment.
struct Maker<'a> {
    dir: &'a Path,
    base: &'a Path,
    /// The version of the interpreter: `3.11.7`.
    python: &'a str,
    progress: &'a mut (dyn FnMut(&str) + Send),
}

impl Maker<'_> {
    async fn make(
        mut self,
        modules: &[String],
        packages: &[Package],
    ) -> Result<Environment, Missing> {
        let folder = std::path::absolute(self.dir.join(FOLDER)).unwrap_or(self.dir.join(FOLDER));
        let interpreter = folder.join("bin/python3");
        (self.progress)(&format!("making {FOLDER} with Python {}", self.python));
        let mut venv = Command::new(self.base);
        venv.args(["-m", "venv"]).arg(&folder);
        if let Err(said) = self.run(venv, |_| None).await {
            return Err(Missing::Venv { said });
        }
        let mut notes = Vec::new();
        let specs: Vec<&str> = packages.iter().map(|package| package.spec.as_str()).collect();
        if self.install(&interpreter, &specs, true).await.is_err() {
            self.install_singly(&interpreter, packages, &mut notes).await?;
        }
        let names: Vec<String> = packages.iter().map(|package| package.name.clone()).collect();
        let mut probed = probe(&interpreter, modules, &names).await?;
        // A pinned version may install and still not work with this Python.
        for package in packages {
            let broken = package.modules.iter().any(|module| probed.missing.contains_key(module));
            if broken && package.spec != package.name {
                self.install(&interpreter, &["--upgrade", &package.name], true).await.ok();
                notes.push(format!("{} does not work with Python {}", package.spec, self.python));
                probed = probe(&interpreter, modules, &names).await?;
            }
        }
        if let Some((module, said)) = probed.missing.iter().next() {
            let all: Vec<&str> = probed.missing.keys().map(String::as_str).collect();
            let package = packages.iter().find(|package| package.modules.contains(module));
            let name = package.map_or(module.as_str(), |package| package.name.as_str());
            return Err(Missing::Packages {
                what: format!("{} cannot be imported", all.join(", ")),
                said: said.clone(),
                command: format!("{} -m pip install {name}", interpreter.display()),
            });
        }
        let version = |name: &String| Some(format!("{name} {}", probed.versions.get(name)?));
        let installed = names.iter().filter_map(version).collect();
        Ok(Environment { interpreter, notes, installed })
    }

    /// Each package alone: as pinned, else at any version, else from source.
    async fn install_singly(
        &mut self,
        interpreter: &Path,
        packages: &[Package],
        notes: &mut Vec<String>,
    ) -> Result<(), Missing> {
        for package in packages {
            if self.install(interpreter, &[&package.spec], true).await.is_ok() {
                continue;
            }
            let mut outcome = self.install(interpreter, &[&package.name], true).await;
            if outcome.is_err() {
                outcome = self.install(interpreter, &[&package.name], false).await;
            }
            match outcome {
                Ok(()) if package.spec != package.name => notes.push(format!(
                    "{} has no wheel for Python {}: another version was taken",
                    package.spec, self.python
                )),
                Ok(()) => {}
                // What nobody imports may be missing.
                Err(_) if package.modules.is_empty() => {
                    notes.push(format!(
                        "{} could not be installed; no file imports it",
                        package.spec
                    ));
                }
                Err(said) => {
                    return Err(Missing::Packages {
                        what: format!("{} could not be installed", package.name),
                        said,
                        command: format!(
                            "{} -m pip install {}",
                            interpreter.display(),
                            package.name
                        ),
                    });
                }
            }
        }
        Ok(())
    }

    /// `pip install`. The error is pip's own last word.
    async fn install(
        &mut self,
        interpreter: &Path,
        what: &[&str],
        only_wheels: bool,
    ) -> Result<(), String> {
        if what.is_empty() {
            return Ok(());
        }
        let mut pip = Command::new(interpreter);
        pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check"]);
        if only_wheels {
            pip.args(["--only-binary", ":all:", "--no-binary", PURE_SOURCE]);
        }
        pip.args(what);
        self.run(pip, |line| {
            let line = line.trim();
            let collected = line.strip_prefix("Collecting ");
            let collected =
                collected.map(|rest| rest.split(" (").next().unwrap_or(rest).to_owned());
            let placing = line.strip_prefix("Installing collected packages: ");
            collected
                .or_else(|| Some(format!("installing {} packages", placing?.split(", ").count())))
        })
        .await
    }

    /// Runs a program to its end; `tell` makes progress of its lines.
    async fn run(
        &mut self,
        mut program: Command,
        tell: impl Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        program.env_remove("PYTHONPATH").env_remove("PYTHONHOME").stdin(Stdio::null());
        program.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = program.spawn().map_err(|error| error.to_string())?;
        let stderr = read_all(child.stderr.take());
        let lines = async {
            let mut last = String::new();
            if let Some(stdout) = child.stdout.take() {
                let mut lines = BufReader::new(stdout).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if let Some(told) = tell(&line) {
                        (self.progress)(&told);
                    }
                    last = line;
                }
            }
            last
        };
        let (last, errors) = tokio::join!(lines, stderr);
        let status = child.wait().await.map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(());
        }
        let error = errors.lines().rev().find(|line| line.contains("ERROR"));
        let said = error.or_else(|| errors.lines().next_back()).unwrap_or(&last);
        Err(said.trim().trim_start_matches("ERROR: ").to_owned())
    }
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut read = Vec::new();
    if let Some(pipe) = pipe {
        // What is longer than the limit is not needed; the rest is read so that nobody waits.
        let mut limited = pipe.take(SAID_BYTES_MAX);
        limited.read_to_end(&mut read).await.ok();
        tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await.ok();
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// Asks an interpreter what it can import.
async fn probe(interpreter: &Path, modules: &[String], names: &[String]) -> Result<Probe, Missing> {
    let mut program = Command::new(interpreter);
    program.env_remove("PYTHONPATH").env_remove("PYTHONHOME").current_dir("/");
    program.arg("-c").arg(PROBE).arg(json(modules)).arg(json(names));
    let output = program.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|_| Missing::Interpreter)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let probed = text.lines().next_back().and_then(|line| serde_json::from_str(line).ok());
    probed.ok_or_else(|| Missing::Packages {
        what: format!("{} could not be asked what it has", interpreter.display()),
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        command: format!("{} --version", interpreter.display()),
    })
}

fn json(texts: &[String]) -> String {
    serde_json::Value::from(texts.to_vec()).to_string()
}

/// Where a program lies.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Which interpreter this is: another one in its place has another size or another name.
fn identity(interpreter: &Path) -> String {
    let file = interpreter.canonicalize().unwrap_or_else(|_| interpreter.to_owned());
    let len = std::fs::metadata(&file).map_or(0, |found| found.len());
    format!("{} ({len} bytes)", file.display())
}

/// Without it the next start looks again, which costs a second and nothing else.
fn write_stamp(dir: &Path, stamp: &Stamp) {
    let path = dir.join(STAMP);
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&path, serde_json::to_vec_pretty(stamp)?));
    if let Err(error) = written {
        tracing::warn!(%error, file = %path.display(), "what the environment was made for is not kept");
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources::SourceFile;
    use super::*;

    fn sources(text: &str) -> Sources {
        let file = SourceFile { path: "dags/d.py".into(), text: text.to_owned(), is_dag: true };
        Sources { files: vec![file], requirements: Vec::new() }
    }

    #[test]
    fn what_spark_needs_is_asked_for_as_a_whole_and_airflow_not_at_all() {
        let modules = wished(&sources(
            "from airflow import DAG\nimport pyspark\nfrom pyspark.sql import x\n",
        ));
        assert_eq!(modules, BTreeSet::from([SPARK_CONNECT.to_owned()]));
    }

    #[tokio::test]
    async fn the_machines_own_interpreter_is_taken_if_it_has_everything() {
        if program(BASE).is_none() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let sources = sources("import json, os\nfrom datetime import datetime\n");
        let environment = Environment::prepare(dir.path(), &sources, &mut |_| {}).await.unwrap();
        assert_eq!(environment.interpreter, Path::new(BASE));
        assert_eq!(made(dir.path()), None, "nothing was made");
        let mut told = 0;
        Environment::prepare(dir.path(), &sources, &mut |_| told += 1).await.unwrap();
        assert_eq!(told, 0, "the second time nothing is looked at");
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        if program(BASE).is_none() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let sources = sources("import json\nimport surely_not_a_module_of_anybody\n");
        let lacking = Environment::lacking(dir.path(), &sources).await.unwrap();
        let names: Vec<&String> = lacking.keys().collect();
        assert_eq!(names, ["surely_not_a_module_of_anybody"]);
    }
}
