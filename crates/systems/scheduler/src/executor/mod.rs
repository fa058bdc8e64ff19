//! Runs tries.

mod pace;
mod path;

pub use pace::{Rate, length_of};
pub use path::RecordPath;
