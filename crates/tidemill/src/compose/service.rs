//! The services of a compose file, with everything resolved that compose resolves: variables,
//! `extends`, `env_file`, the spellings as list and as map, profiles, and `build`, of which the
//! image it begins with is enough.
//!
//! Spec: <https://docs.docker.com/reference/compose-file/services/>

use std::collections::BTreeMap;
use std::path::Path;

use super::interpolate::{self, Variables};
use super::ports::{self, Port};
use super::tree::{Node, Value};

/// `extends` of an `extends` of an `extends`.
const EXTENDS_DEPTH_MAX: usize = 16;
/// Services of one file.
const SERVICES_MAX: usize = 500;

/// A place and what is wrong there.
pub(super) type Wrong = (usize, String);

/// One service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// The image, or the one its Dockerfile begins with.
    pub(crate) image: Option<String>,
    /// Where the image is written.
    pub(crate) image_line: usize,
    /// Whether the image is built from a Dockerfile.
    pub(crate) built: bool,
    /// `hostname`, `container_name` and the aliases on its networks.
    pub(crate) names: Vec<String>,
    pub(crate) ports: Vec<Port>,
    pub(crate) environment: BTreeMap<String, Variable>,
    pub(crate) mounts: Vec<Mount>,
    /// `entrypoint` and `command`, as one text.
    pub(crate) command: String,
    /// Runs only if one of these is chosen; empty: always.
    pub(crate) profiles: Vec<String>,
}

/// A variable of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) value: String,
    /// Where it is written; 0 in an `env_file`.
    pub(crate) line: usize,
}

/// A path of the machine or a named volume, and where the container sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) line: usize,
}

impl Service {
    /// The value of a variable, if it has one that is not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(name)?.value.as_str();
        (!value.is_empty()).then_some(value)
    }

    /// Every name by which its neighbours know it.
    pub(crate) fn all_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.names.iter().map(String::as_str))
    }
}

/// Reads the services of a file whose variables are `variables`, in the order of the file.
pub(super) fn read(
    file: &mut Node,
    dir: &Path,
    variables: &Variables,
) -> Result<Vec<Service>, Wrong> {
    interpolate::tree(file, variables).map_err(|(line, error)| (line, error.to_string()))?;
    let Some(services) = file.get("services") else {
        return Err((file.line.max(1), "it has no services".to_owned()));
    };
    let Value::Map(entries) = &services.value else {
        return Err((services.line, "services must be a map".to_owned()));
    };
    if entries.len() > SERVICES_MAX {
        return Err((services.line, format!("more than {SERVICES_MAX} services")));
    }
    entries
        .iter()
        .map(|(name, node)| {
            let Value::Map(_) = node.value else {
                return Err((node.line, format!("service {name} must be a map")));
            };
            let node = extended(services, name, node.clone(), 0)?;
            service(name, &node, dir, variables)
        })
        .collect()
}

/// The service laid over the one it extends. Another file is not followed: the service is read as
/// it stands.
fn extended(services: &Node, name: &str, node: Node, depth: usize) -> Result<Node, Wrong> {
    let Some(extends) = node.get("extends") else { return Ok(node) };
    let line = extends.line;
    let base = match &extends.value {
        Value::Text(base) => base.clone(),
        _ if extends.get("file").is_some() => return Ok(node),
        _ => match extends.get("service").and_then(Node::text) {
            Some(base) => base.to_owned(),
            None => return Err((line, format!("service {name}: extends names no service"))),
        },
    };
    if depth >= EXTENDS_DEPTH_MAX {
        return Err((line, format!("service {name}: extends goes round in circles")));
    }
    let Some(found) = services.get(&base) else {
        return Err((line, format!("service {name} extends {base}, which is not there")));
    };
    let base = extended(services, &base, found.clone(), depth + 1)?;
    Ok(normal(base).overlaid(normal(node)))
}

/// `environment` as a map in both, so that one can be laid over the other.
fn normal(mut node: Node) -> Node {
    if let Value::Map(entries) = &mut node.value {
        for (key, entry) in entries {
            if let (true, Value::List(members)) = (key == "environment", &entry.value) {
                let pairs = members.iter().filter_map(|member| {
                    let (name, value) = pair(member.text()?);
                    let value = value.map_or(Value::Null, |value| Value::Text(value.to_owned()));
                    Some((name.to_owned(), Node { line: member.line, value }))
                });
                entry.value = Value::Map(pairs.collect());
            }
        }
    }
    node
}

fn pair(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value)),
        None => (text.trim(), None),
    }
}

fn service(name: &str, node: &Node, dir: &Path, variables: &Variables) -> Result<Service, Wrong> {
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let mut ports = Vec::new();
    for member in node.get("ports").map(Node::members).unwrap_or_default() {
        let read = ports::read(member);
        ports.extend(read.map_err(|said| (member.line, format!("service {name}: {said}")))?);
    }
    let built = node.get("build").is_some();
    let image = match node.get("build") {
        Some(build) => base_image(build, dir).or_else(|| text("image")),
        None => text("image"),
    };
    let words = |key: &str| {
        let words = node.get(key).map(Node::members).unwrap_or_default();
        words.iter().filter_map(Node::text).collect::<Vec<_>>().join(" ")
    };
    let profiles = node.get("profiles").map(Node::members).unwrap_or_default();
    Ok(Service {
        name: name.to_owned(),
        line: node.line,
        image,
        image_line: node.get("image").or(node.get("build")).map_or(node.line, |image| image.line),
        built,
        names: names(name, node),
        ports,
        environment: environment(node, dir, variables),
        mounts: mounts(node),
        command: format!("{} {}", words("entrypoint"), words("command")).trim().to_owned(),
        profiles: profiles.iter().filter_map(|profile| profile.text().map(str::to_owned)).collect(),
    })
}

fn names(name: &str, node: &Node) -> Vec<String> {
    let mut names: Vec<String> = ["container_name", "hostname"]
        .iter()
        .filter_map(|key| node.get(key)?.text().map(str::to_owned))
        .collect();
    for (_, network) in node.get("networks").map(Node::entries).unwrap_or_default() {
        let aliases = network.get("aliases").map(Node::members).unwrap_or_default();
        names.extend(aliases.iter().filter_map(|alias| alias.text().map(str::to_owned)));
    }
    names.retain(|other| other != name);
    names.sort_unstable();
    names.dedup();
    names
}

/// The variables: those of its `env_file`s, and over them `environment`. One without a value has
/// that of the machine, if there is one.
fn environment(node: &Node, dir: &Path, variables: &Variables) -> BTreeMap<String, Variable> {
    let mut all = BTreeMap::new();
    for file in node.get("env_file").map(Node::members).unwrap_or_default() {
        let Some(path) = file.text().or_else(|| file.get("path")?.text()) else { continue };
        // Compose would not start without it; here the parts that do not need it still run.
        let Ok(text) = std::fs::read_to_string(dir.join(path)) else { continue };
        let read = interpolate::dotenv(&text, variables);
        all.extend(read.into_iter().map(|(name, value)| (name, Variable { value, line: 0 })));
    }
    let Some(own) = node.get("environment") else { return all };
    let own = normal(Node {
        line: own.line,
        value: Value::Map(vec![("environment".to_owned(), own.clone())]),
    });
    for (name, entry) in own.get("environment").map(Node::entries).unwrap_or_default() {
        let value = match &entry.value {
            Value::Text(value) => value.clone(),
            _ => match variables.get(name) {
                Some(value) => value.clone(),
                None => continue,
            },
        };
        all.insert(name.clone(), Variable { value, line: entry.line });
    }
    all
}

fn mounts(node: &Node) -> Vec<Mount> {
    let volumes = node.get("volumes").map(Node::members).unwrap_or_default();
    let mount = |volume: &Node| {
        let (source, target) = match volume.text() {
            Some(text) => {
                let mut parts = text.splitn(3, ':');
                (parts.next()?.to_owned(), parts.next()?.to_owned())
            }
            None => {
                (volume.get("source")?.text()?.to_owned(), volume.get("target")?.text()?.to_owned())
            }
        };
        Some(Mount { source, target, line: volume.line })
    };
    volumes.iter().filter_map(mount).collect()
}

/// The image that the Dockerfile's last stage begins with; through stages of its own.
fn base_image(build: &Node, dir: &Path) -> Option<String> {
    let (context, dockerfile) = match build.text() {
        Some(context) => (context, "Dockerfile"),
        None => (
            build.get("context").and_then(Node::text).unwrap_or("."),
            build.get("dockerfile").and_then(Node::text).unwrap_or("Dockerfile"),
        ),
    };
    let text = match build.get("dockerfile_inline").and_then(Node::text) {
        Some(inline) => inline.to_owned(),
        None => std::fs::read_to_string(dir.join(context).join(dockerfile)).ok()?,
    };
    let mut arguments = Variables::new();
    let mut stages: BTreeMap<String, String> = BTreeMap::new();
    let mut image = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [argument, rest] if argument.eq_ignore_ascii_case("ARG") => {
                if let (name, Some(value)) = pair(rest) {
                    arguments.insert(name.to_owned(), value.trim_matches('"').to_owned());
                }
            }
            [from, rest @ ..] if from.eq_ignore_ascii_case("FROM") => {
                let mut rest = rest.iter().filter(|word| !word.starts_with("--"));
                let named = rest.next()?;
                let named = interpolate::complete(named, &arguments).ok()?;
                let base = stages.get(&named).cloned().unwrap_or(named);
                if let Some(stage) = rest.nth(1) {
                    stages.insert((*stage).to_owned(), base.clone());
                }
                image = Some(base);
            }
            _ => {}
        }
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(text: &str, dir: &Path) -> Result<Vec<Service>, Wrong> {
        let outer = Variables::from([("HOME_KEY".to_owned(), "k".to_owned())]);
        read(&mut Node::parse(text).unwrap(), dir, &outer)
    }

    fn one(text: &str) -> Service {
        let text = format!("services:\n  a:\n{text}");
        services(&text, Path::new("/nowhere")).unwrap().remove(0)
    }

    #[test]
    fn lists_and_maps_say_the_same() {
        let list = one(
            "    image: i\n    environment:\n      - A=1\n      - B=x=y\n      - HOME_KEY\n      \
                        - NONE\n",
        );
        let map = one(
            "    image: i\n    environment:\n      A: 1\n      B: x=y\n      HOME_KEY:\n      \
                       NONE:\n",
        );
        assert_eq!(list.environment, map.environment);
        assert_eq!(list.variable("A"), Some("1"));
        assert_eq!(list.variable("B"), Some("x=y"));
        assert_eq!(list.variable("HOME_KEY"), Some("k"));
        assert!(!list.environment.contains_key("NONE"));
    }

    #[test]
    fn every_name_of_a_service_is_known() {
        let service = one(
            "    container_name: cassandra\n    hostname: cass\n    networks:\n      net:\n        \
             aliases: [db, a]\n      other:\n",
        );
        assert_eq!(service.all_names().collect::<Vec<_>>(), ["a", "cass", "cassandra", "db"]);
    }

    #[test]
    fn mounts_and_commands_are_read_in_both_spellings() {
        let service = one(
            "    entrypoint: ['/run.sh', '-x']\n    command: webserver now\n    volumes:\n      - \
             ./dags:/opt/airflow/dags:ro\n      - data:/var/lib\n      - /anonymous\n      - \
             {type: bind, source: ./s.py, target: /s.py}\n",
        );
        assert_eq!(service.command, "/run.sh -x webserver now");
        let mounts: Vec<_> =
            service.mounts.iter().map(|m| (m.source.as_str(), m.target.as_str())).collect();
        assert_eq!(
            mounts,
            [("./dags", "/opt/airflow/dags"), ("data", "/var/lib"), ("./s.py", "/s.py")]
        );
    }

    #[test]
    fn a_service_that_extends_another_has_what_that_one_has() {
        let text = "services:\n  base:\n    image: b\n    environment: [A=1, B=1]\n    ports: ['1:1']\n  \
                    mid:\n    extends: base\n    environment: {B: 2}\n  top:\n    extends: {service: \
                    mid}\n    image: t\n    ports: ['2:2']\n";
        let all = services(text, Path::new("/nowhere")).unwrap();
        let top = &all[2];
        assert_eq!(top.image.as_deref(), Some("t"));
        assert_eq!((top.variable("A"), top.variable("B")), (Some("1"), Some("2")));
        assert_eq!(top.ports.len(), 2);
        let circle = "services:\n  a: {extends: b}\n  b: {extends: a}\n";
        assert!(services(circle, Path::new("/")).unwrap_err().1.contains("circles"));
        let nobody = "services:\n  a:\n    extends: b\n";
        let (line, said) = services(nobody, Path::new("/")).unwrap_err();
        assert_eq!((line, said.contains("not there")), (3, true));
    }

    #[test]
    fn a_built_image_is_known_by_what_it_begins_with() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("Dockerfile"),
            "ARG VERSION=2.7.1\nFROM python:3.11 AS build\nRUN x\nFROM --platform=linux/amd64 \
             apache/airflow:${VERSION} AS run\nFROM run\n",
        )
        .unwrap();
        std::fs::write(dir.path().join("keys.env"), "KEY=1\nOTHER=2\n").unwrap();
        let text = "services:\n  a:\n    build: .\n    image: mine\n    env_file: keys.env\n    \
                    environment: {OTHER: 3}\n";
        let service = services(text, dir.path()).unwrap().remove(0);
        assert_eq!(service.image.as_deref(), Some("apache/airflow:2.7.1"));
        assert_eq!((service.variable("KEY"), service.variable("OTHER")), (Some("1"), Some("3")));
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        for (text, line, part) in [
            ("version: '3'\n", 1, "no services"),
            ("services:\n  a: b\n", 2, "service a must be a map"),
            ("services:\n  a:\n    ports:\n      - x:y\n", 4, "invalid port"),
            ("services:\n  a:\n    image: ${X:?say which}\n", 3, "say which"),
        ] {
            let (at, said) = services(text, Path::new("/")).unwrap_err();
            assert!(at == line && said.contains(part), "{text:?}: {at}: {said}");
        }
    }
}
