//! What lies in a partition, and what could not be used.

use bytes::Bytes;

/// A key-value pair beside a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name; not unique within a record.
    pub key: String,
    /// Its value, any bytes.
    pub value: Option<Bytes>,
}

/// One record as it lies in its partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition it was read from.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Milliseconds since 1970-01-01T00:00:00Z; -1 if the record carries none.
    pub timestamp_ms: i64,
    /// The key's bytes.
    pub key: Option<Bytes>,
    /// The value's bytes; none is a tombstone.
    pub value: Option<Bytes>,
    /// In the order they were written.
    pub headers: Vec<Header>,
}

/// Where on its way a record failed. Names are Kafka Connect's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Bytes to columns.
    ValueConverter,
    /// Casts, filters, functions.
    Transformation,
    /// The sink refused the row.
    TaskPut,
}

impl Stage {
    /// The value of header `__connect.errors.stage`.
    pub fn name(self) -> &'static str {
        match self {
            Stage::ValueConverter => "VALUE_CONVERTER",
            Stage::Transformation => "TRANSFORMATION",
            Stage::TaskPut => "TASK_PUT",
        }
    }
}

/// A record that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The topic it was read from; empty for a row that was computed, not read.
    pub topic: String,
    /// Its original bytes and place.
    pub record: Record,
    /// Where it failed.
    pub stage: Stage,
    /// Class of the error, in Kafka Connect's names.
    pub class: &'static str,
    /// What is wrong with it, for a person.
    pub message: String,
    /// The pipeline that read it.
    pub connector: String,
}

/// The class Kafka Connect gives to a record whose content is wrong.
pub const DATA_EXCEPTION: &str = "org.apache.kafka.connect.errors.DataException";

impl DeadLetter {
    /// The original headers, then the reason in Kafka Connect's names (KIP-298). A header of an
    /// earlier failure is replaced, so that a record that failed twice tells its last reason.
    pub fn headers(&self) -> Vec<Header> {
        let mut headers: Vec<Header> = self
            .record
            .headers
            .iter()
            .filter(|header| !header.key.starts_with("__connect.errors."))
            .cloned()
            .collect();
        let reasons = [
            ("topic", self.topic.clone()),
            ("partition", self.record.partition.to_string()),
            ("offset", self.record.offset.to_string()),
            ("connector.name", self.connector.clone()),
            ("task.id", "0".to_owned()),
            ("stage", self.stage.name().to_owned()),
            ("exception.class.name", self.class.to_owned()),
            ("exception.message", self.message.clone()),
        ];
        headers.extend(reasons.into_iter().map(|(name, value)| Header {
            key: format!("__connect.errors.{name}"),
            value: Some(Bytes::from(value)),
        }));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_keeps_its_headers_and_tells_only_the_last_reason() {
        let header = |key: &str, value: &'static str| Header {
            key: key.to_owned(),
            value: Some(Bytes::from_static(value.as_bytes())),
        };
        let letter = DeadLetter {
            topic: "users".into(),
            record: Record {
                partition: 2,
                offset: 7,
                timestamp_ms: 0,
                key: None,
                value: None,
                headers: vec![header("trace", "a"), header("__connect.errors.offset", "1")],
            },
            stage: Stage::ValueConverter,
            class: DATA_EXCEPTION,
            message: "no JSON".into(),
            connector: "users".into(),
        };
        let headers = letter.headers();
        assert_eq!(headers[0], header("trace", "a"));
        let offsets: Vec<_> =
            headers.iter().filter(|header| header.key == "__connect.errors.offset").collect();
        assert_eq!(offsets, [&header("__connect.errors.offset", "7")]);
        assert!(headers.contains(&header("__connect.errors.stage", "VALUE_CONVERTER")));
    }
}
