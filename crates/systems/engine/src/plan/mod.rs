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

pub(crate) use explain::endpoint;
