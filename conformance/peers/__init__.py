"""The real systems, without containers: jars from Maven Central, one process each, on loopback."""
