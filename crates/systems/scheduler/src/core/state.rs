//! Airflow's states, by Airflow's names.

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$variant_doc])* $variant,)* }

        impl $type {
            /// All of them.
            pub const ALL: &'static [$type] = &[$($type::$variant,)*];

            /// The name on the wire and in the store.
            pub fn as_str(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<$type, String> {
                match text {
                    $($name => Ok($type::$variant),)*
                    _ => Err(format!("{text:?} is unknown; known: {}", [$($name,)*].join(", "))),
                }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(super) use named;

named! {
    /// A DAG run's state.
    RunState {
        /// Waits for `max_active_runs`, for its time, or for the DAG to be unpaused.
        Queued = "queued",
        /// Its tasks are worked on.
        Running = "running",
        /// Nothing left to do, and no leaf task failed.
        Success = "success",
        /// A leaf task failed, or the run took too long.
        Failed = "failed",
    }
}

named! {
    /// A task instance's state.
    TaskState {
        /// Its trigger rule has not been decided. The API shows `null`.
        None = "none",
        /// It may run as soon as there is a slot.
        Scheduled = "scheduled",
        /// It was handed to the executor.
        Queued = "queued",
        /// The executor works on it.
        Running = "running",
        /// It was cleared while it ran: it is being stopped and will run again.
        Restarting = "restarting",
        /// It failed and waits for its next try.
        UpForRetry = "up_for_retry",
        /// It did its work.
        Success = "success",
        /// It failed and has no tries left.
        Failed = "failed",
        /// It was not needed.
        Skipped = "skipped",
        /// It could not run because of what came before.
        UpstreamFailed = "upstream_failed",
        /// Its task is no longer in the DAG.
        Removed = "removed",
    }
}

named! {
    /// Why a run exists.
    RunType {
        /// The schedule made it.
        Scheduled = "scheduled",
        /// Somebody asked for it.
        Manual = "manual",
    }
}

impl RunState {
    /// Whether nothing more happens by itself.
    pub fn is_finished(self) -> bool {
        matches!(self, RunState::Success | RunState::Failed)
    }
}

impl TaskState {
    /// Whether nothing more happens by itself.
    pub fn is_finished(self) -> bool {
        match self {
            TaskState::Success
            | TaskState::Failed
            | TaskState::Skipped
            | TaskState::UpstreamFailed
            | TaskState::Removed => true,
            TaskState::None
            | TaskState::Scheduled
            | TaskState::Queued
            | TaskState::Running
            | TaskState::Restarting
            | TaskState::UpForRetry => false,
        }
    }

    /// Whether the executor has it.
    pub fn is_with_executor(self) -> bool {
        matches!(self, TaskState::Queued | TaskState::Running | TaskState::Restarting)
    }

    /// Whether it counts as a failure of its run, when nothing comes after it.
    pub fn is_failure(self) -> bool {
        matches!(self, TaskState::Failed | TaskState::UpstreamFailed)
    }
}
