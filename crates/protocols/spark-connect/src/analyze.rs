//! `AnalyzePlan`: what is asked about a plan without running it.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use super::*;

/// Message `spark.connect.AnalyzePlanRequest`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzePlanRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, optional, tag = "17")]
    pub client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub client_type: Option<String>,
    #[prost(oneof = "Analyze", tags = "4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18")]
    pub analyze: Option<Analyze>,
}

/// The kinds of `AnalyzePlanRequest` (`analyze`).
#[expect(clippy::large_enum_variant, reason = "one of them is alive per request")]
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum Analyze {
    #[prost(message, tag = "4")]
    Schema(AnalyzeSchema),
    #[prost(message, tag = "5")]
    Explain(AnalyzeExplain),
    #[prost(message, tag = "6")]
    TreeString(AnalyzeTreeString),
    #[prost(message, tag = "7")]
    IsLocal(AnalyzeIsLocal),
    #[prost(message, tag = "8")]
    IsStreaming(AnalyzeIsStreaming),
    #[prost(message, tag = "9")]
    InputFiles(AnalyzeInputFiles),
    #[prost(message, tag = "10")]
    SparkVersion(AnalyzeSparkVersion),
    #[prost(message, tag = "11")]
    DdlParse(AnalyzeDdlParse),
    #[prost(message, tag = "12")]
    SameSemantics(AnalyzeSameSemantics),
    #[prost(message, tag = "13")]
    SemanticHash(AnalyzeSemanticHash),
    #[prost(message, tag = "14")]
    Persist(AnalyzePersist),
    #[prost(message, tag = "15")]
    Unpersist(AnalyzeUnpersist),
    #[prost(message, tag = "16")]
    GetStorageLevel(AnalyzeGetStorageLevel),
    #[prost(message, tag = "18")]
    JsonToDdl(AnalyzeJsonToDdl),
}

/// Message `spark.connect.AnalyzePlanResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzePlanResponse {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "15")]
    pub server_side_session_id: String,
    #[prost(oneof = "Analyzed", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16")]
    pub result: Option<Analyzed>,
}

/// The kinds of `AnalyzePlanResponse` (`result`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum Analyzed {
    #[prost(message, tag = "2")]
    Schema(AnalyzedSchema),
    #[prost(message, tag = "3")]
    Explain(AnalyzedExplain),
    #[prost(message, tag = "4")]
    TreeString(AnalyzedTreeString),
    #[prost(message, tag = "5")]
    IsLocal(AnalyzedIsLocal),
    #[prost(message, tag = "6")]
    IsStreaming(AnalyzedIsStreaming),
    #[prost(message, tag = "7")]
    InputFiles(AnalyzedInputFiles),
    #[prost(message, tag = "8")]
    SparkVersion(AnalyzedSparkVersion),
    #[prost(message, tag = "9")]
    DdlParse(AnalyzedDdlParse),
    #[prost(message, tag = "10")]
    SameSemantics(AnalyzedSameSemantics),
    #[prost(message, tag = "11")]
    SemanticHash(AnalyzedSemanticHash),
    #[prost(message, tag = "12")]
    Persist(AnalyzedPersist),
    #[prost(message, tag = "13")]
    Unpersist(AnalyzedUnpersist),
    #[prost(message, tag = "14")]
    GetStorageLevel(AnalyzedGetStorageLevel),
    #[prost(message, tag = "16")]
    JsonToDdl(AnalyzedJsonToDdl),
}

/// Message `spark.connect.AnalyzePlanRequest.Schema`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeSchema {
    #[prost(message, optional, tag = "1")]
    pub plan: Option<Plan>,
}

/// Message `spark.connect.AnalyzePlanRequest.Explain`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeExplain {
    #[prost(message, optional, tag = "1")]
    pub plan: Option<Plan>,
    #[prost(enumeration = "ExplainMode", tag = "2")]
    pub explain_mode: i32,
}

/// Message `spark.connect.AnalyzePlanRequest.TreeString`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeTreeString {
    #[prost(message, optional, tag = "1")]
    pub plan: Option<Plan>,
    #[prost(int32, optional, tag = "2")]
    pub level: Option<i32>,
}

/// Message `spark.connect.AnalyzePlanRequest.IsLocal`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeIsLocal {
    #[prost(message, optional, tag = "1")]
    pub plan: Option<Plan>,
}

/// Message `spark.connect.AnalyzePlanRequest.IsStreaming`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeIsStreaming {
    #[prost(message, optional, tag = "1")]
    pub plan: Option<Plan>,
}

/// Message `spark.connect.AnalyzePlanRequest.InputFiles`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeInputFiles {
    #[prost(message, optional, tag = "1")]
    pub plan: Option<Plan>,
}

/// Message `spark.connect.AnalyzePlanRequest.SparkVersion`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeSparkVersion {}

/// Message `spark.connect.AnalyzePlanRequest.DDLParse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeDdlParse {
    #[prost(string, tag = "1")]
    pub ddl_string: String,
}

/// Message `spark.connect.AnalyzePlanRequest.SameSemantics`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeSameSemantics {
    #[prost(message, optional, tag = "1")]
    pub target_plan: Option<Plan>,
    #[prost(message, optional, tag = "2")]
    pub other_plan: Option<Plan>,
}

/// Message `spark.connect.AnalyzePlanRequest.SemanticHash`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeSemanticHash {
    #[prost(message, optional, tag = "1")]
    pub plan: Option<Plan>,
}

/// Message `spark.connect.AnalyzePlanRequest.Persist`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzePersist {
    #[prost(message, optional, tag = "1")]
    pub relation: Option<Relation>,
    #[prost(message, optional, tag = "2")]
    pub storage_level: Option<StorageLevel>,
}

/// Message `spark.connect.AnalyzePlanRequest.Unpersist`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeUnpersist {
    #[prost(message, optional, tag = "1")]
    pub relation: Option<Relation>,
    #[prost(bool, optional, tag = "2")]
    pub blocking: Option<bool>,
}

/// Message `spark.connect.AnalyzePlanRequest.GetStorageLevel`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeGetStorageLevel {
    #[prost(message, optional, tag = "1")]
    pub relation: Option<Relation>,
}

/// Message `spark.connect.AnalyzePlanRequest.JsonToDDL`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzeJsonToDdl {
    #[prost(string, tag = "1")]
    pub json_string: String,
}

/// Message `spark.connect.AnalyzePlanResponse.Schema`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedSchema {
    #[prost(message, optional, tag = "1")]
    pub schema: Option<DataType>,
}

/// Message `spark.connect.AnalyzePlanResponse.Explain`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedExplain {
    #[prost(string, tag = "1")]
    pub explain_string: String,
}

/// Message `spark.connect.AnalyzePlanResponse.TreeString`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedTreeString {
    #[prost(string, tag = "1")]
    pub tree_string: String,
}

/// Message `spark.connect.AnalyzePlanResponse.IsLocal`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedIsLocal {
    #[prost(bool, tag = "1")]
    pub is_local: bool,
}

/// Message `spark.connect.AnalyzePlanResponse.IsStreaming`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedIsStreaming {
    #[prost(bool, tag = "1")]
    pub is_streaming: bool,
}

/// Message `spark.connect.AnalyzePlanResponse.InputFiles`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedInputFiles {
    #[prost(string, repeated, tag = "1")]
    pub files: Vec<String>,
}

/// Message `spark.connect.AnalyzePlanResponse.SparkVersion`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedSparkVersion {
    #[prost(string, tag = "1")]
    pub version: String,
}

/// Message `spark.connect.AnalyzePlanResponse.DDLParse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedDdlParse {
    #[prost(message, optional, tag = "1")]
    pub parsed: Option<DataType>,
}

/// Message `spark.connect.AnalyzePlanResponse.SameSemantics`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedSameSemantics {
    #[prost(bool, tag = "1")]
    pub result: bool,
}

/// Message `spark.connect.AnalyzePlanResponse.SemanticHash`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedSemanticHash {
    #[prost(int32, tag = "1")]
    pub result: i32,
}

/// Message `spark.connect.AnalyzePlanResponse.Persist`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedPersist {}

/// Message `spark.connect.AnalyzePlanResponse.Unpersist`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedUnpersist {}

/// Message `spark.connect.AnalyzePlanResponse.GetStorageLevel`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedGetStorageLevel {
    #[prost(message, optional, tag = "1")]
    pub storage_level: Option<StorageLevel>,
}

/// Message `spark.connect.AnalyzePlanResponse.JsonToDDL`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AnalyzedJsonToDdl {
    #[prost(string, tag = "1")]
    pub ddl_string: String,
}

/// Values of `spark.connect.AnalyzePlanRequest.Explain.ExplainMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum ExplainMode {
    Unspecified = 0,
    Simple = 1,
    Extended = 2,
    Codegen = 3,
    Cost = 4,
    Formatted = 5,
}
