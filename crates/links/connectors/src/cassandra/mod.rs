//! Connector `cassandra`: a table as an upsert sink.
