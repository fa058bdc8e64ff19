//! A YAML file as a tree whose nodes know their lines: what a compose file says is checked and
//! reported by place, long after it was parsed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A value and the line it was written in, counted from 1; 0 where it was not written anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What compose files are made of. Numbers and truth values are texts: compose reads them as such
/// nearly everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Map(Vec<(String, Node)>),
}

/// Why a text is not a tree: the line, if one can be named, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

impl Node {
    /// Reads one document. Anchors and merge keys are resolved; a key given twice is an error.
    pub(super) fn parse(text: &str) -> Result<Node, Unreadable> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
        };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let options =
                serde_saphyr::render_options! { snippets: serde_saphyr::SnippetMode::Off };
            let rendered = error.without_snippet().render_with_options(options);
            let Some(location) = error.location() else {
                return Unreadable { line: None, message: rendered };
            };
            let place = format!(" at line {}, column {}", location.line(), location.column());
            let message = rendered.strip_suffix(&place).unwrap_or(&rendered).to_owned();
            Unreadable { line: usize::try_from(location.line()).ok(), message }
        })
    }

    /// The value of a key, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The pairs of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members of a list; a scalar is a list of itself, nothing is an empty one.
    pub(super) fn members(&self) -> &[Node] {
        match &self.value {
            Value::List(members) => members,
            Value::Text(_) => std::slice::from_ref(self),
            Value::Null | Value::Map(_) => &[],
        }
    }

    /// Lays `over` on this node as compose does with `extends` and override files: maps key by key,
    /// lists one after the other, everything else replaced.
    pub(super) fn overlaid(self, over: Node) -> Node {
        let line = over.line;
        let value = match (self.value, over.value) {
            (Value::Map(mut entries), Value::Map(others)) => {
                for (key, node) in others {
                    match entries.iter().position(|(name, _)| *name == key) {
                        Some(at) => {
                            let (_, base) = entries.remove(at);
                            entries.insert(at, (key, base.overlaid(node)));
                        }
                        None => entries.push((key, node)),
                    }
                }
                Value::Map(entries)
            }
            (Value::List(mut members), Value::List(others)) => {
                members.extend(others);
                Value::List(members)
            }
            (base, Value::Null) => base,
            (_, value) => value,
        };
        Node { line, value }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        // Where it stands, not where its anchor is used.
        let line = usize::try_from(spanned.defined.line()).unwrap_or(0);
        Ok(Node { line, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map, a list or a text")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_element()? {
            list.push(member);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_knows_its_line_and_its_text() {
        let tree = Node::parse("a:\n  - 1\n  - 'two'\n  - false\nb: {c: 2.5}\nd:\n").unwrap();
        let texts: Vec<_> = tree.get("a").unwrap().members().iter().map(Node::text).collect();
        assert_eq!(texts, [Some("1"), Some("two"), Some("false")]);
        assert_eq!(tree.get("a").unwrap().members()[1].line, 3);
        assert_eq!(tree.get("b").unwrap().get("c").unwrap().text(), Some("2.5"));
        assert_eq!(tree.get("d").unwrap().value, Value::Null);
    }

    #[test]
    fn anchors_and_merge_keys_are_resolved() {
        let text = "x-common: &common\n  image: a\n  env: &env\n    A: 1\nservice:\n  <<: *common\n  \
                    env:\n    <<: *env\n    B: 2\n";
        let tree = Node::parse(text).unwrap();
        let service = tree.get("service").unwrap();
        assert_eq!(service.get("image").unwrap().text(), Some("a"));
        let env = service.get("env").unwrap();
        assert_eq!(env.get("A").unwrap().text(), Some("1"));
        assert_eq!(env.get("B").unwrap().text(), Some("2"));
    }

    #[test]
    fn what_is_not_yaml_has_a_line_and_a_reason() {
        for (text, line) in [("a: 1\nb: [1, 2\n", 2), ("a: 1\na: 2\n", 2), ("a:\n\t- 1\n", 2)] {
            let error = Node::parse(text).unwrap_err();
            assert_eq!(error.line, Some(line), "{text:?}: {error:?}");
            assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn an_overlay_replaces_texts_and_joins_maps_and_lists() {
        let parse = |text| Node::parse(text).unwrap();
        let base = parse("image: a\nports: ['1:1']\nenv: {A: 1, B: 2}\n");
        let both = base.overlaid(parse("image: b\nports: ['2:2']\nenv: {B: 3}\n"));
        assert_eq!(both.get("image").unwrap().text(), Some("b"));
        assert_eq!(both.get("ports").unwrap().members().len(), 2);
        assert_eq!(both.get("env").unwrap().get("B").unwrap().text(), Some("3"));
        assert_eq!(both.get("env").unwrap().get("A").unwrap().text(), Some("1"));
    }
}
