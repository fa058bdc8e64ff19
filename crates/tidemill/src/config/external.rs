//! Sections of real systems in place of ours: what can be set, in the words of those who run them,
//! and what the boxes get of it.
//!
//! Files are named relative to the project. A password is in the file, in a file of its own, or in
//! a variable; it is in no message.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tidemill_access::{
    CassandraAccess, Consistency, Credentials, RegistryAccess, Secret, Tls, TlsFiles,
};
use tidemill_kafka_client::{ClientConfig, Sasl, Security};
use toml::Table;

/// The port of a contact point that names none.
const CQL_PORT: u16 = 9042;

/// A real system in the place of a box.
pub(super) trait External: Sized {
    /// What can be set about it. Empty: nothing real is taken in this place.
    const KEYS: &'static [&'static str];

    /// Reads its keys; `dir` is what files are relative to. The error names its key in backticks.
    fn read(keys: Table, dir: &Path) -> Result<Self, String>;
}

/// No system.
#[derive(Debug, Clone)]
pub(crate) enum Never {}

impl External for Never {
    const KEYS: &'static [&'static str] = &[];

    fn read(_: Table, _: &Path) -> Result<Never, String> {
        Err("`use` is \"embedded\"".to_owned())
    }
}

fn settings<T: DeserializeOwned>(keys: Table) -> Result<T, String> {
    keys.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

/// Several texts: an array, or one text with commas, as a variable has to be.
#[derive(Debug, Clone, Default)]
struct List(Vec<String>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<List, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected texts: [\"a:9092\", \"b:9092\"]")]
        enum Written {
            Many(Vec<String>),
            One(String),
        }
        let texts = match Written::deserialize(deserializer)? {
            Written::Many(texts) => texts,
            Written::One(text) => text.split(',').map(str::to_owned).collect(),
        };
        let trimmed = texts.iter().map(|text| text.trim().to_owned());
        Ok(List(trimmed.filter(|text| !text.is_empty()).collect()))
    }
}

impl List {
    /// Each as `host:port`; there is at least one.
    fn addresses(self, key: &str, port: Option<u16>) -> Result<Vec<String>, String> {
        if self.0.is_empty() {
            return Err(format!("`{key}` is missing: where is it? Write {key} = [\"host:port\"]"));
        }
        let address = |text: String| {
            let bare = !text.ends_with(']') && text.matches(':').count() == 1;
            let has_port = text.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok() && (bare || host.ends_with(']'))
            });
            match (has_port, port) {
                (true, _) => Ok(text),
                (false, Some(port)) if !text.contains(':') => Ok(format!("{text}:{port}")),
                _ => Err(format!("`{key}`: {text:?} is not host:port")),
            }
        };
        self.0.into_iter().map(address).collect()
    }
}

/// A password as it is, or the file that holds it.
fn password(
    key: &str,
    text: Option<Secret>,
    file: Option<PathBuf>,
    dir: &Path,
) -> Result<Option<Secret>, String> {
    match (text, file) {
        (Some(_), Some(_)) => Err(format!("`{key}` and {key}_file are both given: keep one")),
        (text, None) => Ok(text),
        (None, Some(file)) => {
            let path = dir.join(file);
            let read = std::fs::read_to_string(&path)
                .map_err(|error| format!("`{key}_file`: {}: {error}", path.display()))?;
            Ok(Some(Secret::new(read.trim_end_matches(['\r', '\n']))))
        }
    }
}

fn credentials(
    prefix: &str,
    username: Option<String>,
    password: Option<Secret>,
) -> Result<Option<Credentials>, String> {
    match (username, password) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(Credentials::new(username, password))),
        (Some(_), None) => {
            Err(format!("`{prefix}username` needs {prefix}password or {prefix}password_file"))
        }
        (None, Some(_)) => Err(format!("`{prefix}password` needs {prefix}username")),
    }
}

fn tls(files: &TlsFiles) -> Result<Tls, String> {
    Tls::from_files(files).map_err(|error| format!("TLS: {error}"))
}

fn files(dir: &Path, [ca, certificate, key]: [Option<PathBuf>; 3], any_name: bool) -> TlsFiles {
    let of_project = |path: Option<PathBuf>| path.map(|path| dir.join(path));
    TlsFiles {
        ca: of_project(ca),
        certificate: of_project(certificate),
        key: of_project(key),
        any_name,
    }
}

/// `security.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SecurityProtocol {
    #[default]
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

/// `[broker]` with `use = "external"`, in the words of Kafka's clients.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct KafkaSettings {
    bootstrap_servers: List,
    security_protocol: SecurityProtocol,
    sasl_mechanism: Option<String>,
    sasl_username: Option<String>,
    sasl_password: Option<Secret>,
    sasl_password_file: Option<PathBuf>,
    ssl_ca_location: Option<PathBuf>,
    ssl_certificate_location: Option<PathBuf>,
    ssl_key_location: Option<PathBuf>,
    ssl_endpoint_identification_algorithm: Option<String>,
}

impl External for ClientConfig {
    const KEYS: &'static [&'static str] = &[
        "bootstrap_servers",
        "security_protocol",
        "sasl_mechanism",
        "sasl_username",
        "sasl_password",
        "sasl_password_file",
        "ssl_ca_location",
        "ssl_certificate_location",
        "ssl_key_location",
        "ssl_endpoint_identification_algorithm",
    ];

    fn read(keys: Table, dir: &Path) -> Result<ClientConfig, String> {
        let is_named = |prefix: &str| keys.keys().find(|key| key.starts_with(prefix)).cloned();
        let (ssl_key, sasl_key) = (is_named("ssl_"), is_named("sasl_"));
        let named: KafkaSettings = settings(keys)?;
        let (has_tls, has_sasl) = match named.security_protocol {
            SecurityProtocol::Plaintext => (false, false),
            SecurityProtocol::Ssl => (true, false),
            SecurityProtocol::SaslPlaintext => (false, true),
            SecurityProtocol::SaslSsl => (true, true),
        };
        if let (false, Some(key)) = (has_tls, ssl_key) {
            return Err(format!("`{key}` needs security_protocol = \"SSL\" or \"SASL_SSL\""));
        }
        if let (false, Some(key)) = (has_sasl, sasl_key) {
            return Err(format!(
                "`{key}` needs security_protocol = \"SASL_SSL\" or \"SASL_PLAINTEXT\""
            ));
        }
        let servers = named.bootstrap_servers.clone().addresses("bootstrap_servers", None)?;
        let mut client = ClientConfig::new(servers, "tidemill");
        client.security = Security {
            tls: if has_tls { Some(kafka_tls(&named, dir)?) } else { None },
            sasl: if has_sasl { Some(sasl(named, dir)?) } else { None },
        };
        Ok(client)
    }
}

fn kafka_tls(named: &KafkaSettings, dir: &Path) -> Result<Tls, String> {
    let key = "ssl_endpoint_identification_algorithm";
    let any_name = match named.ssl_endpoint_identification_algorithm.as_deref() {
        None | Some("https") => false,
        Some("" | "none") => true,
        Some(other) => return Err(format!("`{key}` is {other:?}; it is \"https\" or \"none\"")),
    };
    let paths = [&named.ssl_ca_location, &named.ssl_certificate_location, &named.ssl_key_location];
    tls(&files(dir, paths.map(Clone::clone), any_name))
}

fn sasl(named: KafkaSettings, dir: &Path) -> Result<Sasl, String> {
    let Some(mechanism) = named.sasl_mechanism else {
        return Err("`sasl_mechanism` is missing: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512".to_owned());
    };
    let mechanism = mechanism.parse().map_err(|error| format!("`sasl_mechanism`: {error}"))?;
    let text = password("sasl_password", named.sasl_password, named.sasl_password_file, dir)?;
    let credentials = credentials("sasl_", named.sasl_username, text)?
        .ok_or("`sasl_username` and sasl_password are missing")?;
    Ok(Sasl { mechanism, credentials })
}

/// `[registry]` with `use = "external"`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RegistrySettings {
    url: String,
    username: Option<String>,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    ssl_ca_location: Option<PathBuf>,
    ssl_certificate_location: Option<PathBuf>,
    ssl_key_location: Option<PathBuf>,
}

impl External for RegistryAccess {
    const KEYS: &'static [&'static str] = &[
        "url",
        "username",
        "password",
        "password_file",
        "ssl_ca_location",
        "ssl_certificate_location",
        "ssl_key_location",
    ];

    fn read(keys: Table, dir: &Path) -> Result<RegistryAccess, String> {
        let has_tls = keys.keys().any(|key| key.starts_with("ssl_"));
        let named: RegistrySettings = settings(keys)?;
        let url = named.url.trim_end_matches('/').to_owned();
        let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        match host.map(|host| host.split('/').next().unwrap_or_default()) {
            None | Some("") => {
                return Err("`url` is missing or no URL: write url = \"https://host:port\"".into());
            }
            // It would stand on every screen.
            Some(host) if host.contains('@') => {
                return Err("`url` holds a user: write username and password instead".into());
            }
            Some(_) => {}
        }
        let text = password("password", named.password, named.password_file, dir)?;
        let credentials = credentials("", named.username, text)?;
        let paths = [named.ssl_ca_location, named.ssl_certificate_location, named.ssl_key_location];
        let tls = if has_tls { Some(tls(&files(dir, paths, false))?) } else { None };
        Ok(RegistryAccess { url, credentials, tls })
    }
}

/// `[store]` with `use = "external"`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CassandraSettings {
    contact_points: List,
    username: Option<String>,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    local_datacenter: Option<String>,
    consistency: Option<Consistency>,
    replication_factor: Option<u32>,
}

impl External for CassandraAccess {
    const KEYS: &'static [&'static str] = &[
        "contact_points",
        "username",
        "password",
        "password_file",
        "local_datacenter",
        "consistency",
        "replication_factor",
    ];

    fn read(keys: Table, dir: &Path) -> Result<CassandraAccess, String> {
        let named: CassandraSettings = settings(keys)?;
        let text = password("password", named.password, named.password_file, dir)?;
        if named.replication_factor == Some(0) {
            return Err("`replication_factor` is 0: no copy would be kept".to_owned());
        }
        Ok(CassandraAccess {
            contact_points: named.contact_points.addresses("contact_points", Some(CQL_PORT))?,
            credentials: credentials("", named.username, text)?,
            tls: None,
            local_datacenter: named.local_datacenter,
            consistency: named.consistency,
            replication_factor: named.replication_factor,
        })
    }
}

/// A ZooKeeper ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ZooKeeperAccess {
    /// ZooKeeper's connect string: `host:port,host:port`, and a path below which all lies.
    pub(crate) connect: String,
}

impl ZooKeeperAccess {
    /// `host:port` of each server.
    pub(crate) fn servers(&self) -> Vec<&str> {
        let servers = self.connect.split('/').next().unwrap_or_default();
        servers.split(',').map(str::trim).filter(|server| !server.is_empty()).collect()
    }
}

/// `[coordination]` with `use = "external"`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ZooKeeperSettings {
    connect: String,
}

impl External for ZooKeeperAccess {
    const KEYS: &'static [&'static str] = &["connect"];

    fn read(keys: Table, _: &Path) -> Result<ZooKeeperAccess, String> {
        let ZooKeeperSettings { connect } = settings(keys)?;
        let access = ZooKeeperAccess { connect };
        let servers = access.servers().into_iter().map(str::to_owned).collect();
        List(servers).addresses("connect", None)?;
        Ok(access)
    }
}
