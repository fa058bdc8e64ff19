//! What nodes need of ZooKeeper: to be known, and to be the only one.

mod lease;
mod register;

pub use lease::{Held, Lease};
pub use register::Registration;
