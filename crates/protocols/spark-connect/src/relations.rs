//! Relations: what a data frame is made of.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use std::collections::BTreeMap;

use super::*;

/// Message `spark.connect.Relation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Relation {
    #[prost(message, optional, tag = "1")]
    pub common: Option<RelationCommon>,
    #[prost(
        oneof = "RelType",
        tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 90, 91, 92, 100, 101, 102, 103, 104, 105, 106, 107, 200, 300, 998, 999"
    )]
    pub rel_type: Option<RelType>,
}

/// The kinds of `Relation` (`rel_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum RelType {
    #[prost(message, tag = "2")]
    Read(Read),
    #[prost(message, tag = "3")]
    Project(Box<Project>),
    #[prost(message, tag = "4")]
    Filter(Box<Filter>),
    #[prost(message, tag = "5")]
    Join(Box<Join>),
    #[prost(message, tag = "6")]
    SetOp(Box<SetOperation>),
    #[prost(message, tag = "7")]
    Sort(Box<Sort>),
    #[prost(message, tag = "8")]
    Limit(Box<Limit>),
    #[prost(message, tag = "9")]
    Aggregate(Box<Aggregate>),
    #[prost(message, tag = "10")]
    Sql(Sql),
    #[prost(message, tag = "11")]
    LocalRelation(LocalRelation),
    #[prost(message, tag = "12")]
    Sample(Box<Sample>),
    #[prost(message, tag = "13")]
    Offset(Box<Offset>),
    #[prost(message, tag = "14")]
    Deduplicate(Box<Deduplicate>),
    #[prost(message, tag = "15")]
    Range(Range),
    #[prost(message, tag = "16")]
    SubqueryAlias(Box<SubqueryAlias>),
    #[prost(message, tag = "17")]
    Repartition(Box<Repartition>),
    #[prost(message, tag = "18")]
    ToDf(Box<ToDf>),
    #[prost(message, tag = "19")]
    WithColumnsRenamed(Box<WithColumnsRenamed>),
    #[prost(message, tag = "20")]
    ShowString(Box<ShowString>),
    #[prost(message, tag = "21")]
    Drop(Box<DropColumns>),
    #[prost(message, tag = "22")]
    Tail(Box<Tail>),
    #[prost(message, tag = "23")]
    WithColumns(Box<WithColumns>),
    #[prost(message, tag = "24")]
    Hint(Box<Hint>),
    #[prost(message, tag = "25")]
    Unpivot(Box<Unpivot>),
    #[prost(message, tag = "26")]
    ToSchema(Box<ToSchema>),
    #[prost(message, tag = "27")]
    RepartitionByExpression(Box<RepartitionByExpression>),
    #[prost(message, tag = "28")]
    MapPartitions(Opaque),
    #[prost(message, tag = "29")]
    CollectMetrics(Opaque),
    #[prost(message, tag = "30")]
    Parse(Opaque),
    #[prost(message, tag = "31")]
    GroupMap(Opaque),
    #[prost(message, tag = "32")]
    CoGroupMap(Opaque),
    #[prost(message, tag = "33")]
    WithWatermark(Box<WithWatermark>),
    #[prost(message, tag = "34")]
    ApplyInPandasWithState(Opaque),
    #[prost(message, tag = "35")]
    HtmlString(Box<HtmlString>),
    #[prost(message, tag = "36")]
    CachedLocalRelation(CachedLocalRelation),
    #[prost(message, tag = "37")]
    CachedRemoteRelation(CachedRemoteRelation),
    #[prost(message, tag = "38")]
    CommonInlineUserDefinedTableFunction(Opaque),
    #[prost(message, tag = "39")]
    AsOfJoin(Opaque),
    #[prost(message, tag = "40")]
    CommonInlineUserDefinedDataSource(Opaque),
    #[prost(message, tag = "41")]
    WithRelations(Box<WithRelations>),
    #[prost(message, tag = "42")]
    Transpose(Opaque),
    #[prost(message, tag = "43")]
    UnresolvedTableValuedFunction(Opaque),
    #[prost(message, tag = "44")]
    LateralJoin(Opaque),
    #[prost(message, tag = "45")]
    ChunkedCachedLocalRelation(ChunkedCachedLocalRelation),
    #[prost(message, tag = "46")]
    RelationChanges(Opaque),
    #[prost(message, tag = "47")]
    NearestByJoin(Opaque),
    #[prost(message, tag = "90")]
    FillNa(Box<NaFill>),
    #[prost(message, tag = "91")]
    DropNa(Box<NaDrop>),
    #[prost(message, tag = "92")]
    Replace(Box<NaReplace>),
    #[prost(message, tag = "100")]
    Summary(Box<StatSummary>),
    #[prost(message, tag = "101")]
    Crosstab(Opaque),
    #[prost(message, tag = "102")]
    Describe(Box<StatDescribe>),
    #[prost(message, tag = "103")]
    Cov(Opaque),
    #[prost(message, tag = "104")]
    Corr(Opaque),
    #[prost(message, tag = "105")]
    ApproxQuantile(Opaque),
    #[prost(message, tag = "106")]
    FreqItems(Opaque),
    #[prost(message, tag = "107")]
    SampleBy(Opaque),
    #[prost(message, tag = "200")]
    Catalog(Catalog),
    #[prost(message, tag = "300")]
    MlRelation(Opaque),
    #[prost(message, tag = "998")]
    Extension(Opaque),
    #[prost(message, tag = "999")]
    Unknown(Opaque),
}

impl RelType {
    /// The protocol's name of the kind, for errors.
    pub fn name(&self) -> &'static str {
        match self {
            RelType::Read(_) => "read",
            RelType::Project(_) => "project",
            RelType::Filter(_) => "filter",
            RelType::Join(_) => "join",
            RelType::SetOp(_) => "set_op",
            RelType::Sort(_) => "sort",
            RelType::Limit(_) => "limit",
            RelType::Aggregate(_) => "aggregate",
            RelType::Sql(_) => "sql",
            RelType::LocalRelation(_) => "local_relation",
            RelType::Sample(_) => "sample",
            RelType::Offset(_) => "offset",
            RelType::Deduplicate(_) => "deduplicate",
            RelType::Range(_) => "range",
            RelType::SubqueryAlias(_) => "subquery_alias",
            RelType::Repartition(_) => "repartition",
            RelType::ToDf(_) => "to_df",
            RelType::WithColumnsRenamed(_) => "with_columns_renamed",
            RelType::ShowString(_) => "show_string",
            RelType::Drop(_) => "drop",
            RelType::Tail(_) => "tail",
            RelType::WithColumns(_) => "with_columns",
            RelType::Hint(_) => "hint",
            RelType::Unpivot(_) => "unpivot",
            RelType::ToSchema(_) => "to_schema",
            RelType::RepartitionByExpression(_) => "repartition_by_expression",
            RelType::MapPartitions(_) => "map_partitions",
            RelType::CollectMetrics(_) => "collect_metrics",
            RelType::Parse(_) => "parse",
            RelType::GroupMap(_) => "group_map",
            RelType::CoGroupMap(_) => "co_group_map",
            RelType::WithWatermark(_) => "with_watermark",
            RelType::ApplyInPandasWithState(_) => "apply_in_pandas_with_state",
            RelType::HtmlString(_) => "html_string",
            RelType::CachedLocalRelation(_) => "cached_local_relation",
            RelType::CachedRemoteRelation(_) => "cached_remote_relation",
            RelType::CommonInlineUserDefinedTableFunction(_) => {
                "common_inline_user_defined_table_function"
            }
            RelType::AsOfJoin(_) => "as_of_join",
            RelType::CommonInlineUserDefinedDataSource(_) => {
                "common_inline_user_defined_data_source"
            }
            RelType::WithRelations(_) => "with_relations",
            RelType::Transpose(_) => "transpose",
            RelType::UnresolvedTableValuedFunction(_) => "unresolved_table_valued_function",
            RelType::LateralJoin(_) => "lateral_join",
            RelType::ChunkedCachedLocalRelation(_) => "chunked_cached_local_relation",
            RelType::RelationChanges(_) => "relation_changes",
            RelType::NearestByJoin(_) => "nearest_by_join",
            RelType::FillNa(_) => "fill_na",
            RelType::DropNa(_) => "drop_na",
            RelType::Replace(_) => "replace",
            RelType::Summary(_) => "summary",
            RelType::Crosstab(_) => "crosstab",
            RelType::Describe(_) => "describe",
            RelType::Cov(_) => "cov",
            RelType::Corr(_) => "corr",
            RelType::ApproxQuantile(_) => "approx_quantile",
            RelType::FreqItems(_) => "freq_items",
            RelType::SampleBy(_) => "sample_by",
            RelType::Catalog(_) => "catalog",
            RelType::MlRelation(_) => "ml_relation",
            RelType::Extension(_) => "extension",
            RelType::Unknown(_) => "unknown",
        }
    }
}

/// Message `spark.connect.RelationCommon`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RelationCommon {
    #[prost(int64, optional, tag = "2")]
    pub plan_id: Option<i64>,
}

/// Message `spark.connect.Read`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Read {
    #[prost(oneof = "ReadType", tags = "1, 2")]
    pub read_type: Option<ReadType>,
    #[prost(bool, tag = "3")]
    pub is_streaming: bool,
}

/// The kinds of `Read` (`read_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum ReadType {
    #[prost(message, tag = "1")]
    NamedTable(ReadNamedTable),
    #[prost(message, tag = "2")]
    DataSource(ReadDataSource),
}

/// Message `spark.connect.Project`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Project {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "3")]
    pub expressions: Vec<Expression>,
}

/// Message `spark.connect.Filter`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Filter {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(message, optional, tag = "2")]
    pub condition: Option<Expression>,
}

/// Message `spark.connect.Join`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Join {
    #[prost(message, optional, boxed, tag = "1")]
    pub left: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub right: Option<Box<Relation>>,
    #[prost(message, optional, tag = "3")]
    pub join_condition: Option<Expression>,
    #[prost(enumeration = "JoinType", tag = "4")]
    pub join_type: i32,
    #[prost(string, repeated, tag = "5")]
    pub using_columns: Vec<String>,
    #[prost(message, optional, tag = "6")]
    pub join_data_type: Option<JoinJoinDataType>,
}

/// Message `spark.connect.SetOperation`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SetOperation {
    #[prost(message, optional, boxed, tag = "1")]
    pub left_input: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub right_input: Option<Box<Relation>>,
    #[prost(enumeration = "SetOpType", tag = "3")]
    pub set_op_type: i32,
    #[prost(bool, optional, tag = "4")]
    pub is_all: Option<bool>,
    #[prost(bool, optional, tag = "5")]
    pub by_name: Option<bool>,
    #[prost(bool, optional, tag = "6")]
    pub allow_missing_columns: Option<bool>,
}

/// Message `spark.connect.Sort`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Sort {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub order: Vec<SortOrder>,
    #[prost(bool, optional, tag = "3")]
    pub is_global: Option<bool>,
}

/// Message `spark.connect.Limit`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Limit {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub limit: i32,
}

/// Message `spark.connect.Aggregate`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Aggregate {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(enumeration = "GroupType", tag = "2")]
    pub group_type: i32,
    #[prost(message, repeated, tag = "3")]
    pub grouping_expressions: Vec<Expression>,
    #[prost(message, repeated, tag = "4")]
    pub aggregate_expressions: Vec<Expression>,
    #[prost(message, optional, tag = "5")]
    pub pivot: Option<AggregatePivot>,
    #[prost(message, repeated, tag = "6")]
    pub grouping_sets: Vec<AggregateGroupingSets>,
}

/// Message `spark.connect.Offset`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Offset {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub offset: i32,
}

/// Message `spark.connect.SubqueryAlias`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SubqueryAlias {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub alias: String,
    #[prost(string, repeated, tag = "3")]
    pub qualifier: Vec<String>,
}

/// Message `spark.connect.ToDF`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ToDf {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub column_names: Vec<String>,
}

/// Message `spark.connect.WithColumnsRenamed`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WithColumnsRenamed {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub rename_columns_map: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "3")]
    pub renames: Vec<WithColumnsRenamedRename>,
}

/// Message `spark.connect.Drop`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DropColumns {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub columns: Vec<Expression>,
    #[prost(string, repeated, tag = "3")]
    pub column_names: Vec<String>,
}

/// Message `spark.connect.WithColumns`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WithColumns {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub aliases: Vec<Alias>,
}

/// Message `spark.connect.Read.NamedTable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReadNamedTable {
    #[prost(string, tag = "1")]
    pub unparsed_identifier: String,
    #[prost(btree_map = "string, string", tag = "2")]
    pub options: BTreeMap<String, String>,
}

/// Message `spark.connect.Read.DataSource`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReadDataSource {
    #[prost(string, optional, tag = "1")]
    pub format: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub schema: Option<String>,
    #[prost(btree_map = "string, string", tag = "3")]
    pub options: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "4")]
    pub paths: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub predicates: Vec<String>,
    #[prost(string, optional, tag = "6")]
    pub source_name: Option<String>,
}

/// Values of `spark.connect.Join.JoinType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum JoinType {
    Unspecified = 0,
    Inner = 1,
    FullOuter = 2,
    LeftOuter = 3,
    RightOuter = 4,
    LeftAnti = 5,
    LeftSemi = 6,
    Cross = 7,
}

/// Message `spark.connect.Join.JoinDataType`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct JoinJoinDataType {
    #[prost(bool, tag = "1")]
    pub is_left_struct: bool,
    #[prost(bool, tag = "2")]
    pub is_right_struct: bool,
}

/// Values of `spark.connect.SetOperation.SetOpType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum SetOpType {
    Unspecified = 0,
    Intersect = 1,
    Union = 2,
    Except = 3,
}

/// Values of `spark.connect.Aggregate.GroupType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum GroupType {
    Unspecified = 0,
    Groupby = 1,
    Rollup = 2,
    Cube = 3,
    Pivot = 4,
    GroupingSets = 5,
}

/// Message `spark.connect.Aggregate.Pivot`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AggregatePivot {
    #[prost(message, optional, tag = "1")]
    pub col: Option<Expression>,
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<Literal>,
}

/// Message `spark.connect.Aggregate.GroupingSets`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct AggregateGroupingSets {
    #[prost(message, repeated, tag = "1")]
    pub grouping_set: Vec<Expression>,
}

/// Message `spark.connect.WithColumnsRenamed.Rename`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WithColumnsRenamedRename {
    #[prost(string, tag = "1")]
    pub col_name: String,
    #[prost(string, tag = "2")]
    pub new_col_name: String,
}
