//! Whether two schemas are the same schema.

use std::collections::HashSet;

use super::{Field, Kind, NodeId, Schema};

impl Schema {
    /// Whether the other one is the same in everything but the order of properties: what the
    /// registry means by "this schema is registered already", whichever of the two repeats the
    /// types of its references.
    pub fn is_equivalent(&self, other: &Schema) -> bool {
        let mut pairs = Pairs { seen: HashSet::new(), todo: Vec::new() };
        pairs.add(self.root, other.root);
        while let Some((left, right)) = pairs.todo.pop() {
            let (left, right) = (self.node(left), other.node(right));
            if left.properties != right.properties || !pairs.same(&left.kind, &right.kind) {
                return false;
            }
        }
        true
    }
}

/// The pairs of types that have to be the same for the schemas to be.
struct Pairs {
    seen: HashSet<(NodeId, NodeId)>,
    todo: Vec<(NodeId, NodeId)>,
}

impl Pairs {
    fn add(&mut self, left: NodeId, right: NodeId) {
        if self.seen.insert((left, right)) {
            self.todo.push((left, right));
        }
    }

    /// Whether the two are the same apart from the types they are made of, which are left to do.
    fn same(&mut self, a: &Kind, b: &Kind) -> bool {
        match (a, b) {
            (Kind::Array(a), Kind::Array(b)) | (Kind::Map(a), Kind::Map(b)) => {
                self.add(*a, *b);
                true
            }
            (Kind::Union(a), Kind::Union(b)) => {
                a.iter().zip(b).for_each(|(a, b)| self.add(*a, *b));
                a.len() == b.len()
            }
            (Kind::Record(a), Kind::Record(b)) => {
                (&a.name, &a.doc, a.is_error) == (&b.name, &b.doc, b.is_error)
                    && same_set(&a.aliases, &b.aliases)
                    && a.fields.len() == b.fields.len()
                    && a.fields.iter().zip(&b.fields).all(|(a, b)| self.same_field(a, b))
            }
            (Kind::Enum(a), Kind::Enum(b)) => {
                (&a.name, &a.doc, &a.symbols, &a.default)
                    == (&b.name, &b.doc, &b.symbols, &b.default)
                    && same_set(&a.aliases, &b.aliases)
            }
            (Kind::Fixed(a), Kind::Fixed(b)) => {
                (&a.name, &a.doc, a.size) == (&b.name, &b.doc, b.size)
                    && same_set(&a.aliases, &b.aliases)
            }
            (a, b) => a == b,
        }
    }

    fn same_field(&mut self, a: &Field, b: &Field) -> bool {
        self.add(a.schema, b.schema);
        (&a.name, &a.doc, &a.default, a.order) == (&b.name, &b.doc, &b.default, b.order)
            && a.properties == b.properties
            && same_set(&a.aliases, &b.aliases)
    }
}

fn same_set<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().all(|item| b.contains(item))
}
