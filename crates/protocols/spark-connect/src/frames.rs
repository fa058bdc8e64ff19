//! Relations beside those of every query: local data, text of a frame, repairs of NULLs.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;

/// Message `spark.connect.SQL`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Sql {
    #[prost(string, tag = "1")]
    pub query: String,
    #[prost(btree_map = "string, message", tag = "2")]
    pub args: BTreeMap<String, Literal>,
    #[prost(message, repeated, tag = "3")]
    pub pos_args: Vec<Literal>,
    #[prost(btree_map = "string, message", tag = "4")]
    pub named_arguments: BTreeMap<String, Expression>,
    #[prost(message, repeated, tag = "5")]
    pub pos_arguments: Vec<Expression>,
}

/// Message `spark.connect.LocalRelation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LocalRelation {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub data: Option<Bytes>,
    #[prost(string, optional, tag = "2")]
    pub schema: Option<String>,
}

/// Message `spark.connect.Sample`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Sample {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(double, tag = "2")]
    pub lower_bound: f64,
    #[prost(double, tag = "3")]
    pub upper_bound: f64,
    #[prost(bool, optional, tag = "4")]
    pub with_replacement: Option<bool>,
    #[prost(int64, optional, tag = "5")]
    pub seed: Option<i64>,
    #[prost(bool, tag = "6")]
    pub deterministic_order: bool,
}

/// Message `spark.connect.Deduplicate`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Deduplicate {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub column_names: Vec<String>,
    #[prost(bool, optional, tag = "3")]
    pub all_columns_as_keys: Option<bool>,
    #[prost(bool, optional, tag = "4")]
    pub within_watermark: Option<bool>,
}

/// Message `spark.connect.Range`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Range {
    #[prost(int64, optional, tag = "1")]
    pub start: Option<i64>,
    #[prost(int64, tag = "2")]
    pub end: i64,
    #[prost(int64, tag = "3")]
    pub step: i64,
    #[prost(int32, optional, tag = "4")]
    pub num_partitions: Option<i32>,
}

/// Message `spark.connect.Repartition`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Repartition {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub num_partitions: i32,
    #[prost(bool, optional, tag = "3")]
    pub shuffle: Option<bool>,
}

/// Message `spark.connect.ShowString`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ShowString {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub num_rows: i32,
    #[prost(int32, tag = "3")]
    pub truncate: i32,
    #[prost(bool, tag = "4")]
    pub vertical: bool,
}

/// Message `spark.connect.Tail`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Tail {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub limit: i32,
}

/// Message `spark.connect.Hint`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Hint {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "3")]
    pub parameters: Vec<Expression>,
}

/// Message `spark.connect.Unpivot`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Unpivot {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub ids: Vec<Expression>,
    #[prost(message, optional, tag = "3")]
    pub values: Option<UnpivotValues>,
    #[prost(string, tag = "4")]
    pub variable_column_name: String,
    #[prost(string, tag = "5")]
    pub value_column_name: String,
}

/// Message `spark.connect.ToSchema`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ToSchema {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(message, optional, tag = "2")]
    pub schema: Option<DataType>,
}

/// Message `spark.connect.RepartitionByExpression`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RepartitionByExpression {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub partition_exprs: Vec<Expression>,
    #[prost(int32, optional, tag = "3")]
    pub num_partitions: Option<i32>,
}

/// Message `spark.connect.WithWatermark`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WithWatermark {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub event_time: String,
    #[prost(string, tag = "3")]
    pub delay_threshold: String,
}

/// Message `spark.connect.HtmlString`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct HtmlString {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub num_rows: i32,
    #[prost(int32, tag = "3")]
    pub truncate: i32,
}

/// Message `spark.connect.CachedLocalRelation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CachedLocalRelation {
    #[prost(string, tag = "3")]
    pub hash: String,
}

/// Message `spark.connect.CachedRemoteRelation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CachedRemoteRelation {
    #[prost(string, tag = "1")]
    pub relation_id: String,
}

/// Message `spark.connect.WithRelations`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WithRelations {
    #[prost(message, optional, boxed, tag = "1")]
    pub root: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub references: Vec<Relation>,
}

/// Message `spark.connect.ChunkedCachedLocalRelation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ChunkedCachedLocalRelation {
    #[prost(string, repeated, tag = "1")]
    pub data_hashes: Vec<String>,
    #[prost(string, optional, tag = "2")]
    pub schema_hash: Option<String>,
}

/// Message `spark.connect.NAFill`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct NaFill {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub cols: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    pub values: Vec<Literal>,
}

/// Message `spark.connect.NADrop`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct NaDrop {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub cols: Vec<String>,
    #[prost(int32, optional, tag = "3")]
    pub min_non_nulls: Option<i32>,
}

/// Message `spark.connect.NAReplace`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct NaReplace {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub cols: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    pub replacements: Vec<NaReplacement>,
}

/// Message `spark.connect.StatSummary`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StatSummary {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub statistics: Vec<String>,
}

/// Message `spark.connect.StatDescribe`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StatDescribe {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub cols: Vec<String>,
}

/// Message `spark.connect.Unpivot.Values`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnpivotValues {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Expression>,
}

/// Message `spark.connect.NAReplace.Replacement`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct NaReplacement {
    #[prost(message, optional, tag = "1")]
    pub old_value: Option<Literal>,
    #[prost(message, optional, tag = "2")]
    pub new_value: Option<Literal>,
}
