//! EVENT, and the schema change that RESULT may carry: the same bytes. Spec v5, section 4.2.6.

use std::net::SocketAddr;

use bytes::BytesMut;

use crate::request::EventKind;
use crate::{Reader, WireError, WireWrite};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$inner:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$inner])* $variant,)*
        }

        impl $name {
            fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }

            fn named(name: &str) -> Result<$name, WireError> {
                match name {
                    $($text => Ok($name::$variant),)*
                    other => Err(WireError::invalid($what, other)),
                }
            }
        }
    };
}

names! {
    /// What happened to a part of the schema.
    ChangeType: "schema change" {
        /// It is new.
        Created = "CREATED",
        /// It is different.
        Updated = "UPDATED",
        /// It is gone.
        Dropped = "DROPPED",
    }
}

names! {
    /// What happened to the ring.
    TopologyChange: "topology change" {
        /// A node came.
        NewNode = "NEW_NODE",
        /// A node went.
        RemovedNode = "REMOVED_NODE",
        /// A node has other tokens.
        MovedNode = "MOVED_NODE",
    }
}

names! {
    /// What happened to a node.
    StatusChange: "status change" {
        /// It answers.
        Up = "UP",
        /// It does not.
        Down = "DOWN",
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeTarget {
    /// A keyspace.
    Keyspace,
    /// A table or view.
    Table(String),
    /// A user-defined type.
    Type(String),
    /// A function: name and argument types (v4 on).
    Function(String, Vec<String>),
    /// An aggregate: name and argument types (v4 on).
    Aggregate(String, Vec<String>),
}

/// A change of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    /// What happened.
    pub change: ChangeType,
    /// The keyspace it happened in, or to.
    pub keyspace: String,
    /// To what.
    pub target: ChangeTarget,
}

impl SchemaChange {
    pub(super) fn encode(&self, body: &mut BytesMut) {
        body.put_string(self.change.name());
        let (target, name, arguments) = match &self.target {
            ChangeTarget::Keyspace => ("KEYSPACE", None, None),
            ChangeTarget::Table(name) => ("TABLE", Some(name), None),
            ChangeTarget::Type(name) => ("TYPE", Some(name), None),
            ChangeTarget::Function(name, types) => ("FUNCTION", Some(name), Some(types)),
            ChangeTarget::Aggregate(name, types) => ("AGGREGATE", Some(name), Some(types)),
        };
        body.put_string(target);
        body.put_string(&self.keyspace);
        if let Some(name) = name {
            body.put_string(name);
        }
        if let Some(arguments) = arguments {
            body.put_string_list(arguments);
        }
    }

    pub(super) fn decode(reader: &mut Reader) -> Result<SchemaChange, WireError> {
        let change = ChangeType::named(&reader.string()?)?;
        let target = reader.string()?;
        let keyspace = reader.string()?;
        let target = match target.as_str() {
            "KEYSPACE" => ChangeTarget::Keyspace,
            "TABLE" => ChangeTarget::Table(reader.string()?),
            "TYPE" => ChangeTarget::Type(reader.string()?),
            "FUNCTION" => ChangeTarget::Function(reader.string()?, reader.string_list()?),
            "AGGREGATE" => ChangeTarget::Aggregate(reader.string()?, reader.string_list()?),
            other => return Err(WireError::invalid("schema change target", other)),
        };
        Ok(SchemaChange { change, keyspace, target })
    }
}

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A node came or went.
    Topology(TopologyChange, SocketAddr),
    /// A node went up or down.
    Status(StatusChange, SocketAddr),
    /// The schema changed.
    Schema(SchemaChange),
}

impl Event {
    /// Who wants to hear it.
    pub fn kind(&self) -> EventKind {
        match self {
            Event::Topology(..) => EventKind::TopologyChange,
            Event::Status(..) => EventKind::StatusChange,
            Event::Schema(_) => EventKind::SchemaChange,
        }
    }

    pub(super) fn encode(&self, body: &mut BytesMut) {
        body.put_string(self.kind().name());
        match self {
            Event::Topology(change, address) => {
                body.put_string(change.name());
                body.put_inet(*address);
            }
            Event::Status(change, address) => {
                body.put_string(change.name());
                body.put_inet(*address);
            }
            Event::Schema(change) => change.encode(body),
        }
    }

    pub(super) fn decode(reader: &mut Reader) -> Result<Event, WireError> {
        let kind = reader.string()?;
        match EventKind::named(&kind) {
            Some(EventKind::TopologyChange) => {
                Ok(Event::Topology(TopologyChange::named(&reader.string()?)?, reader.inet()?))
            }
            Some(EventKind::StatusChange) => {
                Ok(Event::Status(StatusChange::named(&reader.string()?)?, reader.inet()?))
            }
            Some(EventKind::SchemaChange) => Ok(Event::Schema(SchemaChange::decode(reader)?)),
            None => Err(WireError::invalid("event type", kind)),
        }
    }
}
