//! Schemas: Avro parsed, printed, compared and used; no I/O.
//!
//! - [`avro`]: parser, canonical text, normalisation, compatibility of a reader with a writer, and
//!   the binary encoding to JSON and back.
//! - [`compatibility`]: the registry's levels, from `NONE` to `FULL_TRANSITIVE`, and what it says
//!   when a schema breaks one.
//! - [`wire`]: the five bytes before a record that name its schema.
//! - [`json`]: JSON as Java's Avro reads and writes it, because canonical text is compared by byte.
//!
//! Invariants: nothing here panics on input; every walk over a schema or over data is limited in
//! depth and in size; what is printed parses back to the same schema.

pub mod avro;
pub mod compatibility;
pub mod json;
pub mod wire;
