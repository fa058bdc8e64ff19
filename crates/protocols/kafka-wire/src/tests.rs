//! Every message in every version, there and back, and against hostile bytes.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::consumer_protocol::{Assignment, Subscription};
use crate::group_records::{
    GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue,
};
use crate::messages::*;
use crate::sample::{Choices, Sample};
use crate::transaction_records::{TransactionLogKey, TransactionLogValue};
use crate::{
    ApiKey, DecodeReason, Message, Request, RequestHeader, ResponseHeader, encode_request,
    encode_response,
};

/// Does something with each type of a list.
macro_rules! each {
    ($action:ident $arguments:tt for $($message:ident),* $(,)?) => {
        $($action::<$message> $arguments;)*
    };
}

/// Does something with every request and its response.
macro_rules! each_request {
    ($action:ident $arguments:tt) => {
        crate::tests::each!($action $arguments for
            ProduceRequest, FetchRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest,
            OffsetFetchRequest, FindCoordinatorRequest, JoinGroupRequest, HeartbeatRequest,
            LeaveGroupRequest, SyncGroupRequest, DescribeGroupsRequest, ListGroupsRequest,
            ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest, InitProducerIdRequest,
            DescribeConfigsRequest, DescribeClusterRequest, DeleteGroupsRequest,
            CreatePartitionsRequest, DeleteRecordsRequest, IncrementalAlterConfigsRequest,
            DescribeTopicPartitionsRequest, OffsetForLeaderEpochRequest, DescribeLogDirsRequest,
            OffsetDeleteRequest,
            AddPartitionsToTxnRequest, AddOffsetsToTxnRequest, EndTxnRequest,
            WriteTxnMarkersRequest, TxnOffsetCommitRequest, DescribeProducersRequest,
            DescribeTransactionsRequest, ListTransactionsRequest, SaslHandshakeRequest, SaslAuthenticateRequest,
        );
    };
}

pub(crate) use {each, each_request};

fn versions<M: Message>() -> std::ops::RangeInclusive<i16> {
    M::VERSION_MIN..=M::VERSION_MAX
}

fn encoded<M: Message>(message: &M, version: i16) -> Bytes {
    let mut out = BytesMut::new();
    message.encode(version, &mut out).unwrap();
    out.freeze()
}

fn comes_back<M: Message + Sample + PartialEq + Debug>(choices: &[u8]) {
    for version in versions::<M>() {
        let message = M::sample(&mut Choices::new(choices, version));
        let bytes = encoded(&message, version);
        let back = M::decode(version, bytes).map_err(|error| error.to_string());
        assert_eq!(back.as_ref(), Ok(&message), "v{version}");
    }
}

fn request_and_response_come_back<R>(choices: &[u8])
where
    R: Request<Response: Sample + PartialEq + Debug> + Sample + PartialEq + Debug,
{
    comes_back::<R>(choices);
    comes_back::<R::Response>(choices);
}

/// A valid message with a byte changed or its end cut off: an error or another message, no panic,
/// and what was read can be written.
fn survives_damage<M: Message + Sample>(choices: &[u8], at: usize, to: u8) {
    for version in versions::<M>() {
        let bytes = encoded(&M::sample(&mut Choices::new(choices, version)), version);
        let mut changed = bytes.to_vec();
        if let Some(byte) = changed.get_mut(at % bytes.len().max(1)) {
            *byte = to;
        }
        let cut = bytes.slice(..at % (bytes.len() + 1));
        for damaged in [Bytes::from(changed), cut, Bytes::copy_from_slice(choices)] {
            if let Ok(message) = M::decode(version, damaged) {
                encoded(&message, version);
            }
        }
    }
}

fn request_and_response_survive_damage<R>(choices: &[u8], at: usize, to: u8)
where
    R: Request<Response: Sample> + Sample,
{
    survives_damage::<R>(choices, at, to);
    survives_damage::<R::Response>(choices, at, to);
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_message_comes_back_in_every_version(choices in choices()) {
        each_request!(request_and_response_come_back(&choices));
        each!(comes_back(&choices) for
            Subscription, Assignment,
            OffsetCommitKey, OffsetCommitValue, GroupMetadataKey, GroupMetadataValue,
            TransactionLogKey, TransactionLogValue,
        );
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic(
        choices in choices(),
        at in any::<usize>(),
        to in any::<u8>(),
    ) {
        each_request!(request_and_response_survive_damage(&choices, at, to));
        each!(survives_damage(&choices, at, to) for
            GroupMetadataValue, OffsetCommitValue, TransactionLogValue);
    }

    #[test]
    fn a_frame_carries_header_and_message(choices in choices(), correlation_id: i32) {
        for version in versions::<FetchRequest>() {
            let request = FetchRequest::sample(&mut Choices::new(&choices, version));
            let mut frame =
                encode_request(&request, version, correlation_id, Some("client")).unwrap();
            let frame = frame.split_off(4);
            let (header, rest) = RequestHeader::decode(frame).unwrap();
            prop_assert_eq!(header.api_key, ApiKey::Fetch.key());
            prop_assert_eq!(header.client_id.as_deref(), Some("client"));
            prop_assert_eq!(header.body::<FetchRequest>(rest).unwrap(), request);

            let response = FetchResponse::sample(&mut Choices::new(&choices, version));
            let mut frame =
                encode_response::<FetchRequest>(&response, version, correlation_id).unwrap();
            let (header, rest) = ResponseHeader::decode(frame.split_off(4)).unwrap();
            prop_assert_eq!(header.correlation_id, correlation_id);
            let back = ResponseHeader::body::<FetchRequest>(version, rest).unwrap();
            prop_assert_eq!(back, response);
        }
    }
}

#[test]
fn the_answer_to_api_versions_has_the_oldest_header() {
    for version in versions::<ApiVersionsRequest>() {
        let response = ApiVersionsResponse::default();
        let frame = encode_response::<ApiVersionsRequest>(&response, version, 7).unwrap();
        assert_eq!(frame.slice(8..), encoded(&response, version));
    }
}

#[test]
fn an_announced_length_takes_no_memory_and_names_its_field() {
    // One topic, no id, then two milliards of partitions.
    let mut bytes = encoded(&FetchRequest::default(), 4).to_vec();
    bytes.truncate(bytes.len() - 4);
    bytes.extend_from_slice(b"\0\0\0\x01\0\x01t\x7f\xff\xff\xff");
    let error = FetchRequest::decode(4, bytes.into()).unwrap_err();
    assert!(matches!(error.reason(), DecodeReason::ArrayTooLong { count: 0x7fff_ffff, .. }));
    assert_eq!(
        error.to_string(),
        "FetchRequest.topics[0].partitions: 2147483647 elements announced, 0 bytes remain"
    );
}

#[test]
fn what_a_message_cannot_say_is_refused() {
    let metadata = MetadataRequest::default();
    let mut out = BytesMut::new();
    assert!(metadata.encode(0, &mut out).unwrap_err().to_string().contains("topics is null"));
    assert!(metadata.encode(14, &mut out).unwrap_err().to_string().contains("version 14"));
    let long = "x".repeat(40_000);
    let delete = DeleteTopicsRequest { topic_names: vec![long], ..Default::default() };
    assert!(delete.encode(1, &mut out).unwrap_err().to_string().contains("40000"));
    assert!(delete.encode(4, &mut out).is_ok(), "compact strings may be longer");
    let error = MetadataRequest::decode(99, Bytes::new()).unwrap_err();
    assert_eq!(error.to_string(), "MetadataRequest: version 99 is not known");
    let error = HeartbeatRequest::decode(0, Bytes::from_static(&[0; 11])).unwrap_err();
    assert_eq!(error.to_string(), "HeartbeatRequest: 3 bytes after the last field");
}

#[test]
fn an_unknown_tagged_field_is_skipped() {
    let mut bytes = encoded(&ApiVersionsRequest::default(), 3).to_vec();
    bytes.pop();
    bytes.extend_from_slice(&[1, 99, 3, 1, 2, 3]);
    let back = ApiVersionsRequest::decode(3, bytes.into()).unwrap();
    assert_eq!(back, ApiVersionsRequest::default());
}
