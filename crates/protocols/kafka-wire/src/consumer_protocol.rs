//! What consumers say to one another through their group: subscriptions and assignments. For the
//! broker they are bytes; it looks inside only to know which topics a group reads.
//!
//! On the wire the version stands in front, as two bytes; a reader takes what it knows of a newer
//! version. Spec: <https://kafka.apache.org/protocol> and KIP-429.

use bytes::{Buf, Bytes, BytesMut};

use crate::decode::{DecodeReason, Reader};
use crate::message::{NEVER, message, structs};
use crate::{DecodeError, EncodeError, Message};

structs! {
    /// What a member wants to read. v1 and later also what it has (cooperative rebalancing).
    Subscription {
        topics: Vec<String>,
        user_data: Option<Bytes>,
        owned_partitions: Vec<TopicPartitions> [1..],
        generation_id: i32                     [2..] = -1,
        rack_id: Option<String>                [3..],
    }

    /// What a member shall read.
    Assignment {
        assigned_partitions: Vec<TopicPartitions>,
        user_data: Option<Bytes>,
    }

    /// Partitions of one topic.
    TopicPartitions {
        topic: String,
        partitions: Vec<i32>,
    }
}

message!(Subscription, versions 0..=3, flexible NEVER);
message!(Assignment, versions 0..=3, flexible NEVER);

/// Reads a [`Subscription`] or an [`Assignment`] with the version in front of it.
pub fn decode<M: Message>(mut bytes: Bytes) -> Result<M, DecodeError> {
    if bytes.len() < 2 {
        let short = DecodeReason::TooShort { needed: 2, remaining: bytes.len() };
        return Err(DecodeError::new(short).within(M::NAME));
    }
    let version = bytes.get_i16();
    if version < M::VERSION_MIN {
        return Err(DecodeError::new(DecodeReason::Version(version)).within(M::NAME));
    }
    // A newer version only appends, so what follows the last known field is left alone.
    let version = version.min(M::VERSION_MAX);
    M::read(&mut Reader::new(bytes, version, false)).map_err(|error| error.within(M::NAME))
}

/// Writes a [`Subscription`] or an [`Assignment`] with the version in front of it.
pub fn encode<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut out = BytesMut::from(&version.to_be_bytes()[..]);
    message.encode(version, &mut out)?;
    Ok(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_version_is_read_as_far_as_it_is_known() {
        let subscription = Subscription { topics: vec!["a".into()], ..Default::default() };
        let mut bytes = BytesMut::from(&encode(&subscription, 3).unwrap()[..]);
        bytes[1] = 9;
        bytes.extend_from_slice(b"news");
        assert_eq!(decode::<Subscription>(bytes.freeze()).unwrap(), subscription);
        assert!(decode::<Subscription>(Bytes::from_static(&[0xff, 0xff])).is_err());
        assert!(decode::<Assignment>(Bytes::new()).is_err());
    }
}
