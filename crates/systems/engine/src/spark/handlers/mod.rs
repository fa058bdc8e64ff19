//! One file per call.

pub(super) mod analyze_plan;
pub(super) mod artifacts;
pub(super) mod clone_session;
pub(super) mod config;
pub(super) mod error_details;
pub(super) mod execute_plan;
pub(super) mod interrupt;
pub(super) mod reattach_execute;
pub(super) mod release_execute;
pub(super) mod release_session;
