//! Avro schemas: parsing, canonical text, compatibility, and records to and from JSON. No I/O.
