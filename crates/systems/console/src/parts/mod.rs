//! The other boxes, by their public interfaces only.

mod cells;
mod http;
mod kafka;
mod schemas;
mod store;

pub(crate) use cells::to_json;
pub(crate) use http::HttpPart;
pub(crate) use kafka::client;
pub(crate) use schemas::Schemas;
pub(crate) use store::{Page, Store};
