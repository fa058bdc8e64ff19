//! From schema to text: Java's `Schema.toString()`, and the specification's parsing canonical form.

use std::collections::HashSet;

use super::{Field, Kind, Name, Node, NodeId, Order, Schema};
use crate::json::{self, Json, Members};

impl Schema {
    /// The canonical text: what Java's `Schema.toString()` gives and a registry stores. Types of
    /// the schemas it was parsed after ([`super::Parser::add_reference`]) are named, not repeated.
    pub fn text(&self) -> String {
        Printer::new(&self.nodes, self.references.iter().cloned().collect()).print(self.root)
    }

    /// The same with every type declared in it: a text that stands alone.
    pub fn resolved_text(&self) -> String {
        of(&self.nodes, self.root)
    }

    /// The parsing canonical form: what matters to a reader of data, and nothing else.
    /// Spec: <https://avro.apache.org/docs/1.12.0/specification/#parsing-canonical-form-for-schemas>
    pub fn parsing_form(&self) -> String {
        let mut form = ParsingForm { schema: self, seen: HashSet::new(), out: String::new() };
        form.schema(self.root);
        form.out
    }

    /// The 64-bit Rabin fingerprint (CRC-64-AVRO) of the parsing canonical form.
    pub fn fingerprint(&self) -> u64 {
        const EMPTY: u64 = 0xc15d_213a_a4d7_a795;
        self.parsing_form().bytes().fold(EMPTY, |fingerprint, byte| {
            let mut entry = (fingerprint ^ u64::from(byte)) & 0xff;
            for _ in 0..8 {
                entry = (entry >> 1) ^ (EMPTY & (entry & 1).wrapping_neg());
            }
            (fingerprint >> 8) ^ entry
        })
    }
}

/// The text of one type alone.
pub(super) fn of(nodes: &[Node], id: NodeId) -> String {
    Printer::new(nodes, HashSet::new()).print(id)
}

struct Printer<'a> {
    nodes: &'a [Node],
    known: HashSet<String>,
    out: String,
}

impl<'a> Printer<'a> {
    fn new(nodes: &'a [Node], known: HashSet<String>) -> Printer<'a> {
        Printer { nodes, known, out: String::new() }
    }

    fn print(mut self, id: NodeId) -> String {
        self.schema(id, None);
        self.out
    }

    fn schema(&mut self, id: NodeId, space: Option<&str>) {
        let node = &self.nodes[id.index()];
        if let Some(name) = node.kind.name() {
            return self.named(node, name, space);
        }
        match &node.kind {
            Kind::Union(branches) => {
                self.out.push('[');
                for (at, branch) in branches.iter().enumerate() {
                    self.comma(at);
                    self.schema(*branch, space);
                }
                self.out.push(']');
            }
            Kind::Array(inner) | Kind::Map(inner) => {
                let (kind, member) = match node.kind {
                    Kind::Array(_) => ("array", "items"),
                    _ => ("map", "values"),
                };
                self.open(kind);
                self.member(member);
                self.schema(*inner, space);
                self.properties(&node.properties);
                self.out.push('}');
            }
            primitive if node.properties.is_empty() => {
                json::write_text(&mut self.out, primitive.type_name());
            }
            primitive => {
                self.open(primitive.type_name());
                self.properties(&node.properties);
                self.out.push('}');
            }
        }
    }

    fn named(&mut self, node: &Node, name: &Name, space: Option<&str>) {
        if !self.known.insert(name.full()) {
            return json::write_text(&mut self.out, &name.qualified(space));
        }
        match &node.kind {
            Kind::Record(record) => {
                self.open(if record.is_error { "error" } else { "record" });
                self.name(name, space);
                self.text_member("doc", record.doc.as_deref());
                self.member("fields");
                self.out.push('[');
                for (at, field) in record.fields.iter().enumerate() {
                    self.comma(at);
                    self.field(field, name.namespace());
                }
                self.out.push(']');
            }
            Kind::Enum(enumeration) => {
                self.open("enum");
                self.name(name, space);
                self.text_member("doc", enumeration.doc.as_deref());
                self.member("symbols");
                self.texts(&enumeration.symbols);
                self.text_member("default", enumeration.default.as_deref());
            }
            Kind::Fixed(fixed) => {
                self.open("fixed");
                self.name(name, space);
                self.text_member("doc", fixed.doc.as_deref());
                self.member("size");
                self.out.push_str(&fixed.size.to_string());
            }
            _ => {}
        }
        self.properties(&node.properties);
        let aliases: Vec<String> =
            node.kind.aliases().iter().map(|alias| alias.qualified(name.namespace())).collect();
        if !aliases.is_empty() {
            self.member("aliases");
            self.texts(&aliases);
        }
        self.out.push('}');
    }

    fn field(&mut self, field: &Field, space: Option<&str>) {
        self.out.push_str("{\"name\":");
        json::write_text(&mut self.out, &field.name);
        self.member("type");
        self.schema(field.schema, space);
        self.text_member("doc", field.doc.as_deref());
        if let Some(default) = &field.default {
            self.member("default");
            json::write(&mut self.out, default);
        }
        if field.order != Order::Ascending {
            self.text_member("order", Some(field.order.as_str()));
        }
        if !field.aliases.is_empty() {
            self.member("aliases");
            self.texts(&field.aliases);
        }
        self.properties(&field.properties);
        self.out.push('}');
    }

    fn open(&mut self, kind: &str) {
        self.out.push_str("{\"type\":");
        json::write_text(&mut self.out, kind);
    }

    fn name(&mut self, name: &Name, space: Option<&str>) {
        self.text_member("name", Some(name.simple()));
        match name.namespace() {
            Some(own) if Some(own) != space => self.text_member("namespace", Some(own)),
            None if space.is_some() => self.text_member("namespace", Some("")),
            _ => {}
        }
    }

    fn text_member(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.member(name);
            json::write_text(&mut self.out, value);
        }
    }

    fn member(&mut self, name: &str) {
        self.out.push(',');
        json::write_text(&mut self.out, name);
        self.out.push(':');
    }

    fn properties(&mut self, properties: &Members) {
        for (name, value) in properties.iter() {
            self.member(name);
            json::write(&mut self.out, value);
        }
    }

    fn texts(&mut self, texts: &[String]) {
        let texts = texts.iter().map(|text| Json::Text(text.clone())).collect();
        json::write(&mut self.out, &Json::Array(texts));
    }

    fn comma(&mut self, at: usize) {
        if at > 0 {
            self.out.push(',');
        }
    }
}

struct ParsingForm<'a> {
    schema: &'a Schema,
    seen: HashSet<NodeId>,
    out: String,
}

impl ParsingForm<'_> {
    fn schema(&mut self, id: NodeId) {
        let kind = self.schema.kind(id);
        match kind {
            Kind::Union(branches) => self.list('[', branches, ']', |form, id| form.schema(*id)),
            Kind::Array(inner) => {
                self.out.push_str("{\"type\":\"array\",\"items\":");
                self.schema(*inner);
                self.out.push('}');
            }
            Kind::Map(inner) => {
                self.out.push_str("{\"type\":\"map\",\"values\":");
                self.schema(*inner);
                self.out.push('}');
            }
            _ => match kind.name() {
                Some(name) => self.named(id, kind, &name.full()),
                None => json::write_text(&mut self.out, kind.type_name()),
            },
        }
    }

    fn named(&mut self, id: NodeId, kind: &Kind, name: &str) {
        if !self.seen.insert(id) {
            return json::write_text(&mut self.out, name);
        }
        self.out.push_str("{\"name\":");
        json::write_text(&mut self.out, name);
        self.out.push_str(",\"type\":");
        json::write_text(&mut self.out, kind.type_name());
        match kind {
            Kind::Record(record) => {
                self.out.push_str(",\"fields\":");
                self.list('[', &record.fields, ']', |form, field| {
                    form.out.push_str("{\"name\":");
                    json::write_text(&mut form.out, &field.name);
                    form.out.push_str(",\"type\":");
                    form.schema(field.schema);
                    form.out.push('}');
                });
            }
            Kind::Enum(enumeration) => {
                self.out.push_str(",\"symbols\":");
                self.list('[', &enumeration.symbols, ']', |form, symbol| {
                    json::write_text(&mut form.out, symbol);
                });
            }
            Kind::Fixed(fixed) => {
                self.out.push_str(",\"size\":");
                self.out.push_str(&fixed.size.to_string());
            }
            _ => {}
        }
        self.out.push('}');
    }

    fn list<T>(
        &mut self,
        open: char,
        items: &[T],
        close: char,
        mut each: impl FnMut(&mut Self, &T),
    ) {
        self.out.push(open);
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
        self.out.push(close);
    }
}
