//! Subjects, versions and compatibility: the box in place of Schema Registry. Keeps topic _schemas.
