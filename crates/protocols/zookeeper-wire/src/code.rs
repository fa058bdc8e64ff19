//! The numbers of the protocol: what is asked for, and what went wrong.

/// Declares an enumeration whose variants are numbers on the wire.
macro_rules! numbers {
    ($(#[$meta:meta])* $name:ident { $($(#[$of_variant:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i32)]
        pub enum $name {
            $($(#[$of_variant])* $variant = $number,)*
        }

        impl $name {
            /// All there are.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// The number on the wire.
            pub fn number(self) -> i32 {
                self as i32
            }

            /// What the number stands for.
            pub fn from_number(number: i32) -> Option<$name> {
                match number {
                    $($number => Some($name::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

numbers! {
    /// What a request asks for (`ZooDefs.OpCode`).
    Op {
        /// A watch event; never asked for.
        Notification = 0,
        /// Makes a node.
        Create = 1,
        /// Removes a node.
        Delete = 2,
        /// A node's stat.
        Exists = 3,
        /// A node's data and stat.
        GetData = 4,
        /// Replaces a node's data.
        SetData = 5,
        /// A node's access control list.
        GetAcl = 6,
        /// Replaces it.
        SetAcl = 7,
        /// The names of a node's children.
        GetChildren = 8,
        /// Waits until all that was written before is visible here.
        Sync = 9,
        /// Keeps the session alive.
        Ping = 11,
        /// The names of a node's children, and its stat.
        GetChildren2 = 12,
        /// Part of a multi: the node has this version.
        Check = 13,
        /// Several writes, all or none.
        Multi = 14,
        /// Makes a node and answers its stat.
        Create2 = 15,
        /// Changes the ensemble.
        Reconfig = 16,
        /// Whether a watch is set.
        CheckWatches = 17,
        /// Takes a watch back.
        RemoveWatches = 18,
        /// Makes a node that goes when its last child has gone.
        CreateContainer = 19,
        /// The server removes an empty container.
        DeleteContainer = 20,
        /// Makes a node that goes when it is old and has no children.
        CreateTtl = 21,
        /// Several reads.
        MultiRead = 22,
        /// Adds an identity to the connection.
        Auth = 100,
        /// Sets the watches of an earlier connection again.
        SetWatches = 101,
        /// A step of SASL.
        Sasl = 102,
        /// The ephemeral nodes of this session.
        GetEphemerals = 103,
        /// How many nodes lie below.
        GetAllChildrenNumber = 104,
        /// As SetWatches, with persistent ones.
        SetWatches2 = 105,
        /// Sets a persistent watch.
        AddWatch = 106,
        /// The identities of this connection.
        WhoAmI = 107,
        /// A session begins.
        CreateSession = -10,
        /// A session ends.
        CloseSession = -11,
        /// In logs and results: what failed.
        Error = -1,
    }
}

numbers! {
    /// What went wrong (`KeeperException.Code`).
    ErrorCode {
        /// Nothing.
        Ok = 0,
        /// The server is at fault.
        SystemError = -1,
        /// In a multi: not tried, because a part before it failed.
        RuntimeInconsistency = -2,
        /// What is stored contradicts itself.
        DataInconsistency = -3,
        /// The connection went; nobody knows whether the request was served.
        ConnectionLoss = -4,
        /// The request could not be read.
        MarshallingError = -5,
        /// The server cannot do this.
        Unimplemented = -6,
        /// It took too long.
        OperationTimeout = -7,
        /// A path or a value that cannot be.
        BadArguments = -8,
        /// The session is not known.
        UnknownSession = -12,
        /// The new ensemble has no quorum.
        NewConfigNoQuorum = -13,
        /// Another reconfiguration is under way.
        ReconfigInProgress = -14,
        /// No such node.
        NoNode = -101,
        /// The access control list does not permit it.
        NoAuth = -102,
        /// The node has another version.
        BadVersion = -103,
        /// Ephemeral nodes have no children.
        NoChildrenForEphemerals = -108,
        /// The node exists.
        NodeExists = -110,
        /// The node has children.
        NotEmpty = -111,
        /// The session has ended.
        SessionExpired = -112,
        /// A callback that cannot be.
        InvalidCallback = -113,
        /// An access control list that cannot be.
        InvalidAcl = -114,
        /// The credentials are wrong.
        AuthFailed = -115,
        /// The session is at another server.
        SessionMoved = -118,
        /// The server only reads.
        NotReadOnly = -119,
        /// Local sessions have no ephemeral nodes.
        EphemeralOnLocalSession = -120,
        /// No such watch.
        NoWatcher = -121,
        /// The request was not answered in time.
        RequestTimeout = -122,
        /// The ensemble cannot be changed.
        ReconfigDisabled = -123,
        /// The server wants SASL.
        SessionClosedRequireSaslAuth = -124,
        /// The quota is used up.
        QuotaExceeded = -125,
        /// Too much at once; nothing was done.
        ThrottledOp = -127,
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?} ({})", self.number())
    }
}

impl std::error::Error for ErrorCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_its_name() {
        assert!(Op::ALL.iter().all(|op| Op::from_number(op.number()) == Some(*op)));
        assert!(ErrorCode::ALL.iter().all(|e| ErrorCode::from_number(e.number()) == Some(*e)));
        assert_eq!(Op::from_number(10), None);
        assert_eq!(ErrorCode::from_number(1), None);
    }
}
