//! One small Kafka client for every box: produce, fetch by assignment, admin.
