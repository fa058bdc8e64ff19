//! What the group coordinator keeps in topic `__consumer_offsets`, in Kafka's own schemas, so that
//! Kafka's tools can read it. A null value deletes its key.
//!
//! Keys and values both begin with two bytes: in a key they say which kind it is, in a value its
//! version.

use bytes::{Buf, Bytes, BytesMut};
use uuid::Uuid;

use crate::decode::DecodeReason;
use crate::message::{NEVER, message, structs};
use crate::{DecodeError, EncodeError, Message};

structs! {
    /// Key of an [`OffsetCommitValue`]; kinds 0 and 1 mean the same.
    OffsetCommitKey {
        group: String,
        topic: String,
        partition: i32,
    }

    /// A committed offset. Kafka writes v1 where an expiry is set, v3 otherwise.
    OffsetCommitValue {
        offset: i64,
        leader_epoch: i32     [3..] = -1,
        metadata: String,
        commit_timestamp: i64,
        expire_timestamp: i64 [1..=1] = -1,
        topic_id: Uuid        [4.., tag 0],
    }

    /// Key of a [`GroupMetadataValue`]: kind 2.
    GroupMetadataKey {
        group: String,
    }

    /// A group of the classic protocol after a completed rebalance. Kafka writes v3.
    GroupMetadataValue {
        protocol_type: String,
        generation: i32,
        protocol: Option<String>,
        leader: Option<String>,
        current_state_timestamp: i64 [2..] = -1,
        members: Vec<MemberMetadata>,
    }

    /// A member with what it subscribed to and what it was given.
    MemberMetadata {
        member_id: String,
        group_instance_id: Option<String> [3..],
        client_id: String,
        client_host: String,
        rebalance_timeout: i32            [1..],
        session_timeout: i32,
        subscription: Bytes,
        assignment: Bytes,
    }
}

message!(OffsetCommitKey, versions 0..=1, flexible NEVER);
message!(OffsetCommitValue, versions 0..=4, flexible 4);
message!(GroupMetadataKey, versions 2..=2, flexible NEVER);
message!(GroupMetadataValue, versions 0..=4, flexible 4);

/// What a key stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A committed offset.
    Offset(OffsetCommitKey),
    /// A group.
    Group(GroupMetadataKey),
    /// A kind of a newer protocol, by its number; whoever does not know it leaves it alone.
    Unknown(i16),
}

impl Key {
    /// Reads the key of a record.
    pub fn decode(mut bytes: Bytes) -> Result<Key, DecodeError> {
        let kind = take_version(&mut bytes)?;
        Ok(match kind {
            0 | 1 => Key::Offset(OffsetCommitKey::decode(kind, bytes)?),
            2 => Key::Group(GroupMetadataKey::decode(kind, bytes)?),
            kind => Key::Unknown(kind),
        })
    }
}

/// Reads a value, whose version stands in front.
pub fn decode_value<M: Message>(mut bytes: Bytes) -> Result<M, DecodeError> {
    let version = take_version(&mut bytes)?;
    M::decode(version, bytes)
}

/// Writes a key or value with its kind or version in front.
pub fn encode<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut out = BytesMut::from(&version.to_be_bytes()[..]);
    message.encode(version, &mut out)?;
    Ok(out.freeze())
}

fn take_version(bytes: &mut Bytes) -> Result<i16, DecodeError> {
    if bytes.len() < 2 {
        return Err(DecodeReason::TooShort { needed: 2, remaining: bytes.len() }.into());
    }
    Ok(bytes.get_i16())
}
