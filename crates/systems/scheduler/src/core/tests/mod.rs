//! The state machine under a simulated clock, against a store in memory that checks every guard.

mod crash;
mod runs;
mod schedule;
mod sim;
