//! Whole-node tests: the shipped binary, started, killed and asked.

mod command_line;
mod crash;
mod line;
mod node;
