//! Statements to plans: DataFusion binds names, checks types and simplifies; what comes out is cut
//! into our own operators.

pub(crate) mod binder;
pub mod functions;
pub(crate) mod insert;
pub(crate) mod stream;

mod explain;
mod optimize;
mod scans;
#[cfg(test)]
pub(crate) mod tests;
mod watermark;

pub(crate) use explain::endpoint;
pub(crate) use scans::{ScanSource, tumble_source};
pub(crate) use stream::{StreamPlan, plan_frame};
pub(crate) use watermark::watermarked;
