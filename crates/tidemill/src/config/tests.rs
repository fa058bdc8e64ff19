use std::fs;

use super::*;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), text).unwrap();
    let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Config::load(dir.path(), pairs)
}

#[test]
fn the_environment_overrides_the_file() {
    let text = "[broker]\nlisten = \"127.0.0.1:1111\"\n";
    let config = load(text, &[("TIDEMILL__BROKER__LISTEN", "127.0.0.1:19092")]).unwrap();
    assert_eq!(config.broker.settings().listen.port(), 19092);
    let config = load(text, &[]).unwrap();
    assert_eq!(config.broker.settings().listen.port(), 1111);
}

#[test]
fn a_wrong_key_is_named_with_its_line_and_the_known_ones() {
    let error = load("[project]\nname = \"x\"\n\n[broker]\nlissten = \"a\"\n", &[]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("tidemill.toml:5: [broker] unknown field `lissten`"), "{error}");
    assert!(error.contains("listen"), "{error}");
}

#[test]
fn a_wrong_variable_is_named() {
    let error = load("", &[("TIDEMILL__STORE__LISTEN", "everywhere")]).unwrap_err();
    assert!(error.to_string().starts_with("TIDEMILL__STORE__LISTEN: [store]"), "{error}");
    let error = load("", &[("TIDEMILL__STORES__LISTEN", "127.0.0.1:1")]).unwrap_err();
    assert!(error.to_string().contains("unknown section [stores]"), "{error}");
}

#[test]
fn a_syntax_error_shows_the_line() {
    let error = load("[broker\n", &[]).unwrap_err().to_string();
    assert!(error.contains("line 1"), "{error}");
}

#[test]
fn only_the_named_boxes_run() {
    let mut config = load("", &[]).unwrap();
    config.only(&["broker".into(), "store".into()]).unwrap();
    assert!(matches!((&config.broker, &config.store), (Use::Embedded(_), Use::Embedded(_))));
    assert!(matches!((&config.engine, &config.console), (Use::Off(_), Use::Off(_))));
    let error = config.only(&["brokers".into()]).unwrap_err().to_string();
    assert!(error.contains("brokers") && error.contains("registry"), "{error}");
}

const CLUSTER: &str = r#"
[broker]
listen = "127.0.0.1:1111"

[profile.cluster.broker]
use = "external"
bootstrap_servers = ["a:9092", "b:9092"]
security_protocol = "SASL_PLAINTEXT"
sasl_mechanism = "SCRAM-SHA-512"
sasl_username = "ada"
sasl_password = "hunter2"

[profile.cluster.store]
use = "external"
contact_points = ["c1", "c2:9142"]
local_datacenter = "dc1"
consistency = "LOCAL_QUORUM"
replication_factor = 3
"#;

#[test]
fn a_profile_is_laid_over_the_file_and_the_environment_over_both() {
    let base = load(CLUSTER, &[]).unwrap();
    assert!(matches!(base.broker, Use::Embedded(_)) && base.profile.is_none());
    assert_eq!(base.profiles, ["local", "cluster"]);

    let config = load(CLUSTER, &[("TIDEMILL_PROFILE", "cluster")]).unwrap();
    let kafka = config.broker.external().unwrap();
    assert_eq!(kafka.bootstrap_servers, ["a:9092", "b:9092"]);
    assert_eq!(kafka.security.protocol(), "SASL_PLAINTEXT");
    assert_eq!(config.broker.settings().listen.port(), 1111, "kept for the day it is ours again");
    let store = config.store.external().unwrap();
    assert_eq!(store.contact_points, ["c1:9042", "c2:9142"]);
    assert_eq!(store.replication_factor, Some(3));

    let servers = ("TIDEMILL__BROKER__BOOTSTRAP_SERVERS", "c:9092, d:9092,");
    let config = load(CLUSTER, &[("TIDEMILL_PROFILE", "cluster"), servers]).unwrap();
    assert_eq!(config.broker.external().unwrap().bootstrap_servers, ["c:9092", "d:9092"]);
}

#[test]
fn of_two_profiles_named_the_later_counts_and_local_is_the_file_itself() {
    let twice = [("TIDEMILL_PROFILE", "nowhere"), ("TIDEMILL_PROFILE", "local")];
    let config = load(CLUSTER, &twice).unwrap();
    assert!(config.broker.external().is_none());
    let error = load(CLUSTER, &[("TIDEMILL_PROFILE", "prod")]).unwrap_err().to_string();
    assert!(error.contains("there is no profile \"prod\"; known are local, cluster"), "{error}");
}

#[test]
fn a_password_is_in_no_debug_output_and_no_error() {
    let config = load(CLUSTER, &[("TIDEMILL_PROFILE", "cluster")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    for broken in [
        CLUSTER.replace("\"hunter2\"", "\"hunter2"),
        CLUSTER.replace("sasl_password", "sasl_passwort"),
        CLUSTER.replace("sasl_username = \"ada\"\n", ""),
        CLUSTER.replace("\"hunter2\"", "[\"hunter2\"]"),
    ] {
        let error = load(&broken, &[("TIDEMILL_PROFILE", "cluster")]).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_address_alone_does_not_decide() {
    let error = load("[broker]\nbootstrap_servers = \"a:1\"\n", &[]).unwrap_err().to_string();
    assert!(error.contains("tidemill.toml:2: [broker] `bootstrap_servers`"), "{error}");
    assert!(error.contains("use = \"external\""), "{error}");
    let error = load("", &[("TIDEMILL__STORE__CONTACT_POINTS", "a")]).unwrap_err().to_string();
    assert!(error.starts_with("TIDEMILL__STORE__CONTACT_POINTS: [store]"), "{error}");
}

#[test]
fn what_is_missing_or_does_not_fit_is_named() {
    let broker = |keys: &str| format!("[broker]\nuse = \"external\"\n{keys}");
    for (text, said) in [
        (broker(""), "`bootstrap_servers` is missing"),
        (broker("bootstrap_servers = \"a\""), "\"a\" is not host:port"),
        (
            broker("bootstrap_servers = \"a:1\"\nsasl_username = \"u\""),
            "`sasl_username` needs security_protocol",
        ),
        (
            broker("bootstrap_servers = \"a:1\"\nssl_ca_location = \"ca.pem\""),
            "`ssl_ca_location` needs security_protocol",
        ),
        (
            broker("bootstrap_servers = \"a:1\"\nsecurity_protocol = \"SASL_SSL\""),
            "`sasl_mechanism` is missing",
        ),
        (
            broker("bootstrap_servers = \"a:1\"\nsecurity_protocol = \"TLS\""),
            "unknown variant `TLS`",
        ),
        (broker("bootstrap_server = \"a:1\""), "`bootstrap_servers`"),
        ("[registry]\nuse = \"external\"\nurl = \"http://u:p@h\"".into(), "`url` holds a user"),
        ("[engine]\nuse = \"external\"".into(), "`use` is \"embedded\""),
        ("[broker]\nuse = \"kafka\"".into(), "\"embedded\" or \"external\""),
        ("[coordination]\nuse = \"external\"\nconnect = \"z\"".into(), "\"z\" is not host:port"),
    ] {
        let error = load(&text, &[]).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn a_password_may_lie_in_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("secret"), "hunter2\n").unwrap();
    let text = CLUSTER.replace("sasl_password = \"hunter2\"", "sasl_password_file = \"secret\"");
    fs::write(dir.path().join(FILE), text).unwrap();
    let chosen = [("TIDEMILL_PROFILE".to_owned(), "cluster".to_owned())];
    let config = Config::load(dir.path(), chosen.into_iter()).unwrap();
    let sasl = config.broker.external().unwrap().security.sasl.clone().unwrap();
    assert_eq!(sasl.credentials.password.reveal(), "hunter2");
}
