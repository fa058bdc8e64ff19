//! Sources and sinks, one folder each, all of one shape: http, kafka, cassandra.
