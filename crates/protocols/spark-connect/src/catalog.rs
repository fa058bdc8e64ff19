//! What `spark.catalog` asks.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use super::*;

/// Message `spark.connect.Catalog`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Catalog {
    #[prost(
        oneof = "CatType",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36"
    )]
    pub cat_type: Option<CatType>,
}

/// The kinds of `Catalog` (`cat_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum CatType {
    #[prost(message, tag = "1")]
    CurrentDatabase(CurrentDatabase),
    #[prost(message, tag = "2")]
    SetCurrentDatabase(SetCurrentDatabase),
    #[prost(message, tag = "3")]
    ListDatabases(ListDatabases),
    #[prost(message, tag = "4")]
    ListTables(ListTables),
    #[prost(message, tag = "5")]
    ListFunctions(ListFunctions),
    #[prost(message, tag = "6")]
    ListColumns(ListColumns),
    #[prost(message, tag = "7")]
    GetDatabase(GetDatabase),
    #[prost(message, tag = "8")]
    GetTable(GetTable),
    #[prost(message, tag = "9")]
    GetFunction(GetFunction),
    #[prost(message, tag = "10")]
    DatabaseExists(DatabaseExists),
    #[prost(message, tag = "11")]
    TableExists(TableExists),
    #[prost(message, tag = "12")]
    FunctionExists(FunctionExists),
    #[prost(message, tag = "13")]
    CreateExternalTable(Opaque),
    #[prost(message, tag = "14")]
    CreateTable(Opaque),
    #[prost(message, tag = "15")]
    DropTempView(DropTempView),
    #[prost(message, tag = "16")]
    DropGlobalTempView(DropGlobalTempView),
    #[prost(message, tag = "17")]
    RecoverPartitions(Opaque),
    #[prost(message, tag = "18")]
    IsCached(IsCached),
    #[prost(message, tag = "19")]
    CacheTable(CacheTable),
    #[prost(message, tag = "20")]
    UncacheTable(UncacheTable),
    #[prost(message, tag = "21")]
    ClearCache(ClearCache),
    #[prost(message, tag = "22")]
    RefreshTable(RefreshTable),
    #[prost(message, tag = "23")]
    RefreshByPath(RefreshByPath),
    #[prost(message, tag = "24")]
    CurrentCatalog(CurrentCatalog),
    #[prost(message, tag = "25")]
    SetCurrentCatalog(SetCurrentCatalog),
    #[prost(message, tag = "26")]
    ListCatalogs(ListCatalogs),
    #[prost(message, tag = "27")]
    DropTable(DropTable),
    #[prost(message, tag = "28")]
    DropView(DropView),
    #[prost(message, tag = "29")]
    CreateDatabase(Opaque),
    #[prost(message, tag = "30")]
    DropDatabase(Opaque),
    #[prost(message, tag = "31")]
    ListPartitions(Opaque),
    #[prost(message, tag = "32")]
    ListViews(ListViews),
    #[prost(message, tag = "33")]
    GetTableProperties(Opaque),
    #[prost(message, tag = "34")]
    GetCreateTableString(Opaque),
    #[prost(message, tag = "35")]
    TruncateTable(Opaque),
    #[prost(message, tag = "36")]
    AnalyzeTable(Opaque),
}

impl CatType {
    /// The protocol's name of the kind, for errors.
    pub fn name(&self) -> &'static str {
        match self {
            CatType::CurrentDatabase(_) => "current_database",
            CatType::SetCurrentDatabase(_) => "set_current_database",
            CatType::ListDatabases(_) => "list_databases",
            CatType::ListTables(_) => "list_tables",
            CatType::ListFunctions(_) => "list_functions",
            CatType::ListColumns(_) => "list_columns",
            CatType::GetDatabase(_) => "get_database",
            CatType::GetTable(_) => "get_table",
            CatType::GetFunction(_) => "get_function",
            CatType::DatabaseExists(_) => "database_exists",
            CatType::TableExists(_) => "table_exists",
            CatType::FunctionExists(_) => "function_exists",
            CatType::CreateExternalTable(_) => "create_external_table",
            CatType::CreateTable(_) => "create_table",
            CatType::DropTempView(_) => "drop_temp_view",
            CatType::DropGlobalTempView(_) => "drop_global_temp_view",
            CatType::RecoverPartitions(_) => "recover_partitions",
            CatType::IsCached(_) => "is_cached",
            CatType::CacheTable(_) => "cache_table",
            CatType::UncacheTable(_) => "uncache_table",
            CatType::ClearCache(_) => "clear_cache",
            CatType::RefreshTable(_) => "refresh_table",
            CatType::RefreshByPath(_) => "refresh_by_path",
            CatType::CurrentCatalog(_) => "current_catalog",
            CatType::SetCurrentCatalog(_) => "set_current_catalog",
            CatType::ListCatalogs(_) => "list_catalogs",
            CatType::DropTable(_) => "drop_table",
            CatType::DropView(_) => "drop_view",
            CatType::CreateDatabase(_) => "create_database",
            CatType::DropDatabase(_) => "drop_database",
            CatType::ListPartitions(_) => "list_partitions",
            CatType::ListViews(_) => "list_views",
            CatType::GetTableProperties(_) => "get_table_properties",
            CatType::GetCreateTableString(_) => "get_create_table_string",
            CatType::TruncateTable(_) => "truncate_table",
            CatType::AnalyzeTable(_) => "analyze_table",
        }
    }
}

/// Message `spark.connect.CurrentDatabase`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CurrentDatabase {}

/// Message `spark.connect.SetCurrentDatabase`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SetCurrentDatabase {
    #[prost(string, tag = "1")]
    pub db_name: String,
}

/// Message `spark.connect.ListDatabases`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListDatabases {
    #[prost(string, optional, tag = "1")]
    pub pattern: Option<String>,
}

/// Message `spark.connect.ListTables`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListTables {
    #[prost(string, optional, tag = "1")]
    pub db_name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub pattern: Option<String>,
}

/// Message `spark.connect.ListFunctions`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListFunctions {
    #[prost(string, optional, tag = "1")]
    pub db_name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub pattern: Option<String>,
}

/// Message `spark.connect.ListColumns`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListColumns {
    #[prost(string, tag = "1")]
    pub table_name: String,
    #[prost(string, optional, tag = "2")]
    pub db_name: Option<String>,
}

/// Message `spark.connect.GetDatabase`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GetDatabase {
    #[prost(string, tag = "1")]
    pub db_name: String,
}

/// Message `spark.connect.GetTable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GetTable {
    #[prost(string, tag = "1")]
    pub table_name: String,
    #[prost(string, optional, tag = "2")]
    pub db_name: Option<String>,
}

/// Message `spark.connect.GetFunction`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GetFunction {
    #[prost(string, tag = "1")]
    pub function_name: String,
    #[prost(string, optional, tag = "2")]
    pub db_name: Option<String>,
}

/// Message `spark.connect.DatabaseExists`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DatabaseExists {
    #[prost(string, tag = "1")]
    pub db_name: String,
}

/// Message `spark.connect.TableExists`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct TableExists {
    #[prost(string, tag = "1")]
    pub table_name: String,
    #[prost(string, optional, tag = "2")]
    pub db_name: Option<String>,
}

/// Message `spark.connect.FunctionExists`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct FunctionExists {
    #[prost(string, tag = "1")]
    pub function_name: String,
    #[prost(string, optional, tag = "2")]
    pub db_name: Option<String>,
}

/// Message `spark.connect.DropTempView`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DropTempView {
    #[prost(string, tag = "1")]
    pub view_name: String,
}

/// Message `spark.connect.DropGlobalTempView`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DropGlobalTempView {
    #[prost(string, tag = "1")]
    pub view_name: String,
}

/// Message `spark.connect.IsCached`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct IsCached {
    #[prost(string, tag = "1")]
    pub table_name: String,
}

/// Message `spark.connect.CacheTable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CacheTable {
    #[prost(string, tag = "1")]
    pub table_name: String,
    #[prost(message, optional, tag = "2")]
    pub storage_level: Option<StorageLevel>,
}

/// Message `spark.connect.UncacheTable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UncacheTable {
    #[prost(string, tag = "1")]
    pub table_name: String,
}

/// Message `spark.connect.ClearCache`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ClearCache {}

/// Message `spark.connect.RefreshTable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RefreshTable {
    #[prost(string, tag = "1")]
    pub table_name: String,
}

/// Message `spark.connect.RefreshByPath`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RefreshByPath {
    #[prost(string, tag = "1")]
    pub path: String,
}

/// Message `spark.connect.CurrentCatalog`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CurrentCatalog {}

/// Message `spark.connect.SetCurrentCatalog`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SetCurrentCatalog {
    #[prost(string, tag = "1")]
    pub catalog_name: String,
}

/// Message `spark.connect.ListCatalogs`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListCatalogs {
    #[prost(string, optional, tag = "1")]
    pub pattern: Option<String>,
}

/// Message `spark.connect.DropTable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DropTable {
    #[prost(string, tag = "1")]
    pub table_name: String,
    #[prost(bool, tag = "2")]
    pub if_exists: bool,
    #[prost(bool, tag = "3")]
    pub purge: bool,
}

/// Message `spark.connect.DropView`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DropView {
    #[prost(string, tag = "1")]
    pub view_name: String,
    #[prost(bool, tag = "2")]
    pub if_exists: bool,
}

/// Message `spark.connect.ListViews`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListViews {
    #[prost(string, optional, tag = "1")]
    pub db_name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub pattern: Option<String>,
}
