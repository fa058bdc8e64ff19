//! What the client gives and takes.

use bytes::Bytes;
use uuid::Uuid;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// A partition of a topic.
    pub fn new(topic: impl Into<String>, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.into(), partition }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A broker and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerNode {
    /// Its number in the cluster.
    pub id: i32,
    /// `host:port`.
    pub address: String,
}

/// The cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its id; none from very old brokers.
    pub id: Option<String>,
    /// The controller's number; -1 if there is none.
    pub controller: i32,
    /// All brokers.
    pub brokers: Vec<BrokerNode>,
}

/// An API that a broker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServedApi {
    /// Its number.
    pub key: i16,
    /// The oldest version served.
    pub min_version: i16,
    /// The newest version served.
    pub max_version: i16,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// Its name.
    pub name: String,
    /// Its id: another one if the topic was deleted and made anew. Zero from old brokers.
    pub id: Uuid,
    /// Whether it is the broker's own, such as `__consumer_offsets`.
    pub is_internal: bool,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionMetadata>,
}

/// A partition and who leads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// Its number.
    pub partition: i32,
    /// The leader's number; none while there is no leader.
    pub leader: Option<i32>,
}

/// A topic to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; -1 for the broker's default.
    pub partitions: i32,
    /// Settings such as `cleanup.policy`.
    pub configs: Vec<(String, String)>,
}

/// Which offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// Of the first record.
    Earliest,
    /// After the last record.
    Latest,
    /// Of the first record with this timestamp (ms) or a later one.
    At(i64),
    /// Of the record with the greatest timestamp.
    MaxTimestamp,
}

/// An offset that was asked for. -1 if no record fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset found, or -1.
    pub offset: i64,
    /// Its record's timestamp in ms, or -1.
    pub timestamp: i64,
}

/// An offset to be kept for a group: the next one to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The next offset to read.
    pub offset: i64,
    /// A note of the client's own.
    pub metadata: String,
}

/// An offset that a group keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The next offset to read.
    pub offset: i64,
    /// The note it was committed with.
    pub metadata: String,
}

/// A group in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupListing {
    /// Its id.
    pub group_id: String,
    /// `consumer`, or what its members speak.
    pub protocol_type: String,
    /// `Stable`, `Empty`, …; empty from old brokers.
    pub state: String,
}

/// A group with its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its id.
    pub group_id: String,
    /// `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Dead`.
    pub state: String,
    /// `consumer`, or what its members speak.
    pub protocol_type: String,
    /// The assignor's name.
    pub protocol: String,
    /// Who takes part.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The id the coordinator gave it.
    pub member_id: String,
    /// How it calls itself.
    pub client_id: String,
    /// Where it connects from.
    pub client_host: String,
    /// What it reads, as its protocol writes it; see [`GroupMember::assigned`].
    pub assignment: Bytes,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its key.
    pub name: String,
    /// Its value; none if it is secret.
    pub value: Option<String>,
    /// Whether nobody set it.
    pub is_default: bool,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
}
