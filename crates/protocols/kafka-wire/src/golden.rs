//! Frames recorded between Kafka and clients nobody here wrote: they are understood, and written
//! back byte for byte.

use bytes::Bytes;

use crate::messages::*;
use crate::records;
use crate::tests::each_request;
use crate::{
    ErrorCode, Request, RequestHeader, ResponseHeader, consumer_protocol, encode_request,
    encode_response,
};

const FRAMES: &str = include_str!("../golden/kafka-4.3.1.txt");

struct Recorded {
    key: i16,
    version: i16,
    is_request: bool,
    frame: Bytes,
}

fn recorded() -> Vec<Recorded> {
    let lines = FRAMES.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let [key, version, kind, hex] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("four words: {line}");
        };
        let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        Recorded {
            key: key.parse().unwrap(),
            version: version.parse().unwrap(),
            is_request: kind == "request",
            frame: (0..hex.len()).step_by(2).map(digits).collect(),
        }
    };
    lines.map(parse).collect()
}

fn request<R: Request>(frame: &Bytes) -> (RequestHeader, R) {
    let (header, rest) = RequestHeader::decode(frame.clone()).unwrap();
    let request = header.body::<R>(rest).unwrap();
    (header, request)
}

fn response<R: Request>(version: i16, frame: &Bytes) -> (ResponseHeader, R::Response) {
    let (header, rest) = ResponseHeader::decode(frame.clone()).unwrap();
    (header, ResponseHeader::body::<R>(version, rest).unwrap())
}

fn is_written_back<R: Request>(recorded: &Recorded, count: &mut usize) {
    let Recorded { key, version, is_request, frame } = recorded;
    if *key != R::KEY.key() {
        return;
    }
    let again = if *is_request {
        let (header, request) = request::<R>(frame);
        let client_id = header.client_id.as_deref();
        encode_request(&request, *version, header.correlation_id, client_id).unwrap()
    } else {
        let (header, response) = response::<R>(*version, frame);
        encode_response::<R>(&response, *version, header.correlation_id).unwrap()
    };
    assert_eq!(again.slice(4..), frame, "{} v{version}", R::NAME);
    *count += 1;
}

#[test]
fn recorded_frames_are_written_back_byte_for_byte() {
    let (recorded, mut count) = (recorded(), 0);
    for recorded in &recorded {
        each_request!(is_written_back(recorded, &mut count));
    }
    assert_eq!(count, recorded.len());
}

fn the(key: i16, version: i16, is_request: bool) -> Bytes {
    let wanted = |r: &&Recorded| (r.key, r.version, r.is_request) == (key, version, is_request);
    recorded().iter().find(wanted).map(|recorded| recorded.frame.clone()).unwrap()
}

#[test]
fn recorded_frames_mean_what_was_done() {
    let (_, created) = request::<CreateTopicsRequest>(&the(19, 7, true));
    let topic = &created.topics[0];
    assert_eq!((topic.name.as_str(), topic.num_partitions), ("golden", 2));
    assert_eq!(topic.configs[0].value.as_deref(), Some("86400000"));

    let (_, produced) = request::<ProduceRequest>(&the(0, 13, true));
    let batch = produced.topic_data[0].partition_data[0].records.clone().unwrap();
    let sent: Vec<_> = records::decode(&batch).collect::<Result<_, _>>().unwrap();
    let pair = |n: usize| (sent[n].key.clone().unwrap(), sent[n].value.clone().unwrap());
    assert_eq!(pair(0), ("k1".into(), "v1".into()));
    assert_eq!(pair(1), ("k2".into(), "v2".into()));

    let (_, fetched) = response::<FetchRequest>(18, &the(1, 18, false));
    let data = fetched.responses.iter().flat_map(|topic| &topic.partitions);
    let data = data.max_by_key(|data| data.records.as_ref().map(Bytes::len)).unwrap();
    assert_eq!((data.error_code, data.high_watermark), (ErrorCode::None, 2));
    assert_eq!(records::decode(data.records.as_ref().unwrap()).count(), 2);

    let (_, joined) = response::<JoinGroupRequest>(9, &the(11, 9, false));
    assert_eq!(joined.protocol_type.as_deref(), Some("consumer"));
    let subscription = joined.members[0].metadata.clone();
    let subscription: consumer_protocol::Subscription =
        consumer_protocol::decode(subscription).unwrap();
    assert_eq!(subscription.topics, ["golden"]);

    let (_, found) = response::<OffsetFetchRequest>(9, &the(9, 9, false));
    assert_eq!(found.groups[0].group_id, "golden-group");
    let (_, described) = response::<MetadataRequest>(13, &the(3, 13, false));
    assert_eq!(described.brokers[0].host, "127.0.0.1");
}
