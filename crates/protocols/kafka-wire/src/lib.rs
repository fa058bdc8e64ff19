//! Kafka's wire protocol: requests, responses and record batches as types. No I/O.
