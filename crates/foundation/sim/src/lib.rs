//! The same world simulated and seeded: a clock that is set, a disk that loses what was not synced.
