//! What the terminal shows of a compose project: which service became which box, what was not
//! opened or started and why, and what is wrong in the project's own files.

use serde_json::{Value, json};

use super::defects::Notice;
use super::plan::{Line, Plan};
use super::project::ComposeProject;
use super::role::{Part, Role};

/// Characters of the column with the services' names at most.
const NAME_CHARS_MAX: usize = 28;

/// One line per service: its name, the box, its ports and names, and what is left out. `runs` tells
/// whether this Tidemill has such a box.
pub(super) fn services(project: &ComposeProject, runs: impl Fn(Part) -> bool) -> Vec<String> {
    let lines = &project.plan.lines;
    let longest = lines.iter().map(|line| line.service.chars().count()).max().unwrap_or(0);
    let width = longest.min(NAME_CHARS_MAX);
    let boxes = lines.iter().map(|line| line.role.to_string().chars().count());
    let box_width = boxes.max().unwrap_or(0);
    let shown = |line: &Line| {
        let what = what(line, &runs);
        format!("{:<width$} → {:<box_width$}  {what}", line.service, line.role.to_string())
            .trim_end()
            .to_owned()
    };
    lines.iter().map(shown).collect()
}

fn what(line: &Line, runs: &impl Fn(Part) -> bool) -> String {
    match &line.role {
        Role::Needless(why) | Role::Unknown(why) => why.clone(),
        Role::Part(part) if !runs(*part) => format!("this Tidemill has no {part}: not started"),
        Role::Part(_) => {
            let opened = line.opened.iter().map(|port| format!(":{port}"));
            let mut words: Vec<String> = opened.chain(line.names.iter().cloned()).collect();
            for (port, why) in &line.closed {
                words.push(format!("({port} not opened: {why})"));
            }
            words.join(" ")
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Role::Part(part) => f.write_str(part.section()),
            Role::Needless(_) => f.write_str("(needless)"),
            Role::Unknown(_) => f.write_str("not started"),
        }
    }
}

/// The same for programs.
pub(super) fn json(project: &ComposeProject, notices: &[Notice]) -> Value {
    let service = |line: &Line| {
        let (part, why) = match &line.role {
            Role::Part(part) => (Some(part.section()), None),
            Role::Needless(why) | Role::Unknown(why) => (None, Some(why)),
        };
        let closed = line.closed.iter().map(|(port, why)| json!({"port": port, "why": why}));
        json!({
            "service": line.service, "box": part, "why": why, "ports": line.opened,
            "names": line.names, "not_opened": closed.collect::<Vec<_>>(),
        })
    };
    let notice = |notice: &Notice| {
        json!({
            "place": notice.place, "what": notice.what, "mend": notice.mend,
            "breaks": notice.breaks,
        })
    };
    json!({ "compose": {
        "file": project.file,
        "project": project.name,
        "services": project.plan.lines.iter().map(service).collect::<Vec<_>>(),
        "notices": notices.iter().map(notice).collect::<Vec<_>>(),
    }})
}

/// What the Airflow services' own settings change, where a user would wonder.
pub(super) fn settings(plan: &Plan) -> Option<String> {
    (plan.paused_at_creation == Some(true)).then(|| {
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION is true: new DAGs wait; to let them run, start \
         with TIDEMILL__SCHEDULER__DAGS_ARE_PAUSED_AT_CREATION=false"
            .to_owned()
    })
}
