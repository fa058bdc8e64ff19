//! Normalised schemas: equal where only the order of what has no order differs.

use super::{Field, Kind, Name, Node, NodeId, Schema, logical};
use crate::json::{self, Json, Members};

impl Schema {
    /// The schema that Schema Registry stores for `normalize=true`: properties and aliases sorted,
    /// the parameters of a logical type first, empty documentation gone, defaults written as values
    /// of their type.
    pub fn normalized(&self) -> Schema {
        let nodes = self.nodes.iter().map(|node| self.node_normalized(node)).collect();
        Schema { nodes, root: self.root, references: self.references.clone() }
    }

    fn node_normalized(&self, node: &Node) -> Node {
        let mut kind = node.kind.clone();
        match &mut kind {
            Kind::Record(record) => {
                drop_empty(&mut record.doc);
                sort_names(&mut record.aliases);
                for field in &mut record.fields {
                    self.normalize_field(field);
                }
            }
            Kind::Enum(enumeration) => {
                drop_empty(&mut enumeration.doc);
                sort_names(&mut enumeration.aliases);
            }
            Kind::Fixed(fixed) => {
                drop_empty(&mut fixed.doc);
                sort_names(&mut fixed.aliases);
            }
            _ => {}
        }
        Node { kind, properties: sorted_properties(node) }
    }

    fn normalize_field(&self, field: &mut Field) {
        field.aliases.sort_by(|a, b| json::java_order(a, b));
        field.properties = sorted(&field.properties);
        // What Java cannot represent as a value of the type is left out there.
        field.default =
            field.default.take().and_then(|value| self.as_value(Some(field.schema), &value));
    }

    /// A default as a value of its type. Java takes the first branch of a union for it, whichever
    /// branch it fits.
    fn as_value(&self, schema: Option<NodeId>, value: &Json) -> Option<Json> {
        let kind = match schema.map(|id| self.kind(id)) {
            Some(Kind::Union(branches)) => return self.as_value(branches.first().copied(), value),
            kind => kind,
        };
        match (value, kind) {
            (Json::Null | Json::Bool(_), _) => Some(value.clone()),
            (Json::Int(number), Some(Kind::Float)) => Some(float(*number as f64)),
            (Json::Int(number), Some(Kind::Double)) => Some(Json::Double(*number as f64)),
            (Json::Int(_), None | Some(Kind::Int | Kind::Long)) => Some(value.clone()),
            (Json::Double(number), Some(Kind::Float)) => Some(float(*number)),
            (Json::Double(_), None | Some(Kind::Double)) => Some(value.clone()),
            (
                Json::Text(_),
                None | Some(Kind::String | Kind::Enum(_) | Kind::Bytes | Kind::Fixed(_)),
            ) => Some(value.clone()),
            (Json::Array(items), kind) => {
                let inner = match kind {
                    Some(Kind::Array(inner)) => Some(*inner),
                    _ => None,
                };
                items
                    .iter()
                    .map(|item| self.as_value(inner, item))
                    .collect::<Option<_>>()
                    .map(Json::Array)
            }
            (Json::Object(members), kind) => self.as_members(kind, members),
            _ => None,
        }
    }

    fn as_members(&self, kind: Option<&Kind>, members: &Members) -> Option<Json> {
        let mut values = Members::new();
        for (name, value) in members.iter() {
            let inner = match kind {
                Some(Kind::Map(inner)) => Some(*inner),
                Some(Kind::Record(record)) => record.field(name).map(|(_, field)| field.schema),
                _ => None,
            };
            values.insert(name, self.as_value(inner, value)?);
        }
        Some(Json::Object(values).sorted())
    }
}

/// A number as a 32-bit float, in the fewest digits that tell it from its neighbours.
fn float(number: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to 32 bits is the point")]
    let narrow = number as f32;
    Json::Double(narrow.to_string().parse().unwrap_or(f64::from(narrow)))
}

fn drop_empty(doc: &mut Option<String>) {
    if doc.as_deref() == Some("") {
        *doc = None;
    }
}

fn sort_names(names: &mut [Name]) {
    names.sort_by(|a, b| json::java_order(&a.full(), &b.full()));
}

fn sorted(members: &Members) -> Members {
    match Json::Object(members.clone()).sorted() {
        Json::Object(members) => members,
        _ => Members::new(),
    }
}

fn sorted_properties(node: &Node) -> Members {
    let sorted = sorted(&node.properties);
    let first: &[&str] = match logical::of(node) {
        None => return sorted,
        Some(logical::Logical::Decimal { scale: 1.., .. }) => {
            &["logicalType", "precision", "scale"]
        }
        Some(logical::Logical::Decimal { .. }) => &["logicalType", "precision"],
        Some(_) => &["logicalType"],
    };
    let mut ordered = Members::new();
    for name in first {
        if let Some(value) = sorted.get(name) {
            ordered.insert(*name, value.clone());
        }
    }
    for (name, value) in sorted.iter() {
        ordered.insert(name, value.clone());
    }
    ordered
}
