//! Whole-node tests: the shipped binary, started, killed and asked.

#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod command_line;
mod crash;
mod line;
mod node;
