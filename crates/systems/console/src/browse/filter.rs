//! Which records are wanted: words that must all be in them.

use tidemill_kafka_wire::records::Record;

/// Bytes of a filter.
const FILTER_BYTES_MAX: usize = 1000;

/// Words, in lower case. Each must be in the key, the value or a header, in any case of ASCII
/// letters. Quotes keep spaces: `"New York" 42`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    words: Vec<String>,
}

impl Filter {
    /// Reads the words; what is beyond the limit is left out.
    pub(crate) fn parse(text: &str) -> Filter {
        let mut rest = &text[..text.floor_char_boundary(FILTER_BYTES_MAX.min(text.len()))];
        let mut words = Vec::new();
        while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
            rest = &rest[start..];
            let (word, after) = phrase(rest).unwrap_or_else(|| {
                rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
            });
            words.push(word.to_ascii_lowercase());
            rest = after;
        }
        words.retain(|word| !word.is_empty());
        Filter { words }
    }

    /// Whether everything is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether these bytes have all the words, each in one of the pieces.
    fn all_in(&self, pieces: &[&[u8]]) -> bool {
        self.words.iter().all(|word| pieces.iter().any(|piece| contains(piece, word.as_bytes())))
    }

    /// Whether a record as stored has all the words. Looks at raw bytes, so that millions of
    /// records are passed over quickly.
    pub(crate) fn wants(&self, record: &Record) -> bool {
        if self.is_empty() {
            return true;
        }
        let mut pieces: Vec<&[u8]> = Vec::with_capacity(2 + record.headers.len() * 2);
        pieces.extend(record.key.as_deref());
        pieces.extend(record.value.as_deref());
        for header in &record.headers {
            pieces.push(header.key.as_bytes());
            pieces.extend(header.value.as_deref());
        }
        self.all_in(&pieces)
    }
}

/// A quoted phrase at the start and what follows it. A quote that does not end a word belongs to
/// the text: `"id":5` is looked for as it stands.
fn phrase(text: &str) -> Option<(&str, &str)> {
    let (phrase, after) = text.strip_prefix('"')?.split_once('"')?;
    let ends = after.is_empty() || after.starts_with(char::is_whitespace);
    (ends && !phrase.is_empty()).then_some((phrase, after))
}

/// Whether `word` (in lower case) is in `text`, in any case of ASCII letters.
fn contains(text: &[u8], word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else { return true };
    let upper = first.to_ascii_uppercase();
    let last = match text.len().checked_sub(word.len()) {
        Some(last) => last,
        None => return false,
    };
    (0..=last).any(|at| {
        (text[at] == *first || text[at] == upper)
            && text[at + 1..at + word.len()].eq_ignore_ascii_case(rest)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidemill_kafka_wire::records::Header;

    use super::*;

    fn record() -> Record {
        Record {
            key: Some(Bytes::from_static(b"user-7")),
            value: Some(Bytes::from_static(b"{\"name\":\"Ada Lovelace\",\"post_code\":4711}")),
            headers: vec![Header {
                key: "source".into(),
                value: Some(Bytes::from_static(b"Import")),
            }],
            ..Record::default()
        }
    }

    #[test]
    fn every_word_must_be_in_key_value_or_headers_in_any_case() {
        for (filter, wanted) in [
            ("", true),
            ("ada", true),
            ("LOVELACE user-7 import", true),
            ("ada 4712", false),
            ("\"ada lovelace\"", true),
            ("\"lovelace ada\"", false),
            ("\"post_code\":4711", true),
            ("\"post_code\":4712", false),
            ("source", true),
            ("  ", true),
            ("x\"", false),
        ] {
            assert_eq!(Filter::parse(filter).wants(&record()), wanted, "{filter}");
        }
    }

    #[test]
    fn a_long_filter_is_cut_at_a_character() {
        let filter = Filter::parse(&"ß".repeat(2000));
        assert_eq!(filter.words[0].len(), FILTER_BYTES_MAX);
        assert!(!filter.wants(&record()));
    }
}
