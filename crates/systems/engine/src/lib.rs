//! SQL, windows and state over topics and tables: the box in place of Spark. The only crate with
//! DataFusion.

pub mod catalog;
pub mod formats;
pub mod plan;
mod runtime;
pub mod sql;

mod time;
