//! The REST interface as a client meets it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tidemill_registry::storage::{Entry, MemoryStorage, Storage as _};
use tidemill_registry::{Config, Profile, Registry};
use tidemill_runtime::{System as _, World};

/// A registry on a free port.
struct Server {
    registry: Registry,
    client: Client,
}

impl Server {
    async fn start() -> Server {
        Server::start_with(Config::default()).await
    }

    async fn start_with(config: Config) -> Server {
        Server::start_on(config, Arc::new(MemoryStorage::new(World::real()))).await
    }

    async fn start_on(config: Config, storage: Arc<MemoryStorage>) -> Server {
        let config = Config { listen: "127.0.0.1:0".parse().expect("an address"), ..config };
        let registry = Registry::start_on(config, storage, World::real()).await;
        // The client wants a provider even for plain HTTP; whoever comes second finds one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // On loopback no proxy that the environment may name.
        let client = Client::builder().no_proxy().build().expect("a client");
        Server { registry: registry.expect("it starts"), client }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.registry.address()))
    }

    /// Status and body.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::PUT, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        self.ask(Method::DELETE, path, None).await
    }

    async fn register(&self, subject: &str, schema: &Value) -> (u16, Value) {
        let body = json!({"schema": schema.to_string()});
        self.post(&format!("/subjects/{subject}/versions"), body).await
    }
}

fn code(answer: &(u16, Value)) -> (u16, u64) {
    (answer.0, answer.1["error_code"].as_u64().unwrap_or_default())
}

fn user(fields: &[(&str, Option<i32>)]) -> Value {
    let field = |(name, default): &(&str, Option<i32>)| match default {
        Some(default) => json!({"name": name, "type": "int", "default": default}),
        None => json!({"name": name, "type": "int"}),
    };
    let fields: Vec<Value> = fields.iter().map(field).collect();
    json!({"type": "record", "name": "User", "fields": fields})
}

#[tokio::test]
async fn a_schema_is_registered_and_found_in_every_way() {
    let server = Server::start().await;
    let schema = user(&[("a", None)]);
    let text = schema.to_string();
    let (status, body) = server.register("users-value", &schema).await;
    assert_eq!(status, 200);
    let guid = body["guid"].as_str().unwrap().to_owned();
    assert_eq!(
        body,
        json!({"id": 1, "version": 1, "guid": guid, "schemaType": "AVRO", "schema": text})
    );
    let (_, found) = server.post("/subjects/users-value", json!({"schema": text})).await;
    assert_eq!((&found["subject"], &found["version"]), (&json!("users-value"), &json!(1)));
    let (_, version) = server.get("/subjects/users-value/versions/latest").await;
    assert_eq!(version["schema"], text);
    assert_eq!((&version["deleted"], version["ts"].is_i64()), (&json!(false), true));
    for (path, expected) in [
        ("/subjects", json!(["users-value"])),
        ("/subjects/", json!(["users-value"])),
        ("/subjects?subjectPrefix=users", json!(["users-value"])),
        ("/subjects?subjectPrefix=x", json!([])),
        ("/subjects/users-value/versions", json!([1])),
        ("/subjects/users-value/versions/1/schema", schema.clone()),
        ("/subjects/users-value/versions/-1/schema", schema.clone()),
        ("/subjects/users-value/versions/1/referencedby", json!([])),
        ("/schemas/ids/1/schema", schema.clone()),
        ("/schemas/ids/1/subjects", json!(["users-value"])),
        ("/schemas/ids/1/versions", json!([{"subject": "users-value", "version": 1}])),
        ("/schemas/types", json!(["JSON", "PROTOBUF", "AVRO"])),
        ("/contexts", json!(["."])),
        ("/config", json!({"compatibilityLevel": "BACKWARD"})),
        ("/mode", json!({"mode": "READWRITE"})),
        ("/", json!({})),
    ] {
        assert_eq!(server.get(path).await, (200, expected), "{path}");
    }
    let by_id = server.get("/schemas/ids/1?fetchMaxId=true").await.1;
    assert_eq!((&by_id["schema"], &by_id["maxId"]), (&json!(text), &json!(1)));
    assert!(by_id.get("subject").is_none());
    let by_guid = server.get(&format!("/schemas/guids/{guid}")).await.1;
    assert_eq!(by_guid["schema"], text);
    let ids = server.get(&format!("/schemas/guids/{guid}/ids")).await.1;
    assert_eq!(ids, json!([{"context": ".", "id": 1}]));
    assert_eq!(server.get("/schemas").await.1.as_array().map(Vec::len), Some(1));
    let health = server.get("/health").await.1;
    assert_eq!((&health["status"], &health["versions"]), (&json!("ok"), &json!(1)));
}

#[tokio::test]
async fn version_7_gives_short_answers_and_its_own_code() {
    let server = Server::start_with(Config { profile: Profile::V7, ..Config::default() }).await;
    assert_eq!(server.register("s", &user(&[("a", None)])).await, (200, json!({"id": 1})));
    let refused = server.register("s", &user(&[("a", None), ("b", None)])).await;
    assert_eq!(code(&refused), (409, 409));
    let (_, version) = server.get("/subjects/s/versions/1").await;
    let names: Vec<&String> = version.as_object().unwrap().keys().collect();
    assert_eq!(names, ["subject", "version", "id", "schema"]);
}

#[tokio::test]
async fn refusals_carry_the_codes_that_clients_know() {
    let server = Server::start().await;
    server.register("s", &user(&[("a", None)])).await;
    let text = |schema: &str| Some(json!({"schema": schema}));
    let incompatible = Some(json!({"schema": user(&[("a", None), ("b", None)]).to_string()}));
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    for (method, path, body, expected) in [
        (&get, "/subjects/x/versions", None, (404, 40401)),
        (&get, "/subjects/x/versions/1", None, (404, 40401)),
        (&get, "/subjects/s/versions/2", None, (404, 40402)),
        (&get, "/subjects/s/versions/0", None, (422, 42202)),
        (&get, "/subjects/s/versions/a", None, (422, 42202)),
        (&get, "/schemas/ids/9", None, (404, 40403)),
        (&get, "/schemas/ids/x", None, (404, 404)),
        (&get, "/schemas/ids/9/versions", None, (404, 40403)),
        (&get, "/subjects?limit=x", None, (404, 404)),
        (&post, "/subjects/s", text("\"int\""), (404, 40403)),
        (&post, "/subjects/x", text("\"int\""), (404, 40401)),
        (&post, "/subjects/s", text("{"), (422, 42201)),
        (&post, "/subjects/s/versions", text("{\"type\":\"nothing\"}"), (422, 42201)),
        (&post, "/subjects/new/versions", text(""), (422, 42201)),
        (&post, "/subjects/s/versions", incompatible, (409, 40901)),
        (&post, "/subjects/__GLOBAL/versions", text("\"int\""), (422, 42208)),
        (
            &post,
            "/subjects/s/versions",
            Some(json!({"schema": "x", "schemaType": "XML"})),
            (422, 42201),
        ),
        (&post, "/subjects/s/versions", Some(json!({"schema": 1})), (400, 400)),
        (&post, "/subjects/s/versions", Some(Value::Null), (422, 422)),
        (&get, "/config/s", None, (404, 40408)),
        (&delete, "/config/s", None, (404, 40401)),
        (&get, "/mode/s", None, (404, 40409)),
        (&put, "/config", Some(json!({"compatibility": "UP"})), (422, 42203)),
        (&put, "/mode", Some(json!({"mode": "UP"})), (422, 42204)),
        (&put, "/mode", Some(json!({"mode": "IMPORT"})), (422, 42205)),
        (&delete, "/subjects/x", None, (404, 40401)),
        (&delete, "/subjects/s?permanent=true", None, (404, 40405)),
        (&delete, "/subjects/s/versions/1?permanent=true", None, (404, 40407)),
        (&delete, "/subjects/s/versions/7", None, (404, 40402)),
        (&delete, "/contexts/:.:", None, (422, 42211)),
        (&get, "/nowhere", None, (404, 404)),
        (&get, "/subjects/%FF/versions", None, (400, 400)),
        (&delete, "/subjects", None, (405, 405)),
    ] {
        let answer = server.ask(method.clone(), path, body).await;
        assert_eq!(code(&answer), expected, "{method} {path}: {answer:?}");
        assert!(answer.1["message"].is_string(), "{method} {path}: {answer:?}");
    }
    assert_eq!(server.delete("/subjects/s/versions/latest").await, (200, json!(1)));
    assert_eq!(code(&server.delete("/subjects/s/versions/1").await), (404, 40406));
    assert_eq!(code(&server.delete("/subjects/s").await), (404, 40404));
    assert_eq!(server.delete("/subjects/s/versions/1?permanent=true").await, (200, json!(1)));
}

#[tokio::test]
async fn what_deleted_versions_answer() {
    let server = Server::start().await;
    server.register("s", &user(&[("a", None)])).await;
    server.register("s", &user(&[("a", None), ("b", Some(0))])).await;
    assert_eq!(server.delete("/subjects/s/versions/1").await, (200, json!(1)));
    for (path, expected) in [
        ("/subjects/s/versions", json!([2])),
        ("/subjects/s/versions?deleted=true", json!([1, 2])),
        ("/subjects/s/versions?deletedOnly=true", json!([1])),
        ("/subjects/s/versions?deletedAsNegative=true", json!([-1, 2])),
        ("/subjects/s/versions?deleted=true&offset=1&limit=1", json!([2])),
        ("/subjects?deletedOnly=true", json!([])),
        ("/schemas/ids/1/versions", json!([])),
        ("/schemas/ids/1/subjects?deleted=true", json!(["s"])),
    ] {
        assert_eq!(server.get(path).await, (200, expected), "{path}");
    }
    assert_eq!(server.get("/schemas/ids/1").await.0, 200, "data written with it is still there");
    assert_eq!(server.get("/subjects/s/versions/1?deleted=true").await.1["deleted"], true);
    assert_eq!(server.delete("/subjects/s").await, (200, json!([2])));
    assert_eq!(server.get("/subjects?deletedOnly=true").await.1, json!(["s"]));
    assert_eq!(server.delete("/subjects/s?permanent=true").await, (200, json!([1, 2])));
    assert_eq!(server.get("/subjects?deleted=true").await.1, json!([]));
    assert_eq!(code(&server.get("/schemas/ids/1").await), (404, 40403));
}

#[tokio::test]
async fn compatibility_is_asked_without_registering() {
    let server = Server::start().await;
    let fits = json!({"schema": user(&[("a", None), ("b", Some(0))]).to_string()});
    let breaks = json!({"schema": user(&[("c", None)]).to_string()});
    let path = "/compatibility/subjects/s/versions";
    assert_eq!(server.post(path, fits.clone()).await.1, json!({"is_compatible": true}));
    assert_eq!(code(&server.post(&format!("{path}/1"), fits.clone()).await), (404, 40402));
    server.register("s", &user(&[("a", None)])).await;
    for (path, body, compatible) in [
        (path.to_owned(), &fits, true),
        (path.to_owned(), &breaks, false),
        (format!("{path}/latest"), &breaks, false),
        (format!("{path}/1"), &fits, true),
    ] {
        let answer = server.post(&path, body.clone()).await;
        assert_eq!(answer, (200, json!({"is_compatible": compatible})), "{path}");
    }
    let (_, verbose) = server.post(&format!("{path}?verbose=true"), breaks).await;
    let old = user(&[("a", None)]);
    assert_eq!(
        verbose["messages"],
        json!([
            "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'c' at path '/fields/0' in \
             the new schema has no default value and is missing in the old schema', additionalInfo:'c'}",
            "{oldSchemaVersion: 1}",
            format!("{{oldSchema: '{old}'}}"),
            "{validateFields: 'false', compatibility: 'BACKWARD'}",
        ])
    );
    assert_eq!(server.post(&format!("{path}?verbose=true"), fits).await.1["messages"], json!([]));
    let invalid = server.post(&format!("{path}?verbose=true"), json!({"schema": "{"})).await;
    assert_eq!((invalid.0, &invalid.1["is_compatible"]), (200, &json!(false)));
    assert_eq!(server.get("/subjects/s/versions").await.1, json!([1]), "nothing was registered");
}

#[tokio::test]
async fn settings_are_set_merged_and_removed() {
    let server = Server::start().await;
    let full = json!({"compatibility": "full"});
    assert_eq!(server.put("/config", full).await, (200, json!({"compatibility": "FULL"})));
    let none = json!({"compatibility": "NONE"});
    assert_eq!(server.put("/config/s", none.clone()).await, (200, none));
    let normalize = json!({"normalize": true});
    let both = json!({"normalize": true, "compatibility": "NONE"});
    assert_eq!(server.put("/config/s", normalize).await.1, both);
    let own = json!({"normalize": true, "compatibilityLevel": "NONE"});
    assert_eq!(server.get("/config/s").await, (200, own.clone()));
    assert_eq!(
        server.get("/config/t?defaultToGlobal=true").await.1,
        json!({"compatibilityLevel": "FULL"})
    );
    assert_eq!(server.delete("/config/s").await, (200, own));
    assert_eq!(server.delete("/config").await, (200, json!({"compatibilityLevel": "FULL"})));
    assert_eq!(server.get("/config").await.1, json!({"compatibilityLevel": "BACKWARD"}));
    let read_only = json!({"mode": "READONLY"});
    assert_eq!(server.put("/mode/s", read_only.clone()).await, (200, read_only.clone()));
    assert_eq!(code(&server.register("s", &user(&[])).await), (422, 42205));
    assert_eq!(server.delete("/mode/s").await, (200, read_only));
    assert_eq!(server.register("s", &user(&[])).await.0, 200);
}

#[tokio::test]
async fn a_context_is_a_registry_of_its_own() {
    let server = Server::start().await;
    server.register("s", &user(&[("a", None)])).await;
    let (_, body) =
        server.post("/contexts/.c/subjects/s/versions", json!({"schema": "\"int\""})).await;
    assert_eq!((&body["id"], &body["version"]), (&json!(1), &json!(1)));
    server.register(":.c:t", &json!("long")).await;
    for (path, expected) in [
        ("/contexts", json!([".", ".c"])),
        ("/subjects", json!([":.c:s", ":.c:t", "s"])),
        ("/subjects?subjectPrefix=", json!(["s"])),
        ("/contexts/c/subjects", json!([":.c:s", ":.c:t"])),
        ("/contexts/:.c:/subjects?subjectPrefix=t", json!([":.c:t"])),
        ("/contexts/.c/schemas/ids/1/schema", json!("int")),
        ("/schemas/ids/1/schema?subject=:.c:", json!("int")),
        ("/schemas/ids/2/schema?subject=t", json!("long")),
        ("/subjects/t/versions/1/schema", json!("long")),
        ("/schemas/ids/1/schema", user(&[("a", None)])),
        ("/contexts/.c/config?defaultToGlobal=true", json!({"compatibilityLevel": "BACKWARD"})),
    ] {
        assert_eq!(server.get(path).await, (200, expected), "{path}");
    }
    server.put("/contexts/.c/config", json!({"compatibility": "NONE"})).await;
    assert_eq!(server.get("/config/:.c:").await.1, json!({"compatibilityLevel": "NONE"}));
    assert_eq!(server.register(":.c:s", &json!("bytes")).await.0, 200);
    assert_eq!(code(&server.delete("/contexts/.c").await), (422, 42211));
    server.put("/contexts/.d/config", json!({"compatibility": "NONE"})).await;
    assert_eq!(server.delete("/contexts/.d").await.0, 204);
    assert_eq!(server.get("/contexts/a:b/subjects").await.0, 400);
}

#[tokio::test]
async fn subjects_have_any_name_that_a_url_can_carry() {
    let server = Server::start().await;
    for name in ["a%2Fb", "%C3%BC%20x", "a%25b", "..a", "a.b-c_d"] {
        assert_eq!(server.register(name, &json!("int")).await.0, 200, "{name}");
    }
    let (_, subjects) = server.get("/subjects").await;
    assert_eq!(subjects.as_array().map(Vec::len), Some(5), "{subjects}");
    assert!(subjects.as_array().unwrap().contains(&json!("a/b")));
    assert!(subjects.as_array().unwrap().contains(&json!("ü x")));
}

#[tokio::test]
async fn an_alias_leads_requests_to_its_subject() {
    let server = Server::start().await;
    server.put("/config/short", json!({"alias": "the-long-one"})).await;
    server.register("short", &json!("int")).await;
    assert_eq!(server.get("/subjects").await.1, json!(["the-long-one"]));
    assert_eq!(server.get("/subjects/short/versions").await.1, json!([1]));
}

#[tokio::test]
async fn the_form_of_request_and_answer_is_negotiated() {
    let server = Server::start().await;
    let usual = "application/vnd.schemaregistry.v1+json";
    for (accepted, status, kind) in [
        ("*/*", 200, usual),
        ("application/json", 200, "application/json"),
        ("text/html", 406, usual),
    ] {
        let request = server.request(Method::GET, "/subjects").header("accept", accepted);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{accepted}");
        assert_eq!(response.headers()["content-type"], kind, "{accepted}");
    }
    for (sent, status) in [
        (usual, 200),
        ("application/json; charset=utf-8", 200),
        ("application/octet-stream", 200),
        ("text/plain", 415),
    ] {
        let request = server.request(Method::POST, "/subjects/s/versions");
        let request = request.header("content-type", sent).body(r#"{"schema":"\"int\""}"#);
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{sent}");
    }
    let malformed = server.request(Method::POST, "/subjects/s/versions").body("{\"schema\"");
    assert_eq!(malformed.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn pages_of_other_sites_are_not_served() {
    let server = Server::start().await;
    for (header, value, status) in [
        ("host", "evil.example", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "http://localhost:9021", 200),
        ("host", "localhost:8081", 200),
    ] {
        let request = server.request(Method::GET, "/subjects").header(header, value);
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{header}: {value}");
    }
}

#[tokio::test]
async fn a_body_is_limited() {
    let limit = tidemill_runtime::ByteSize::kib(1);
    let server = Server::start_with(Config { request_bytes_max: limit, ..Config::default() }).await;
    let answer = server.register("s", &json!("x".repeat(2000))).await;
    assert_eq!(code(&answer), (413, 413));
}

#[tokio::test]
async fn a_restart_finds_what_was_registered_and_tells_what_it_left_out() {
    let storage = Arc::new(MemoryStorage::new(World::real()));
    let first = Server::start_on(Config::default(), Arc::clone(&storage)).await;
    first.register("s", &user(&[("a", None)])).await;
    first.put("/config/s", json!({"compatibility": "NONE"})).await;
    first.register("s", &json!("int")).await;
    first.delete("/subjects/s/versions/1").await;
    let entry = |key: &'static str, value: &'static str| Entry {
        key: key.as_bytes().into(),
        value: Some(value.as_bytes().into()),
    };
    // What others may have written.
    let strange = vec![
        entry(r#"{"keytype":"ASSOC","magic":0}"#, "{}"),
        entry("\u{1}", "{}"),
        entry(r#"{"keytype":"SCHEMA","subject":"t","version":1,"magic":1}"#, "{"),
        entry(r#"{"keytype":"NOOP","magic":0}"#, ""),
    ];
    storage.append(strange).await.unwrap();
    let ask = async |server: &Server| {
        let paths = ["/schemas?deleted=true", "/config/s", "/subjects", "/schemas/ids/1"];
        let mut answers = Vec::new();
        for path in paths {
            answers.push(server.get(path).await);
        }
        answers
    };
    let before = ask(&first).await;
    first.registry.drain(Duration::from_secs(5)).await;
    let second = Server::start_on(Config::default(), storage).await;
    assert_eq!(ask(&second).await, before);
    assert_eq!(second.get("/health").await.1["skipped_records"], 4);
    assert_eq!(second.register("u", &json!("long")).await.1["id"], 3);
}

#[tokio::test]
async fn requests_at_the_same_time_get_one_id_for_one_schema() {
    let server = Arc::new(Server::start().await);
    let register = |at: usize| {
        let server = Arc::clone(&server);
        async move {
            let schema = user(&[("a", i32::try_from(at % 5).ok())]);
            server.register(&format!("s{}", at % 7), &schema).await
        }
    };
    server.put("/config", json!({"compatibility": "NONE"})).await;
    let answers = futures::future::join_all((0..70).map(register)).await;
    let mut ids: Vec<i64> = answers.iter().filter_map(|(_, body)| body["id"].as_i64()).collect();
    assert_eq!(ids.len(), 70, "{answers:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_drained_registry_has_finished_what_it_was_asked() {
    let server = Server::start().await;
    assert_eq!(server.register("s", &json!("int")).await.0, 200);
    server.registry.drain(Duration::from_secs(5)).await;
    assert!(server.request(Method::GET, "/subjects").send().await.is_err());
}
