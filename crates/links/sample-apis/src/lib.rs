//! The web services that the examples poll, on loopback: random people, and rows of a data file.
