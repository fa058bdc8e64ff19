//! What can be judged only when every type is known.

use std::collections::{HashMap, HashSet};

use super::super::{Kind, NESTING_MAX, NodeId, default, text};
use super::{ParseError, Parser, refuse};
use crate::json::Json;

impl Parser {
    /// Replaces every forward reference by the type it names.
    pub(super) fn resolve(&mut self, root: NodeId) -> Result<NodeId, ParseError> {
        if self.forward.is_empty() {
            return Ok(root);
        }
        let mut target = HashMap::new();
        for (id, full) in std::mem::take(&mut self.forward) {
            match self.names.get(&full) {
                Some(known) => target.insert(id, *known),
                None => return refuse(format!("Undefined schema: {full}")),
            };
        }
        let follow = |id: &mut NodeId| *id = target.get(id).copied().unwrap_or(*id);
        for node in &mut self.nodes {
            match &mut node.kind {
                Kind::Array(inner) | Kind::Map(inner) => follow(inner),
                Kind::Union(branches) => branches.iter_mut().for_each(follow),
                Kind::Record(record) => {
                    record.fields.iter_mut().for_each(|field| follow(&mut field.schema));
                }
                _ => {}
            }
        }
        self.check_unions()?;
        Ok(target.get(&root).copied().unwrap_or(root))
    }

    /// A union with forward references may turn out to name one type twice.
    fn check_unions(&self) -> Result<(), ParseError> {
        for node in &self.nodes {
            let Kind::Union(branches) = &node.kind else { continue };
            let mut seen = HashSet::new();
            for branch in branches {
                let name = self.kind(*branch).branch_name();
                if !seen.insert(name.clone()) {
                    return refuse(format!("Duplicate in union:{name}"));
                }
            }
        }
        Ok(())
    }

    /// Types declared side by side may still nest deeply through the names they use.
    pub(super) fn check_nesting(
        &self,
        id: NodeId,
        levels: usize,
        seen: &mut HashSet<NodeId>,
    ) -> Result<(), ParseError> {
        if !seen.insert(id) {
            return Ok(());
        }
        let Some(levels) = levels.checked_sub(1) else {
            return refuse(format!("types nested deeper than {NESTING_MAX} levels"));
        };
        match self.kind(id) {
            Kind::Array(inner) | Kind::Map(inner) => self.check_nesting(*inner, levels, seen),
            Kind::Union(branches) => {
                branches.iter().try_for_each(|branch| self.check_nesting(*branch, levels, seen))
            }
            Kind::Record(record) => record
                .fields
                .iter()
                .try_for_each(|field| self.check_nesting(field.schema, levels, seen)),
            _ => Ok(()),
        }
    }

    pub(super) fn check_default(&self, record: NodeId, field: usize) -> Result<(), ParseError> {
        let Kind::Record(record) = self.kind(record) else { return Ok(()) };
        let field = &record.fields[field];
        match &field.default {
            Some(default) => self.default_fits(&field.name, field.schema, default),
            None => Ok(()),
        }
    }

    pub(super) fn default_fits(
        &self,
        field: &str,
        schema: NodeId,
        value: &Json,
    ) -> Result<(), ParseError> {
        match default::fits(&self.nodes, &self.open, schema, value) {
            None => refuse("Schema fields not set yet"),
            Some(true) => Ok(()),
            Some(false) => {
                let kind = text::of(&self.nodes, schema);
                refuse(format!("Invalid default for field {field}: {value} not a {kind}"))
            }
        }
    }
}
