//! Streaming queries: started, asked about, stopped.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use std::collections::BTreeMap;

use super::*;

/// Message `spark.connect.WriteStreamOperationStartResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WriteStreamOperationStartResult {
    #[prost(message, optional, tag = "1")]
    pub query_id: Option<StreamingQueryInstanceId>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, optional, tag = "3")]
    pub query_started_event_json: Option<String>,
}

/// Message `spark.connect.StreamingQueryCommandResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryCommandResult {
    #[prost(message, optional, tag = "1")]
    pub query_id: Option<StreamingQueryInstanceId>,
    #[prost(oneof = "QueryResult", tags = "2, 3, 4, 5, 6")]
    pub result_type: Option<QueryResult>,
}

/// The kinds of `StreamingQueryCommandResult` (`result_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum QueryResult {
    #[prost(message, tag = "2")]
    Status(QueryStatus),
    #[prost(message, tag = "3")]
    RecentProgress(QueryProgress),
    #[prost(message, tag = "4")]
    Explain(QueryExplained),
    #[prost(message, tag = "5")]
    Exception(QueryException),
    #[prost(message, tag = "6")]
    AwaitTermination(QueryTermination),
}

/// Message `spark.connect.StreamingQueryManagerCommandResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryManagerCommandResult {
    #[prost(oneof = "ManagerResult", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub result_type: Option<ManagerResult>,
}

/// The kinds of `StreamingQueryManagerCommandResult` (`result_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum ManagerResult {
    #[prost(message, tag = "1")]
    Active(ManagerActive),
    #[prost(message, tag = "2")]
    Query(ManagerQuery),
    #[prost(message, tag = "3")]
    AwaitAnyTermination(ManagerTermination),
    #[prost(bool, tag = "4")]
    ResetTerminated(bool),
    #[prost(bool, tag = "5")]
    AddListener(bool),
    #[prost(bool, tag = "6")]
    RemoveListener(bool),
    #[prost(message, tag = "7")]
    ListListeners(ManagerListeners),
}

/// Message `spark.connect.StreamingQueryListenerEventsResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryListenerEventsResult {
    #[prost(message, repeated, tag = "1")]
    pub events: Vec<StreamingQueryListenerEvent>,
    #[prost(bool, optional, tag = "2")]
    pub listener_bus_listener_added: Option<bool>,
}

/// Message `spark.connect.WriteStreamOperationStart`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WriteStreamOperationStart {
    #[prost(message, optional, tag = "1")]
    pub input: Option<Relation>,
    #[prost(string, tag = "2")]
    pub format: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub options: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "4")]
    pub partitioning_column_names: Vec<String>,
    #[prost(oneof = "StreamTrigger", tags = "5, 6, 7, 8, 100")]
    pub trigger: Option<StreamTrigger>,
    #[prost(string, tag = "9")]
    pub output_mode: String,
    #[prost(string, tag = "10")]
    pub query_name: String,
    #[prost(oneof = "StreamDestination", tags = "11, 12")]
    pub sink_destination: Option<StreamDestination>,
    #[prost(message, optional, tag = "13")]
    pub foreach_writer: Option<StreamingForeachFunction>,
    #[prost(message, optional, tag = "14")]
    pub foreach_batch: Option<StreamingForeachFunction>,
    #[prost(string, repeated, tag = "15")]
    pub clustering_column_names: Vec<String>,
}

/// The kinds of `WriteStreamOperationStart` (`trigger`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum StreamTrigger {
    #[prost(string, tag = "5")]
    ProcessingTimeInterval(String),
    #[prost(bool, tag = "6")]
    AvailableNow(bool),
    #[prost(bool, tag = "7")]
    Once(bool),
    #[prost(string, tag = "8")]
    ContinuousCheckpointInterval(String),
    #[prost(string, tag = "100")]
    RealTimeBatchDuration(String),
}

/// The kinds of `WriteStreamOperationStart` (`sink_destination`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum StreamDestination {
    #[prost(string, tag = "11")]
    Path(String),
    #[prost(string, tag = "12")]
    TableName(String),
}

/// Message `spark.connect.StreamingQueryCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryCommand {
    #[prost(message, optional, tag = "1")]
    pub query_id: Option<StreamingQueryInstanceId>,
    #[prost(oneof = "QueryCommand", tags = "2, 3, 4, 5, 6, 7, 8, 9")]
    pub command: Option<QueryCommand>,
}

/// The kinds of `StreamingQueryCommand` (`command`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum QueryCommand {
    #[prost(bool, tag = "2")]
    Status(bool),
    #[prost(bool, tag = "3")]
    LastProgress(bool),
    #[prost(bool, tag = "4")]
    RecentProgress(bool),
    #[prost(bool, tag = "5")]
    Stop(bool),
    #[prost(bool, tag = "6")]
    ProcessAllAvailable(bool),
    #[prost(message, tag = "7")]
    Explain(StreamingQueryCommandExplainCommand),
    #[prost(bool, tag = "8")]
    Exception(bool),
    #[prost(message, tag = "9")]
    AwaitTermination(StreamingQueryCommandAwaitTerminationCommand),
}

/// Message `spark.connect.StreamingQueryManagerCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryManagerCommand {
    #[prost(oneof = "ManagerCommand", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub command: Option<ManagerCommand>,
}

/// The kinds of `StreamingQueryManagerCommand` (`command`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum ManagerCommand {
    #[prost(bool, tag = "1")]
    Active(bool),
    #[prost(string, tag = "2")]
    GetQuery(String),
    #[prost(message, tag = "3")]
    AwaitAnyTermination(StreamingQueryManagerCommandAwaitAnyTerminationCommand),
    #[prost(bool, tag = "4")]
    ResetTerminated(bool),
    #[prost(message, tag = "5")]
    AddListener(Opaque),
    #[prost(message, tag = "6")]
    RemoveListener(Opaque),
    #[prost(bool, tag = "7")]
    ListListeners(bool),
}

/// Message `spark.connect.StreamingQueryListenerBusCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryListenerBusCommand {
    #[prost(oneof = "StreamingQueryListenerBusCommandCommand", tags = "1, 2")]
    pub command: Option<StreamingQueryListenerBusCommandCommand>,
}

/// The kinds of `StreamingQueryListenerBusCommand` (`command`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum StreamingQueryListenerBusCommandCommand {
    #[prost(bool, tag = "1")]
    AddListenerBusListener(bool),
    #[prost(bool, tag = "2")]
    RemoveListenerBusListener(bool),
}

/// Message `spark.connect.StreamingQueryInstanceId`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryInstanceId {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub run_id: String,
}

/// Message `spark.connect.StreamingQueryCommandResult.StatusResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct QueryStatus {
    #[prost(string, tag = "1")]
    pub status_message: String,
    #[prost(bool, tag = "2")]
    pub is_data_available: bool,
    #[prost(bool, tag = "3")]
    pub is_trigger_active: bool,
    #[prost(bool, tag = "4")]
    pub is_active: bool,
}

/// Message `spark.connect.StreamingQueryCommandResult.RecentProgressResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct QueryProgress {
    #[prost(string, repeated, tag = "5")]
    pub recent_progress_json: Vec<String>,
}

/// Message `spark.connect.StreamingQueryCommandResult.ExplainResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct QueryExplained {
    #[prost(string, tag = "1")]
    pub result: String,
}

/// Message `spark.connect.StreamingQueryCommandResult.ExceptionResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct QueryException {
    #[prost(string, optional, tag = "1")]
    pub exception_message: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub error_class: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub stack_trace: Option<String>,
}

/// Message `spark.connect.StreamingQueryCommandResult.AwaitTerminationResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct QueryTermination {
    #[prost(bool, tag = "1")]
    pub terminated: bool,
}

/// Message `spark.connect.StreamingQueryManagerCommandResult.ActiveResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ManagerActive {
    #[prost(message, repeated, tag = "1")]
    pub active_queries: Vec<ManagerQuery>,
}

/// Message `spark.connect.StreamingQueryManagerCommandResult.StreamingQueryInstance`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ManagerQuery {
    #[prost(message, optional, tag = "1")]
    pub id: Option<StreamingQueryInstanceId>,
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
}

/// Message `spark.connect.StreamingQueryManagerCommandResult.AwaitAnyTerminationResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ManagerTermination {
    #[prost(bool, tag = "1")]
    pub terminated: bool,
}

/// Message `spark.connect.StreamingQueryManagerCommandResult.ListStreamingQueryListenerResult`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ManagerListeners {
    #[prost(string, repeated, tag = "1")]
    pub listener_ids: Vec<String>,
}

/// Message `spark.connect.StreamingQueryListenerEvent`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryListenerEvent {
    #[prost(string, tag = "1")]
    pub event_json: String,
    #[prost(enumeration = "StreamingQueryEventType", tag = "2")]
    pub event_type: i32,
}

/// Message `spark.connect.StreamingForeachFunction`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingForeachFunction {
    #[prost(oneof = "StreamingForeachFunctionFunction", tags = "1, 2")]
    pub function: Option<StreamingForeachFunctionFunction>,
}

/// The kinds of `StreamingForeachFunction` (`function`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum StreamingForeachFunctionFunction {
    #[prost(message, tag = "1")]
    PythonFunction(Opaque),
    #[prost(message, tag = "2")]
    ScalaFunction(Opaque),
}

/// Message `spark.connect.StreamingQueryCommand.ExplainCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryCommandExplainCommand {
    #[prost(bool, tag = "1")]
    pub extended: bool,
}

/// Message `spark.connect.StreamingQueryCommand.AwaitTerminationCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryCommandAwaitTerminationCommand {
    #[prost(int64, optional, tag = "2")]
    pub timeout_ms: Option<i64>,
}

/// Message `spark.connect.StreamingQueryManagerCommand.AwaitAnyTerminationCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamingQueryManagerCommandAwaitAnyTerminationCommand {
    #[prost(int64, optional, tag = "1")]
    pub timeout_ms: Option<i64>,
}

/// Values of `spark.connect.StreamingQueryEventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum StreamingQueryEventType {
    ProgressUnspecified = 0,
    ProgressEvent = 1,
    TerminatedEvent = 2,
    IdleEvent = 3,
}
