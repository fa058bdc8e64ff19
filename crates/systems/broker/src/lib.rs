//! Topics, groups and offsets: the box in place of Apache Kafka. Speaks the Kafka protocol.
