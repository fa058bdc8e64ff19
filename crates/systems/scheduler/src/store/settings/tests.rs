use serde_json::json;

use super::*;
use crate::dag::DEFAULT_POOL;
use crate::store::tests::Database;

fn variable(key: &str, value: &str) -> Variable {
    Variable { key: key.to_owned(), value: value.to_owned(), description: None }
}

fn connection(conn_id: &str) -> Connection {
    Connection {
        conn_id: conn_id.to_owned(),
        conn_type: "postgres".to_owned(),
        host: Some("db".to_owned()),
        login: Some("ada".to_owned()),
        password: Some("p@ssw0rd".to_owned()),
        port: Some(5432),
        extra: Some(json!({"sslmode": "require", "token": "tok-123456"}).to_string()),
        ..Connection::default()
    }
}

const ALL: ListFilter = ListFilter { pattern: None, order: Vec::new(), limit: 100, offset: 0 };

#[tokio::test]
async fn variables_are_added_once_replaced_listed_and_removed() {
    for database in Database::each().await {
        let settings = database.settings(Environment::default()).await;
        assert!(settings.add_variable(&variable("a", "1")).await.unwrap());
        assert!(!settings.add_variable(&variable("a", "2")).await.unwrap());
        settings.put_variable(&variable("b_token", "x\u{0}y ü")).await.unwrap();
        settings.put_variable(&variable("a", "3")).await.unwrap();
        assert_eq!(settings.variable("a").await.unwrap().unwrap().value, "3");
        let filter = ListFilter { order: vec![("key", true)], ..ALL };
        let page = settings.variables(&filter).await.unwrap();
        let keys: Vec<&str> = page.items.iter().map(|one| one.key.as_str()).collect();
        assert_eq!((keys, page.total), (vec!["b_token", "a"], 2));
        let filter = ListFilter { pattern: Some("x|TOK".to_owned()), ..ALL };
        assert_eq!(settings.variables(&filter).await.unwrap().total, 1);
        assert!(settings.delete_variable("a").await.unwrap());
        assert!(!settings.delete_variable("a").await.unwrap());
        assert_eq!(settings.variable("a").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_connection_is_kept_sealed_and_handed_out_whole() {
    for database in Database::each().await {
        let settings = database.settings(Environment::default()).await;
        settings.put_connection(&connection("db")).await.unwrap();
        assert_eq!(settings.connection("db").await.unwrap(), Some(connection("db")));
        assert!(!settings.add_connection(&connection("db")).await.unwrap());
        let raw = Sql::new("SELECT password, extra FROM connection");
        let mut lent = settings.database.acquire().await.unwrap();
        let row = raw.fetch_first(&mut lent.session()).await.unwrap().unwrap();
        for column in ["password", "extra"] {
            let text: String = row.get(column).unwrap();
            assert!(text.starts_with("v1:") && !text.contains("p@ss"), "{text}");
        }
        drop(lent);
        assert_eq!(settings.masks().apply("p@ssw0rd"), None, "nobody was given it");
        settings.connection_value("db").await.unwrap().unwrap();
        let line = settings.masks().apply("p@ssw0rd p%40ssw0rd tok-123456 require").unwrap();
        assert_eq!(line, "*** *** *** require");
    }
}

#[tokio::test]
async fn the_environment_comes_first_for_tasks() {
    let environment = Environment::of([
        ("AIRFLOW_VAR_GREETING".to_owned(), "hello".to_owned()),
        ("AIRFLOW_CONN_DB".to_owned(), "postgresql://u:secret1@h:1/s".to_owned()),
        ("AIRFLOW_CONN_BROKEN".to_owned(), "{\"port\": \"x\"}".to_owned()),
        ("PATH".to_owned(), "/bin".to_owned()),
    ]);
    assert_eq!(format!("{environment:?}").matches("AIRFLOW").count(), 3);
    for database in Database::each().await {
        let settings = database.settings(environment.clone()).await;
        settings.put_variable(&variable("greeting", "stored")).await.unwrap();
        settings.put_connection(&connection("db")).await.unwrap();
        let value = settings.variable_value("greeting").await.unwrap();
        assert_eq!(value.as_deref(), Some("hello"));
        assert_eq!(settings.variable("greeting").await.unwrap().unwrap().value, "stored");
        let given = settings.connection_value("db").await.unwrap().unwrap();
        assert_eq!((given.conn_type.as_str(), given.port), ("postgres", Some(1)));
        let error = settings.connection_value("broken").await.unwrap_err().to_string();
        assert!(error.contains("broken") && error.contains("port"), "{error}");
        assert_eq!(settings.variable_value("nosuch").await.unwrap(), None);
    }
}

#[tokio::test]
async fn there_is_a_default_pool_of_128_slots() {
    for database in Database::each().await {
        let settings = database.settings(Environment::default()).await;
        let pool = settings.pool(DEFAULT_POOL).await.unwrap().unwrap();
        assert_eq!((pool.slots, pool.include_deferred), (128, false));
        let small = SlotPool {
            name: "small".to_owned(),
            slots: -1,
            description: None,
            include_deferred: true,
        };
        assert!(settings.add_pool(&small).await.unwrap());
        assert!(!settings.add_pool(&small).await.unwrap());
        settings.put_pool(&SlotPool { slots: 2, ..small.clone() }).await.unwrap();
        let slots = slots(&mut settings.database.acquire().await.unwrap().session()).await.unwrap();
        assert_eq!((slots["default_pool"], slots["small"]), (128, 2));
        assert_eq!(settings.pools(&ALL).await.unwrap().total, 2);
        assert!(settings.pool_use().await.unwrap().is_empty());
        assert!(settings.delete_pool("small").await.unwrap());
    }
}

/// Judged by Airflow 3.3.2's `Connection(uri=…)`.
#[test]
fn uris_are_read_as_airflow_reads_them() {
    type Fields<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>, &'a str, Option<i64>);
    let cases: [(&str, Fields<'_>, Option<&str>); 8] = [
        (
            "postgresql://user:p%40ss@Host:5432/db",
            ("postgres", "host", Some("user"), Some("p@ss"), "db", Some(5432)),
            None,
        ),
        ("google-cloud-platform://", ("google_cloud_platform", "", None, None, "", None), None),
        ("http://https://host.io:80", ("http", "https://host.io", None, None, "", Some(80)), None),
        (
            "aws://k%2F:s%2F@?region=eu&n=5&flag=true&b=",
            ("aws", "", Some("k/"), Some("s/"), "", None),
            Some(r#"{"region":"eu","n":5,"flag":true,"b":""}"#),
        ),
        (
            "kafka://h/?__extra__=%7B%22a%22%3A+%22b%22%7D",
            ("kafka", "h", None, None, "", None),
            Some(r#"{"a": "b"}"#),
        ),
        ("mysql://%2Ftmp%2FSock/db", ("mysql", "/tmp/Sock", None, None, "db", None), None),
        ("ftp://:pw@h/a%2Fb", ("ftp", "h", Some(""), Some("pw"), "a/b", None), None),
        (
            "http://h?u=http%3A%2F%2Fx",
            ("http", "h", None, None, "", None),
            Some(r#"{"u":"http://x"}"#),
        ),
    ];
    for (uri, fields, extra) in cases {
        let one = Connection::from_text("c", uri).unwrap();
        let read = (
            one.conn_type.as_str(),
            one.host.as_deref().unwrap_or_default(),
            one.login.as_deref(),
            one.password.as_deref(),
            one.schema.as_deref().unwrap_or_default(),
            one.port,
        );
        assert_eq!(read, fields, "{uri}");
        assert_eq!(one.extra.as_deref(), extra, "{uri}");
    }
    for broken in ["nothing", "a://b@c://d", "http://h:port", "{}x", "[1]", "{\"x\": 1}"] {
        assert!(Connection::from_text("c", broken).is_err(), "{broken}");
    }
    let one = r#"{"conn_type": "my-sql", "port": "3306", "extra": {"a": 1}, "login": null}"#;
    let one = Connection::from_text("c", one).unwrap();
    assert_eq!((one.conn_type.as_str(), one.port), ("my_sql", Some(3306)));
    assert_eq!(one.extra.as_deref(), Some(r#"{"a":1}"#));
}
