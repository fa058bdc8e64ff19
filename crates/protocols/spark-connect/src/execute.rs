//! `ExecutePlan` and what belongs to a running operation: attach again, release, interrupt.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use bytes::Bytes;

use super::*;

/// Message `spark.connect.Plan`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Plan {
    #[prost(oneof = "PlanOp", tags = "1, 2, 3")]
    pub op_type: Option<PlanOp>,
}

/// The kinds of `Plan` (`op_type`).
#[expect(clippy::large_enum_variant, reason = "one of them is alive per request")]
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum PlanOp {
    #[prost(message, tag = "1")]
    Root(Relation),
    #[prost(message, tag = "2")]
    Command(Command),
    #[prost(message, tag = "3")]
    CompressedOperation(PlanCompressedOperation),
}

/// Message `spark.connect.ExecutePlanRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ExecutePlanRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "8")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, optional, tag = "6")]
    pub operation_id: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub plan: Option<Plan>,
    #[prost(string, optional, tag = "4")]
    pub client_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub request_options: Vec<RequestOption>,
    #[prost(string, repeated, tag = "7")]
    pub tags: Vec<String>,
}

/// Message `spark.connect.ExecutePlanResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ExecutePlanResponse {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "15")]
    pub server_side_session_id: String,
    #[prost(string, tag = "12")]
    pub operation_id: String,
    #[prost(string, tag = "13")]
    pub response_id: String,
    #[prost(
        oneof = "ExecuteResult",
        tags = "2, 5, 8, 9, 10, 11, 16, 14, 17, 18, 19, 20, 21, 22, 23, 999"
    )]
    pub response_type: Option<ExecuteResult>,
    #[prost(message, optional, tag = "7")]
    pub schema: Option<DataType>,
}

/// The kinds of `ExecutePlanResponse` (`response_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum ExecuteResult {
    #[prost(message, tag = "2")]
    ArrowBatch(ArrowBatch),
    #[prost(message, tag = "5")]
    SqlCommandResult(SqlCommandResult),
    #[prost(message, tag = "8")]
    WriteStreamOperationStartResult(WriteStreamOperationStartResult),
    #[prost(message, tag = "9")]
    StreamingQueryCommandResult(StreamingQueryCommandResult),
    #[prost(message, tag = "10")]
    GetResourcesCommandResult(Opaque),
    #[prost(message, tag = "11")]
    StreamingQueryManagerCommandResult(StreamingQueryManagerCommandResult),
    #[prost(message, tag = "16")]
    StreamingQueryListenerEventsResult(StreamingQueryListenerEventsResult),
    #[prost(message, tag = "14")]
    ResultComplete(ResultComplete),
    #[prost(message, tag = "17")]
    CreateResourceProfileCommandResult(Opaque),
    #[prost(message, tag = "18")]
    ExecutionProgress(ExecutionProgress),
    #[prost(message, tag = "19")]
    CheckpointCommandResult(Opaque),
    #[prost(message, tag = "20")]
    MlCommandResult(Opaque),
    #[prost(message, tag = "21")]
    PipelineEventResult(Opaque),
    #[prost(message, tag = "22")]
    PipelineCommandResult(Opaque),
    #[prost(message, tag = "23")]
    PipelineQueryFunctionExecutionSignal(Opaque),
    #[prost(message, tag = "999")]
    Extension(Opaque),
}

/// Message `spark.connect.InterruptRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct InterruptRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "7")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub client_type: Option<String>,
    #[prost(enumeration = "InterruptType", tag = "4")]
    pub interrupt_type: i32,
    #[prost(oneof = "InterruptTarget", tags = "5, 6")]
    pub interrupt: Option<InterruptTarget>,
}

/// The kinds of `InterruptRequest` (`interrupt`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum InterruptTarget {
    #[prost(string, tag = "5")]
    OperationTag(String),
    #[prost(string, tag = "6")]
    OperationId(String),
}

/// Message `spark.connect.InterruptResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct InterruptResponse {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "3")]
    pub server_side_session_id: String,
    #[prost(string, repeated, tag = "2")]
    pub interrupted_ids: Vec<String>,
}

/// Message `spark.connect.ReattachExecuteRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReattachExecuteRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "6")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub operation_id: String,
    #[prost(string, optional, tag = "4")]
    pub client_type: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub last_response_id: Option<String>,
}

/// Message `spark.connect.ReleaseExecuteRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReleaseExecuteRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "7")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub operation_id: String,
    #[prost(string, optional, tag = "4")]
    pub client_type: Option<String>,
    #[prost(oneof = "ReleaseWhat", tags = "5, 6")]
    pub release: Option<ReleaseWhat>,
}

/// The kinds of `ReleaseExecuteRequest` (`release`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum ReleaseWhat {
    #[prost(message, tag = "5")]
    ReleaseAll(ReleaseAll),
    #[prost(message, tag = "6")]
    ReleaseUntil(ReleaseUntil),
}

/// Message `spark.connect.ReleaseExecuteResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReleaseExecuteResponse {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "3")]
    pub server_side_session_id: String,
    #[prost(string, optional, tag = "2")]
    pub operation_id: Option<String>,
}

/// Message `spark.connect.Plan.CompressedOperation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct PlanCompressedOperation {
    #[prost(bytes = "bytes", tag = "1")]
    pub data: Bytes,
    #[prost(enumeration = "PlanCompressedOperationOpType", tag = "2")]
    pub op_type: i32,
    #[prost(enumeration = "CompressionCodec", tag = "3")]
    pub compression_codec: i32,
}

/// Message `spark.connect.ExecutePlanRequest.RequestOption`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RequestOption {
    #[prost(oneof = "RequestOptionKind", tags = "1, 2, 999")]
    pub request_option: Option<RequestOptionKind>,
}

/// The kinds of `ExecutePlanRequest.RequestOption` (`request_option`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum RequestOptionKind {
    #[prost(message, tag = "1")]
    ReattachOptions(ReattachOptions),
    #[prost(message, tag = "2")]
    ResultChunkingOptions(ResultChunkingOptions),
    #[prost(message, tag = "999")]
    Extension(Opaque),
}

/// Message `spark.connect.ExecutePlanResponse.ArrowBatch`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArrowBatch {
    #[prost(int64, tag = "1")]
    pub row_count: i64,
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
    #[prost(int64, optional, tag = "3")]
    pub start_offset: Option<i64>,
    #[prost(int64, optional, tag = "4")]
    pub chunk_index: Option<i64>,
    #[prost(int64, optional, tag = "5")]
    pub num_chunks_in_batch: Option<i64>,
}

/// Message `spark.connect.ExecutePlanResponse.SqlCommandResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SqlCommandResult {
    #[prost(message, optional, tag = "1")]
    pub relation: Option<Relation>,
}

/// Message `spark.connect.ExecutePlanResponse.ResultComplete`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ResultComplete {}

/// Message `spark.connect.ExecutePlanResponse.ExecutionProgress`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ExecutionProgress {
    #[prost(message, repeated, tag = "1")]
    pub stages: Vec<StageInfo>,
    #[prost(int64, tag = "2")]
    pub num_inflight_tasks: i64,
}

/// Values of `spark.connect.InterruptRequest.InterruptType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum InterruptType {
    Unspecified = 0,
    All = 1,
    Tag = 2,
    OperationId = 3,
}

/// Message `spark.connect.ReleaseExecuteRequest.ReleaseAll`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReleaseAll {}

/// Message `spark.connect.ReleaseExecuteRequest.ReleaseUntil`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReleaseUntil {
    #[prost(string, tag = "1")]
    pub response_id: String,
}

/// Values of `spark.connect.Plan.CompressedOperation.OpType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum PlanCompressedOperationOpType {
    Unspecified = 0,
    Relation = 1,
    Command = 2,
}

/// Values of `spark.connect.CompressionCodec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum CompressionCodec {
    Unspecified = 0,
    Zstd = 1,
}

/// Message `spark.connect.ReattachOptions`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReattachOptions {
    #[prost(bool, tag = "1")]
    pub reattachable: bool,
}

/// Message `spark.connect.ResultChunkingOptions`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ResultChunkingOptions {
    #[prost(bool, tag = "1")]
    pub allow_arrow_batch_chunking: bool,
    #[prost(int64, optional, tag = "2")]
    pub preferred_arrow_chunk_size: Option<i64>,
}

/// Message `spark.connect.ExecutePlanResponse.ExecutionProgress.StageInfo`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StageInfo {
    #[prost(int64, tag = "1")]
    pub stage_id: i64,
    #[prost(int64, tag = "2")]
    pub num_tasks: i64,
    #[prost(int64, tag = "3")]
    pub num_completed_tasks: i64,
    #[prost(int64, tag = "4")]
    pub input_bytes_read: i64,
    #[prost(bool, tag = "5")]
    pub done: bool,
}
