//! The kinds of schemas, parsed as far as this registry understands them.
//!
//! Avro wholly. JSON Schema as JSON, stored in Jackson's compact form. Protobuf as text whose shape
//! is checked, stored as it was sent. What is not understood is never claimed: two different JSON or
//! Protobuf schemas cannot be compared, and a request that needs it is refused.

use tidemill_schema::avro;
use tidemill_schema::json::{self, Json};

use crate::protobuf;

/// The kinds of schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SchemaType {
    /// Avro; a request or record that names none means it.
    Avro,
    /// JSON Schema.
    Json,
    /// Protocol Buffers.
    Protobuf,
}

impl SchemaType {
    /// The names in the order in which Schema Registry lists them.
    pub(crate) const NAMES: [&str; 3] = ["JSON", "PROTOBUF", "AVRO"];

    /// A kind by its name.
    pub(crate) fn named(name: Option<&str>) -> Option<SchemaType> {
        match name {
            None | Some("AVRO") => Some(SchemaType::Avro),
            Some("JSON") => Some(SchemaType::Json),
            Some("PROTOBUF") => Some(SchemaType::Protobuf),
            Some(_) => None,
        }
    }

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SchemaType::Avro => "AVRO",
            SchemaType::Json => "JSON",
            SchemaType::Protobuf => "PROTOBUF",
        }
    }
}

/// How closely a schema is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// As one that is to be registered.
    New,
    /// As one that was registered, here or elsewhere.
    Stored,
}

/// A parsed schema.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    content: Content,
    text: String,
}

#[derive(Debug, Clone)]
enum Content {
    Avro(Box<avro::Schema>),
    Json(Box<Json>),
    Protobuf,
}

impl Parsed {
    /// Parses a schema after those it builds on, each after its own. The error says what is wrong.
    pub(crate) fn parse(
        kind: SchemaType,
        text: &str,
        references: &[String],
        strictness: Strictness,
    ) -> Result<Parsed, String> {
        match kind {
            SchemaType::Avro => {
                let mut parser = match strictness {
                    Strictness::New => avro::Parser::new(),
                    Strictness::Stored => avro::Parser::lenient(),
                };
                for reference in references {
                    parser.add_reference(reference).map_err(|error| error.to_string())?;
                }
                let schema = parser.parse(text).map_err(|error| error.to_string())?;
                Ok(Parsed { text: schema.text(), content: Content::Avro(Box::new(schema)) })
            }
            SchemaType::Json => {
                let value = json::parse(text).map_err(|error| error.to_string())?;
                if !matches!(value, Json::Object(_) | Json::Bool(_)) {
                    return Err("a JSON Schema is an object, true or false".to_owned());
                }
                Ok(Parsed { text: value.to_string(), content: Content::Json(Box::new(value)) })
            }
            SchemaType::Protobuf => {
                protobuf::check(text)?;
                Ok(Parsed { text: text.to_owned(), content: Content::Protobuf })
            }
        }
    }

    /// The text that is stored.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same schema without differences that mean nothing.
    pub(crate) fn normalized(self) -> Parsed {
        match self.content {
            Content::Avro(schema) => {
                let schema = Box::new(schema.normalized());
                Parsed { text: schema.text(), content: Content::Avro(schema) }
            }
            Content::Json(value) => {
                let value = Box::new(value.sorted());
                Parsed { text: value.to_string(), content: Content::Json(value) }
            }
            Content::Protobuf => self,
        }
    }

    /// The Avro schema, if it is one.
    pub(crate) fn avro(&self) -> Option<&avro::Schema> {
        match &self.content {
            Content::Avro(schema) => Some(schema),
            Content::Json(_) | Content::Protobuf => None,
        }
    }

    /// Whether both mean the same, whichever of them repeats what it builds on.
    pub(crate) fn is_equivalent(&self, other: &Parsed) -> bool {
        match (&self.content, &other.content) {
            (Content::Avro(a), Content::Avro(b)) => a.is_equivalent(b),
            (Content::Json(a), Content::Json(b)) => a == b,
            (Content::Protobuf, Content::Protobuf) => self.text == other.text,
            _ => false,
        }
    }

    /// The text in another form; none if this registry cannot write it.
    pub(crate) fn formatted(&self, format: &str) -> Option<String> {
        match (format, &self.content) {
            ("resolved", Content::Avro(schema)) => Some(schema.resolved_text()),
            ("serialized", Content::Protobuf) if !protobuf::is_serialized(&self.text) => None,
            // As in Schema Registry a form that nobody knows gives the usual one.
            _ => Some(self.text.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(kind: SchemaType, text: &str) -> Result<Parsed, String> {
        Parsed::parse(kind, text, &[], Strictness::New)
    }

    #[test]
    fn each_kind_is_stored_in_its_own_canonical_text() {
        for (kind, text, stored) in [
            (SchemaType::Avro, r#" { "type" : "int" } "#, r#""int""#),
            (SchemaType::Json, "{ \"type\" : \"object\" }\n", r#"{"type":"object"}"#),
            (SchemaType::Protobuf, "message A {}\n", "message A {}\n"),
        ] {
            assert_eq!(parsed(kind, text).unwrap().text(), stored);
        }
        assert!(parsed(SchemaType::Json, "[]").is_err());
        assert!(parsed(SchemaType::Json, "{").is_err());
    }

    #[test]
    fn json_schemas_are_equal_in_any_order_of_members() {
        let a = parsed(SchemaType::Json, r#"{"a":1,"b":2}"#).unwrap();
        let b = parsed(SchemaType::Json, r#"{"b":2,"a":1}"#).unwrap();
        assert!(a.is_equivalent(&b));
        assert_eq!(a.normalized().text(), b.normalized().text());
    }

    #[test]
    fn a_form_that_cannot_be_written_is_not_claimed() {
        let schema = parsed(SchemaType::Protobuf, "message A {}").unwrap();
        assert_eq!(schema.formatted("serialized"), None);
        assert_eq!(schema.formatted("unheard-of").as_deref(), Some("message A {}"));
    }
}
