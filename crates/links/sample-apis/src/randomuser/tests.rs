//! The service over a socket, and the shape of its people against the original's.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tidemill_runtime::{Tasks, World};

use super::people::page;
use super::request::{FIELDS, PeopleRequest};
use super::{Faults, Service, TIMEOUT_HOLD};
use crate::test_client::{get, get_from, start};
use crate::{SampleApi, serve_as};

/// What the original sends, measured.
const SHAPE: &str = include_str!("shape.json");

async fn server(faults: &str) -> SocketAddr {
    start(SampleApi::RandomUser { faults: faults.parse().unwrap() }).await
}

#[tokio::test]
async fn a_seed_gives_the_same_bytes_and_no_seed_gives_fresh_people() {
    let (other, server) = (server("").await, server("").await);
    let path = "/api/?seed=demo&results=3&page=2";
    let answer = get(server, path).await;
    assert_eq!(answer.body, get(other, path).await.body);
    assert_eq!(answer.body, get(server, "/api/1.4?seed=demo&results=3&page=2").await.body);
    for header in ["content-type: application/json; charset=utf-8", "cache-control: no-cache"] {
        assert!(answer.head.contains(header), "{}", answer.head);
    }
    let (first, second) = (get(server, "/api").await.json(), get(server, "/api/").await.json());
    let seed = first["info"]["seed"].as_str().unwrap();
    assert!(seed.len() == 16 && seed.bytes().all(|digit| digit.is_ascii_hexdigit()), "{seed}");
    assert_ne!(first["info"]["seed"], second["info"]["seed"]);
    assert_eq!(
        get(server, &format!("/api/?seed={seed}")).await.json()["results"],
        first["results"]
    );
}

#[tokio::test]
async fn the_info_block_and_the_formats_are_those_of_the_original() {
    let server = server("").await;
    for (query, body) in [
        (
            "seed=abc&inc=none",
            r#"{"results":[{}],"info":{"seed":"abc","results":1,"page":1,"version":"1.4"}}"#,
        ),
        ("seed=abc&inc=none&noinfo", r#"{"results":[{}]}"#),
        (
            "seed=0123456789abcdef05&inc=nat",
            concat!(
                r#"{"results":[{"nat":"DK"}],"#,
                r#""info":{"seed":"0123456789abcdef0505","results":1,"page":1,"version":"1.4"}}"#
            ),
        ),
        (
            "seed=abc&inc=nat&nat=gb&format=pretty&noinfo",
            "{\n  \"results\": [\n    {\n      \"nat\": \"GB\"\n    }\n  ]\n}",
        ),
        ("seed=abc&inc=nat&nat=gb&results=2&format=csv", "nat\nGB\nGB"),
    ] {
        let answer = get(server, &format!("/api/?{query}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{query}");
    }
    let csv = get(server, "/api/?seed=abc&results=20&format=csv").await;
    assert!(csv.head.contains("content-type: text/csv; charset=utf-8"), "{}", csv.head);
    let shape: Value = serde_json::from_str(SHAPE).unwrap();
    let columns: Vec<&str> =
        shape["fields"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(csv.body.lines().next().unwrap(), columns.join(","));
    assert_eq!(csv.body.lines().count(), 21);
}

#[tokio::test]
async fn what_is_not_served_says_so_in_the_originals_shape() {
    let server = server("").await;
    for (path, status, reason) in [
        ("/api/1.3/", 404, "version 1.3 is not served here"),
        ("/", 404, "nothing is served at /"),
        ("/api/?format=xml", 400, "format xml is not served here"),
        ("/api/?fault=boom", 400, "fault \\\"boom\\\" is unknown"),
        ("/api/?latency=long", 400, "latency \\\"long\\\" is not a duration"),
        ("/api/portraits/men/100.svg", 404, "no portrait men/100.svg"),
        ("/api/portraits/big/men/1.svg", 404, "no portraits of size"),
    ] {
        let answer = get(server, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body.starts_with(r#"{"error":""#) && answer.body.contains(reason), "{path}");
    }
    assert_eq!(get(server, "/api/?seed=%ff%00&nat=%").await.status, 200);
    assert_eq!(get_from(server, "evil.example", "/api/").await.status, 403);
    assert_eq!(get(server, "/health").await.status, 200);
}

#[tokio::test]
async fn it_answers_for_the_original_only_where_it_was_told_to() {
    let any = "127.0.0.1:0".parse().unwrap();
    let (api, tasks) = (SampleApi::random_user(), Tasks::new());
    let server = serve_as(&["randomuser.me"], any, api, World::real(), &tasks).await.unwrap();
    for (host, status) in [("randomuser.me", 200), ("localhost", 200), ("evil.example", 403)] {
        assert_eq!(get_from(server, host, "/api/").await.status, status, "{host}");
    }
}

#[tokio::test]
async fn pictures_are_served_where_their_links_point() {
    let server = server("").await;
    let person = &get(server, "/api/?seed=demo&inc=picture").await.json()["results"][0]["picture"];
    for (size, pixels) in [("large", 128), ("medium", 72), ("thumbnail", 48)] {
        let link = person[size].as_str().unwrap();
        let picture = get(server, link.strip_prefix("http://localhost").unwrap()).await;
        assert!(picture.head.contains("content-type: image/svg+xml"), "{}", picture.head);
        assert!(picture.body.contains(&format!("width=\"{pixels}\"")), "{}", picture.body);
    }
}

#[tokio::test]
async fn faults_hit_the_same_requests_of_a_seed_after_every_start() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let server = server("500@0.3,garbage@0.2,empty@0.2").await;
        let mut run = Vec::new();
        for _ in 0..40 {
            run.push(get(server, "/api/?seed=demo&inc=nat").await);
        }
        runs.push(run.into_iter().map(|answer| (answer.status, answer.body)).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    let kind = |(status, body): &(u16, String)| match (status, serde_json::from_str::<Value>(body))
    {
        (200, Err(_)) => "garbage",
        (200, Ok(answer)) if answer["results"] == Value::Array(Vec::new()) => "empty",
        (200, Ok(_)) => "people",
        (500, Ok(answer)) if answer["error"].is_string() => "error",
        other => panic!("{other:?}"),
    };
    let kinds: BTreeSet<&str> = runs[0].iter().map(kind).collect();
    assert_eq!(kinds, BTreeSet::from(["empty", "error", "garbage", "people"]));
}

#[tokio::test]
async fn a_request_may_order_its_own_faults() {
    let server = server("500").await;
    assert_eq!(get(server, "/api/").await.status, 500);
    assert_eq!(get(server, "/api/?fault=429").await.status, 429);
    assert_eq!(get(server, "/api/?fault=500@0").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn latency_and_timeout_take_their_time() {
    let server = server("").await;
    for (query, status, seconds) in
        [("latency=2s", 200, 2), ("fault=503&latency=2s", 503, 2), ("fault=timeout", 504, 60)]
    {
        let begun = tokio::time::Instant::now();
        assert_eq!(get(server, &format!("/api/?{query}")).await.status, status, "{query}");
        let taken = begun.elapsed();
        let expected = Duration::from_secs(seconds);
        assert!(
            taken >= expected && taken < expected + Duration::from_secs(1),
            "{query}: {taken:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_requests_that_are_held() {
    let (tasks, world) = (Tasks::new(), World::real());
    let (faults, counts) = (Faults::default(), Mutex::default());
    let service = Service { faults, counts, world, shutdown: tasks.shutdown() };
    let begun = tokio::time::Instant::now();
    tokio::join!(service.wait(TIMEOUT_HOLD), async { tasks.shutdown().request() });
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

/// Every form of every number that the original sends is sent here, and no other.
#[test]
fn people_of_every_nationality_have_the_shape_of_the_originals() {
    let shape: Value = serde_json::from_str(SHAPE).unwrap();
    let fields = shape["fields"].as_object().unwrap();
    for (nat, expected) in shape["nationalities"].as_object().unwrap() {
        let query = [("seed", "shape"), ("results", "250"), ("nat", nat)];
        let pairs = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let people = page(&PeopleRequest::parse(&pairs).unwrap(), "shape", "http://localhost");
        let mut types = fields.clone();
        types.extend(expected["types"].as_object().unwrap().clone());
        for person in &people {
            assert_eq!(types_of(person), types, "{nat}");
            assert!(person.as_object().unwrap().keys().eq(FIELDS.iter()), "{nat}");
        }
        let forms = |path: &str| -> BTreeSet<String> {
            people.iter().map(|person| form(at(person, path))).collect()
        };
        for path in ["phone", "cell", "id.value", "location.postcode"] {
            let expected = expected[format!("form of {path}")].as_array().unwrap();
            let expected = expected.iter().map(|form| form.as_str().unwrap_or("null").to_owned());
            assert_eq!(forms(path), expected.collect(), "{nat} {path}");
        }
        let titles = people.iter().map(|person| {
            let words = ["gender", "name.title"].map(|path| at(person, path).as_str().unwrap());
            Value::from(words.join(" "))
        });
        let titles: BTreeSet<String> = titles.map(|title| title.to_string()).collect();
        let known = expected["titles"].as_array().unwrap().iter().map(Value::to_string);
        assert_eq!(titles, known.collect(), "{nat}");
        for (path, name) in [("location.country", "country"), ("id.name", "id.name")] {
            assert!(
                people.iter().all(|person| *at(person, path) == expected[name]),
                "{nat} {path}"
            );
        }
    }
}

fn at<'a>(person: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(person, |value, field| &value[field])
}

/// The paths of a person in their order, each with the type of its value.
fn types_of(person: &Value) -> Map<String, Value> {
    let mut types = Map::new();
    let mut open = vec![(String::new(), person)];
    while let Some((path, value)) = open.pop() {
        let kind = match value {
            Value::Object(fields) => {
                let below = |(name, field)| (format!("{path}.{name}"), field);
                open.extend(fields.iter().map(below).rev());
                continue;
            }
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Null => "null",
            other => panic!("{path}: {other}"),
        };
        types.insert(path.trim_start_matches('.').to_owned(), kind.into());
    }
    types
}

/// Text with every digit as 0 and every letter as A or a; of a number, how many digits it has.
fn form(value: &Value) -> String {
    let Some(text) = value.as_str() else {
        return value
            .as_i64()
            .map_or("null".to_owned(), |number| number.to_string().len().to_string());
    };
    let sign = |letter: char| match letter {
        digit if digit.is_numeric() => '0',
        upper if upper.is_uppercase() => 'A',
        lower if lower.is_alphabetic() => 'a',
        other => other,
    };
    text.chars().map(sign).collect()
}
