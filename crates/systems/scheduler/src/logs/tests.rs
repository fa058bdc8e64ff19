use super::*;

fn key(try_number: u32) -> LogKey {
    LogKey {
        dag_id: "d".into(),
        run_id: "manual__2026-01-01T00:00:00+00:00/../x".into(),
        task_id: "t".into(),
        try_number,
    }
}

fn logs(size_max: ByteSize) -> (tempfile::TempDir, Logs) {
    let dir = tempfile::tempdir().unwrap();
    let logs = Logs::new(World::real(), dir.path().join("logs"), size_max);
    (dir, logs)
}

fn events(logs: &Logs) -> Vec<String> {
    let chunk = logs.read(&key(1), 0).unwrap().unwrap();
    chunk.lines.iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_try_has_a_file_of_json_lines_in_airflows_place() {
    let (dir, logs) = logs(ByteSize::mib(1));
    let log = logs.create(key(1));
    log.info("one\ntwo");
    log.line("stderr", "three");
    let path =
        "logs/dag_id=d/run_id=manual__2026-01-01T00:00:00+00:00%2F..%2Fx/task_id=t/attempt=1.log";
    let text = std::fs::read_to_string(dir.path().join(path)).unwrap();
    assert_eq!(text.lines().count(), 2);
    let chunk = logs.read(&key(1), 0).unwrap().unwrap();
    assert_eq!(chunk.lines[0]["event"], "one\ntwo");
    assert_eq!(
        (&chunk.lines[1]["level"], &chunk.lines[1]["logger"]),
        (&json!("warning"), &json!("stderr"))
    );
    assert!(!chunk.is_complete);
    log.finish();
    assert!(logs.read(&key(1), chunk.next).unwrap().unwrap().is_complete);
    assert_eq!(logs.read(&key(2), 0).unwrap(), None);
}

#[test]
fn an_error_that_repeats_is_counted() {
    let (_dir, logs) = logs(ByteSize::mib(1));
    let log = logs.create(key(1));
    for _ in 0..412 {
        log.error("HTTP 500");
        log.warning("slow");
    }
    log.error("once");
    log.finish();
    let events = events(&logs);
    assert_eq!(events.len(), 13, "{events:?}");
    assert!(events.contains(&"412 × HTTP 500".to_owned()) && events.contains(&"once".to_owned()));
    assert!(events.contains(&"HTTP 500 (100 times)".to_owned()));
}

#[test]
fn a_line_that_a_child_repeats_is_counted_and_no_other_line_is_lost() {
    let (_dir, logs) = logs(ByteSize::mib(1));
    let log = logs.create(key(1));
    for n in 0..1000 {
        log.line("stdout", "again");
        if n % 100 == 0 {
            log.line("stdout", &format!("progress {n}"));
        }
    }
    log.finish();
    let events = events(&logs);
    assert!(events.len() < 40, "{}", events.len());
    assert_eq!(events.iter().filter(|event| event.starts_with("progress")).count(), 10);
    assert!(events.contains(&"again (1000 times)".to_owned()));
}

#[test]
fn a_thousand_different_errors_do_not_fill_the_log() {
    let (_dir, logs) = logs(ByteSize::mib(1));
    let log = logs.create(key(1));
    for n in 0..1000 {
        log.error(format!("error {n}"));
    }
    log.finish();
    assert!(events(&logs).len() < 80);
}

#[test]
fn a_log_ends_at_its_limit_and_says_so() {
    let (_dir, logs) = logs(ByteSize(2000));
    let log = logs.create(key(1));
    for n in 0..1000 {
        log.info(format!("line {n}"));
    }
    log.finish();
    let events = events(&logs);
    assert!(events.len() < 30, "{}", events.len());
    assert!(events.last().unwrap().contains("has reached 2000B"), "{events:?}");
}

#[tokio::test]
async fn a_log_is_followed_as_it_is_written() {
    let (_dir, logs) = logs(ByteSize::mib(1));
    let log = logs.create(key(1));
    log.info("first");
    let mut follow = logs.follow(key(1), 0);
    assert_eq!(follow.next().await.unwrap().unwrap()[0]["event"], "first");
    let (lines, ()) = tokio::join!(follow.next(), async {
        tokio::task::yield_now().await;
        log.info("second");
    });
    assert_eq!(lines.unwrap().unwrap()[0]["event"], "second");
    let (end, ()) = tokio::join!(follow.next(), async {
        tokio::task::yield_now().await;
        log.finish();
        drop(log);
    });
    assert_eq!(end.unwrap(), None);
    assert_eq!(logs.follow(key(9), 0).next().await.unwrap(), None);
}

#[test]
fn secrets_that_a_task_was_given_are_not_written() {
    let (_dir, logs) = logs(ByteSize::mib(1));
    let masks = Masks::default();
    let logs = logs.masking(masks.clone());
    let log = logs.create(key(1));
    masks.add("hunter22");
    log.line("stdout", "the password is hunter22, isn't it?");
    log.error("refused: hunter22");
    assert_eq!(events(&logs), ["the password is ***, isn't it?", "refused: ***"]);
}
