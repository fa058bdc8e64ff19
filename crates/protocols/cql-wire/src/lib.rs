//! The CQL native protocol v3 to v5: frames, segments, messages and values as types. No I/O.
