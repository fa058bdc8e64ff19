//! Defects of DAG files and scripts that can be seen line by line.

use super::super::sources::code_lines;
use super::{Notice, place};

/// What is wrong in one file.
pub(super) fn find(file: &str, text: &str) -> Vec<Notice> {
    let mut notices = Vec::new();
    let to_json =
        text.contains("json.dumps(") && !text.contains("default=") && !text.contains("cls=");
    for (number, line) in code_lines(text) {
        let code = line.trim().split(" #").next().unwrap_or_default().trim_end();
        let at = || place(file, number);
        if code.starts_with('#') {
            if let Some(key) = commented_key(code)
                && !text.lines().any(|line| assigns(line.trim(), key))
            {
                let what = format!(
                    "{key:?} is commented out: every record comes without it, and a table whose \
                     key it is takes none"
                );
                notices.push(Notice::breaking(
                    at(),
                    what,
                    format!("data['{key}'] = str(uuid.uuid4())"),
                ));
            }
            continue;
        }
        if to_json && let Some(call) = bare_uuid(code) {
            let what = format!(
                "{call} is no JSON: json.dumps raises TypeError and the record is not sent"
            );
            notices.push(Notice::breaking(at(), what, format!("str({call})")));
        }
        if code.contains("checkpointLocation")
            && (code.contains("'/tmp") || code.contains("\"/tmp"))
        {
            let what = "the checkpoint lies in /tmp, which a restart of the machine empties: the \
                        query would begin anew";
            notices.push(Notice::elsewhere(
                at(),
                what,
                "a folder that stays, such as './checkpoint'",
            ));
        }
        if code.contains("schedule_interval=") || code.contains("schedule_interval =") {
            let what = "schedule_interval works here and in Airflow 2; Airflow 3 has dropped it";
            notices.push(Notice::elsewhere(at(), what, "schedule="));
        }
        if code.contains("requests.get(") && code.ends_with(')') && !code.contains("timeout") {
            let what = "requests.get without a timeout waits for ever if the API falls silent";
            notices.push(Notice::elsewhere(at(), what, "timeout=10"));
        }
    }
    notices
}

/// A UUID that stays one: neither text nor its digits are taken of it.
fn bare_uuid(code: &str) -> Option<&'static str> {
    const CALLS: [&str; 4] = ["uuid.uuid4()", "uuid.uuid1()", "uuid4()", "uuid1()"];
    let call = CALLS.into_iter().find(|call| code.contains(call))?;
    let at = code.find(call)?;
    let (before, after) = (&code[..at], &code[at + call.len()..]);
    let becomes_text = ["str(", "repr(", "{", "format(", "print("]
        .iter()
        .any(|word| before.trim_end().ends_with(word))
        || [".hex", ".int", ".urn", ".__str__", ".fields"]
            .iter()
            .any(|word| after.starts_with(word));
    let is_value = before.trim_end().ends_with(['=', ':', ',', '(']) && !before.contains("def ");
    (is_value && !becomes_text).then_some(call)
}

/// The key in `# data['id'] = …`.
fn commented_key(code: &str) -> Option<&str> {
    let code = code.trim_start_matches('#').trim_start();
    let (target, value) = code.split_once('=')?;
    if !value.contains("uuid") {
        return None;
    }
    let (_, rest) = target.split_once('[')?;
    let key = rest.trim().strip_suffix(']')?;
    Some(key.trim_matches(['\'', '"']))
}

fn assigns(line: &str, key: &str) -> bool {
    !line.starts_with('#')
        && [
            format!("['{key}']"),
            format!("[\"{key}\"]"),
            format!("'{key}':"),
            format!("\"{key}\":"),
        ]
        .iter()
        .any(|written| line.contains(written.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(String, bool)> {
        find("f.py", text).into_iter().map(|notice| (notice.place, notice.breaks)).collect()
    }

    #[test]
    fn a_uuid_that_is_no_json_is_seen() {
        let dumps = "\njson.dumps(data).encode('utf-8')\n";
        for broken in [
            "data['id'] = uuid.uuid4()",
            "    data[\"id\"] = uuid.uuid4()  # a new one",
            "d = {'id': uuid.uuid4(), 'a': 1}",
            "data['id'] = uuid4()",
        ] {
            assert_eq!(
                told(&format!("{broken}{dumps}")),
                [("f.py:1".to_owned(), true)],
                "{broken}"
            );
        }
        for fine in [
            "data['id'] = str(uuid.uuid4())",
            "data['id'] = uuid.uuid4().hex",
            "data['id'] = f'{uuid.uuid4()}'",
            "def uuid4(): pass",
        ] {
            assert_eq!(told(&format!("{fine}{dumps}")), [], "{fine}");
        }
        let with_default = "x = uuid.uuid4()\njson.dumps(x, default=str)\n";
        assert_eq!(told(with_default), []);
    }

    #[test]
    fn a_key_that_is_commented_out_is_seen() {
        let text = "    # data['id'] = uuid.uuid4()\n    data['name'] = 1\n";
        assert_eq!(told(text), [("f.py:1".to_owned(), true)]);
        let replaced = "    # data['id'] = uuid.uuid4()\n    data['id'] = str(uuid.uuid4())\n";
        assert_eq!(told(replaced), []);
    }

    #[test]
    fn what_works_here_and_not_elsewhere_is_told_as_such() {
        let text = "DAG('d', schedule_interval='@daily')\n.option('checkpointLocation', \
                    '/tmp/checkpoint')\nres = requests.get('https://x/')\n\"\"\"\nschedule_interval=\n\"\"\"\n";
        assert_eq!(told(text), [1, 2, 3].map(|line| (format!("f.py:{line}"), false)),);
    }
}
