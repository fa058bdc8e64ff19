//! Connector `kafka`: a topic as source and as sink, and the topic of dead letters.
