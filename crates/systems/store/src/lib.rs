//! Keyspaces, tables and rows: the box in place of Cassandra. Speaks the CQL native protocol.
