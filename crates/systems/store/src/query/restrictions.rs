//! WHERE: what of it chooses partitions, what chooses rows in them, what must be filtered.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::request::Value;
use tidemill_cql_wire::value::collection;

use super::context::{Binding, Preparing};
use super::filter::{Filter, FilterCheck};
use super::literal::Receiver;
use super::term::{TypedIn, TypedTerm};
use crate::cql::statements::relation::{InValues, Operator, Relation, RelationLeft, RelationRight};
use crate::cql::term::Term;
use crate::error::CqlError;
use crate::schema::table::{Column, ColumnKind, Table};
use crate::storage::byte_comparable::put_component;
use crate::storage::key::{
    ClusteringBound, KEY_BYTES_MAX, PartitionPrefix, Slice, after_token, at_token,
    serialize_partition_key, token_of,
};
use crate::storage::partition::Target;

/// Partitions or slices one statement may name by combining INs.
const COMBINATIONS_MAX: usize = 65_536;

const FILTERING_NEEDED: &str = "Cannot execute this query as it might involve data filtering and \
    thus may have unpredictable performance. If you want to execute this query despite the \
    performance unpredictability, use ALLOW FILTERING";

/// What the WHERE belongs to: each has its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// SELECT.
    Select { allow_filtering: bool },
    /// UPDATE, and INSERT's implied one.
    Update,
    /// DELETE: ranges are allowed.
    Delete,
}

/// A partition key's components, and the prefix of its keys.
pub(crate) type NamedPartition = (Arc<[Bytes]>, PartitionPrefix);

/// One end of a slice: values and whether it includes them.
type Bound = (Vec<TypedTerm>, bool);

/// What is said of one or more clustering columns in a row.
#[derive(Debug, Clone)]
enum ClusteringPart {
    /// These values.
    Equal(Vec<TypedTerm>),
    /// One column, one of these values.
    In(TypedIn),
    /// Several columns, one of these tuples.
    InTuples(Vec<Vec<TypedTerm>>),
    /// Several columns, one of the tuples of a list.
    InTupleList(TypedTerm, usize),
    /// Between two bounds; always the last.
    Slice { lower: Option<Bound>, upper: Option<Bound> },
}

impl ClusteringPart {
    fn is_slice(&self) -> bool {
        matches!(self, ClusteringPart::Slice { .. })
    }
}

/// What one partition key column must be.
#[derive(Debug, Clone)]
enum KeyPart {
    Equal(TypedTerm),
    In(TypedIn),
}

/// `token(…)` between two bounds.
#[derive(Debug, Clone, Default)]
struct TokenRange {
    lower: Option<(TypedTerm, bool)>,
    upper: Option<(TypedTerm, bool)>,
}

/// A WHERE that is understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restrictions {
    key: Vec<KeyPart>,
    token: Option<TokenRange>,
    clustering: Vec<ClusteringPart>,
    /// Clustering columns that the parts cover.
    clustering_columns: usize,
    /// Whatever only looking at rows can tell.
    pub(crate) filters: Vec<Filter>,
    /// Whether any clustering column is restricted.
    pub(crate) restricts_clustering: bool,
    /// Whether any key part is an IN.
    pub(crate) has_key_in: bool,
}

/// Relations of one column, gathered.
#[derive(Default)]
struct Gathered {
    equal: Option<TypedTerm>,
    within: Option<TypedIn>,
    lower: Option<(TypedTerm, bool)>,
    upper: Option<(TypedTerm, bool)>,
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.equal.is_none() && self.within.is_none() && !self.has_slice()
    }

    fn has_slice(&self) -> bool {
        self.lower.is_some() || self.upper.is_some()
    }

    fn compare(&mut self, name: &str, operator: Operator, term: TypedTerm) -> Result<(), CqlError> {
        let conflict = |what: &str| {
            CqlError::invalid(format!(
                "{name} cannot be restricted by more than one relation if it includes {what}"
            ))
        };
        if self.equal.is_some() {
            return Err(conflict("an Equal"));
        }
        if self.within.is_some() && operator != Operator::Equal {
            return Err(conflict("a IN"));
        }
        let twice = |end: &str| {
            CqlError::invalid(format!(
                "More than one restriction was found for the {end} bound on {name}"
            ))
        };
        match operator {
            Operator::Equal if !self.is_empty() => return Err(conflict("an Equal")),
            Operator::Equal => self.equal = Some(term),
            Operator::Greater | Operator::GreaterOrEqual => {
                if self.lower.is_some() {
                    return Err(twice("start"));
                }
                self.lower = Some((term, operator == Operator::GreaterOrEqual));
            }
            Operator::Less | Operator::LessOrEqual => {
                if self.upper.is_some() {
                    return Err(twice("end"));
                }
                self.upper = Some((term, operator == Operator::LessOrEqual));
            }
            Operator::NotEqual => {
                return Err(CqlError::invalid(format!("Unsupported \"!=\" relation: {name} != ?")));
            }
        }
        Ok(())
    }

    fn one_of(&mut self, name: &str, values: TypedIn) -> Result<(), CqlError> {
        if !self.is_empty() {
            let what = if self.equal.is_some() { "an Equal" } else { "a IN" };
            return Err(CqlError::invalid(format!(
                "{name} cannot be restricted by more than one relation if it includes {what}"
            )));
        }
        self.within = Some(values);
        Ok(())
    }

    /// The same as filters, for where no key helps.
    fn filters(self, at: usize, out: &mut Vec<Filter>) {
        let mut add = |check| out.push(Filter { at, check });
        if let Some(term) = self.equal {
            add(FilterCheck::Compare(Operator::Equal, term));
        }
        if let Some(values) = self.within {
            add(FilterCheck::In(values));
        }
        if let Some((term, included)) = self.lower {
            let operator = if included { Operator::GreaterOrEqual } else { Operator::Greater };
            add(FilterCheck::Compare(operator, term));
        }
        if let Some((term, included)) = self.upper {
            let operator = if included { Operator::LessOrEqual } else { Operator::Less };
            add(FilterCheck::Compare(operator, term));
        }
    }
}

/// `(a, b) > (1, 2)`, gathered.
struct MultiColumn {
    first: usize,
    count: usize,
    part: ClusteringPart,
}

struct Builder<'a> {
    table: &'a Table,
    purpose: Purpose,
    columns: Vec<Gathered>,
    multi: Vec<MultiColumn>,
    token: Option<TokenRange>,
    filters: Vec<Filter>,
    /// Slices over columns of both directions: found by looking, and no filtering to Cassandra.
    slice_filters: Vec<Filter>,
}

impl Restrictions {
    /// Understands a WHERE.
    pub(crate) fn prepare(
        relations: &[Relation],
        table: &Table,
        purpose: Purpose,
        preparing: &mut Preparing,
    ) -> Result<Restrictions, CqlError> {
        let mut builder = Builder {
            table,
            purpose,
            columns: table.columns.iter().map(|_| Gathered::default()).collect(),
            multi: Vec::new(),
            token: None,
            filters: Vec::new(),
            slice_filters: Vec::new(),
        };
        for relation in relations {
            builder.relation(relation, preparing)?;
        }
        builder.finish()
    }

    /// The key of INSERT: one value per key column, clustering included as far as it is given.
    pub(crate) fn of_insert(key: Vec<TypedTerm>, clustering: Vec<TypedTerm>) -> Restrictions {
        Restrictions {
            key: key.into_iter().map(KeyPart::Equal).collect(),
            clustering_columns: clustering.len(),
            restricts_clustering: !clustering.is_empty(),
            clustering: if clustering.is_empty() {
                Vec::new()
            } else {
                vec![ClusteringPart::Equal(clustering)]
            },
            ..Restrictions::default()
        }
    }

    /// Whether it names its partitions.
    pub(crate) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// Whether it names whole clusterings: each is one row.
    pub(crate) fn names_rows(&self, table: &Table) -> bool {
        self.clustering_columns == table.clustering_count
            && !self.clustering.iter().any(ClusteringPart::is_slice)
    }

    /// Whether the clustering is restricted by a slice.
    pub(crate) fn has_slice(&self) -> bool {
        self.clustering.iter().any(ClusteringPart::is_slice)
    }

    /// Whether any clustering column is restricted by an IN.
    pub(crate) fn has_clustering_in(&self) -> bool {
        self.clustering.iter().any(|part| {
            matches!(
                part,
                ClusteringPart::In(_)
                    | ClusteringPart::InTuples(_)
                    | ClusteringPart::InTupleList(..)
            )
        })
    }

    /// Clustering columns that are covered.
    pub(crate) fn clustering_columns(&self) -> usize {
        self.clustering_columns
    }

    /// Markers of the partition key in its order, if each is one marker.
    pub(crate) fn key_markers(&self) -> Vec<u16> {
        let markers = self.key.iter().map(|part| match part {
            KeyPart::Equal(term) => term.marker().and_then(|at| u16::try_from(at).ok()),
            KeyPart::In(_) => None,
        });
        markers.collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}

impl Builder<'_> {
    fn receiver(&self, column: &Column) -> Receiver {
        Receiver::new(column.name.clone(), column.column_type.cql.clone())
    }

    fn relation(&mut self, relation: &Relation, preparing: &mut Preparing) -> Result<(), CqlError> {
        match &relation.left {
            RelationLeft::Column(name) => self.column(name, &relation.right, preparing),
            RelationLeft::Columns(names) => {
                self.columns_together(names, &relation.right, preparing)
            }
            RelationLeft::Token(names) => self.token(names, &relation.right, preparing),
            RelationLeft::Element(name, key) => self.element(name, key, &relation.right, preparing),
        }
    }

    fn column(
        &mut self,
        name: &str,
        right: &RelationRight,
        preparing: &mut Preparing,
    ) -> Result<(), CqlError> {
        let table = self.table;
        let column = table.column(name)?;
        let at = table.index_of(name).unwrap_or_default();
        let receiver = self.receiver(column);
        let is_multi_cell = column.column_type.is_multi_cell();
        match right {
            RelationRight::Compare(operator, term) => {
                if is_multi_cell {
                    return Err(CqlError::invalid(format!(
                        "Collection column '{name}' ({}) cannot be restricted by a '{}' relation",
                        column.column_type.text(),
                        operator.symbol()
                    )));
                }
                if *operator == Operator::NotEqual {
                    return Err(CqlError::invalid(format!(
                        "Unsupported \"!=\" relation: {name} != {}",
                        term.text()
                    )));
                }
                let term = TypedTerm::prepare(term, &receiver, preparing)?;
                self.columns[at].compare(name, *operator, term)
            }
            RelationRight::In(values) => {
                let values = TypedIn::prepare(values, &receiver, preparing)?;
                self.columns[at].one_of(name, values)
            }
            RelationRight::Contains(term) => {
                let inner = match &column.column_type.cql {
                    CqlType::List(inner) | CqlType::Set(inner) | CqlType::Map(_, inner) => inner,
                    _ => {
                        return Err(CqlError::invalid(format!(
                            "Cannot use CONTAINS on non-collection column {name}"
                        )));
                    }
                };
                let receiver = Receiver::new(format!("value({name})"), (**inner).clone());
                let term = TypedTerm::prepare(term, &receiver, preparing)?;
                self.filters.push(Filter { at, check: FilterCheck::Contains(term) });
                Ok(())
            }
            RelationRight::ContainsKey(term) => {
                let CqlType::Map(key, _) = &column.column_type.cql else {
                    return Err(CqlError::invalid(format!(
                        "Cannot use CONTAINS KEY on non-map column {name}"
                    )));
                };
                let receiver = Receiver::new(format!("key({name})"), (**key).clone());
                let term = TypedTerm::prepare(term, &receiver, preparing)?;
                self.filters.push(Filter { at, check: FilterCheck::ContainsKey(term) });
                Ok(())
            }
            RelationRight::IsNotNull => {
                Err(CqlError::invalid(format!("Unsupported restriction: {name} IS NOT NULL")))
            }
            RelationRight::Like(term) => Err(CqlError::invalid(format!(
                "LIKE restriction is only supported on properly indexed columns. {name} LIKE {} is \
                 not valid.",
                term.text()
            ))),
        }
    }

    fn element(
        &mut self,
        name: &str,
        key: &Term,
        right: &RelationRight,
        preparing: &mut Preparing,
    ) -> Result<(), CqlError> {
        let column = self.table.column(name)?;
        let at = self.table.index_of(name).unwrap_or_default();
        let CqlType::Map(key_type, value_type) = &column.column_type.cql else {
            return Err(CqlError::invalid(format!("Column {name} cannot be used as a map")));
        };
        let RelationRight::Compare(Operator::Equal, value) = right else {
            return Err(CqlError::invalid("Only EQ relations are supported on map entries"));
        };
        let key_receiver = Receiver::new(format!("key({name})"), (**key_type).clone());
        let value_receiver = Receiver::new(format!("value({name})"), (**value_type).clone());
        let key = TypedTerm::prepare(key, &key_receiver, preparing)?;
        let value = TypedTerm::prepare(value, &value_receiver, preparing)?;
        self.filters.push(Filter { at, check: FilterCheck::Entry(key, value) });
        Ok(())
    }

    fn token(
        &mut self,
        names: &[String],
        right: &RelationRight,
        preparing: &mut Preparing,
    ) -> Result<(), CqlError> {
        let key: Vec<&str> = self.table.partition_key().iter().map(|it| it.name.as_str()).collect();
        for name in names {
            self.table.column(name)?;
        }
        let mut sorted = (names.iter().map(String::as_str).collect::<Vec<_>>(), key.clone());
        let in_order = sorted.0 == sorted.1;
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        if sorted.0 != sorted.1 {
            return Err(CqlError::invalid(
                "The token() function must be applied to all partition key components or none of them",
            ));
        }
        if !in_order {
            return Err(CqlError::invalid(format!(
                "The token function arguments must be in the partition key order: {}",
                key.join(", ")
            )));
        }
        let RelationRight::Compare(operator, term) = right else {
            return Err(CqlError::invalid(
                "Only relations with =, <, <=, > and >= are supported on token()",
            ));
        };
        let receiver = Receiver::new("partition key token", CqlType::Bigint);
        let term = TypedTerm::prepare(term, &receiver, preparing)?;
        let names = format!("token({})", key.join(", "));
        let known = self.token.take().unwrap_or_default();
        let mut gathered =
            Gathered { lower: known.lower, upper: known.upper, ..Gathered::default() };
        if *operator == Operator::Equal {
            gathered.compare(&names, Operator::GreaterOrEqual, term.clone())?;
            gathered.compare(&names, Operator::LessOrEqual, term)?;
        } else {
            gathered.compare(&names, *operator, term)?;
        }
        self.token = Some(TokenRange { lower: gathered.lower, upper: gathered.upper });
        Ok(())
    }

    fn columns_together(
        &mut self,
        names: &[String],
        right: &RelationRight,
        preparing: &mut Preparing,
    ) -> Result<(), CqlError> {
        let clustering = self.table.clustering();
        let mut first = None;
        for (at, name) in names.iter().enumerate() {
            let column = self.table.column(name)?;
            if column.kind != ColumnKind::Clustering {
                return Err(CqlError::invalid(format!(
                    "Multi-column relations can only be applied to clustering columns but was \
                     applied to: {name}"
                )));
            }
            let place = clustering.iter().position(|it| it.name == *name).unwrap_or_default();
            let start = *first.get_or_insert(place);
            if place != start + at {
                return Err(CqlError::invalid(format!(
                    "Clustering columns must appear in the PRIMARY KEY order in multi-column \
                     relations: ({}) {}",
                    names.join(", "),
                    right_text(right)
                )));
            }
        }
        let first = first.unwrap_or_default();
        let receivers: Vec<Receiver> =
            clustering[first..first + names.len()].iter().map(|it| self.receiver(it)).collect();
        let count = names.len();
        let part = match right {
            RelationRight::Compare(Operator::Equal, term) => {
                ClusteringPart::Equal(tuple_terms(term, &receivers, preparing)?)
            }
            RelationRight::Compare(operator, term) => {
                let terms = tuple_terms(term, &receivers, preparing)?;
                match operator {
                    Operator::Greater | Operator::GreaterOrEqual => ClusteringPart::Slice {
                        lower: Some((terms, *operator == Operator::GreaterOrEqual)),
                        upper: None,
                    },
                    Operator::Less | Operator::LessOrEqual => ClusteringPart::Slice {
                        lower: None,
                        upper: Some((terms, *operator == Operator::LessOrEqual)),
                    },
                    _ => return Err(CqlError::invalid("Unsupported '!=' relation")),
                }
            }
            RelationRight::In(InValues::Terms(tuples)) => {
                let tuples = tuples.iter().map(|it| tuple_terms(it, &receivers, preparing));
                ClusteringPart::InTuples(tuples.collect::<Result<_, _>>()?)
            }
            RelationRight::In(InValues::Marker(marker)) => {
                let types = receivers.iter().map(|it| it.cql.clone()).collect();
                let cql = CqlType::List(Box::new(CqlType::Tuple(types)));
                let receiver = Receiver::new(format!("in({})", names.join(",")), cql);
                let list = TypedTerm::prepare(marker, &receiver, preparing)?;
                ClusteringPart::InTupleList(list, count)
            }
            _ => return Err(CqlError::invalid("Unsupported multi-column relation")),
        };
        self.multi.push(MultiColumn { first, count, part });
        Ok(())
    }

    fn finish(mut self) -> Result<Restrictions, CqlError> {
        let mut restrictions = Restrictions { token: self.token.take(), ..Default::default() };
        self.finish_key(&mut restrictions)?;
        self.finish_clustering(&mut restrictions)?;
        let mut columns = std::mem::take(&mut self.columns);
        let values = self.table.partition_key_count + self.table.clustering_count..columns.len();
        let mut others: Vec<String> = Vec::new();
        for at in values {
            let gathered = std::mem::take(&mut columns[at]);
            if !gathered.is_empty() {
                others.push(self.table.columns[at].name.clone());
                gathered.filters(at, &mut self.filters);
            }
        }
        others.extend(self.filters.iter().map(|it| self.table.columns[it.at].name.clone()));
        if !matches!(self.purpose, Purpose::Select { .. }) && !others.is_empty() {
            others.dedup();
            return Err(CqlError::invalid(format!(
                "Non PRIMARY KEY columns found in where clause: {} ",
                others.join(", ")
            )));
        }
        restrictions.filters = self.filters;
        let needs_filtering = !restrictions.filters.is_empty();
        if needs_filtering && self.purpose == (Purpose::Select { allow_filtering: false }) {
            return Err(CqlError::invalid(FILTERING_NEEDED));
        }
        restrictions.filters.append(&mut self.slice_filters);
        Ok(restrictions)
    }

    fn finish_key(&mut self, restrictions: &mut Restrictions) -> Result<(), CqlError> {
        let count = self.table.partition_key_count;
        let is_named = |it: &Gathered| it.equal.is_some() || it.within.is_some();
        let names_all = self.columns[..count].iter().all(is_named);
        if !names_all && !matches!(self.purpose, Purpose::Select { .. }) {
            if self.token.is_some() || restrictions.token.is_some() {
                return Err(CqlError::invalid(
                    "The token function cannot be used in WHERE clauses for UPDATE and DELETE statements",
                ));
            }
            if self.columns[..count].iter().any(Gathered::has_slice) {
                let statement = if self.purpose == Purpose::Update { "UPDATE" } else { "DELETE" };
                return Err(CqlError::invalid(format!(
                    "Only EQ and IN relation are supported on the partition key (unless you use the \
                     token() function) for {statement} statements"
                )));
            }
            let missing: Vec<_> = (0..count)
                .filter(|at| !is_named(&self.columns[*at]))
                .map(|at| self.table.columns[at].name.clone())
                .collect();
            return Err(CqlError::invalid(format!(
                "Some partition key parts are missing: {}",
                missing.join(", ")
            )));
        }
        for at in 0..count {
            let gathered = std::mem::take(&mut self.columns[at]);
            if !names_all {
                gathered.filters(at, &mut self.filters);
                continue;
            }
            match (gathered.equal, gathered.within) {
                (Some(term), _) => restrictions.key.push(KeyPart::Equal(term)),
                (None, Some(values)) => {
                    restrictions.has_key_in = true;
                    restrictions.key.push(KeyPart::In(values));
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn finish_clustering(&mut self, restrictions: &mut Restrictions) -> Result<(), CqlError> {
        let (offset, count) = (self.table.partition_key_count, self.table.clustering_count);
        restrictions.restricts_clustering = !self.multi.is_empty()
            || self.columns[offset..offset + count].iter().any(|it| !it.is_empty());
        // Without a partition every clustering restriction is a filter.
        let (mut at, mut is_open) = (0, !restrictions.has_key());
        while at < count {
            let multi = self.multi.iter().position(|it| it.first == at);
            if let Some(index) = multi {
                let multi = self.multi.swap_remove(index);
                let part = self.joined(multi.part, at)?;
                at += self.place_multi(part, at, multi.count, is_open, restrictions)?;
                is_open |= restrictions.clustering.last().is_some_and(ClusteringPart::is_slice);
                continue;
            }
            let gathered = std::mem::take(&mut self.columns[offset + at]);
            if gathered.is_empty() {
                is_open = true;
            } else if is_open {
                self.refuse_or_filter(at, restrictions)?;
                gathered.filters(offset + at, &mut self.filters);
            } else {
                is_open = gathered.has_slice();
                restrictions.clustering.push(match (gathered.equal, gathered.within) {
                    (Some(term), _) => ClusteringPart::Equal(vec![term]),
                    (None, Some(values)) => ClusteringPart::In(values),
                    (None, None) => ClusteringPart::Slice {
                        lower: gathered.lower.map(|(term, included)| (vec![term], included)),
                        upper: gathered.upper.map(|(term, included)| (vec![term], included)),
                    },
                });
                restrictions.clustering_columns = at + 1;
            }
            at += 1;
        }
        self.refuse_slice_in_update(restrictions.has_slice())
    }

    fn refuse_slice_in_update(&self, is_slice: bool) -> Result<(), CqlError> {
        if is_slice && self.purpose == Purpose::Update {
            return Err(CqlError::invalid(
                "Slice restrictions are not supported on the clustering columns in UPDATE statements",
            ));
        }
        Ok(())
    }

    /// Two slices on the same columns are one.
    fn joined(&mut self, part: ClusteringPart, at: usize) -> Result<ClusteringPart, CqlError> {
        let ClusteringPart::Slice { mut lower, mut upper } = part else { return Ok(part) };
        while let Some(index) = self.multi.iter().position(|it| it.first == at) {
            let ClusteringPart::Slice { lower: other_lower, upper: other_upper } =
                self.multi.swap_remove(index).part
            else {
                return Err(CqlError::invalid(
                    "Columns cannot be restricted by both an equality and an inequality relation",
                ));
            };
            if lower.is_some() && other_lower.is_some() || upper.is_some() && other_upper.is_some()
            {
                return Err(CqlError::invalid(
                    "More than one restriction was found for the same bound",
                ));
            }
            lower = lower.or(other_lower);
            upper = upper.or(other_upper);
        }
        Ok(ClusteringPart::Slice { lower, upper })
    }

    fn place_multi(
        &mut self,
        part: ClusteringPart,
        at: usize,
        count: usize,
        is_open: bool,
        restrictions: &mut Restrictions,
    ) -> Result<usize, CqlError> {
        let clustering = self.table.clustering();
        let first = clustering[at].descending;
        let one_direction =
            clustering[at..at + count].iter().all(|column| column.descending == first);
        if !is_open && (one_direction || !part.is_slice()) {
            restrictions.clustering.push(part);
            restrictions.clustering_columns = at + count;
            return Ok(count);
        }
        if is_open {
            self.refuse_or_filter(at, restrictions)?;
        }
        let at = self.table.partition_key_count + at;
        let checks = match part {
            ClusteringPart::Equal(terms) => vec![FilterCheck::Tuple(Operator::Equal, terms)],
            ClusteringPart::Slice { lower, upper } => {
                let bound = |bound: Option<Bound>, strict, loose| {
                    bound.map(|(terms, included)| {
                        FilterCheck::Tuple(if included { loose } else { strict }, terms)
                    })
                };
                let lower = bound(lower, Operator::Greater, Operator::GreaterOrEqual);
                let upper = bound(upper, Operator::Less, Operator::LessOrEqual);
                lower.into_iter().chain(upper).collect()
            }
            ClusteringPart::InTuples(tuples) => vec![FilterCheck::Tuples(tuples)],
            ClusteringPart::In(values) => vec![FilterCheck::In(values)],
            ClusteringPart::InTupleList(..) => {
                return Err(CqlError::invalid(FILTERING_NEEDED));
            }
        };
        let found = checks.into_iter().map(|check| Filter { at, check });
        if is_open {
            self.filters.extend(found)
        } else {
            self.slice_filters.extend(found)
        }
        // A slice over columns of both directions is found by looking; nothing narrower may follow.
        Ok(count)
    }

    /// A clustering column behind a gap or a slice cannot be found by key.
    fn refuse_or_filter(&self, at: usize, restrictions: &Restrictions) -> Result<(), CqlError> {
        if matches!(self.purpose, Purpose::Select { allow_filtering: true }) {
            return Ok(());
        }
        if !restrictions.has_key() {
            return Err(CqlError::invalid(FILTERING_NEEDED));
        }
        let clustering = self.table.clustering();
        let (name, before) = (&clustering[at].name, &clustering[at.max(1) - 1].name);
        Err(CqlError::invalid(if restrictions.has_slice() {
            format!(
                "Clustering column \"{name}\" cannot be restricted (preceding column \"{before}\" \
                 is restricted by a non-EQ relation)"
            )
        } else {
            format!(
                "PRIMARY KEY column \"{name}\" cannot be restricted as preceding column \
                 \"{before}\" is not restricted"
            )
        }))
    }
}

/// A relation's right side as it is written.
fn right_text(right: &RelationRight) -> String {
    match right {
        RelationRight::Compare(operator, term) => format!("{} {}", operator.symbol(), term.text()),
        RelationRight::In(InValues::Terms(terms)) => {
            let terms: Vec<_> = terms.iter().map(Term::text).collect();
            format!("IN ({})", terms.join(", "))
        }
        RelationRight::In(InValues::Marker(marker)) => format!("IN {}", marker.text()),
        _ => String::new(),
    }
}

/// The terms of a tuple, each for its column.
fn tuple_terms(
    term: &Term,
    receivers: &[Receiver],
    preparing: &mut Preparing,
) -> Result<Vec<TypedTerm>, CqlError> {
    let Term::Tuple(items) = term else {
        return Err(CqlError::invalid(format!(
            "Expected a tuple of {} values, got {}",
            receivers.len(),
            term.text()
        )));
    };
    if items.len() != receivers.len() {
        return Err(CqlError::invalid(format!(
            "Expected {} elements in value tuple, but got {}: {}",
            receivers.len(),
            items.len(),
            term.text()
        )));
    }
    let terms = items.iter().zip(receivers);
    terms.map(|(item, receiver)| TypedTerm::prepare(item, receiver, preparing)).collect()
}

/// The value a condition compares with: it must be there.
pub(crate) fn required(
    term: &TypedTerm,
    name: &str,
    binding: &Binding<'_>,
) -> Result<Bytes, CqlError> {
    match term.eval(binding)? {
        Value::Set(bytes) => Ok(bytes),
        Value::Null => {
            Err(CqlError::invalid(format!("Invalid null value in condition for column {name}")))
        }
        Value::Unset => Err(CqlError::invalid(format!("Invalid unset value for column {name}"))),
    }
}

fn required_all(
    values: &TypedIn,
    name: &str,
    binding: &Binding<'_>,
) -> Result<Vec<Bytes>, CqlError> {
    let null = || CqlError::invalid(format!("Invalid null value in condition for column {name}"));
    values.eval(binding)?.into_iter().map(|value| value.ok_or_else(null)).collect()
}

/// Every prefix continued by every option.
fn product(prefixes: Vec<Vec<Bytes>>, options: &[Vec<Bytes>]) -> Result<Vec<Vec<Bytes>>, CqlError> {
    if prefixes.len().saturating_mul(options.len()) > COMBINATIONS_MAX {
        return Err(CqlError::invalid(format!(
            "The IN restrictions of this statement combine to more than {COMBINATIONS_MAX} values"
        )));
    }
    let mut combined = Vec::with_capacity(prefixes.len() * options.len());
    for prefix in prefixes {
        for option in options {
            combined.push([&prefix[..], &option[..]].concat());
        }
    }
    Ok(combined)
}

/// The partition keys and what of each partition.
impl Restrictions {
    /// The partition keys it names, in the order of their values, each once.
    pub(crate) fn keys(
        &self,
        table: &Table,
        binding: &Binding<'_>,
    ) -> Result<Vec<NamedPartition>, CqlError> {
        let mut keys: Vec<Vec<Bytes>> = vec![Vec::new()];
        for (part, column) in self.key.iter().zip(table.partition_key()) {
            let options = match part {
                KeyPart::Equal(term) => vec![required(term, &column.name, binding)?],
                KeyPart::In(values) => required_all(values, &column.name, binding)?,
            };
            let options: Vec<Vec<Bytes>> = options.into_iter().map(|it| vec![it]).collect();
            keys = product(keys, &options)?;
        }
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            check_key(&key)?;
            let prefix = PartitionPrefix::new(&table.key_types, &key);
            found.push((Arc::from(key), prefix));
        }
        // In the order of the values, as Cassandra answers an IN, not in that of the ring.
        let order = |key: &[Bytes]| {
            let mut out = Vec::new();
            for (cql, component) in table.key_types.iter().zip(key) {
                put_component(cql, component, false, &mut out);
            }
            out
        };
        found.sort_by_cached_key(|(key, _)| order(key));
        found.dedup_by(|a, b| a.1 == b.1);
        Ok(found)
    }

    /// Whole or partial clusterings it names, before any slice; `[[]]` if it names none.
    pub(crate) fn clusterings(
        &self,
        table: &Table,
        binding: &Binding<'_>,
    ) -> Result<Vec<Vec<Bytes>>, CqlError> {
        let mut prefixes: Vec<Vec<Bytes>> = vec![Vec::new()];
        for part in &self.clustering {
            let at = prefixes.first().map_or(0, Vec::len);
            let columns = &table.clustering()[at..];
            let one = |terms: &[TypedTerm]| -> Result<Vec<Bytes>, CqlError> {
                let named = terms.iter().zip(columns);
                named.map(|(term, column)| required(term, &column.name, binding)).collect()
            };
            let options: Vec<Vec<Bytes>> = match part {
                ClusteringPart::Slice { .. } => break,
                ClusteringPart::Equal(terms) => vec![one(terms)?],
                ClusteringPart::In(values) => {
                    let name = columns.first().map_or("", |column| column.name.as_str());
                    let values = required_all(values, name, binding)?;
                    values.into_iter().map(|it| vec![it]).collect()
                }
                ClusteringPart::InTuples(tuples) => {
                    tuples.iter().map(|terms| one(terms)).collect::<Result<_, _>>()?
                }
                ClusteringPart::InTupleList(list, count) => tuples_of(list, *count, binding)?,
            };
            prefixes = product(prefixes, &options)?;
        }
        for clustering in &prefixes {
            let bytes: usize = clustering.iter().map(Bytes::len).sum();
            if bytes > KEY_BYTES_MAX {
                return Err(CqlError::invalid(format!(
                    "Key length of {bytes} is longer than maximum of {KEY_BYTES_MAX}"
                )));
            }
        }
        Ok(prefixes)
    }

    /// Slices of each partition, sorted, each once.
    pub(crate) fn slices(
        &self,
        table: &Table,
        binding: &Binding<'_>,
    ) -> Result<Vec<Slice>, CqlError> {
        let mut slices = Vec::new();
        for clustering in self.clusterings(table, binding)? {
            let prefix = table.encode_clustering(&clustering);
            let mut slice = Slice::of_prefix(&prefix);
            if let Some(ClusteringPart::Slice { lower, upper }) = self.clustering.last() {
                let columns = &table.clustering()[clustering.len()..];
                let descending = columns.first().is_some_and(|column| column.descending);
                let mut cut = |bound: &Bound, is_lower: bool| -> Result<(), CqlError> {
                    let (terms, included) = bound;
                    let values: Vec<Bytes> = terms
                        .iter()
                        .zip(columns)
                        .map(|(term, column)| required(term, &column.name, binding))
                        .collect::<Result<_, _>>()?;
                    let at = table.encode_clustering(&[&clustering[..], &values[..]].concat());
                    // What is lower by value comes later where the column sorts downwards.
                    if is_lower != descending {
                        slice.start = if *included {
                            ClusteringBound::before(&at)
                        } else {
                            ClusteringBound::after(&at)
                        };
                    } else {
                        slice.end = if *included {
                            ClusteringBound::after(&at)
                        } else {
                            ClusteringBound::before(&at)
                        };
                    }
                    Ok(())
                };
                if let Some(bound) = lower {
                    cut(bound, true)?;
                }
                if let Some(bound) = upper {
                    cut(bound, false)?;
                }
            }
            if !slice.is_empty() {
                slices.push(slice);
            }
        }
        slices.sort_by(|a, b| a.start.cmp(&b.start));
        slices.dedup_by(|a, b| a.start == b.start);
        Ok(slices)
    }

    /// What a SELECT reads.
    pub(crate) fn targets(
        &self,
        table: &Table,
        binding: &Binding<'_>,
    ) -> Result<Vec<Target>, CqlError> {
        let Some((start, end)) = self.ring(table, binding)? else { return Ok(Vec::new()) };
        if !self.has_key() {
            return Ok(vec![Target::Ring { start, end }]);
        }
        let slices = self.slices(table, binding)?;
        let keys = self.keys(table, binding)?.into_iter();
        let in_ring =
            keys.filter(|(_, prefix)| *prefix.bytes() >= *start && *prefix.bytes() < *end);
        let target = |(pk, prefix)| Target::Partition {
            pk,
            prefix,
            slices: slices.clone(),
            is_resumed: false,
        };
        Ok(in_ring.map(target).collect())
    }

    /// The part of the ring that the tokens allow, as keys; `None` if it is empty.
    fn ring(
        &self,
        _table: &Table,
        binding: &Binding<'_>,
    ) -> Result<Option<(Bytes, Bytes)>, CqlError> {
        let (mut start, mut end) = (Bytes::new(), Bytes::from_static(&[0xFF; 9]));
        let Some(range) = &self.token else { return Ok(Some((start, end))) };
        let token = |term: &TypedTerm| -> Result<i64, CqlError> {
            let bytes = required(term, "partition key token", binding)?;
            let raw = bytes[..].try_into();
            raw.map(i64::from_be_bytes).map_err(|_| CqlError::invalid("Invalid token"))
        };
        if let Some((term, included)) = &range.lower {
            let token = token(term)?;
            let first = if *included { Some(at_token(token)) } else { after_token(token) };
            match first {
                Some(first) => start = first,
                None => return Ok(None),
            }
        }
        if let Some((term, included)) = &range.upper {
            let token = token(term)?;
            // The smallest token as an end means the end of the ring.
            if token != i64::MIN {
                let last = if *included { after_token(token) } else { Some(at_token(token)) };
                end = last.unwrap_or(end);
            }
        }
        Ok((start < end).then_some((start, end)))
    }
}

/// A partition key must have bytes, and not too many.
pub(crate) fn check_key(components: &[Bytes]) -> Result<(), CqlError> {
    let key = serialize_partition_key(components);
    if key.is_empty() {
        return Err(CqlError::invalid("Key may not be empty"));
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(CqlError::invalid(format!(
            "Key length of {} is longer than maximum of {KEY_BYTES_MAX}",
            key.len()
        )));
    }
    Ok(())
}

fn tuples_of(
    list: &TypedTerm,
    count: usize,
    binding: &Binding<'_>,
) -> Result<Vec<Vec<Bytes>>, CqlError> {
    let broken = |error: tidemill_cql_wire::value::ValueError| CqlError::invalid(error.to_string());
    let list = required(list, "in", binding)?;
    let mut tuples = Vec::new();
    for tuple in collection::elements(list).map_err(broken)? {
        let fields = collection::fields(tuple, count).map_err(broken)?;
        let fields: Option<Vec<Bytes>> = fields.into_iter().collect();
        tuples.push(fields.ok_or_else(|| CqlError::invalid("Invalid null value in condition"))?);
    }
    Ok(tuples)
}

/// The tokens of keys, for the shards a write needs.
pub(crate) fn tokens(keys: &[NamedPartition]) -> Vec<i64> {
    keys.iter().map(|(components, _)| token_of(components)).collect()
}
