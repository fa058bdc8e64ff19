//! What `spark.catalog` asks, answered with one batch of rows each.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use tidemill_spark_connect::{CatType, Catalog};

use super::error::{Result, SparkError};
use super::sessions::Session;

/// The one catalog and its one database.
const CATALOG: &str = "spark_catalog";
const DATABASE: &str = "default";

/// The rows that answer a question.
pub(super) fn answer(session: &Session, asked: &Catalog) -> Result<RecordBatch> {
    let kind = asked.cat_type.as_ref();
    let kind = kind.ok_or_else(|| SparkError::unsupported("a catalog call of unknown kind"))?;
    match kind {
        CatType::CurrentDatabase(_) => text("current_database", DATABASE),
        CatType::CurrentCatalog(_) => text("current_catalog", CATALOG),
        CatType::SetCurrentDatabase(set) if set.db_name == DATABASE => text("done", ""),
        CatType::SetCurrentCatalog(set) if set.catalog_name == CATALOG => text("done", ""),
        CatType::ListCatalogs(_) => {
            rows(vec![("name", texts(vec![Some(CATALOG)])), ("description", texts(vec![None]))])
        }
        CatType::ListDatabases(_) => rows(vec![
            ("name", texts(vec![Some(DATABASE)])),
            ("catalog", texts(vec![Some(CATALOG)])),
            ("description", texts(vec![Some("Default database")])),
            ("locationUri", texts(vec![Some("")])),
        ]),
        CatType::DatabaseExists(asked) => flag(asked.db_name.eq_ignore_ascii_case(DATABASE)),
        CatType::ListTables(_) => tables(session),
        CatType::TableExists(asked) => {
            flag(session.views.lock().contains_key(&asked.table_name.to_lowercase()))
        }
        CatType::DropTempView(asked) => {
            flag(session.views.lock().remove(&asked.view_name.to_lowercase()).is_some())
        }
        CatType::DropGlobalTempView(asked) => {
            let name = format!("global_temp.{}", asked.view_name.to_lowercase());
            flag(session.views.lock().remove(&name).is_some())
        }
        CatType::IsCached(_) => flag(false),
        // Nothing is cached: every frame is computed when it is asked for.
        CatType::CacheTable(_)
        | CatType::UncacheTable(_)
        | CatType::ClearCache(_)
        | CatType::RefreshTable(_)
        | CatType::RefreshByPath(_) => text("done", ""),
        other => Err(SparkError::unsupported(format!("catalog call {}", other.name()))),
    }
}

fn tables(session: &Session) -> Result<RecordBatch> {
    let views = session.views.lock();
    let names: Vec<&str> = views.keys().map(String::as_str).collect();
    let count = names.len();
    let namespace = arrow::array::new_null_array(
        &super::types::list_of(arrow::datatypes::DataType::Utf8, true),
        count,
    );
    rows(vec![
        ("name", texts(names.into_iter().map(Some).collect())),
        ("catalog", texts(vec![None; count])),
        ("namespace", namespace),
        ("description", texts(vec![None; count])),
        ("tableType", texts(vec![Some("TEMPORARY"); count])),
        ("isTemporary", Arc::new(BooleanArray::from(vec![true; count]))),
    ])
}

/// `SHOW TABLES`.
pub(super) fn shown_tables(session: &Session) -> Result<RecordBatch> {
    let views = session.views.lock();
    let names: Vec<&str> = views.keys().map(String::as_str).collect();
    let count = names.len();
    rows(vec![
        ("namespace", texts(vec![Some(""); count])),
        ("tableName", texts(names.into_iter().map(Some).collect())),
        ("isTemporary", Arc::new(BooleanArray::from(vec![true; count]))),
    ])
}

fn texts(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn text(name: &str, value: &str) -> Result<RecordBatch> {
    rows(vec![(name, texts(vec![Some(value)]))])
}

fn flag(value: bool) -> Result<RecordBatch> {
    rows(vec![("value", Arc::new(BooleanArray::from(vec![value])) as ArrayRef)])
}

fn rows(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    RecordBatch::try_from_iter(columns).map_err(|error| SparkError::runtime(error.to_string()))
}
