//! A broker to talk to, and a client that can say anything.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tempfile::TempDir;
use tidemill_broker::{Broker, Config};
use tidemill_kafka_wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig};
use tidemill_kafka_wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData,
};
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::records::{BatchBuilder, Compression};
use tidemill_kafka_wire::{ErrorCode, Request, ResponseHeader, encode_request, frame};
use tidemill_runtime::{Span, System, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer takes longer; only what hangs meets it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker of this test alone, or the one that all tests are pointed at.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    own: Option<(Broker, TempDir)>,
}

impl Target {
    /// The broker under test.
    pub(crate) async fn start() -> Target {
        Target::start_with(Config::default()).await
    }

    /// The broker under test; one of this crate with these settings.
    pub(crate) async fn start_with(config: Config) -> Target {
        match std::env::var("TIDEMILL_KAFKA") {
            Ok(address) => Target { address: address.parse().unwrap(), own: None },
            Err(_) => Target::own(config).await,
        }
    }

    /// A broker of this crate.
    pub(crate) async fn own(config: Config) -> Target {
        Target::open(config, tempfile::tempdir().unwrap()).await
    }

    /// A broker of this crate over what is in a directory.
    pub(crate) async fn open(config: Config, dir: TempDir) -> Target {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            group_min_session_timeout: Span::ms(10),
            ..config
        };
        let path = dir.path().join("data");
        let broker = Broker::start(config, path, World::real()).await.unwrap();
        Target { address: broker.address(), own: Some((broker, dir)) }
    }

    /// Stops a broker of this crate in order; gives its directory.
    pub(crate) async fn stop(self) -> TempDir {
        let (broker, dir) = self.own.expect("only an own broker is stopped");
        broker.drain(PATIENCE).await;
        dir
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }
}

/// A name nobody used before, also not in an earlier run.
pub(crate) fn fresh(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (n, run) = (NEXT.fetch_add(1, Ordering::Relaxed), World::real().random.u64() >> 40);
    format!("{what}-{run:x}-{n}")
}

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: BytesMut,
    correlation_id: i32,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, buffer: BytesMut::new(), correlation_id: 0 }
    }

    /// `None` if nobody listens.
    pub(crate) async fn try_connect(address: SocketAddr) -> Option<Client> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Client { stream, buffer: BytesMut::new(), correlation_id: 0 })
    }

    /// As [`Client::ask_in`]; `None` if the connection is gone.
    pub(crate) async fn try_ask_in<R: Request>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Option<R::Response> {
        self.correlation_id += 1;
        let frame = encode_request(request, version, self.correlation_id, Some("it")).unwrap();
        self.stream.write_all(&frame).await.ok()?;
        let (_, rest) = ResponseHeader::decode(self.frame().await?).unwrap();
        Some(ResponseHeader::body::<R>(version, rest).unwrap())
    }

    /// Asks in the newest version and takes the answer.
    pub(crate) async fn ask<R: Request>(&mut self, request: R) -> R::Response {
        self.ask_in(R::VERSION_MAX, request).await
    }

    /// Asks in a version and takes the answer.
    pub(crate) async fn ask_in<R: Request>(&mut self, version: i16, request: R) -> R::Response {
        self.send(version, &request).await;
        self.answer::<R>(version).await
    }

    pub(crate) async fn send<R: Request>(&mut self, version: i16, request: &R) {
        self.correlation_id += 1;
        let frame = encode_request(request, version, self.correlation_id, Some("it")).unwrap();
        self.write(&frame).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The answer to the last request sent.
    pub(crate) async fn answer<R: Request>(&mut self, version: i16) -> R::Response {
        self.answer_to::<R>(version, self.correlation_id).await
    }

    pub(crate) async fn answer_to<R: Request>(&mut self, version: i16, id: i32) -> R::Response {
        let frame = self.frame().await.expect("the connection is open");
        let (header, rest) = ResponseHeader::decode(frame).unwrap();
        assert_eq!(header.correlation_id, id);
        ResponseHeader::body::<R>(version, rest).unwrap()
    }

    /// The next frame; `None` if the broker closed the connection.
    pub(crate) async fn frame(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = frame::take(&mut self.buffer, 100 << 20).unwrap() {
                return Some(frame);
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
            match read.expect("an answer in time") {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Half a connection: nothing more will be said.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    pub(crate) async fn create_topic(
        &mut self,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> String {
        let name = fresh("topic");
        let configs = configs.iter().map(|(name, value)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        });
        let topic = CreatableTopic {
            name: name.clone(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.collect(),
            ..Default::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
        let response = self.ask(request).await;
        assert_eq!(response.topics[0].error_code, ErrorCode::None, "{response:?}");
        // Other brokers make it known, and lead it, a little later.
        while !self.is_led(&name, partitions).await {}
        name
    }

    async fn is_led(&mut self, name: &str, partitions: i32) -> bool {
        let ends = (0..partitions).map(|partition_index| list_offsets::ListOffsetsPartition {
            partition_index,
            timestamp: -1,
            ..Default::default()
        });
        let asked =
            list_offsets::ListOffsetsTopic { name: name.to_owned(), partitions: ends.collect() };
        let request =
            ListOffsetsRequest { replica_id: -1, topics: vec![asked], ..Default::default() };
        let response = self.ask(request).await;
        response.topics[0].partitions.iter().all(|partition| partition.error_code.is_none())
    }

    /// Produces to partition 0 in a version that names topics, with acks -1.
    pub(crate) async fn produce(
        &mut self,
        topic: &str,
        records: Bytes,
    ) -> PartitionProduceResponse {
        self.produce_in(12, topic, Some(records)).await
    }

    pub(crate) async fn produce_in(
        &mut self,
        version: i16,
        topic: &str,
        records: Option<Bytes>,
    ) -> PartitionProduceResponse {
        let response = self.ask_in(version, produce_request(topic, records)).await;
        response.responses[0].partition_responses[0].clone()
    }

    /// The batches of partition 0 from an offset on.
    pub(crate) async fn fetch(&mut self, topic: &str, offset: i64) -> fetch::PartitionData {
        let response = self.ask_in(12, fetch_request(topic, offset)).await;
        response.responses[0].partitions[0].clone()
    }
}

pub(crate) fn produce_request(topic: &str, records: Option<Bytes>) -> ProduceRequest {
    ProduceRequest {
        acks: -1,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned(),
            partition_data: vec![PartitionProduceData { index: 0, records }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub(crate) fn fetch_request(topic: &str, offset: i64) -> FetchRequest {
    FetchRequest {
        topics: vec![fetch::FetchTopic {
            topic: topic.to_owned(),
            partitions: vec![fetch::FetchPartition {
                fetch_offset: offset,
                partition_max_bytes: 1 << 20,
                ..Default::default()
            }],
            ..Default::default()
        }],
        max_bytes: 10 << 20,
        ..Default::default()
    }
}

/// The time of the machine, in ms: record timestamps must be near the broker's.
pub(crate) fn now_ms() -> i64 {
    World::real().clock.now_ms()
}

/// A batch with values `0`, `1`, … .
pub(crate) fn batch(count: usize) -> Bytes {
    packed(count, Compression::None)
}

pub(crate) fn packed(count: usize, codec: Compression) -> Bytes {
    let mut builder = BatchBuilder::new(codec);
    (0..count).for_each(|n| builder.push(now_ms(), None, Some(n.to_string().as_bytes()), &[]));
    builder.build()
}

/// A batch of an idempotent producer.
pub(crate) fn sequenced(count: usize, id: i64, epoch: i16, sequence: i32) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None).producer(id, epoch, sequence);
    (0..count).for_each(|n| builder.push(now_ms(), None, Some(n.to_string().as_bytes()), &[]));
    builder.build()
}

/// A batch with something changed and its checksum right again.
pub(crate) fn changed(batch: &Bytes, change: impl FnOnce(&mut [u8])) -> Bytes {
    let mut bytes = batch.to_vec();
    change(&mut bytes);
    let checksum = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    bytes.into()
}
