//! What nodes consist of (`org.apache.zookeeper.data`).

use crate::jute::records;

records! {
    /// Whom an entry of an access control list means.
    Id {
        /// `world`, `digest`, `ip`, `auth`.
        scheme: String,
        /// What the scheme says: `anyone`, `user:hash`, `127.0.0.1/8`.
        id: String,
    }

    /// One entry of an access control list.
    Acl {
        /// A sum of [`perms`].
        perms: i32,
        /// Who may do this.
        id: Id,
    }

    /// What is known of a node besides its data.
    Stat {
        /// The transaction that made the node.
        czxid: i64,
        /// The transaction that last set its data.
        mzxid: i64,
        /// When it was made, in milliseconds since 1970.
        ctime: i64,
        /// When its data was last set, in milliseconds since 1970.
        mtime: i64,
        /// How often its data was set.
        version: i32,
        /// How often a child was made or removed.
        cversion: i32,
        /// How often its access control list was set.
        aversion: i32,
        /// The session of an ephemeral node, 0 for others.
        ephemeral_owner: i64,
        /// Bytes of its data.
        data_length: i32,
        /// Its children.
        num_children: i32,
        /// The transaction that last made or removed a child.
        pzxid: i64,
    }

    /// What of a [`Stat`] is written in snapshots; the rest follows from it.
    StatPersisted {
        /// As in [`Stat`].
        czxid: i64,
        /// As in [`Stat`].
        mzxid: i64,
        /// As in [`Stat`].
        ctime: i64,
        /// As in [`Stat`].
        mtime: i64,
        /// As in [`Stat`].
        version: i32,
        /// How often a child was made: the next sequence number.
        cversion: i32,
        /// As in [`Stat`].
        aversion: i32,
        /// The session of an ephemeral node; other kinds are kept here too, see [`owner`].
        ephemeral_owner: i64,
        /// As in [`Stat`].
        pzxid: i64,
    }

    /// An identity of a connection, as its client is told.
    ClientInfo {
        /// The scheme.
        auth_scheme: String,
        /// The user within it.
        user: String,
    }
}

/// What an entry of an access control list permits.
pub mod perms {
    /// Data and children may be read.
    pub const READ: i32 = 1;
    /// Data may be set.
    pub const WRITE: i32 = 2;
    /// Children may be made.
    pub const CREATE: i32 = 4;
    /// Children may be removed.
    pub const DELETE: i32 = 8;
    /// The list may be set.
    pub const ADMIN: i32 = 16;
    /// All of it.
    pub const ALL: i32 = READ | WRITE | CREATE | DELETE | ADMIN;
}

impl Id {
    /// An identity of this scheme.
    pub fn new(scheme: &str, id: &str) -> Id {
        Id { scheme: scheme.to_owned(), id: id.to_owned() }
    }
}

impl Acl {
    /// Anybody may do anything.
    pub fn open() -> Vec<Acl> {
        vec![Acl { perms: perms::ALL, id: Id::new("world", "anyone") }]
    }

    /// Anybody may read.
    pub fn read_only() -> Vec<Acl> {
        vec![Acl { perms: perms::READ, id: Id::new("world", "anyone") }]
    }

    /// The identities of the connection that says this may do anything.
    pub fn creator() -> Vec<Acl> {
        vec![Acl { perms: perms::ALL, id: Id::new("auth", "") }]
    }
}

/// What `ephemeral_owner` says of a node besides its session: ZooKeeper keeps the kind there.
pub mod owner {
    /// A container: it goes when its last child has gone.
    pub const CONTAINER: i64 = i64::MIN;
    /// The high byte of an owner that is a time to live.
    const TTL_MARK: i64 = 0xff << 56;
    /// The bits that hold the time to live.
    const TTL_BITS: i64 = 0x0000_00ff_ffff_ffff;

    /// What kind of node an owner stands for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Kind {
        /// It stays.
        Persistent,
        /// It goes with this session.
        Ephemeral(i64),
        /// It goes when its last child has gone.
        Container,
        /// It goes when it was not set for so many milliseconds and has no children.
        Ttl(i64),
    }

    /// The owner of a node with this time to live in milliseconds, which is above zero and below
    /// 2^40 (34 years).
    pub fn of_ttl(ttl_ms: i64) -> Option<i64> {
        (1..=TTL_BITS).contains(&ttl_ms).then_some(TTL_MARK | ttl_ms)
    }

    /// What an owner says.
    pub fn kind(owner: i64) -> Kind {
        match owner {
            0 => Kind::Persistent,
            CONTAINER => Kind::Container,
            // The two bytes in between tell further kinds apart; 0 is the only one there is.
            ttl if ttl & !TTL_BITS == TTL_MARK => Kind::Ttl(ttl & TTL_BITS),
            session => Kind::Ephemeral(session),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::owner::{self, Kind};

    #[test]
    fn an_owner_tells_the_kind_of_its_node() {
        assert_eq!(owner::kind(0), Kind::Persistent);
        assert_eq!(owner::kind(i64::MIN), Kind::Container);
        assert_eq!(owner::kind(0x0100_0000_0000_0001), Kind::Ephemeral(0x0100_0000_0000_0001));
        assert_eq!(owner::kind(owner::of_ttl(5000).unwrap()), Kind::Ttl(5000));
        assert_eq!(owner::of_ttl(0), None);
        assert_eq!(owner::of_ttl(1 << 40), None);
    }
}
