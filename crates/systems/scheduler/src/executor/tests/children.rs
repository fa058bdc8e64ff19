use std::time::Duration;

use serde_json::json;

use super::bench::*;
use crate::core::{Outcome, StopReason};
use crate::executor::Report;

fn bash(command: &str) -> String {
    let command = serde_json::to_string(command).unwrap();
    format!("dag_id: d\nparams: {{name: Ada}}\ntasks: [{{task_id: t, bash: {command}}}]")
}

#[tokio::test]
async fn a_commands_output_is_its_log_and_its_last_line_its_value() {
    let mut bench = Bench::new([]);
    let outcome = bench.run(&bash("echo hello {{ params.name }}; echo oops >&2; echo done")).await;
    assert_eq!(outcome, Outcome::Success { value: Some(json!("done")) });
    let log = bench.log();
    for line in ["hello Ada", "oops", "done"] {
        assert!(log.contains(&line.to_owned()), "{log:?}");
    }
}

#[tokio::test]
async fn an_exit_code_tells_failure_and_skip_apart() {
    let mut bench = Bench::new([]);
    let reason = failure(bench.run(&bash("echo disk full >&2; exit 3")).await);
    assert_eq!(reason, "exit status: 3: disk full");
    let skipped = bench.run(&bash("exit 99")).await;
    assert_eq!(skipped, Outcome::Skipped { reason: "exit code 99".to_owned() });
    let reason = failure(bench.run(&bash("kill -9 $$")).await);
    assert!(reason.contains("signal: 9"), "{reason}");
}

#[tokio::test]
async fn a_child_sees_only_the_documented_environment() {
    let mut bench = Bench::new([]);
    let outcome = bench.run(&bash("env | cut -d= -f1 | sort | tr '\\n' ' '")).await;
    let Outcome::Success { value: Some(names) } = outcome else { panic!("{outcome:?}") };
    let names: Vec<&str> = names.as_str().unwrap().split_whitespace().collect();
    assert!(names.contains(&"AIRFLOW_CTX_DAG_ID") && names.contains(&"PATH"), "{names:?}");
    let shells_own = ["PWD", "SHLVL", "_", "OLDPWD", "PYTHONPATH"];
    for name in names {
        let documented = crate::executor::PASSED_VARIABLES.contains(&name)
            || name.starts_with("AIRFLOW_CTX_")
            || name.starts_with("TIDEMILL_")
            || shells_own.contains(&name);
        assert!(documented, "{name} leaked");
    }
}

#[tokio::test]
async fn a_stopped_command_ends_with_all_it_started() {
    let mut bench = Bench::new([]);
    let attempt =
        bench.begin(&bash("trap 'echo bye; exit 0' TERM; sleep 600 & echo $!; wait"), json!({}));
    let Some(Report::Started { pid: Some(_), .. }) = bench.reports.recv().await else { panic!() };
    let sleeper = bench.line(|line| line.parse::<i32>().ok()).await;
    bench.stop(attempt, StopReason::Timeout(Duration::from_secs(1)));
    let reason = failure(bench.outcome().await);
    assert!(reason.contains("AirflowTaskTimeout"), "{reason}");
    assert!(bench.log().contains(&"bye".to_owned()), "it was told to end, and did");
    // The kernel needs a moment to take a killed process away.
    let gone = async {
        while std::fs::read_to_string(format!("/proc/{sleeper}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z"))
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("what it started is gone");
}

#[tokio::test]
async fn a_command_that_ignores_the_stop_is_killed() {
    let mut bench = Bench::new([]);
    let yaml = bash("trap '' TERM; echo ready; while :; do sleep 0.05; done");
    let attempt = bench.begin(&yaml, json!({}));
    bench.reports.recv().await;
    bench.line(|line| (line == "ready").then_some(())).await;
    bench.stop(attempt, StopReason::Drain);
    assert_eq!(bench.outcome().await, Outcome::Interrupted { value: None });
    assert!(bench.log().iter().any(|line| line.contains("SIGKILL")));
}

#[tokio::test]
async fn a_background_process_does_not_hold_the_task_open() {
    let mut bench = Bench::new([]);
    let outcome = bench.run(&bash("sleep 600 & echo started")).await;
    assert_eq!(outcome, Outcome::Success { value: Some(json!("started")) });
}

#[tokio::test]
async fn an_endless_line_is_cut_and_binary_output_is_shown() {
    let mut bench = Bench::new([]);
    let outcome =
        bench.run(&bash("head -c 200000 /dev/zero | tr '\\0' x; printf '\\xff\\n'; echo ok")).await;
    assert_eq!(outcome, Outcome::Success { value: Some(json!("ok")) });
    assert!(bench.log().iter().all(|line| line.len() < 70_000));
}

#[tokio::test]
async fn a_python_function_gets_arguments_and_leaves_its_return_value() {
    let mut bench = Bench::new([]);
    let code = "import os\ndef greet(name, n):\n    print('working')\n    return {'text': name * n, 'dag': os.environ['AIRFLOW_CTX_DAG_ID']}\n";
    std::fs::write(bench.dir.path().join("work.py"), code).unwrap();
    let yaml = "dag_id: d\nparams: {name: Ab}\ntasks: [{task_id: t, python: {file: work.py, function: greet, args: {name: '{{ params.name }}', n: 2}}}]";
    let outcome = bench.run(yaml).await;
    assert_eq!(outcome, Outcome::Success { value: Some(json!({"text": "AbAb", "dag": "d"})) });
    assert!(bench.log().contains(&"working".to_owned()));
    assert!(
        !std::fs::read_dir(bench.dir.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with("result-") })
    );
    let reason = failure(bench.run(&yaml.replace("greet", "missing")).await);
    assert!(reason.contains("has no attribute 'missing'"), "{reason}");
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_named() {
    let mut bench = Bench::new([]);
    let reason = failure(bench.run(&bash("nosuchprogram")).await);
    assert!(reason.contains("nosuchprogram: command not found"), "{reason}");
}

#[tokio::test]
async fn orphans_of_a_dead_scheduler_are_found_and_killed() {
    let mark = format!("test-{}", std::process::id());
    let mut child = tokio::process::Command::new("sleep")
        .arg("600")
        .env("TIDEMILL_SCHEDULER", &mark)
        .process_group(0)
        .spawn()
        .unwrap();
    // The child has its own program, and so its environment, once spawn has returned.
    assert_eq!(crate::executor::kill_orphans(&mark), 1);
    assert!(!child.wait().await.unwrap().success());
    assert_eq!(crate::executor::kill_orphans(&mark), 0);
}
