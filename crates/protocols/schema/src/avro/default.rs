//! Whether a value may be the default of a field.

use std::collections::HashSet;

use super::{Kind, Node, NodeId, Record};
use crate::json::{DEPTH_MAX, Json};

/// Whether `value` fits the type `schema`. None if that depends on a record whose fields are not
/// known yet: one that is being declared, or one that is its own default.
pub(super) fn fits(
    nodes: &[Node],
    open: &HashSet<NodeId>,
    schema: NodeId,
    value: &Json,
) -> Option<bool> {
    Judge { nodes, open }.fits(schema, value, DEPTH_MAX)
}

struct Judge<'a> {
    nodes: &'a [Node],
    open: &'a HashSet<NodeId>,
}

impl Judge<'_> {
    fn fits(&self, schema: NodeId, value: &Json, depth: usize) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        Some(match &self.nodes[schema.index()].kind {
            Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Fixed(_) => {
                value.as_text().is_some()
            }
            Kind::Int => matches!(value, Json::Int(value) if i32::try_from(*value).is_ok()),
            Kind::Long => matches!(value, Json::Int(_)),
            Kind::Float | Kind::Double => {
                matches!(value, Json::Int(_) | Json::BigInt(_) | Json::Double(_))
            }
            Kind::Boolean => matches!(value, Json::Bool(_)),
            Kind::Null => matches!(value, Json::Null),
            Kind::Array(items) => match value {
                Json::Array(values) => return self.all(*items, values.iter(), depth),
                _ => false,
            },
            Kind::Map(values) => match value {
                Json::Object(members) => {
                    return self.all(*values, members.iter().map(|(_, value)| value), depth);
                }
                _ => false,
            },
            // Since 1.12 the default of a union may belong to any of its branches.
            Kind::Union(branches) => {
                for branch in branches {
                    if self.fits(*branch, value, depth)? {
                        return Some(true);
                    }
                }
                false
            }
            Kind::Record(_) if self.open.contains(&schema) && value.as_object().is_some() => {
                return None;
            }
            Kind::Record(record) => return self.record(record, value, depth),
        })
    }

    fn all<'v>(
        &self,
        schema: NodeId,
        values: impl Iterator<Item = &'v Json>,
        depth: usize,
    ) -> Option<bool> {
        for value in values {
            if !self.fits(schema, value, depth)? {
                return Some(false);
            }
        }
        Some(true)
    }

    fn record(&self, record: &Record, value: &Json, depth: usize) -> Option<bool> {
        let Some(members) = value.as_object() else {
            return Some(false);
        };
        for field in &record.fields {
            let fits = match members.get(&field.name).or(field.default.as_ref()) {
                Some(value) => self.fits(field.schema, value, depth)?,
                None => false,
            };
            if !fits {
                return Some(false);
            }
        }
        Some(true)
    }
}
