//! Whole-node tests: the shipped binary, started, killed and asked.
