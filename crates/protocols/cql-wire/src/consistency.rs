//! Consistency levels. One node stores everything, so all of them are equal here; they are read,
//! kept and echoed as the protocol demands.

use std::fmt;

use crate::WireError;

macro_rules! consistency {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// How many replicas a request asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Consistency {
            $($(#[$doc])* $name = $number,)*
        }

        impl Consistency {
            /// All levels, in the order of their numbers.
            pub const ALL_LEVELS: &[Consistency] = &[$(Consistency::$name,)*];

            /// The level of a `[consistency]` on the wire.
            pub fn from_number(number: u16) -> Result<Consistency, WireError> {
                match number {
                    $($number => Ok(Consistency::$name),)*
                    _ => Err(WireError::unknown("Consistency level", number)),
                }
            }

            /// The level with this name, in any case.
            pub fn named(name: &str) -> Option<Consistency> {
                $(if name.eq_ignore_ascii_case($text) {
                    return Some(Consistency::$name);
                })*
                None
            }

            /// The name in CQL: `LOCAL_ONE`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Consistency::$name => $text,)*
                }
            }
        }
    };
}

consistency! {
    /// Any node, even only as a hint.
    Any = 0x00, "ANY";
    /// One replica.
    One = 0x01, "ONE";
    /// Two replicas.
    Two = 0x02, "TWO";
    /// Three replicas.
    Three = 0x03, "THREE";
    /// A majority of all replicas.
    Quorum = 0x04, "QUORUM";
    /// All replicas.
    All = 0x05, "ALL";
    /// A majority in the local data centre.
    LocalQuorum = 0x06, "LOCAL_QUORUM";
    /// A majority in each data centre.
    EachQuorum = 0x07, "EACH_QUORUM";
    /// A linearizable read.
    Serial = 0x08, "SERIAL";
    /// A linearizable read within the local data centre.
    LocalSerial = 0x09, "LOCAL_SERIAL";
    /// One replica in the local data centre.
    LocalOne = 0x0A, "LOCAL_ONE";
    /// The local node alone.
    NodeLocal = 0x0B, "NODE_LOCAL";
}

impl Consistency {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The two levels the Paxos phase of a conditional update may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SerialConsistency {
    /// Linearizable over all data centres.
    #[default]
    Serial,
    /// Linearizable within the local one.
    LocalSerial,
}

impl SerialConsistency {
    pub(crate) fn from_number(number: u16) -> Result<SerialConsistency, WireError> {
        match Consistency::from_number(number)? {
            Consistency::Serial => Ok(SerialConsistency::Serial),
            Consistency::LocalSerial => Ok(SerialConsistency::LocalSerial),
            other => Err(WireError::invalid(
                "consistency for conditional update (SERIAL or LOCAL_SERIAL expected)",
                other,
            )),
        }
    }

    pub(crate) fn number(self) -> u16 {
        match self {
            SerialConsistency::Serial => Consistency::Serial.number(),
            SerialConsistency::LocalSerial => Consistency::LocalSerial.number(),
        }
    }
}
