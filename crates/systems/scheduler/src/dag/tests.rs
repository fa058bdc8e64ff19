use serde_json::json;

use super::*;

const USER_AUTOMATION: &str = include_str!("../../tests/fixtures/user_automation.yaml");

#[test]
fn the_tutorials_dag_is_read_as_meant() {
    let dag = parse("user_automation.yaml", USER_AUTOMATION).unwrap();
    assert_eq!(&*dag.dag_id, "user_automation");
    assert_eq!(dag.schedule_text.as_deref(), Some("@daily"));
    assert_eq!(dag.start_date.unwrap().to_string(), "2023-09-03T10:00:00Z");
    assert_eq!(dag.params.defaults()["rate"], "20/s");
    let task = &dag.tasks[0];
    assert_eq!((&*task.task_id, task.owner.as_str()), ("stream_data_from_api", "airscholar"));
    assert_eq!((task.retry.retries, task.retry.backoff), (3, 2.0));
    let Work::Http(http) = &task.work else { panic!("{:?}", task.work) };
    let output = http.output.as_ref().unwrap();
    let fields = output.value.as_ref().unwrap().as_object().unwrap();
    assert_eq!((output.topic.as_str(), fields.len()), ("users_created", 12));
    assert_eq!(dag.outlets().collect::<Vec<_>>(), [("users_created", &task.task_id)]);
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    let tasks = "tasks: [{task_id: a, bash: x}]";
    for (yaml, place, part) in [
        ("dag_id: d\nschedul: x\ntasks: []".to_owned(), "d.yaml:2:1:", "unknown field `schedul`, expected one of dag_id, description"),
        ("dag_id: d\ntasks:\n  - task_id: a\n    bash: {comand: x}".to_owned(), "d.yaml:4:", "unknown field `comand`, expected one of command, env, cwd"),
        ("dag_id: d\ntasks:\n  - task_id: a\n    http: {url: x, recrods: y}".to_owned(), "d.yaml:4:", "unknown field `recrods`"),
        ("dag_id: d\ntasks:\n  - {task_id: a, bash: x, upstream: [c]}\n  - {task_id: b, bash: x, upstream: [a]}\n  - {task_id: c, bash: x, upstream: [b]}".to_owned(), "d.yaml:3:", "cycle: a → b → c → a"),
        ("dag_id: d\ntasks:\n  - {task_id: a, bash: x, upstream: [a]}".to_owned(), "d.yaml:3:", "cycle: a → a"),
        ("dag_id: d\ntasks:\n  - task_id: a\n    bash: x\n    upstream:\n      - nosuch".to_owned(), "d.yaml:6:9:", "waits for \"nosuch\", which does not exist; tasks: a"),
        ("dag_id: d\ntasks:\n  - {task_id: a, bash: x}\n  - {task_id: a, bash: y}".to_owned(), "d.yaml:4:", "task_id \"a\" is used twice"),
        ("dag_id: d\ntasks:\n  - {task_id: a}".to_owned(), "d.yaml:3:", "does nothing; give one of: empty, http, sql, bash"),
        ("dag_id: d\ntasks:\n  - {task_id: a, bash: x, sql: y}".to_owned(), "d.yaml:3:", "does sql and bash"),
        (format!("dag_id: d\nschedule: 0 25 * * *\n{tasks}"), "d.yaml:2:11:", "\"25\" is not a hour (0-23)"),
        (format!("dag_id: d\nschedule: \"@dayly\"\n{tasks}"), "d.yaml:2:", "schedule \"@dayly\" is unknown; known: @once"),
        (format!("dag_id: d\nstart_date: yesterday\n{tasks}"), "d.yaml:2:13:", "\"yesterday\" is not a date"),
        (format!("dag_id: d\ntimezone: Europe/Lodnon\n{tasks}"), "d.yaml:2:", "\"Europe/Lodnon\" is unknown"),
        (format!("dag_id: d\nmax_active_runs: 0\n{tasks}"), "d.yaml:2:", "has to be 1 or more"),
        (format!("dag_id: d\nschedule: \"@daily\"\ncatchup: true\n{tasks}"), "d.yaml:1:", "catchup: true needs a start_date"),
        (format!("dag_id: two words\n{tasks}"), "d.yaml:1:", "has to be made of letters"),
        ("dag_id: d\ntasks: []".to_owned(), "d.yaml:1:", "has no tasks"),
        ("dag_id: d\ntasks:\n  - {task_id: a, bash: x, trigger_rule: all_sucess}".to_owned(), "d.yaml:3:", "\"all_sucess\" is unknown; known: all_success"),
        ("dag_id: d\ntasks:\n  - {task_id: a, bash: 'echo {{ dss }}'}".to_owned(), "d.yaml:3:", "dss is unknown; known: ds,"),
        ("dag_id: d\ntasks:\n  - {task_id: a, bash: 'echo {{ ds'}".to_owned(), "d.yaml:3:", "template \"echo {{ ds\""),
        ("dag_id: d\ntasks:\n  - {task_id: a, http: {url: x, rate: 20/day}}".to_owned(), "d.yaml:3:", "rate: \"20/day\" is not a rate"),
        ("dag_id: d\ntasks:\n  - {task_id: a, http: {url: x, records: 'a['}}".to_owned(), "d.yaml:3:", "\"a[\" is not a path"),
        ("dag_id: d\ntasks:\n  - {task_id: a, produce: {records: [1]}}".to_owned(), "d.yaml:3:", "produce needs a topic"),
        ("dag_id: d\ntasks:\n  - {task_id: a, bash: x, topic: t}".to_owned(), "d.yaml:3:", "belong to http and produce"),
        ("dag_id: d\ntasks:\n  - {task_id: a, python: {file: ../../x.py, function: f}}".to_owned(), "d.yaml:3:", "has to lie inside the project"),
        ("dag_id: d\n tasks: [".to_owned(), "d.yaml:2:", "mapping values are not allowed"),
        ("dag_id: d\ndag_id: e".to_owned(), "d.yaml:2:1:", "duplicate mapping key"),
        ("- a\n- b".to_owned(), "d.yaml", ""),
        (String::new(), "d.yaml", ""),
    ] {
        let error = parse("d.yaml", &yaml).unwrap_err().to_string();
        assert!(error.starts_with(place) && error.contains(part), "{yaml}\n→ {error}");
    }
}

#[test]
fn an_error_shows_the_line_it_is_about() {
    let error = parse("d.yaml", "dag_id: d\nschedul: x\ntasks: []").unwrap_err().to_string();
    assert!(error.ends_with("\n\n  2 | schedul: x"), "{error}");
}

#[test]
fn params_are_overridden_by_conf_and_keep_their_types() {
    let written = json!({"n": {"default": 1, "type": "integer"}, "s": "x", "any": {"type": "cat"}});
    let params = Params::from_file(written.as_object().unwrap()).unwrap();
    let conf = json!({"n": 2, "extra": true});
    let resolved = params.resolve(conf.as_object().unwrap()).unwrap();
    let expected = json!({"n": 2, "s": "x", "any": {"type": "cat"}, "extra": true});
    assert_eq!(serde_json::Value::Object(resolved), expected);
    let wrong = json!({"n": "2"});
    assert!(params.resolve(wrong.as_object().unwrap()).unwrap_err().contains("n: \"2\""));
    let bad = json!({"n": {"default": 1, "kind": "integer"}});
    assert!(Params::from_file(bad.as_object().unwrap()).unwrap_err().contains("unknown key"));
}

#[test]
fn a_chain_of_ten_thousand_tasks_is_checked_without_deep_recursion() {
    let mut yaml = String::from("dag_id: d\ntasks:\n  - {task_id: t0, empty: }\n");
    for n in 1..10_000 {
        yaml.push_str(&format!("  - {{task_id: t{n}, empty: , upstream: [t{}]}}\n", n - 1));
    }
    assert_eq!(parse("d.yaml", &yaml).unwrap().tasks.len(), 10_000);
}
