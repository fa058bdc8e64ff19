//! From a frame to an answer: which requests there are, and who handles each.
//!
//! A handler translates between a message and the broker's own terms. There are three kinds:
//! `now` answers from memory; `blocking` may touch the disk and runs on a thread of its own, while
//! later requests of the connection wait; `later` does its work at once and gives the answer when
//! something has happened.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod api_versions;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_topic_partitions;
mod describe_transactions;
mod end_txn;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_groups;
mod list_offsets;
mod list_transactions;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod permitted;
mod produce;
mod sync_group;
mod txn_offset_commit;
mod write_txn_markers;

use std::sync::Arc;

use bytes::Bytes;
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::{
    ApiKey, DecodeError, EncodeError, ErrorCode, Request, RequestHeader, encode_response,
};

use crate::core::Core;
use crate::server::{Answer, Ends};

/// Why a request has no answer, so that its connection is closed: Kafka does the same.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("malformed request: {0}")]
    Malformed(#[from] DecodeError),
    #[error("API {0} is not known")]
    UnknownApi(i16),
    #[error("{0} is not served by this broker")]
    NotServed(ApiKey),
    #[error("{api} version {version} is not served")]
    Version { api: ApiKey, version: i16 },
    #[error("the answer cannot be written: {0}")]
    Answer(#[from] EncodeError),
    #[error("the handler of {0} failed")]
    Panicked(ApiKey),
    #[error("a produce request that wants no answer failed: {0}")]
    Unanswered(String),
}

/// A request's surroundings.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) core: Arc<Core>,
    pub(crate) ends: Ends,
    pub(crate) version: i16,
    pub(crate) client_id: Option<String>,
}

/// A request whose body is still bytes.
struct Call {
    context: Context,
    header: RequestHeader,
    body: Bytes,
}

/// An API and the versions served.
pub(crate) struct Served {
    pub(crate) api: ApiKey,
    pub(crate) version_min: i16,
    pub(crate) version_max: i16,
}

macro_rules! serve {
    ($($request:ident $kind:ident $handler:ident;)*) => {
        /// All APIs served, in the order of their keys.
        pub(crate) const SERVED: &[Served] = &[$(
            Served {
                api: <$request as Request>::KEY,
                version_min: <$request as tidemill_kafka_wire::Message>::VERSION_MIN,
                version_max: <$request as tidemill_kafka_wire::Message>::VERSION_MAX,
            },
        )*];

        async fn dispatch(call: Call, api: ApiKey) -> Result<Answer, Refusal> {
            $(
                if api == <$request as Request>::KEY {
                    return serve!(@$kind call, $request, $handler);
                }
            )*
            Err(Refusal::NotServed(api))
        }
    };
    (@now $call:ident, $request:ident, $handler:ident) => {
        $call.now::<$request>($handler::handle)
    };
    (@blocking $call:ident, $request:ident, $handler:ident) => {
        $call.blocking::<$request>($handler::handle).await
    };
    (@later $call:ident, $request:ident, $handler:ident) => {
        $call.later::<$request, _>($handler::handle)
    };
    (@produce $call:ident, $request:ident, $handler:ident) => {
        $call.produce()
    };
}

serve! {
    ProduceRequest                 produce  produce;
    FetchRequest                   later    fetch;
    ListOffsetsRequest             blocking list_offsets;
    MetadataRequest                blocking metadata;
    OffsetCommitRequest            later    offset_commit;
    OffsetFetchRequest             now      offset_fetch;
    FindCoordinatorRequest         blocking find_coordinator;
    JoinGroupRequest               later    join_group;
    HeartbeatRequest               now      heartbeat;
    LeaveGroupRequest              now      leave_group;
    SyncGroupRequest               later    sync_group;
    DescribeGroupsRequest          now      describe_groups;
    ListGroupsRequest              now      list_groups;
    ApiVersionsRequest             now      api_versions;
    CreateTopicsRequest            blocking create_topics;
    DeleteTopicsRequest            blocking delete_topics;
    DeleteRecordsRequest           blocking delete_records;
    InitProducerIdRequest          blocking init_producer_id;
    OffsetForLeaderEpochRequest    now      offset_for_leader_epoch;
    AddPartitionsToTxnRequest      blocking add_partitions_to_txn;
    AddOffsetsToTxnRequest         blocking add_offsets_to_txn;
    EndTxnRequest                  blocking end_txn;
    WriteTxnMarkersRequest         blocking write_txn_markers;
    TxnOffsetCommitRequest         later    txn_offset_commit;
    DescribeConfigsRequest         now      describe_configs;
    DescribeLogDirsRequest         now      describe_log_dirs;
    CreatePartitionsRequest        blocking create_partitions;
    DeleteGroupsRequest            later    delete_groups;
    IncrementalAlterConfigsRequest blocking incremental_alter_configs;
    OffsetDeleteRequest            later    offset_delete;
    DescribeClusterRequest         now      describe_cluster;
    DescribeProducersRequest       now      describe_producers;
    DescribeTransactionsRequest    now      describe_transactions;
    ListTransactionsRequest        now      list_transactions;
    DescribeTopicPartitionsRequest now      describe_topic_partitions;
}

/// What a fenced producer is told: by a name of its own only from some version on.
fn fenced(error: ErrorCode, version: i16, named_from: i16) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced if version < named_from => ErrorCode::InvalidProducerEpoch,
        error => error,
    }
}

/// Handles the request in a frame.
pub(crate) async fn handle(core: &Arc<Core>, ends: Ends, frame: Bytes) -> Result<Answer, Refusal> {
    let (header, body) = RequestHeader::decode(frame)?;
    let api = ApiKey::from_key(header.api_key).ok_or(Refusal::UnknownApi(header.api_key))?;
    let context = Context {
        core: core.clone(),
        ends,
        version: header.api_version,
        client_id: header.client_id.clone(),
    };
    dispatch(Call { context, header, body }, api).await
}

impl Call {
    fn decode<R: Request>(&mut self) -> Result<R, Refusal> {
        if !R::is_known(self.header.api_version) {
            return Err(Refusal::Version { api: R::KEY, version: self.header.api_version });
        }
        Ok(self.header.body(std::mem::take(&mut self.body))?)
    }

    fn encode<R: Request>(&self, response: &R::Response) -> Result<Bytes, Refusal> {
        let header = &self.header;
        Ok(encode_response::<R>(response, header.api_version, header.correlation_id)?)
    }

    fn now<R: Request>(
        mut self,
        handler: fn(&Context, R) -> R::Response,
    ) -> Result<Answer, Refusal> {
        // The one request that is answered in a version it was not asked in (KIP-511).
        if R::KEY == ApiKey::ApiVersions && !R::is_known(self.header.api_version) {
            let response = api_versions::of_unknown_version();
            let correlation_id = self.header.correlation_id;
            let frame = encode_response::<ApiVersionsRequest>(&response, 0, correlation_id)?;
            return Ok(Answer::Ready(frame));
        }
        let request = self.decode::<R>()?;
        let response = handler(&self.context, request);
        Ok(Answer::Ready(self.encode::<R>(&response)?))
    }

    async fn blocking<R: Request + Send + 'static>(
        mut self,
        handler: fn(&Context, R) -> R::Response,
    ) -> Result<Answer, Refusal> {
        let request = self.decode::<R>()?;
        let tasks = self.context.core.tasks.clone();
        let work = tasks.spawn_blocking(move || {
            let response = handler(&self.context, request);
            self.encode::<R>(&response)
        });
        match work.await {
            Ok(frame) => Ok(Answer::Ready(frame?)),
            Err(_) => Err(Refusal::Panicked(R::KEY)),
        }
    }

    fn later<R, F>(mut self, handler: fn(&Context, R) -> F) -> Result<Answer, Refusal>
    where
        R: Request,
        F: Future<Output = R::Response> + Send + 'static,
    {
        let request = self.decode::<R>()?;
        let response = handler(&self.context, request);
        Ok(Answer::Later(Box::pin(async move { self.frame::<R>(&response.await) })))
    }

    /// Produce alone may want no answer.
    fn produce(mut self) -> Result<Answer, Refusal> {
        let request = self.decode::<ProduceRequest>()?;
        let is_answered = request.acks != 0;
        let produced = produce::handle(&self.context, request);
        if is_answered {
            return Ok(Answer::Later(Box::pin(async move {
                self.frame::<ProduceRequest>(&produced.answer().await)
            })));
        }
        match produced.first_error() {
            // The client learns of it in the only way left.
            Some(error) => Err(Refusal::Unanswered(error.to_string())),
            None => Ok(Answer::Nothing),
        }
    }

    fn frame<R: Request>(&self, response: &R::Response) -> Option<Bytes> {
        let frame = self.encode::<R>(response);
        frame.inspect_err(|error| tracing::error!(api = %R::KEY, %error, "no answer")).ok()
    }
}
