//! What is wrong in the project's own files, told in plain words with file and line. Read from the
//! text alone; nothing is edited, nothing is held back because of it.

mod containers;
mod python;
mod tables;

use super::project::ComposeProject;
use super::sources::Sources;

/// Notices of one project that are kept.
const NOTICES_MAX: usize = 100;

/// One thing that is wrong, or that will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// `dags/kafka_stream.py:23`, or the file alone.
    pub(crate) place: String,
    pub(crate) what: String,
    /// What to write instead.
    pub(crate) mend: Option<String>,
    /// Whether it goes wrong here too, or only elsewhere.
    pub(crate) breaks: bool,
}

impl Notice {
    /// What it is remembered by.
    pub(crate) fn key(&self) -> String {
        format!("{} {}", self.place, self.what)
    }

    /// Something that goes wrong wherever it runs.
    fn breaking(place: String, what: impl Into<String>, mend: impl Into<String>) -> Notice {
        Notice { place, what: what.into(), mend: Some(mend.into()), breaks: true }
    }

    /// Something that works here.
    fn elsewhere(place: String, what: impl Into<String>, mend: impl Into<String>) -> Notice {
        Notice { place, what: what.into(), mend: Some(mend.into()), breaks: false }
    }
}

/// Everything that is wrong, what breaks here first.
pub(super) fn find(project: &ComposeProject, sources: &Sources) -> Vec<Notice> {
    let mut notices = Vec::new();
    for file in &sources.files {
        let name = file.path.display().to_string();
        if file.is_dag || file.is_script() {
            notices.extend(python::find(&name, &file.text));
        }
    }
    notices.extend(tables::find(&sources.files));
    notices.extend(containers::find(project, sources));
    notices.sort_by_key(|notice| !notice.breaks);
    notices.truncate(NOTICES_MAX);
    notices
}

fn place(file: &str, line: usize) -> String {
    match line {
        0 => file.to_owned(),
        line => format!("{file}:{line}"),
    }
}
