//! The segmented commit log in Kafka's on-disk format: append, group commit, indexes, recovery.
