//! The statements there are.

use datafusion::sql::sqlparser::ast::Expr;

use super::error::Location;
use super::query::Query;
use super::types::SqlType;

/// One statement with its place.
#[derive(Debug, Clone)]
pub struct Located {
    /// Where it begins.
    pub at: Location,
    /// Its own text, without the semicolon.
    pub text: String,
    /// What it says.
    pub statement: Statement,
}

/// What a statement says.
#[derive(Debug, Clone)]
pub enum Statement {
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `CREATE VIEW name AS query`.
    CreateView(Box<CreateView>),
    /// `DROP TABLE|VIEW`.
    Drop(Drop),
    /// `SET 'key' = 'value'`; without a pair it lists the settings.
    Set(Option<(String, String)>),
    /// `RESET 'key'`; without a key all.
    Reset(Option<String>),
    /// `INSERT INTO table query`.
    Insert(Box<Insert>),
    /// `EXECUTE STATEMENT SET BEGIN … END`.
    StatementSet(Vec<Insert>),
    /// A query whose rows go to the caller.
    Select(Query),
    /// `SHOW TABLES`: tables and views.
    ShowTables,
    /// `SHOW VIEWS`.
    ShowViews,
    /// `SHOW JOBS`.
    ShowJobs,
    /// `SHOW CREATE TABLE name`.
    ShowCreateTable(String),
    /// `DESCRIBE name`.
    Describe(String),
    /// `EXPLAIN statement`.
    Explain(Box<Statement>),
    /// `STOP JOB 'id'`.
    StopJob(String),
}

/// `CREATE TABLE`.
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// Its name.
    pub name: String,
    /// An existing one is no error.
    pub if_not_exists: bool,
    /// In the order written.
    pub columns: Vec<Column>,
    /// `PRIMARY KEY (…) NOT ENFORCED`; empty without.
    pub primary_key: Vec<String>,
    /// `WATERMARK FOR column AS expression`.
    pub watermark: Option<Watermark>,
    /// `WITH (…)`, with the place of each key.
    pub options: Vec<(String, String, Location)>,
    /// The text from `CREATE` on.
    pub text: String,
}

/// One column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name; case matters.
    pub name: String,
    /// Where it is written.
    pub at: Location,
    /// `COMMENT '…'`.
    pub comment: Option<String>,
    /// Where its values come from.
    pub kind: ColumnKind,
}

/// Where the values of a column come from.
#[derive(Debug, Clone)]
pub enum ColumnKind {
    /// The record's value.
    Physical {
        /// Its type.
        sql_type: SqlType,
        /// `NOT NULL`.
        not_null: bool,
    },
    /// The record beside the value.
    Metadata {
        /// Its type.
        sql_type: SqlType,
        /// `timestamp`, `offset`, …
        key: String,
        /// Not written when the table is a sink.
        is_virtual: bool,
    },
    /// Other columns.
    Computed {
        /// The expression.
        expr: Box<Expr>,
        /// Its text.
        text: String,
    },
}

/// `WATERMARK FOR column AS expression`.
#[derive(Debug, Clone)]
pub struct Watermark {
    /// The time attribute.
    pub column: String,
    /// The watermark a row stands for.
    pub expr: Expr,
    /// Its text.
    pub text: String,
    /// Where it is written.
    pub at: Location,
}

/// `CREATE VIEW name AS query`.
#[derive(Debug, Clone)]
pub struct CreateView {
    /// Its name.
    pub name: String,
    /// An existing one is no error.
    pub if_not_exists: bool,
    /// New names of its columns; empty to keep those of the query.
    pub columns: Vec<String>,
    /// What it stands for.
    pub query: Query,
}

/// `DROP TABLE|VIEW`.
#[derive(Debug, Clone)]
pub struct Drop {
    /// A view, not a table.
    pub view: bool,
    /// Its name.
    pub name: String,
    /// A missing one is no error.
    pub if_exists: bool,
}

/// `INSERT INTO table (columns) query`.
#[derive(Debug, Clone)]
pub struct Insert {
    /// Where it begins.
    pub at: Location,
    /// Its own text.
    pub text: String,
    /// The sink.
    pub table: String,
    /// Where the sink is named.
    pub table_at: Location,
    /// The columns written; empty for all. Others become NULL.
    pub columns: Vec<String>,
    /// The rows.
    pub query: Query,
}
