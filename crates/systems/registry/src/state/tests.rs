use proptest::prelude::*;

use super::*;
use crate::entity::Reference;

/// A registry that applies what it plans, as the service does, and keeps the log.
struct Bench {
    state: State,
    log: Vec<Record>,
}

impl Bench {
    fn new() -> Bench {
        Bench { state: State::new(Level::Backward), log: Vec::new() }
    }

    fn take<T>(&mut self, plan: Result<Plan<T>, RegistryError>) -> Result<T, RegistryError> {
        let plan = plan?;
        for record in plan.records {
            let bytes =
                (record.key.encode(), record.payload.as_ref().map(|p| p.encode(&record.key)));
            let key = Key::decode(&bytes.0).expect("a key reads back");
            let payload =
                bytes.1.map(|bytes| Payload::decode(&key, &bytes).expect("so does a value"));
            assert_eq!((&key, &payload), (&record.key, &record.payload));
            self.state.apply(record.clone(), 0).expect("what is planned contradicts nothing");
            self.log.push(record);
        }
        Ok(plan.answer)
    }

    fn register(&mut self, subject: &str, text: &str) -> Result<(i32, i32), RegistryError> {
        self.register_request(&request(subject, text))
    }

    fn register_request(&mut self, request: &Registration) -> Result<(i32, i32), RegistryError> {
        let view = self.take(self.state.register(request))?;
        Ok((view.id.unwrap(), view.version.unwrap()))
    }

    fn delete(&mut self, subject: &str, permanent: bool) -> Result<Vec<i32>, RegistryError> {
        self.take(self.state.delete_subject(subject, permanent))
    }

    fn delete_version(&mut self, at: (&str, i32), permanent: bool) -> Result<i32, RegistryError> {
        let version = VersionId::Number(at.1);
        self.take(self.state.delete_version(at.0, version, permanent))
    }

    fn set(&mut self, subject: Option<&str>, update: serde_json::Value) {
        let update = SettingsUpdate(update.as_object().unwrap().clone());
        self.take(self.state.set_settings(subject, &update)).unwrap();
    }

    fn replayed(&self) -> State {
        let mut state = State::new(Level::Backward);
        for record in &self.log {
            state.apply(record.clone(), 0).unwrap();
        }
        state
    }

    /// What a restart finds when the topic was compacted: the last record of each key.
    fn compacted(&self) -> State {
        let mut state = State::new(Level::Backward);
        for (at, record) in self.log.iter().enumerate() {
            let superseded = self.log[at + 1..].iter().any(|later| later.key == record.key);
            if !superseded {
                state.apply(record.clone(), 0).unwrap();
            }
        }
        state
    }
}

/// Everything of a state that can be seen.
fn seen(state: &State) -> String {
    let State { subjects, settings, modes, contexts, ids, digests, referenced, highest, .. } =
        state;
    let subjects: Vec<_> = subjects
        .iter()
        .flat_map(|(subject, versions)| versions.values().map(move |s| (subject, &s.value)))
        .collect();
    let mut digests: Vec<_> = digests.iter().collect();
    digests.sort();
    format!(
        "{subjects:#?}{settings:#?}{modes:#?}{contexts:#?}{ids:#?}{digests:#?}{referenced:#?}{highest:#?}"
    )
}

fn request(subject: &str, text: &str) -> Registration {
    Registration {
        subject: subject.to_owned(),
        schema: Some(text.to_owned()),
        ..Registration::default()
    }
}

fn record(name: &str, fields: &str) -> String {
    format!(r#"{{"type":"record","name":"{name}","fields":[{fields}]}}"#)
}

fn reference(name: &str, subject: &str, version: i32) -> Reference {
    Reference { name: name.to_owned(), subject: subject.to_owned(), version }
}

const ID: &str = r#"{"name":"id","type":"string"}"#;
const AGE_0: &str = r#"{"name":"age","type":"int","default":0}"#;

#[test]
fn equal_content_has_one_id_everywhere_and_a_version_in_each_subject() {
    let mut bench = Bench::new();
    assert_eq!(bench.register("a", r#""int""#), Ok((1, 1)));
    assert_eq!(bench.register("a", r#" { "type": "int" } "#), Ok((1, 1)), "the same, spaced");
    assert_eq!(bench.register("b", r#""string""#), Ok((2, 1)));
    assert_eq!(bench.register("b", r#""bytes""#), Ok((3, 2)));
    assert_eq!(bench.register("c", r#""int""#), Ok((1, 1)));
    assert_eq!(bench.register(":.other:a", r#""bytes""#), Ok((1, 1)), "a context counts by itself");
    assert_eq!(bench.state.contexts(), [".", ".other"]);
}

#[test]
fn an_incompatible_schema_is_refused_with_every_reason() {
    let mut bench = Bench::new();
    bench.register("s", &record("U", ID)).unwrap();
    let new = record("U", r#"{"name":"key","type":"string"},{"name":"n","type":"int"}"#);
    let Err(RegistryError::Incompatible { messages, .. }) = bench.register("s", &new) else {
        panic!("accepted");
    };
    assert_eq!(messages.len(), 5, "{messages:?}");
    assert_eq!(messages[4], "{validateFields: 'false', compatibility: 'BACKWARD'}");
    bench.set(Some("s"), serde_json::json!({"compatibility": "none"}));
    assert_eq!(bench.register("s", &new), Ok((2, 2)));
}

#[test]
fn versions_go_on_after_a_soft_deletion_and_begin_again_after_a_permanent_one() {
    let mut bench = Bench::new();
    bench.register("s", &record("U", ID)).unwrap();
    bench.register("s", &record("U", &format!("{ID},{AGE_0}"))).unwrap();
    assert_eq!(bench.delete("s", true), Err(RegistryError::SubjectNotSoftDeleted("s".to_owned())));
    assert_eq!(bench.delete("s", false), Ok(vec![1, 2]));
    assert_eq!(bench.delete("s", false), Err(RegistryError::SubjectSoftDeleted("s".to_owned())));
    assert!(bench.state.by_id(1, None).is_ok(), "data written with it is still there");
    assert_eq!(bench.register("s", &record("U", ID)), Ok((1, 3)), "its old id, a new version");
    let numbers = bench.state.version_numbers("s", Deleted::Shown).unwrap();
    assert_eq!(numbers, [(2, true), (3, false)], "the older version of the same content ends");
    bench.delete("s", false).unwrap();
    assert_eq!(bench.delete("s", true), Ok(vec![2, 3]));
    assert_eq!(bench.delete("s", true), Err(RegistryError::SubjectNotFound("s".to_owned())));
    assert_eq!(bench.register("s", r#""int""#), Ok((3, 1)), "ids are never given again");
}

#[test]
fn an_id_is_not_given_again_when_the_topic_was_compacted() {
    let mut bench = Bench::new();
    bench.register("a", r#""int""#).unwrap();
    bench.register("b", r#""long""#).unwrap();
    bench.delete("b", false).unwrap();
    bench.delete("b", true).unwrap();
    bench.state = bench.compacted();
    assert_eq!(bench.register("c", r#""long""#), Ok((3, 1)));
}

#[test]
fn a_deletion_deletes_again_what_an_earlier_one_did() {
    let mut bench = Bench::new();
    bench.take(bench.state.set_mode(None, Some(Mode::Import), false)).unwrap();
    for (id, version) in [(4, 4), (1, 1)] {
        let import =
            Registration { id: Some(id), version: Some(version), ..request("s", r#""int""#) };
        bench.register_request(&import).unwrap();
        assert_eq!(bench.delete("s", false), Ok(vec![version]));
    }
    let numbers = bench.compacted().version_numbers("s", Deleted::Shown).unwrap();
    assert_eq!(numbers, [(1, true), (4, true)]);
}

#[test]
fn what_others_build_on_cannot_be_deleted() {
    let mut bench = Bench::new();
    bench.register("address", &record("Address", r#"{"name":"city","type":"string"}"#)).unwrap();
    let user = record("User", r#"{"name":"home","type":"Address"}"#);
    assert!(matches!(bench.register("user", &user), Err(RegistryError::InvalidSchema(_))));
    let mut request = request("user", &user);
    request.references = vec![reference("Address", "address", -1)];
    assert_eq!(bench.register_request(&request), Ok((2, 1)));
    let stored = bench.state.version("user", VersionId::Latest, false).unwrap();
    assert_eq!(stored.references, [reference("Address", "address", 1)], "-1 is the latest");
    assert_eq!(stored.schema, user, "what it builds on is not repeated");
    assert_eq!(bench.state.referenced_by("address", VersionId::Latest, false), Ok(vec![2]));
    let refused = || RegistryError::ReferenceExists { subject: "address".to_owned(), version: 1 };
    assert_eq!(bench.delete("address", false), Err(refused()));
    assert_eq!(bench.delete_version(("address", 1), false), Err(refused()));
    // The same schema with the other one repeated in it is the same schema.
    let inline = bench.state.formatted(&stored, "resolved").unwrap();
    assert!(inline.contains("city"));
    assert_eq!(bench.register("user", &inline), Ok((2, 1)));
    bench.delete("user", false).unwrap();
    bench.delete("address", false).unwrap();
    assert_eq!(bench.delete("address", true), Err(refused()), "the user may be restored");
    bench.delete("user", true).unwrap();
    bench.delete("address", true).unwrap();
}

#[test]
fn schemas_that_cannot_be_compared_are_refused_and_not_passed() {
    let mut bench = Bench::new();
    let json =
        |text: &str| Registration { schema_type: Some("JSON".to_owned()), ..request("j", text) };
    assert_eq!(bench.register_request(&json(r#"{"type":"object"}"#)), Ok((1, 1)));
    assert_eq!(bench.register_request(&json(r#"{ "type" : "object" }"#)), Ok((1, 1)));
    let refused = bench.register_request(&json(r#"{"type":"string"}"#)).unwrap_err();
    assert!(matches!(refused, RegistryError::NotPermitted(_)), "{refused}");
    assert!(refused.to_string().contains("/config/j"), "{refused}");
    let other = bench.register("j", r#""int""#).unwrap_err();
    assert!(other.to_string().contains("different schema type"), "{other}");
    bench.set(None, serde_json::json!({"compatibility": "NONE"}));
    assert_eq!(bench.register_request(&json(r#"{"type":"string"}"#)), Ok((2, 2)));
    assert_eq!(bench.register("j", r#""int""#), Ok((3, 3)));
}

#[test]
fn a_read_only_subject_takes_nothing_and_an_import_brings_its_own_ids() {
    let mut bench = Bench::new();
    bench.register("s", r#""int""#).unwrap();
    bench.take(bench.state.set_mode(Some("s"), Some(Mode::ReadOnly), false)).unwrap();
    assert_eq!(bench.register("s", r#""int""#), Ok((1, 1)), "what is there is found");
    for refused in [
        bench.register("s", r#""long""#).map(|_| ()),
        bench.delete("s", false).map(|_| ()),
        bench
            .register_request(&Registration { id: Some(9), ..request("t", r#""long""#) })
            .map(|_| ()),
    ] {
        assert!(matches!(refused, Err(RegistryError::NotPermitted(_))), "{refused:?}");
    }
    let refused = bench.state.set_mode(None, Some(Mode::Import), false).unwrap_err();
    assert_eq!(refused.to_string(), "Cannot import since found existing subjects");
    bench.take(bench.state.set_mode(Some("t"), Some(Mode::Import), false)).unwrap();
    let import = Registration { id: Some(70), version: Some(5), ..request("t", r#""long""#) };
    assert_eq!(bench.register_request(&import), Ok((70, 5)));
    assert_eq!(bench.register_request(&import), Ok((70, 5)), "twice is once");
    let other = Registration { id: Some(70), ..request("t", r#""bytes""#) };
    let refused = bench.register_request(&other).unwrap_err();
    assert!(refused.to_string().contains("Overwrite new schema with id 70"), "{refused}");
    bench.take(bench.state.delete_mode(Some("t"), false)).unwrap();
    assert_eq!(bench.register("u", r#""bytes""#), Ok((71, 1)));
}

#[test]
fn settings_come_from_the_nearest_place() {
    let mut bench = Bench::new();
    let level = |bench: &Bench, subject: &str| {
        bench.state.settings_in_scope(Some(subject)).compatibility_level.unwrap()
    };
    assert_eq!(level(&bench, "s"), Level::Backward);
    bench.set(Some(":.__GLOBAL:"), serde_json::json!({"compatibility": "NONE"}));
    assert_eq!((level(&bench, "s"), level(&bench, ":.c:s")), (Level::None, Level::None));
    bench.set(None, serde_json::json!({"compatibility": "FULL", "normalize": true}));
    assert_eq!((level(&bench, "s"), level(&bench, ":.c:s")), (Level::Full, Level::None));
    bench.set(Some(":.c:"), serde_json::json!({"compatibility": "FORWARD"}));
    assert_eq!(level(&bench, ":.c:s"), Level::Forward);
    bench.set(Some("s"), serde_json::json!({"compatibility": "FORWARD_TRANSITIVE"}));
    let own = bench.state.settings_in_scope(Some("s"));
    assert_eq!(
        (own.compatibility_level, own.normalize),
        (Some(Level::ForwardTransitive), Some(true))
    );
    bench.set(Some("s"), serde_json::json!({"compatibility": null, "alias": "t"}));
    assert_eq!(bench.state.alias_of("s").as_deref(), Some("t"));
    assert_eq!(bench.state.own_settings(Some("x")), None);
    let wrong = SettingsUpdate([("compatibility".to_owned(), "UP".into())].into_iter().collect());
    assert_eq!(bench.state.set_settings(None, &wrong), Err(RegistryError::InvalidLevel));
}

#[test]
fn metadata_and_rules_are_inherited_and_named_versions_are_checked() {
    let mut bench = Bench::new();
    let owner = serde_json::json!({"properties": {"owner": "x"}});
    let request_1 = Registration {
        metadata: serde_json::from_value(owner).unwrap(),
        ..request("s", r#""int""#)
    };
    bench.register_request(&request_1).unwrap();
    assert_eq!(bench.register("s", r#""int""#), Ok((1, 1)), "found by what it would inherit");
    bench.register("s", r#""long""#).unwrap();
    let latest = bench.state.version("s", VersionId::Latest, false).unwrap();
    assert_eq!(latest.metadata, request_1.metadata);
    let wanted = [("owner".to_owned(), "x".to_owned())];
    assert_eq!(bench.state.latest_with_metadata("s", &wanted, false).unwrap().version, Some(2));
    let named = Registration { version: Some(-1), ..request("t", r#""double""#) };
    assert_eq!(bench.register_request(&named), Ok((3, 1)));
    let latest = bench.state.version("t", VersionId::Latest, false).unwrap();
    assert_eq!(latest.metadata.unwrap().version(), Some("1"));
    assert_eq!(bench.register("t", r#""double""#), Ok((3, 1)), "without its named version");
    let wrong = Registration { version: Some(9), ..request("s", r#""float""#) };
    let refused = bench.register_request(&wrong).unwrap_err();
    assert_eq!(refused.to_string(), "Version is not one more than previous version");
}

#[test]
fn a_record_that_gives_an_id_to_another_schema_is_left_out() {
    let mut bench = Bench::new();
    bench.register("s", r#""int""#).unwrap();
    let Some(Record { payload: Some(Payload::Schema(mut value)), .. }) = bench.log.last().cloned()
    else {
        panic!("a schema was registered");
    };
    value.schema = r#""long""#.to_owned();
    value.subject = "t".to_owned();
    let key = Key::Schema { subject: "t".to_owned(), version: 1 };
    let before = seen(&bench.state);
    let conflict = bench.state.apply(Record::new(key, Payload::Schema(value)), 0).unwrap_err();
    assert!(conflict.to_string().contains("id 1"));
    assert_eq!(seen(&bench.state), before);
}

#[derive(Debug, Clone)]
enum Step {
    Register { subject: usize, schema: usize, by_reference: bool },
    DeleteVersion { subject: usize, version: i32, permanent: bool },
    DeleteSubject { subject: usize, permanent: bool },
    Level { subject: Option<usize>, level: usize },
    Mode { subject: Option<usize>, mode: usize, force: bool },
    Import { subject: usize, schema: usize, id: i32, version: i32 },
    DeleteSettings { subject: usize },
}

const SUBJECTS: [&str; 4] = ["a", "b", ":.c:a", ":.c:b"];
const TEXTS: [&str; 5] = [
    r#""int""#,
    r#""long""#,
    r#""string""#,
    r#"["null","int"]"#,
    r#"{"type":"record","name":"N","fields":[]}"#,
];
const MODES: [Mode; 3] = [Mode::ReadWrite, Mode::ReadOnly, Mode::Import];

fn any_step() -> impl Strategy<Value = Step> {
    let subject = 0..SUBJECTS.len();
    let named = prop::option::of(subject.clone());
    prop_oneof![
        6 => (subject.clone(), 0..TEXTS.len(), any::<bool>()).prop_map(|(subject, schema, by_reference)| Step::Register { subject, schema, by_reference }),
        3 => (subject.clone(), 1..5, any::<bool>()).prop_map(|(subject, version, permanent)| Step::DeleteVersion { subject, version, permanent }),
        2 => (subject.clone(), any::<bool>()).prop_map(|(subject, permanent)| Step::DeleteSubject { subject, permanent }),
        2 => (named.clone(), 0..Level::ALL.len()).prop_map(|(subject, level)| Step::Level { subject, level }),
        1 => (named, 0..MODES.len(), any::<bool>()).prop_map(|(subject, mode, force)| Step::Mode { subject, mode, force }),
        1 => (subject.clone(), 0..TEXTS.len(), 1..9, 1..5).prop_map(|(subject, schema, id, version)| Step::Import { subject, schema, id, version }),
        1 => subject.prop_map(|subject| Step::DeleteSettings { subject }),
    ]
}

/// A refusal is fine; what is planned must apply.
fn take(bench: &mut Bench, step: &Step) {
    let _ = match step.clone() {
        Step::Register { subject, schema, by_reference } => {
            let mut request = request(SUBJECTS[subject], TEXTS[schema]);
            if by_reference {
                request.references = vec![reference("N", "b", -1)];
            }
            bench.register_request(&request).map(|_| ())
        }
        Step::DeleteVersion { subject, version, permanent } => {
            bench.delete_version((SUBJECTS[subject], version), permanent).map(|_| ())
        }
        Step::DeleteSubject { subject, permanent } => {
            bench.delete(SUBJECTS[subject], permanent).map(|_| ())
        }
        Step::Level { subject, level } => {
            let level = serde_json::json!({"compatibility": Level::ALL[level].as_str()});
            let update = SettingsUpdate(level.as_object().unwrap().clone());
            let target = subject.map(|subject| SUBJECTS[subject]);
            bench.take(bench.state.set_settings(target, &update)).map(|_| ())
        }
        Step::Mode { subject, mode, force } => {
            let target = subject.map(|subject| SUBJECTS[subject]);
            bench.take(bench.state.set_mode(target, Some(MODES[mode]), force))
        }
        Step::Import { subject, schema, id, version } => {
            let request = Registration {
                id: Some(id),
                version: Some(version),
                ..request(SUBJECTS[subject], TEXTS[schema])
            };
            bench.register_request(&request).map(|_| ())
        }
        Step::DeleteSettings { subject } => {
            bench.take(bench.state.delete_settings(Some(SUBJECTS[subject]))).map(|_| ())
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_finds_the_state_that_was(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut bench = Bench::new();
        let mut given = std::collections::BTreeMap::new();
        for step in &steps {
            take(&mut bench, step);
            for (context, highest) in &bench.state.highest {
                let before = given.insert(context.clone(), *highest).unwrap_or(0);
                prop_assert!(*highest >= before, "ids of {} went back", context);
            }
        }
        prop_assert_eq!(seen(&bench.replayed()), seen(&bench.state));
        prop_assert_eq!(seen(&bench.compacted()), seen(&bench.state));
    }

    #[test]
    fn nothing_that_is_built_on_is_ever_missing(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut bench = Bench::new();
        for step in &steps {
            take(&mut bench, step);
            for versions in bench.state.subjects.values() {
                for stored in versions.values() {
                    prop_assert!(bench.state.parsed(stored).is_ok(), "{:?}", stored.value);
                }
            }
        }
    }
}
