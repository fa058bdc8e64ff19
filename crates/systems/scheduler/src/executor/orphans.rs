//! Children that outlived a scheduler that was killed. Their tries are lost and will be tried again,
//! so they must not go on working beside them.

use super::environment::MARK;

/// Kills the process groups that carry `mark`; how many there were. Linux only: elsewhere it finds
/// none.
pub fn kill_orphans(mark: &str) -> usize {
    let wanted = format!("{MARK}={mark}");
    let mut groups = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // Not ours to read: not ours.
        let Ok(variables) = std::fs::read(entry.path().join("environ")) else { continue };
        let is_marked = variables.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes());
        let pid = rustix::process::Pid::from_raw(pid).filter(|_| is_marked);
        if let Some(group) = pid.and_then(|pid| rustix::process::getpgid(Some(pid)).ok()) {
            groups.insert(group.as_raw_nonzero().get());
        }
    }
    let own = rustix::process::getpgrp().as_raw_nonzero().get();
    let orphans = groups.into_iter().filter(|group| *group != own);
    orphans
        .filter_map(rustix::process::Pid::from_raw)
        .filter(|group| {
            rustix::process::kill_process_group(*group, rustix::process::Signal::KILL).is_ok()
        })
        .count()
}
