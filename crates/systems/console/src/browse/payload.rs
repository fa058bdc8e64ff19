//! Bytes made readable.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use tidemill_schema::avro::{self, DataStyle};
use tidemill_schema::wire::{self, SchemaId};

use crate::app::App;

/// Bytes of one payload that are shown.
const TEXT_BYTES_MAX: usize = 256 << 10;
/// Bytes of a header that are shown.
const HEADER_BYTES_MAX: usize = 4 << 10;

/// A key or a value.
#[derive(Debug, Serialize)]
pub(crate) struct Payload {
    format: Format,
    /// JSON, text, or base64.
    text: String,
    /// Length as stored.
    bytes: usize,
    /// Whether only the first part is here.
    truncated: bool,
    schema_id: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Text,
    Avro,
    Bytes,
    Null,
}

impl Payload {
    /// Reads by what the bytes are, never failing: the worst is base64.
    pub(crate) async fn of(app: &App, bytes: Option<Bytes>) -> Payload {
        let Some(bytes) = bytes else {
            let (format, text) = (Format::Null, String::new());
            return Payload { format, text, bytes: 0, truncated: false, schema_id: None };
        };
        if let Ok((SchemaId::Id(id), body)) = wire::split(&bytes)
            && let Some(schema) = app.schemas.avro(&app.registry, id).await
            && let Ok((value, _)) = avro::decode(&schema, body, DataStyle::Plain)
        {
            let (text, truncated) = cut(value.to_string());
            let schema_id = Some(id);
            return Payload {
                format: Format::Avro,
                text,
                bytes: bytes.len(),
                truncated,
                schema_id,
            };
        }
        Payload::plain(&bytes)
    }

    fn plain(bytes: &[u8]) -> Payload {
        let format = match std::str::from_utf8(bytes) {
            Ok(text) if is_json(text) => Format::Json,
            Ok(text) if is_readable(text) => Format::Text,
            _ => Format::Bytes,
        };
        let (text, truncated) = if format == Format::Bytes {
            let shown = &bytes[..bytes.len().min(TEXT_BYTES_MAX)];
            (STANDARD.encode(shown), shown.len() < bytes.len())
        } else {
            cut(String::from_utf8_lossy(bytes).into_owned())
        };
        // A cut JSON is no JSON any more.
        let format = if truncated && format == Format::Json { Format::Text } else { format };
        Payload { format, text, bytes: bytes.len(), truncated, schema_id: None }
    }
}

/// A header's value as text; what is not UTF-8 as base64.
pub(super) fn header_text(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(HEADER_BYTES_MAX)];
    match std::str::from_utf8(shown) {
        Ok(text) => text.to_owned(),
        // The cut may have gone through a character.
        Err(error) if shown.len() < bytes.len() && error.error_len().is_none() => {
            String::from_utf8_lossy(&shown[..error.valid_up_to()]).into_owned()
        }
        Err(_) => STANDARD.encode(shown),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn is_readable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn cut(mut text: String) -> (String, bool) {
    if text.len() <= TEXT_BYTES_MAX {
        return (text, false);
    }
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    (text, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_as_what_its_bytes_are() {
        for (bytes, format, text) in [
            (&b"{\"a\":1}"[..], Format::Json, "{\"a\":1}"),
            (b"42", Format::Json, "42"),
            (b"plain words", Format::Text, "plain words"),
            (b"two\nlines", Format::Text, "two\nlines"),
            ("\u{e4}".as_bytes(), Format::Text, "\u{e4}"),
            (b"", Format::Text, ""),
            (b"\x01\x02", Format::Bytes, "AQI="),
            (b"\xff\xfe", Format::Bytes, "//4="),
        ] {
            let shown = Payload::plain(bytes);
            assert_eq!((shown.format, shown.text.as_str()), (format, text), "{bytes:?}");
            assert_eq!(shown.bytes, bytes.len());
        }
    }

    #[test]
    fn a_huge_payload_is_cut_and_says_so() {
        let huge = format!("\"{}\"", "x".repeat(TEXT_BYTES_MAX));
        let shown = Payload::plain(huge.as_bytes());
        assert!(shown.truncated);
        assert_eq!((shown.format, shown.text.len()), (Format::Text, TEXT_BYTES_MAX));
        assert_eq!(header_text(&vec![b'x'; HEADER_BYTES_MAX + 9]).len(), HEADER_BYTES_MAX);
    }
}
