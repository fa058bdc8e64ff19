//! When a task may run, given the states of the tasks it waits for: Airflow's thirteen rules.

use super::state::{TaskState, named};

named! {
    /// What has to be true of the upstream tasks.
    TriggerRule {
        /// All succeeded.
        AllSuccess = "all_success",
        /// All failed.
        AllFailed = "all_failed",
        /// All are done, however.
        AllDone = "all_done",
        /// All are done, none was skipped, at least one succeeded.
        AllDoneMinOneSuccess = "all_done_min_one_success",
        /// All are done; setup tasks do not exist in native DAGs.
        AllDoneSetupSuccess = "all_done_setup_success",
        /// One succeeded; the others are not waited for.
        OneSuccess = "one_success",
        /// One failed; the others are not waited for.
        OneFailed = "one_failed",
        /// One succeeded or failed; the others are not waited for.
        OneDone = "one_done",
        /// All succeeded or were skipped.
        NoneFailed = "none_failed",
        /// All are done, none was skipped.
        NoneSkipped = "none_skipped",
        /// Nothing.
        Always = "always",
        /// All succeeded or were skipped, at least one succeeded.
        NoneFailedMinOneSuccess = "none_failed_min_one_success",
        /// All were skipped.
        AllSkipped = "all_skipped",
    }
}

/// How many upstream tasks are in which final state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upstream {
    /// All of them.
    pub total: usize,
    /// In state success.
    pub success: usize,
    /// In state failed.
    pub failed: usize,
    /// In state skipped.
    pub skipped: usize,
    /// In state `upstream_failed`.
    pub upstream_failed: usize,
    /// In state removed.
    pub removed: usize,
}

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Not yet.
    Wait,
    /// Now.
    Run,
    /// Never: it is skipped.
    Skip,
    /// Never: something before it failed.
    UpstreamFailed,
}

impl Upstream {
    /// Counts one task that reached a final state.
    pub fn count(&mut self, state: TaskState) {
        match state {
            TaskState::Success => self.success += 1,
            TaskState::Failed => self.failed += 1,
            TaskState::Skipped => self.skipped += 1,
            TaskState::UpstreamFailed => self.upstream_failed += 1,
            TaskState::Removed => self.removed += 1,
            TaskState::None
            | TaskState::Scheduled
            | TaskState::Queued
            | TaskState::Running
            | TaskState::Restarting
            | TaskState::UpForRetry => {}
        }
    }

    fn is_done(&self) -> bool {
        let done = self.success + self.failed + self.skipped + self.upstream_failed + self.removed;
        done >= self.total
    }
}

impl TriggerRule {
    /// What follows from the upstream tasks' states so far.
    pub fn decide(self, upstream: Upstream) -> Decision {
        if upstream.total == 0 || self == TriggerRule::Always {
            return Decision::Run;
        }
        if let Some(never) = self.excludes(upstream) {
            return never;
        }
        if self.holds(upstream) { Decision::Run } else { Decision::Wait }
    }

    /// Whether the rule can no longer come true.
    fn excludes(self, up: Upstream) -> Option<Decision> {
        use Decision::{Skip, UpstreamFailed};
        let any_failed = up.failed + up.upstream_failed > 0;
        let done = up.is_done();
        match self {
            TriggerRule::AllSuccess if any_failed => Some(UpstreamFailed),
            TriggerRule::AllSuccess if up.skipped > 0 => Some(Skip),
            TriggerRule::AllFailed if up.success + up.skipped > 0 => Some(Skip),
            TriggerRule::OneSuccess if done && up.skipped == up.total => Some(Skip),
            TriggerRule::OneSuccess if done && up.success == 0 => Some(UpstreamFailed),
            TriggerRule::OneFailed if done && !any_failed => Some(Skip),
            TriggerRule::OneDone if done && up.failed + up.success == 0 => Some(Skip),
            TriggerRule::NoneFailed if any_failed => Some(UpstreamFailed),
            TriggerRule::NoneFailedMinOneSuccess if any_failed => Some(UpstreamFailed),
            TriggerRule::NoneFailedMinOneSuccess if up.skipped == up.total => Some(Skip),
            TriggerRule::NoneFailedMinOneSuccess if done && up.success == 0 => Some(UpstreamFailed),
            TriggerRule::NoneSkipped if up.skipped > 0 => Some(Skip),
            TriggerRule::AllSkipped if up.success > 0 || any_failed => Some(Skip),
            TriggerRule::AllDoneMinOneSuccess if up.skipped > 0 => Some(Skip),
            TriggerRule::AllDoneMinOneSuccess if done && up.success == 0 => Some(UpstreamFailed),
            _ => None,
        }
    }

    /// Whether the rule is true now.
    fn holds(self, up: Upstream) -> bool {
        let done = up.is_done();
        match self {
            TriggerRule::AllSuccess => up.success + up.removed >= up.total,
            TriggerRule::AllFailed => up.failed + up.upstream_failed + up.removed >= up.total,
            TriggerRule::AllDone | TriggerRule::AllDoneSetupSuccess => done,
            TriggerRule::AllDoneMinOneSuccess => done && up.success > 0,
            TriggerRule::OneSuccess => up.success > 0,
            TriggerRule::OneFailed => up.failed + up.upstream_failed > 0,
            TriggerRule::OneDone => up.success + up.failed > 0,
            TriggerRule::NoneFailed => up.success + up.skipped + up.removed >= up.total,
            TriggerRule::NoneFailedMinOneSuccess => {
                up.success + up.skipped + up.removed >= up.total && up.success > 0
            }
            TriggerRule::NoneSkipped => done && up.skipped == 0,
            TriggerRule::AllSkipped => up.skipped >= up.total,
            TriggerRule::Always => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters: s success, f failed, k skipped, u upstream_failed, `.` still running.
    fn states(text: &str) -> Upstream {
        let mut upstream = Upstream { total: text.len(), ..Upstream::default() };
        for letter in text.chars() {
            upstream.count(match letter {
                's' => TaskState::Success,
                'f' => TaskState::Failed,
                'k' => TaskState::Skipped,
                'u' => TaskState::UpstreamFailed,
                _ => TaskState::Running,
            });
        }
        upstream
    }

    /// The table was printed by Airflow 3.3.2's own `TriggerRuleDep`: one column per set of upstream
    /// states; `r` run, `w` wait, `k` skip, `u` upstream_failed.
    #[test]
    fn every_rule_decides_as_airflows_does() {
        let columns =
            ["ss", "ff", "kk", "uu", "sf", "sk", "su", "fk", "s.", "f.", "k.", "u.", "..", ""];
        for (rule, decisions) in [
            ("all_success", "rukuukuuwukuwr"),
            ("all_failed", "krkrkkkkkwkwwr"),
            ("all_done", "rrrrrrrrwwwwwr"),
            ("all_done_min_one_success", "rukurkrkwwkwwr"),
            ("all_done_setup_success", "rrrrrrrrwwwwwr"),
            ("one_success", "rukurrrurwwwwr"),
            ("one_failed", "krkrrkrrwrwrwr"),
            ("one_done", "rrkkrrrrrrwwwr"),
            ("none_failed", "ruruuruuwuwuwr"),
            ("none_skipped", "rrkrrkrkwwkwwr"),
            ("always", "rrrrrrrrrrrrrr"),
            ("none_failed_min_one_success", "rukuuruuwuwuwr"),
            ("all_skipped", "kkrkkkkkkkwkwr"),
        ] {
            let rule: TriggerRule = rule.parse().unwrap();
            for (column, expected) in columns.iter().zip(decisions.chars()) {
                let decided = match rule.decide(states(column)) {
                    Decision::Run => 'r',
                    Decision::Wait => 'w',
                    Decision::Skip => 'k',
                    Decision::UpstreamFailed => 'u',
                };
                assert_eq!(decided, expected, "{rule} of {column:?}");
            }
        }
        assert_eq!(TriggerRule::ALL.len(), 13);
    }
}
