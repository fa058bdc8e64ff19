//! Commands: what is done for its effect.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use std::collections::BTreeMap;

use super::*;

/// Message `spark.connect.Command`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Command {
    #[prost(
        oneof = "CommandType",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 999"
    )]
    pub command_type: Option<CommandType>,
}

/// The kinds of `Command` (`command_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum CommandType {
    #[prost(message, tag = "1")]
    RegisterFunction(CommonInlineUserDefinedFunction),
    #[prost(message, tag = "2")]
    WriteOperation(WriteOperation),
    #[prost(message, tag = "3")]
    CreateDataframeView(CreateDataFrameViewCommand),
    #[prost(message, tag = "4")]
    WriteOperationV2(WriteOperationV2),
    #[prost(message, tag = "5")]
    SqlCommand(SqlCommand),
    #[prost(message, tag = "6")]
    WriteStreamOperationStart(WriteStreamOperationStart),
    #[prost(message, tag = "7")]
    StreamingQueryCommand(StreamingQueryCommand),
    #[prost(message, tag = "8")]
    GetResourcesCommand(Opaque),
    #[prost(message, tag = "9")]
    StreamingQueryManagerCommand(StreamingQueryManagerCommand),
    #[prost(message, tag = "10")]
    RegisterTableFunction(Opaque),
    #[prost(message, tag = "11")]
    StreamingQueryListenerBusCommand(StreamingQueryListenerBusCommand),
    #[prost(message, tag = "12")]
    RegisterDataSource(Opaque),
    #[prost(message, tag = "13")]
    CreateResourceProfileCommand(Opaque),
    #[prost(message, tag = "14")]
    CheckpointCommand(Opaque),
    #[prost(message, tag = "15")]
    RemoveCachedRemoteRelationCommand(RemoveCachedRemoteRelationCommand),
    #[prost(message, tag = "16")]
    MergeIntoTableCommand(Opaque),
    #[prost(message, tag = "17")]
    MlCommand(Opaque),
    #[prost(message, tag = "18")]
    ExecuteExternalCommand(Opaque),
    #[prost(message, tag = "19")]
    PipelineCommand(Opaque),
    #[prost(message, tag = "999")]
    Extension(Opaque),
}

impl CommandType {
    /// The protocol's name of the kind, for errors.
    pub fn name(&self) -> &'static str {
        match self {
            CommandType::RegisterFunction(_) => "register_function",
            CommandType::WriteOperation(_) => "write_operation",
            CommandType::CreateDataframeView(_) => "create_dataframe_view",
            CommandType::WriteOperationV2(_) => "write_operation_v2",
            CommandType::SqlCommand(_) => "sql_command",
            CommandType::WriteStreamOperationStart(_) => "write_stream_operation_start",
            CommandType::StreamingQueryCommand(_) => "streaming_query_command",
            CommandType::GetResourcesCommand(_) => "get_resources_command",
            CommandType::StreamingQueryManagerCommand(_) => "streaming_query_manager_command",
            CommandType::RegisterTableFunction(_) => "register_table_function",
            CommandType::StreamingQueryListenerBusCommand(_) => {
                "streaming_query_listener_bus_command"
            }
            CommandType::RegisterDataSource(_) => "register_data_source",
            CommandType::CreateResourceProfileCommand(_) => "create_resource_profile_command",
            CommandType::CheckpointCommand(_) => "checkpoint_command",
            CommandType::RemoveCachedRemoteRelationCommand(_) => {
                "remove_cached_remote_relation_command"
            }
            CommandType::MergeIntoTableCommand(_) => "merge_into_table_command",
            CommandType::MlCommand(_) => "ml_command",
            CommandType::ExecuteExternalCommand(_) => "execute_external_command",
            CommandType::PipelineCommand(_) => "pipeline_command",
            CommandType::Extension(_) => "extension",
        }
    }
}

/// Message `spark.connect.WriteOperation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WriteOperation {
    #[prost(message, optional, tag = "1")]
    pub input: Option<Relation>,
    #[prost(string, optional, tag = "2")]
    pub source: Option<String>,
    #[prost(oneof = "SaveType", tags = "3, 4")]
    pub save_type: Option<SaveType>,
    #[prost(enumeration = "SaveMode", tag = "5")]
    pub mode: i32,
    #[prost(string, repeated, tag = "6")]
    pub sort_column_names: Vec<String>,
    #[prost(string, repeated, tag = "7")]
    pub partitioning_columns: Vec<String>,
    #[prost(message, optional, tag = "8")]
    pub bucket_by: Option<WriteOperationBucketBy>,
    #[prost(btree_map = "string, string", tag = "9")]
    pub options: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "10")]
    pub clustering_columns: Vec<String>,
    #[prost(bool, tag = "11")]
    pub with_schema_evolution: bool,
}

/// The kinds of `WriteOperation` (`save_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum SaveType {
    #[prost(string, tag = "3")]
    Path(String),
    #[prost(message, tag = "4")]
    Table(WriteOperationSaveTable),
}

/// Message `spark.connect.CreateDataFrameViewCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CreateDataFrameViewCommand {
    #[prost(message, optional, tag = "1")]
    pub input: Option<Relation>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(bool, tag = "3")]
    pub is_global: bool,
    #[prost(bool, tag = "4")]
    pub replace: bool,
}

/// Message `spark.connect.WriteOperationV2`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WriteOperationV2 {
    #[prost(message, optional, tag = "1")]
    pub input: Option<Relation>,
    #[prost(string, tag = "2")]
    pub table_name: String,
    #[prost(string, optional, tag = "3")]
    pub provider: Option<String>,
    #[prost(message, repeated, tag = "4")]
    pub partitioning_columns: Vec<Expression>,
    #[prost(btree_map = "string, string", tag = "5")]
    pub options: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "6")]
    pub table_properties: BTreeMap<String, String>,
    #[prost(enumeration = "WriteOperationV2Mode", tag = "7")]
    pub mode: i32,
    #[prost(message, optional, tag = "8")]
    pub overwrite_condition: Option<Expression>,
    #[prost(string, repeated, tag = "9")]
    pub clustering_columns: Vec<String>,
    #[prost(bool, tag = "10")]
    pub with_schema_evolution: bool,
}

/// Message `spark.connect.SqlCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SqlCommand {
    #[prost(string, tag = "1")]
    pub sql: String,
    #[prost(btree_map = "string, message", tag = "2")]
    pub args: BTreeMap<String, Literal>,
    #[prost(message, repeated, tag = "3")]
    pub pos_args: Vec<Literal>,
    #[prost(btree_map = "string, message", tag = "4")]
    pub named_arguments: BTreeMap<String, Expression>,
    #[prost(message, repeated, tag = "5")]
    pub pos_arguments: Vec<Expression>,
    #[prost(message, optional, tag = "6")]
    pub input: Option<Relation>,
}

/// Message `spark.connect.RemoveCachedRemoteRelationCommand`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RemoveCachedRemoteRelationCommand {
    #[prost(message, optional, tag = "1")]
    pub relation: Option<CachedRemoteRelation>,
}

/// Values of `spark.connect.WriteOperation.SaveMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum SaveMode {
    Unspecified = 0,
    Append = 1,
    Overwrite = 2,
    ErrorIfExists = 3,
    Ignore = 4,
}

/// Message `spark.connect.WriteOperation.BucketBy`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WriteOperationBucketBy {
    #[prost(string, repeated, tag = "1")]
    pub bucket_column_names: Vec<String>,
    #[prost(int32, tag = "2")]
    pub num_buckets: i32,
}

/// Message `spark.connect.WriteOperation.SaveTable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WriteOperationSaveTable {
    #[prost(string, tag = "1")]
    pub table_name: String,
    #[prost(enumeration = "WriteOperationSaveTableTableSaveMethod", tag = "2")]
    pub save_method: i32,
}

/// Values of `spark.connect.WriteOperationV2.Mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum WriteOperationV2Mode {
    Unspecified = 0,
    Create = 1,
    Overwrite = 2,
    OverwritePartitions = 3,
    Append = 4,
    Replace = 5,
    CreateOrReplace = 6,
}

/// Values of `spark.connect.WriteOperation.SaveTable.TableSaveMethod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum WriteOperationSaveTableTableSaveMethod {
    Unspecified = 0,
    SaveAsTable = 1,
    InsertInto = 2,
}
