//! A session: its settings, its artifacts, its end, and the details of its errors.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use std::collections::BTreeMap;

use bytes::Bytes;

/// Message `spark.connect.ConfigRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "8")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub operation: Option<ConfigRequestOperation>,
    #[prost(string, optional, tag = "4")]
    pub client_type: Option<String>,
}

/// Message `spark.connect.ConfigResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigResponse {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "4")]
    pub server_side_session_id: String,
    #[prost(message, repeated, tag = "2")]
    pub pairs: Vec<KeyValue>,
    #[prost(string, repeated, tag = "3")]
    pub warnings: Vec<String>,
}

/// Message `spark.connect.AddArtifactsRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AddArtifactsRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, optional, tag = "7")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub client_type: Option<String>,
    #[prost(oneof = "ArtifactPayload", tags = "3, 4, 5")]
    pub payload: Option<ArtifactPayload>,
}

/// The kinds of `AddArtifactsRequest` (`payload`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum ArtifactPayload {
    #[prost(message, tag = "3")]
    Batch(ArtifactBatch),
    #[prost(message, tag = "4")]
    BeginChunk(BeginChunkedArtifact),
    #[prost(message, tag = "5")]
    Chunk(ArtifactChunk),
}

/// Message `spark.connect.AddArtifactsResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AddArtifactsResponse {
    #[prost(string, tag = "2")]
    pub session_id: String,
    #[prost(string, tag = "3")]
    pub server_side_session_id: String,
    #[prost(message, repeated, tag = "1")]
    pub artifacts: Vec<ArtifactSummary>,
}

/// Message `spark.connect.ArtifactStatusesRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArtifactStatusesRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "5")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub client_type: Option<String>,
    #[prost(string, repeated, tag = "4")]
    pub names: Vec<String>,
}

/// Message `spark.connect.ArtifactStatusesResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArtifactStatusesResponse {
    #[prost(string, tag = "2")]
    pub session_id: String,
    #[prost(string, tag = "3")]
    pub server_side_session_id: String,
    #[prost(btree_map = "string, message", tag = "1")]
    pub statuses: BTreeMap<String, ArtifactStatus>,
}

/// Message `spark.connect.ReleaseSessionRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReleaseSessionRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub client_type: Option<String>,
    #[prost(bool, tag = "4")]
    pub allow_reconnect: bool,
}

/// Message `spark.connect.ReleaseSessionResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReleaseSessionResponse {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub server_side_session_id: String,
}

/// Message `spark.connect.FetchErrorDetailsRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct FetchErrorDetailsRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "5")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub error_id: String,
    #[prost(string, optional, tag = "4")]
    pub client_type: Option<String>,
}

/// Message `spark.connect.FetchErrorDetailsResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct FetchErrorDetailsResponse {
    #[prost(string, tag = "3")]
    pub server_side_session_id: String,
    #[prost(string, tag = "4")]
    pub session_id: String,
    #[prost(int32, optional, tag = "1")]
    pub root_error_idx: Option<i32>,
    #[prost(message, repeated, tag = "2")]
    pub errors: Vec<ErrorDetailsError>,
}

/// Message `spark.connect.CloneSessionRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CloneSessionRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "5")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub client_type: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub new_session_id: Option<String>,
}

/// Message `spark.connect.CloneSessionResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CloneSessionResponse {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub server_side_session_id: String,
    #[prost(string, tag = "3")]
    pub new_session_id: String,
    #[prost(string, tag = "4")]
    pub new_server_side_session_id: String,
}

/// Message `spark.connect.UserContext`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UserContext {
    #[prost(string, tag = "1")]
    pub user_id: String,
    #[prost(string, tag = "2")]
    pub user_name: String,
}

/// Message `spark.connect.ConfigRequest.Operation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequestOperation {
    #[prost(oneof = "ConfigOp", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub op_type: Option<ConfigOp>,
}

/// The kinds of `ConfigRequest.Operation` (`op_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum ConfigOp {
    #[prost(message, tag = "1")]
    Set(ConfigRequestSet),
    #[prost(message, tag = "2")]
    Get(ConfigRequestGet),
    #[prost(message, tag = "3")]
    GetWithDefault(ConfigRequestGetWithDefault),
    #[prost(message, tag = "4")]
    GetOption(ConfigRequestGetOption),
    #[prost(message, tag = "5")]
    GetAll(ConfigRequestGetAll),
    #[prost(message, tag = "6")]
    Unset(ConfigRequestUnset),
    #[prost(message, tag = "7")]
    IsModifiable(ConfigRequestIsModifiable),
}

/// Message `spark.connect.KeyValue`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct KeyValue {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

/// Message `spark.connect.AddArtifactsRequest.Batch`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArtifactBatch {
    #[prost(message, repeated, tag = "1")]
    pub artifacts: Vec<SingleChunkArtifact>,
}

/// Message `spark.connect.AddArtifactsRequest.BeginChunkedArtifact`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct BeginChunkedArtifact {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int64, tag = "2")]
    pub total_bytes: i64,
    #[prost(int64, tag = "3")]
    pub num_chunks: i64,
    #[prost(message, optional, tag = "4")]
    pub initial_chunk: Option<ArtifactChunk>,
}

/// Message `spark.connect.AddArtifactsRequest.ArtifactChunk`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArtifactChunk {
    #[prost(bytes = "bytes", tag = "1")]
    pub data: Bytes,
    #[prost(int64, tag = "2")]
    pub crc: i64,
}

/// Message `spark.connect.AddArtifactsResponse.ArtifactSummary`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArtifactSummary {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(bool, tag = "2")]
    pub is_crc_successful: bool,
}

/// Message `spark.connect.ArtifactStatusesResponse.ArtifactStatus`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArtifactStatus {
    #[prost(bool, tag = "1")]
    pub exists: bool,
}

/// Message `spark.connect.FetchErrorDetailsResponse.Error`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ErrorDetailsError {
    #[prost(string, repeated, tag = "1")]
    pub error_type_hierarchy: Vec<String>,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, repeated, tag = "3")]
    pub stack_trace: Vec<ErrorDetailsStackTraceElement>,
    #[prost(int32, optional, tag = "4")]
    pub cause_idx: Option<i32>,
    #[prost(message, optional, tag = "5")]
    pub spark_throwable: Option<ErrorDetailsSparkThrowable>,
}

/// Message `spark.connect.ConfigRequest.Set`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequestSet {
    #[prost(message, repeated, tag = "1")]
    pub pairs: Vec<KeyValue>,
    #[prost(bool, optional, tag = "2")]
    pub silent: Option<bool>,
}

/// Message `spark.connect.ConfigRequest.Get`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequestGet {
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
}

/// Message `spark.connect.ConfigRequest.GetWithDefault`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequestGetWithDefault {
    #[prost(message, repeated, tag = "1")]
    pub pairs: Vec<KeyValue>,
}

/// Message `spark.connect.ConfigRequest.GetOption`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequestGetOption {
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
}

/// Message `spark.connect.ConfigRequest.GetAll`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequestGetAll {
    #[prost(string, optional, tag = "1")]
    pub prefix: Option<String>,
}

/// Message `spark.connect.ConfigRequest.Unset`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequestUnset {
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
}

/// Message `spark.connect.ConfigRequest.IsModifiable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ConfigRequestIsModifiable {
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
}

/// Message `spark.connect.AddArtifactsRequest.SingleChunkArtifact`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SingleChunkArtifact {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub data: Option<ArtifactChunk>,
}

/// Message `spark.connect.FetchErrorDetailsResponse.StackTraceElement`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ErrorDetailsStackTraceElement {
    #[prost(string, tag = "1")]
    pub declaring_class: String,
    #[prost(string, tag = "2")]
    pub method_name: String,
    #[prost(string, optional, tag = "3")]
    pub file_name: Option<String>,
    #[prost(int32, tag = "4")]
    pub line_number: i32,
}

/// Message `spark.connect.FetchErrorDetailsResponse.SparkThrowable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ErrorDetailsSparkThrowable {
    #[prost(string, optional, tag = "1")]
    pub error_class: Option<String>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub message_parameters: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "3")]
    pub query_contexts: Vec<ErrorDetailsQueryContext>,
    #[prost(string, optional, tag = "4")]
    pub sql_state: Option<String>,
}

/// Message `spark.connect.FetchErrorDetailsResponse.QueryContext`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ErrorDetailsQueryContext {
    #[prost(enumeration = "ErrorDetailsQueryContextContextType", tag = "10")]
    pub context_type: i32,
    #[prost(string, tag = "1")]
    pub object_type: String,
    #[prost(string, tag = "2")]
    pub object_name: String,
    #[prost(int32, tag = "3")]
    pub start_index: i32,
    #[prost(int32, tag = "4")]
    pub stop_index: i32,
    #[prost(string, tag = "5")]
    pub fragment: String,
    #[prost(string, tag = "6")]
    pub call_site: String,
    #[prost(string, tag = "7")]
    pub summary: String,
}

/// Values of `spark.connect.FetchErrorDetailsResponse.QueryContext.ContextType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum ErrorDetailsQueryContextContextType {
    Sql = 0,
    Dataframe = 1,
}
