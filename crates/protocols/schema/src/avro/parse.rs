//! From text to schema.
//!
//! Accepts and refuses what `Schema.Parser` of Avro 1.12 for Java does; its errors keep that
//! library's words, because clients show them. Differs in two cases. A record
//! declared inside itself under its own name is refused here, where Java silently drops the inner
//! one. The default of a field whose type is declared further down is judged by that type here,
//! where Java accepts only objects.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::name::NameRule;
use super::{Enum, Field, Fixed, Kind, NESTING_MAX, Name, Node, NodeId, Order, Record, Schema};
use crate::json::{self, Json, JsonError, Members};

mod members;
mod resolve;

use members::{
    alias_texts, field_order, java_parse_double, missing, optional_text, properties, required_text,
};

/// Members of a schema object that have a meaning; all others are kept as properties.
const SCHEMA_RESERVED: [&str; 10] =
    ["doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"];
/// The same for a field.
const FIELD_RESERVED: [&str; 6] = ["default", "doc", "name", "order", "type", "aliases"];

/// Why a text is no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is no JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is JSON, but no schema; the text says what is wrong.
    #[error("{0}")]
    Schema(String),
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError::Schema(reason.into()))
}

/// Parses schemas that may name the types of those parsed before them.
#[derive(Debug, Clone)]
pub struct Parser {
    strict: bool,
    nodes: Vec<Node>,
    names: HashMap<String, NodeId>,
    /// Records whose fields are being read.
    open: HashSet<NodeId>,
    /// Names used before they were declared, and the node that stands for each use.
    forward: BTreeMap<NodeId, String>,
    /// Defaults that could not be judged yet, because a type was not declared: record, field.
    unchecked: Vec<(NodeId, usize)>,
    references: BTreeSet<String>,
}

impl Default for Parser {
    fn default() -> Parser {
        Parser::new()
    }
}

impl Parser {
    /// For new schemas: names are ASCII as specified, defaults must fit their types.
    pub fn new() -> Parser {
        Parser {
            strict: true,
            nodes: Vec::new(),
            names: HashMap::new(),
            open: HashSet::new(),
            forward: BTreeMap::new(),
            unchecked: Vec::new(),
            references: BTreeSet::new(),
        }
    }

    /// For schemas that somebody accepted before: names may use letters of any script, and defaults
    /// are not checked.
    pub fn lenient() -> Parser {
        Parser { strict: false, ..Parser::new() }
    }

    /// Parses a schema whose types the following ones may name.
    pub fn add_reference(&mut self, text: &str) -> Result<(), ParseError> {
        let root = self.parse_root(text)?;
        if let Some(name) = self.kind(root).name() {
            self.references.insert(name.full());
        }
        Ok(())
    }

    /// Parses the schema itself.
    pub fn parse(mut self, text: &str) -> Result<Schema, ParseError> {
        let root = self.parse_root(text)?;
        Ok(Schema { nodes: self.nodes, root, references: self.references })
    }

    fn parse_root(&mut self, text: &str) -> Result<NodeId, ParseError> {
        if text.trim().is_empty() {
            return refuse("Cannot parse <null> schema");
        }
        let value = json::parse(text)?;
        let root = self.schema(&value, None)?;
        let root = self.resolve(root)?;
        self.check_nesting(root, NESTING_MAX, &mut HashSet::new())?;
        for (record, field) in std::mem::take(&mut self.unchecked) {
            self.check_default(record, field)?;
        }
        Ok(root)
    }

    fn schema(&mut self, value: &Json, space: Option<&str>) -> Result<NodeId, ParseError> {
        match value {
            Json::Text(name) => Ok(self.named(name, space)),
            Json::Array(branches) => self.union(value, branches, space),
            Json::Object(members) => self.object(value, members, space),
            _ => refuse(format!("Schema not yet supported: {value}")),
        }
    }

    fn object(
        &mut self,
        value: &Json,
        members: &Members,
        space: Option<&str>,
    ) -> Result<NodeId, ParseError> {
        let kind = required_text(members, "type").ok_or_else(|| missing("No type", value))?;
        match kind {
            "record" | "error" => self.record(value, members, space, kind == "error"),
            "enum" => self.enumeration(value, members, space),
            "fixed" => self.fixed(value, members, space),
            "array" => {
                let items = members
                    .get("items")
                    .ok_or_else(|| missing("Array has no items type", value))?;
                let items = self.schema(items, space)?;
                Ok(self.add(Kind::Array(items), properties(members, &SCHEMA_RESERVED)))
            }
            "map" => {
                let values = members
                    .get("values")
                    .ok_or_else(|| missing("Map has no values type", value))?;
                let values = self.schema(values, space)?;
                Ok(self.add(Kind::Map(values), properties(members, &SCHEMA_RESERVED)))
            }
            name => match Kind::primitive(name) {
                Some(kind) => Ok(self.add(kind, properties(members, &SCHEMA_RESERVED))),
                None => Ok(self.named(name, space)),
            },
        }
    }

    fn union(
        &mut self,
        value: &Json,
        branches: &[Json],
        space: Option<&str>,
    ) -> Result<NodeId, ParseError> {
        let mut ids = Vec::with_capacity(branches.len());
        for branch in branches {
            ids.push(self.schema(branch, space)?);
        }
        let mut seen = HashSet::new();
        for id in &ids {
            match self.kind(*id) {
                Kind::Union(_) => return refuse(format!("Nested union: {value}")),
                // A forward reference is judged once it is known.
                _ if self.forward.contains_key(id) => {}
                kind if seen.insert(kind.branch_name()) => {}
                kind => return refuse(format!("Duplicate in union:{}", kind.branch_name())),
            }
        }
        Ok(self.add(Kind::Union(ids), Members::new()))
    }

    fn record(
        &mut self,
        value: &Json,
        members: &Members,
        space: Option<&str>,
        is_error: bool,
    ) -> Result<NodeId, ParseError> {
        let name = self.declared_name(value, members, space)?;
        let doc = optional_text(members, "doc");
        let inner = name.namespace().map(str::to_owned);
        let record =
            Record { name: name.clone(), doc, aliases: Vec::new(), is_error, fields: Vec::new() };
        let id = self.declare(Kind::Record(record))?;
        let Some(Json::Array(items)) = members.get("fields") else {
            return refuse(format!("Record has no fields: {value}"));
        };
        self.open.insert(id);
        let mut fields: Vec<Field> = Vec::with_capacity(items.len());
        let mut places = HashMap::new();
        for item in items {
            let field = self.field(item, inner.as_deref(), (id, fields.len()))?;
            if places.insert(field.name.clone(), fields.len()).is_some() {
                return refuse(format!("Duplicate field {} in record {name}", field.name));
            }
            fields.push(field);
        }
        self.open.remove(&id);
        let aliases = self.aliases(value, members, &name)?;
        self.nodes[id.index()].properties = properties(members, &SCHEMA_RESERVED);
        if let Kind::Record(record) = &mut self.nodes[id.index()].kind {
            record.fields = fields;
            record.aliases = aliases;
        }
        Ok(id)
    }

    fn field(
        &mut self,
        value: &Json,
        space: Option<&str>,
        place: (NodeId, usize),
    ) -> Result<Field, ParseError> {
        let none = Members::new();
        let members = value.as_object().unwrap_or(&none);
        let name = required_text(members, "name").ok_or_else(|| missing("No field name", value))?;
        let kind = members.get("type").ok_or_else(|| missing("No field type", value))?;
        let schema = self.schema(kind, space)?;
        let order = match members.get("order") {
            None => Order::Ascending,
            Some(order) => field_order(order)?,
        };
        let default = match members.get("default") {
            Some(Json::Text(text)) if matches!(self.kind(schema), Kind::Float | Kind::Double) => {
                Some(Json::Double(java_parse_double(text)?))
            }
            other => other.cloned(),
        };
        self.name_rule().check(name).map_err(ParseError::Schema)?;
        if let Some(default) = &default
            && self.strict
        {
            if self.forward.is_empty() {
                self.default_fits(name, schema, default)?;
            } else {
                self.unchecked.push(place);
            }
        }
        Ok(Field {
            name: name.to_owned(),
            schema,
            doc: optional_text(members, "doc"),
            default,
            order,
            aliases: alias_texts(value, members)?,
            properties: properties(members, &FIELD_RESERVED),
        })
    }

    fn enumeration(
        &mut self,
        value: &Json,
        members: &Members,
        space: Option<&str>,
    ) -> Result<NodeId, ParseError> {
        let name = self.declared_name(value, members, space)?;
        let Some(Json::Array(items)) = members.get("symbols") else {
            return refuse(format!("Enum has no symbols: {value}"));
        };
        let mut symbols = Vec::with_capacity(items.len());
        let mut seen = HashSet::new();
        for item in items {
            let Some(symbol) = item.as_text() else {
                return refuse("Null name");
            };
            self.name_rule().check(symbol).map_err(ParseError::Schema)?;
            if !seen.insert(symbol) {
                return refuse(format!("Duplicate enum symbol: {symbol}"));
            }
            symbols.push(symbol.to_owned());
        }
        let default = optional_text(members, "default");
        if let Some(default) = &default
            && !seen.contains(default.as_str())
        {
            let symbols = symbols.join(", ");
            return refuse(format!(
                "The Enum Default: {default} is not in the enum symbol set: [{symbols}]"
            ));
        }
        let doc = optional_text(members, "doc");
        let kind =
            Kind::Enum(Enum { name: name.clone(), doc, aliases: Vec::new(), symbols, default });
        let mut properties = Members::new();
        for (key, property) in members.iter() {
            if !SCHEMA_RESERVED.contains(&key) && key != "default" {
                properties.insert(key, property.clone());
            }
        }
        self.finish_named(kind, properties, value, members, &name)
    }

    fn fixed(
        &mut self,
        value: &Json,
        members: &Members,
        space: Option<&str>,
    ) -> Result<NodeId, ParseError> {
        let name = self.declared_name(value, members, space)?;
        let size = match members.get("size") {
            Some(Json::Int(size)) => i32::try_from(*size).ok(),
            _ => None,
        };
        let Some(size) = size else {
            return refuse(format!("Invalid or no size: {value}"));
        };
        let Ok(size) = usize::try_from(size) else {
            return refuse(format!("Malformed data. Length is negative: {size}"));
        };
        let doc = optional_text(members, "doc");
        let kind = Kind::Fixed(Fixed { name: name.clone(), doc, aliases: Vec::new(), size });
        self.finish_named(kind, properties(members, &SCHEMA_RESERVED), value, members, &name)
    }

    /// Declares an enum or fixed type. The same declaration may be repeated, unless the first has
    /// properties: Java compares before it has read those of the second.
    fn finish_named(
        &mut self,
        mut kind: Kind,
        properties: Members,
        value: &Json,
        members: &Members,
        name: &Name,
    ) -> Result<NodeId, ParseError> {
        let aliases = self.aliases(value, members, name)?;
        if let Some(known) = self.names.get(&name.full()).copied() {
            let node = self.nodes[known.index()].clone();
            return match (&node.kind, &kind) {
                (Kind::Enum(a), Kind::Enum(b))
                    if a.symbols == b.symbols && node.properties.is_empty() =>
                {
                    Ok(known)
                }
                (Kind::Fixed(a), Kind::Fixed(b))
                    if a.size == b.size && node.properties.is_empty() =>
                {
                    Ok(known)
                }
                _ => refuse(format!("Can't redefine: {name}")),
            };
        }
        match &mut kind {
            Kind::Enum(Enum { aliases: own, .. }) | Kind::Fixed(Fixed { aliases: own, .. }) => {
                *own = aliases;
            }
            _ => {}
        }
        let id = self.declare(kind)?;
        self.nodes[id.index()].properties = properties;
        Ok(id)
    }

    fn declare(&mut self, kind: Kind) -> Result<NodeId, ParseError> {
        let full = kind.name().map(Name::full).expect("only named types are declared");
        if self.names.contains_key(&full) {
            return refuse(format!("Can't redefine: {full}"));
        }
        let id = self.add(kind, Members::new());
        self.names.insert(full, id);
        Ok(id)
    }

    fn declared_name(
        &self,
        value: &Json,
        members: &Members,
        space: Option<&str>,
    ) -> Result<Name, ParseError> {
        let space = required_text(members, "namespace").or(space);
        let written =
            required_text(members, "name").ok_or_else(|| missing("No name in schema", value))?;
        let name = Name::new(written, space);
        self.name_rule().check(name.simple()).map_err(ParseError::Schema)?;
        if Kind::primitive(&name.full()).is_some() {
            return refuse(format!("Schemas may not be named after primitives: {name}"));
        }
        if self.strict {
            for part in name.namespace().into_iter().flat_map(|space| space.split('.')) {
                self.name_rule().check(part).map_err(|reason| {
                    ParseError::Schema(format!("Namespace part \"{part}\" is invalid: {reason}"))
                })?;
            }
        }
        Ok(name)
    }

    fn aliases(
        &self,
        value: &Json,
        members: &Members,
        name: &Name,
    ) -> Result<Vec<Name>, ParseError> {
        let mut aliases = Vec::new();
        for written in alias_texts(value, members)? {
            let alias = Name::new(&written, name.namespace());
            if self.strict {
                self.name_rule().check(alias.simple()).map_err(ParseError::Schema)?;
            }
            if !aliases.contains(&alias) {
                aliases.push(alias);
            }
        }
        Ok(aliases)
    }

    /// A type by name: a primitive, one declared before, or one that must be declared later.
    fn named(&mut self, name: &str, space: Option<&str>) -> NodeId {
        if let Some(kind) = Kind::primitive(name) {
            return self.add(kind, Members::new());
        }
        let full = match space {
            Some(space) if !name.contains('.') => format!("{space}.{name}"),
            _ => name.to_owned(),
        };
        if let Some(id) = self.names.get(&full).or_else(|| self.names.get(name)) {
            return *id;
        }
        let id = self.add(Kind::Null, Members::new());
        self.forward.insert(id, full);
        id
    }

    fn add(&mut self, kind: Kind, properties: Members) -> NodeId {
        let id = NodeId::new(self.nodes.len());
        self.nodes.push(Node { kind, properties });
        id
    }

    fn kind(&self, id: NodeId) -> &Kind {
        &self.nodes[id.index()].kind
    }

    fn name_rule(&self) -> NameRule {
        if self.strict { NameRule::Strict } else { NameRule::Utf }
    }
}
