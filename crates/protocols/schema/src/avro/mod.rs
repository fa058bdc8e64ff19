//! Avro schemas. Spec: <https://avro.apache.org/docs/1.12.0/specification/>
//!
//! A [`Schema`] is an arena of [`Node`]s, so that a type that names itself is a number and not a
//! cycle, and so that "the same type" means the same [`NodeId`], as it means the same object in
//! Java. What is accepted and refused, and what is printed, follows Avro 1.12 for Java, because
//! that is what Schema Registry runs.

use std::collections::BTreeSet;
use std::fmt;

use crate::json::{Json, Members};

mod compat;
mod data;
mod default;
mod equal;
mod logical;
mod name;
mod normal;
mod parse;
mod text;

pub use compat::{CompatibilityError, Incompatibility, IncompatibilityKind, check_reader_writer};
pub use data::{DataError, DataStyle, decode, encode};
pub use logical::Logical;
pub use name::Name;
pub use parse::{ParseError, Parser};

/// Nesting allowed among the types of one schema, in levels. Far above what people and generators
/// write, and small enough for any walk over a schema to fit a thread's stack.
pub const NESTING_MAX: usize = 500;

/// The place of a type in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    fn new(at: usize) -> NodeId {
        NodeId(u32::try_from(at).expect("a schema's text is too short for 2^32 types"))
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A parsed schema.
#[derive(Debug, Clone)]
pub struct Schema {
    nodes: Vec<Node>,
    root: NodeId,
    /// Full names of the schemas it was parsed after: its text names them and does not repeat them.
    references: BTreeSet<String>,
}

/// One type with its unknown properties.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What type it is.
    pub kind: Kind,
    /// Properties that Avro gives no meaning, `logicalType` and its parameters among them.
    pub properties: Members,
}

/// The types of Avro.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// No value.
    Null,
    /// True or false.
    Boolean,
    /// 32 bits, signed.
    Int,
    /// 64 bits, signed.
    Long,
    /// 32 bits, IEEE 754.
    Float,
    /// 64 bits, IEEE 754.
    Double,
    /// Bytes of any length.
    Bytes,
    /// UTF-8.
    String,
    /// Any number of items of one type.
    Array(NodeId),
    /// Any number of values of one type, by strings.
    Map(NodeId),
    /// A value of one of these types.
    Union(Vec<NodeId>),
    /// Named fields in order.
    Record(Record),
    /// One of some symbols.
    Enum(Enum),
    /// Bytes of one length.
    Fixed(Fixed),
}

/// A record type.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// Documentation.
    pub doc: Option<String>,
    /// Other names under which it reads what others wrote.
    pub aliases: Vec<Name>,
    /// Declared as `error` (for RPC) instead of `record`.
    pub is_error: bool,
    /// Its fields, in the order in which they are written.
    pub fields: Vec<Field>,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub schema: NodeId,
    /// Documentation.
    pub doc: Option<String>,
    /// The value it takes when a writer did not know it.
    pub default: Option<Json>,
    /// Its part in the order of records.
    pub order: Order,
    /// Other names under which it reads what others wrote.
    pub aliases: Vec<String>,
    /// Properties that Avro gives no meaning.
    pub properties: Members,
}

/// A field's part in the order of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smaller first; not written in a schema's text.
    Ascending,
    /// Greater first.
    Descending,
    /// None.
    Ignore,
}

/// An enum type.
#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// Documentation.
    pub doc: Option<String>,
    /// Other names under which it reads what others wrote.
    pub aliases: Vec<Name>,
    /// Its symbols; a value is written as its place among them.
    pub symbols: Vec<String>,
    /// The symbol that stands for those it does not know.
    pub default: Option<String>,
}

/// A fixed type.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// Its name.
    pub name: Name,
    /// Documentation.
    pub doc: Option<String>,
    /// Other names under which it reads what others wrote.
    pub aliases: Vec<Name>,
    /// Length in bytes.
    pub size: usize,
}

impl Schema {
    /// Parses the text of a new schema: names are checked as the specification wants them, defaults
    /// must fit their types.
    pub fn parse(text: &str) -> Result<Schema, ParseError> {
        Parser::new().parse(text)
    }

    /// The outermost type.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// A type of this schema.
    ///
    /// # Panics
    /// If `id` comes from another, larger schema.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// What type `id` is.
    pub fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    /// The full name of the outermost type, if it has one of its own.
    pub fn name(&self) -> Option<&Name> {
        self.kind(self.root).name()
    }
}

impl Kind {
    /// The name of a record, enum or fixed type.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Kind::Record(Record { name, .. })
            | Kind::Enum(Enum { name, .. })
            | Kind::Fixed(Fixed { name, .. }) => Some(name),
            _ => None,
        }
    }

    /// The aliases of a record, enum or fixed type.
    pub fn aliases(&self) -> &[Name] {
        match self {
            Kind::Record(Record { aliases, .. })
            | Kind::Enum(Enum { aliases, .. })
            | Kind::Fixed(Fixed { aliases, .. }) => aliases,
            _ => &[],
        }
    }

    /// The name of the type in a schema's text: `record`, `int`, …
    pub fn type_name(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
            Kind::Record(_) => "record",
            Kind::Enum(_) => "enum",
            Kind::Fixed(_) => "fixed",
        }
    }

    /// What tells this type from others in a union: its full name, or the name of the type.
    pub fn branch_name(&self) -> String {
        self.name().map_or_else(|| self.type_name().to_owned(), Name::full)
    }

    fn primitive(name: &str) -> Option<Kind> {
        Some(match name {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "bytes" => Kind::Bytes,
            "string" => Kind::String,
            _ => return None,
        })
    }
}

impl Record {
    /// A field by its own name (not by an alias), with its place.
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }
}

impl Order {
    fn as_str(self) -> &'static str {
        match self {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
            Order::Ignore => "ignore",
        }
    }
}

/// The canonical text: [`Schema::text`].
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
