//! REGISTER: tell me when something changes.

use bytes::BytesMut;

use crate::{Reader, WireError, WireWrite};

/// What events are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Nodes come and go.
    TopologyChange,
    /// Nodes go up and down.
    StatusChange,
    /// Keyspaces, tables, types change.
    SchemaChange,
}

impl EventKind {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::TopologyChange => "TOPOLOGY_CHANGE",
            EventKind::StatusChange => "STATUS_CHANGE",
            EventKind::SchemaChange => "SCHEMA_CHANGE",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<EventKind> {
        [EventKind::TopologyChange, EventKind::StatusChange, EventKind::SchemaChange]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// The kinds asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// In the order sent.
    pub events: Vec<EventKind>,
}

impl Register {
    pub(super) fn decode(reader: &mut Reader) -> Result<Register, WireError> {
        let names = reader.string_list()?;
        let events = names.iter().map(|name| {
            EventKind::named(name).ok_or_else(|| WireError::invalid("event type", name))
        });
        Ok(Register { events: events.collect::<Result<_, _>>()? })
    }

    pub(super) fn encode(&self, body: &mut BytesMut) {
        let names: Vec<&str> = self.events.iter().map(|kind| kind.name()).collect();
        body.put_string_list(&names);
    }
}
