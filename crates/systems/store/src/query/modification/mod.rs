//! INSERT, UPDATE and DELETE: what they change, checked once, bound for each run.

mod operations;

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::request::Value;

use super::TTL_MAX;
use super::conditions::{BoundConditions, ConditionsPlan};
use super::context::{Binding, Preparing};
use super::literal::Receiver;
use super::restrictions::{Purpose, Restrictions};
use super::term::TypedTerm;
use crate::cql::statements::conditions::Conditions;
use crate::cql::statements::delete::Delete;
use crate::cql::statements::insert::{Insert, InsertValues};
use crate::cql::statements::update::Update;
use crate::cql::statements::using::Using;
use crate::cql::term::Term;
use crate::error::CqlError;
use crate::schema::table::{Column, ColumnKind, Table};
use crate::storage::key::{PartitionPrefix, Slice};

pub(crate) use operations::{BoundOperation, elements};
use operations::{ColumnOperation, column_operation, deletion};

/// What a statement does to its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Makes rows: they are there even without values.
    Insert,
    /// Changes columns.
    Update,
    /// Deletes columns.
    DeleteColumns,
    /// Deletes rows, ranges of them, or partitions.
    DeleteRows,
}

/// A modification that is understood.
#[derive(Debug, Clone)]
pub(crate) struct ModificationPlan {
    /// The table.
    pub(crate) table: Arc<Table>,
    /// What it does.
    pub(crate) effect: Effect,
    /// Which rows.
    pub(crate) restrictions: Restrictions,
    /// IF.
    pub(crate) conditions: ConditionsPlan,
    operations: Vec<(usize, ColumnOperation)>,
    timestamp: Option<TypedTerm>,
    ttl: Option<TypedTerm>,
}

/// Where a modification falls.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// The partition's static row.
    Static,
    /// One row.
    Row(Vec<Bytes>),
    /// A range of rows.
    Range(Slice),
    /// The whole partition.
    Partition,
}

/// A modification with the values of a run.
#[derive(Debug, Clone)]
pub(crate) struct BoundModification {
    /// The table.
    pub(crate) table: Arc<Table>,
    /// What it does.
    pub(crate) effect: Effect,
    /// Partition keys.
    pub(crate) keys: Vec<(Arc<[Bytes]>, PartitionPrefix)>,
    /// Where in each partition.
    pub(crate) places: Vec<Place>,
    /// What happens to which column, by its place in the table.
    pub(crate) operations: Vec<(usize, BoundOperation)>,
    /// What must hold.
    pub(crate) conditions: BoundConditions,
    /// Microseconds.
    pub(crate) timestamp: i64,
    /// Seconds; 0 for ever.
    pub(crate) ttl: i32,
}

impl ModificationPlan {
    /// Understands an INSERT.
    pub(crate) fn insert(
        insert: &Insert,
        table: Arc<Table>,
        preparing: &mut Preparing,
    ) -> Result<ModificationPlan, CqlError> {
        check_table(&table)?;
        let (names, terms) = match &insert.values {
            InsertValues::Columns(names, terms) => (names, terms),
            InsertValues::Json(..) => {
                return Err(CqlError::invalid("INSERT JSON is not supported by this server"));
            }
        };
        if names.len() != terms.len() {
            return Err(CqlError::invalid("Unmatched column names/values"));
        }
        if names.is_empty() {
            return Err(CqlError::invalid("No columns provided to INSERT"));
        }
        if table.is_counter() {
            return Err(CqlError::invalid(
                "INSERT statements are not allowed on counter tables, use UPDATE instead",
            ));
        }
        let mut keys: Vec<Option<TypedTerm>> = vec![None; table.columns.len()];
        let mut operations = Vec::new();
        for (at, (name, term)) in names.iter().zip(terms).enumerate() {
            let column = table.column(name)?;
            if names[..at].contains(name) {
                return Err(CqlError::invalid("The column names contains duplicates"));
            }
            let index = table.index_of(name).unwrap_or_default();
            let term = TypedTerm::prepare(term, &receiver(column), preparing)?;
            if column.kind.is_key() {
                keys[index] = Some(term);
            } else {
                operations.push((index, ColumnOperation::Set(term)));
            }
        }
        let mut clustering = keys.split_off(table.partition_key_count);
        clustering.truncate(table.clustering_count);
        let key = complete(keys, table.partition_key(), "Some partition key parts are missing")?;
        let only_statics = !operations.is_empty()
            && operations.iter().all(|(at, _)| table.columns[*at].kind == ColumnKind::Static);
        let clustering = if only_statics && clustering.iter().all(Option::is_none) {
            Vec::new()
        } else {
            complete(clustering, table.clustering(), "Some clustering keys are missing")?
        };
        let conditions = ConditionsPlan::prepare(&insert.conditions, &table, preparing)?;
        let (timestamp, ttl) = using(&insert.using, &insert.conditions, preparing)?;
        let restrictions = Restrictions::of_insert(key, clustering);
        let effect = Effect::Insert;
        Ok(ModificationPlan { table, effect, restrictions, conditions, operations, timestamp, ttl })
    }

    /// Understands an UPDATE.
    pub(crate) fn update(
        update: &Update,
        table: Arc<Table>,
        preparing: &mut Preparing,
    ) -> Result<ModificationPlan, CqlError> {
        check_table(&table)?;
        // Markers are numbered as written: USING comes before SET, SET before WHERE.
        let (timestamp, ttl) = using(&update.using, &update.conditions, preparing)?;
        if table.is_counter() && update.conditions == Conditions::None {
            for (given, what) in [(&timestamp, "timestamp"), (&ttl, "TTL")] {
                if given.is_some() {
                    return Err(CqlError::invalid(format!(
                        "Cannot provide custom {what} for counter updates"
                    )));
                }
            }
        }
        let mut operations = Vec::with_capacity(update.operations.len());
        for (name, operation) in &update.operations {
            let column = table.column(name)?;
            let at = table.index_of(name).unwrap_or_default();
            if column.kind.is_key() {
                return Err(CqlError::invalid(format!(
                    "PRIMARY KEY part {name} found in SET part"
                )));
            }
            let sets = |operation: &ColumnOperation| matches!(operation, ColumnOperation::Set(_));
            let operation = column_operation(column, operation, preparing)?;
            let clashes = operations
                .iter()
                .any(|(known, other)| *known == at && (sets(&operation) || sets(other)));
            if clashes {
                return Err(CqlError::syntax(format!(
                    "Multiple incompatible setting of column {name}"
                )));
            }
            operations.push((at, operation));
        }
        let restrictions =
            Restrictions::prepare(&update.relations, &table, Purpose::Update, preparing)?;
        let touched = operations.iter().map(|(at, _)| table.columns[*at].kind);
        check_clustering(&table, &restrictions, touched, "UPDATE")?;
        let conditions = ConditionsPlan::prepare(&update.conditions, &table, preparing)?;
        check_conditional_in(&conditions, &restrictions)?;
        let effect = Effect::Update;
        Ok(ModificationPlan { table, effect, restrictions, conditions, operations, timestamp, ttl })
    }

    /// Understands a DELETE.
    pub(crate) fn delete(
        delete: &Delete,
        table: Arc<Table>,
        preparing: &mut Preparing,
    ) -> Result<ModificationPlan, CqlError> {
        check_table(&table)?;
        let mut operations = Vec::with_capacity(delete.parts.len());
        for part in &delete.parts {
            let column = table.column(part.column())?;
            let at = table.index_of(part.column()).unwrap_or_default();
            if column.kind.is_key() {
                return Err(CqlError::invalid(format!(
                    "Invalid identifier {} for deletion (should not be a PRIMARY KEY part)",
                    column.name
                )));
            }
            operations.push((at, deletion(column, part, preparing)?));
        }
        let (timestamp, ttl) = using(&delete.using, &delete.conditions, preparing)?;
        if ttl.is_some() {
            return Err(CqlError::invalid("TTL attribute is not allowed for DELETE statements"));
        }
        let restrictions =
            Restrictions::prepare(&delete.relations, &table, Purpose::Delete, preparing)?;
        let effect = if operations.is_empty() { Effect::DeleteRows } else { Effect::DeleteColumns };
        if effect == Effect::DeleteColumns {
            let only_statics =
                operations.iter().all(|(at, _)| table.columns[*at].kind == ColumnKind::Static);
            if !only_statics && !restrictions.names_rows(&table) {
                return Err(CqlError::invalid(
                    "Range deletions are not supported for specific columns",
                ));
            }
        }
        let conditions = ConditionsPlan::prepare(&delete.conditions, &table, preparing)?;
        check_conditional_in(&conditions, &restrictions)?;
        if !conditions.is_none() && effect == Effect::DeleteRows && !restrictions.names_rows(&table)
        {
            return Err(CqlError::invalid(
                "DELETE statements must restrict all PRIMARY KEY columns with equality relations in \
                 order to delete non static columns",
            ));
        }
        Ok(ModificationPlan { table, effect, restrictions, conditions, operations, timestamp, ttl })
    }

    /// Whether USING TIMESTAMP is written.
    pub(crate) fn has_timestamp(&self) -> bool {
        self.timestamp.is_some()
    }

    /// With the values of a run. `timestamp` is for statements that bring none.
    pub(crate) fn bind(
        &self,
        binding: &Binding<'_>,
        timestamp: i64,
    ) -> Result<BoundModification, CqlError> {
        let timestamp = match &self.timestamp {
            Some(term) => match term.eval(binding)? {
                Value::Set(bytes) => read_timestamp(&bytes)?,
                Value::Null => return Err(CqlError::invalid("Invalid null value of timestamp")),
                Value::Unset => timestamp,
            },
            None => timestamp,
        };
        let mut operations = Vec::with_capacity(self.operations.len());
        for (at, operation) in &self.operations {
            if let Some(bound) = operation.bind(&self.table.columns[*at], binding)? {
                operations.push((*at, bound));
            }
        }
        Ok(BoundModification {
            table: self.table.clone(),
            effect: self.effect,
            keys: self.restrictions.keys(&self.table, binding)?,
            places: self.places(binding)?,
            operations,
            conditions: self.conditions.bind(&self.table, binding)?,
            timestamp,
            ttl: self.bind_ttl(binding)?,
        })
    }

    fn bind_ttl(&self, binding: &Binding<'_>) -> Result<i32, CqlError> {
        let Some(term) = &self.ttl else { return Ok(self.table.options.default_ttl()) };
        let ttl = match term.eval(binding)? {
            Value::Set(bytes) => bytes[..].try_into().map(i32::from_be_bytes).unwrap_or(0),
            // No TTL at all, whatever the table says.
            Value::Null => 0,
            Value::Unset => self.table.options.default_ttl(),
        };
        if ttl < 0 {
            return Err(CqlError::invalid(format!(
                "A TTL must be greater or equal to 0, but was {ttl}"
            )));
        }
        if ttl > TTL_MAX {
            return Err(CqlError::invalid(format!(
                "ttl is too large. requested ({ttl}) maximum ({TTL_MAX})"
            )));
        }
        Ok(ttl)
    }

    fn places(&self, binding: &Binding<'_>) -> Result<Vec<Place>, CqlError> {
        let (table, restrictions) = (&self.table, &self.restrictions);
        let touches_statics =
            self.operations.iter().any(|(at, _)| table.columns[*at].kind == ColumnKind::Static);
        let mut places = Vec::new();
        if touches_statics {
            places.push(Place::Static);
        }
        if restrictions.names_rows(table) && !(touches_statics && self.only_statics()) {
            let clusterings = restrictions.clusterings(table, binding)?;
            places.extend(clusterings.into_iter().map(Place::Row));
        } else if self.effect == Effect::DeleteRows {
            if restrictions.restricts_clustering {
                places.extend(restrictions.slices(table, binding)?.into_iter().map(Place::Range));
            } else {
                places.push(Place::Partition);
            }
        } else if self.effect == Effect::Insert && restrictions.names_rows(table) {
            let clusterings = restrictions.clusterings(table, binding)?;
            places.extend(clusterings.into_iter().map(Place::Row));
        }
        Ok(places)
    }

    /// Whether it touches no row, only partitions' static columns.
    fn only_statics(&self) -> bool {
        let all_static = self
            .operations
            .iter()
            .all(|(at, _)| self.table.columns[*at].kind == ColumnKind::Static);
        // INSERT with a clustering makes the row as well.
        all_static && self.effect != Effect::Insert
    }
}

impl BoundModification {
    /// Whether it changes or looks at static columns.
    pub(crate) fn touches_statics(&self) -> bool {
        let is_static = |at: usize| self.table.columns[at].kind == ColumnKind::Static;
        self.operations.iter().any(|(at, _)| is_static(*at))
            || self.conditions.columns().into_iter().any(is_static)
    }
}

/// Microseconds; the smallest number means no time at all.
fn read_timestamp(bytes: &Bytes) -> Result<i64, CqlError> {
    let number = bytes[..].try_into().map(i64::from_be_bytes).unwrap_or(i64::MIN);
    if number == i64::MIN {
        return Err(CqlError::invalid(format!(
            "Out of bound timestamp, must be in [{}, {}]",
            i64::MIN + 1,
            i64::MAX
        )));
    }
    Ok(number)
}

fn check_table(table: &Table) -> Result<(), CqlError> {
    if crate::schema::keyspace::SYSTEM_KEYSPACES.contains(&table.keyspace.as_str()) {
        return Err(CqlError::unauthorized(format!(
            "{} keyspace is not user-modifiable.",
            table.keyspace
        )));
    }
    Ok(())
}

fn receiver(column: &Column) -> Receiver {
    Receiver::new(column.name.clone(), column.column_type.cql.clone())
}

fn complete(
    terms: Vec<Option<TypedTerm>>,
    columns: &[Column],
    text: &str,
) -> Result<Vec<TypedTerm>, CqlError> {
    let missing: Vec<_> = terms
        .iter()
        .zip(columns)
        .filter(|(term, _)| term.is_none())
        .map(|(_, column)| column.name.clone())
        .collect();
    if !missing.is_empty() {
        return Err(CqlError::invalid(format!("{text}: {}", missing.join(", "))));
    }
    Ok(terms.into_iter().flatten().collect())
}

/// Rows must be named in full, unless only static columns are touched.
fn check_clustering(
    table: &Table,
    restrictions: &Restrictions,
    touched: impl Iterator<Item = ColumnKind>,
    statement: &str,
) -> Result<(), CqlError> {
    let only_statics = {
        let mut touched = touched.peekable();
        touched.peek().is_some() && touched.all(|kind| kind == ColumnKind::Static)
    };
    if only_statics {
        if restrictions.restricts_clustering {
            return Err(CqlError::invalid(format!(
                "Invalid restrictions on clustering columns since the {statement} statement \
                 modifies only static columns"
            )));
        }
        return Ok(());
    }
    if restrictions.names_rows(table) {
        return Ok(());
    }
    let missing: Vec<_> = table.clustering()[restrictions.clustering_columns()..]
        .iter()
        .map(|column| column.name.clone())
        .collect();
    Err(CqlError::invalid(format!("Some clustering keys are missing: {}", missing.join(", "))))
}

type UsingTerms = (Option<TypedTerm>, Option<TypedTerm>);

fn using(
    using: &Using,
    conditions: &Conditions,
    preparing: &mut Preparing,
) -> Result<UsingTerms, CqlError> {
    if using.timestamp.is_some() && *conditions != Conditions::None {
        return Err(CqlError::invalid("Cannot provide custom timestamp for conditional updates"));
    }
    let mut prepare = |term: &Option<Term>, name: &str, cql: CqlType| match term {
        Some(term) => TypedTerm::prepare(term, &Receiver::new(name, cql), preparing).map(Some),
        None => Ok(None),
    };
    Ok((
        prepare(&using.timestamp, "[timestamp]", CqlType::Bigint)?,
        prepare(&using.ttl, "[ttl]", CqlType::Int)?,
    ))
}

/// A conditional statement is about one row.
fn check_conditional_in(
    conditions: &ConditionsPlan,
    restrictions: &Restrictions,
) -> Result<(), CqlError> {
    let what = match (restrictions.has_key_in, restrictions.has_clustering_in()) {
        _ if conditions.is_none() => return Ok(()),
        (true, _) => "partition key is",
        (false, true) => "clustering key columns is",
        (false, false) => return Ok(()),
    };
    Err(CqlError::invalid(format!("IN on the {what} not supported with conditional updates")))
}
