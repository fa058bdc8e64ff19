//! Relations, one by one: names looked up, types checked.

use tidemill_cql_wire::CqlType;

use super::gathered::Gathered;
use super::{ClusteringPart, Purpose, TokenRange};
use crate::cql::statements::relation::{InValues, Operator, Relation, RelationLeft, RelationRight};
use crate::cql::term::Term;
use crate::error::CqlError;
use crate::query::context::Preparing;
use crate::query::filter::{Filter, FilterCheck};
use crate::query::literal::Receiver;
use crate::query::term::{TypedIn, TypedTerm};
use crate::schema::table::{Column, ColumnKind, Table};

/// `(a, b) > (1, 2)`, gathered.
pub(super) struct MultiColumn {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) part: ClusteringPart,
}

/// A WHERE while it is read.
pub(super) struct Builder<'a> {
    pub(super) table: &'a Table,
    pub(super) purpose: Purpose,
    pub(super) columns: Vec<Gathered>,
    pub(super) multi: Vec<MultiColumn>,
    pub(super) token: Option<TokenRange>,
    pub(super) filters: Vec<Filter>,
    /// Slices over columns of both directions: found by looking, and no filtering to Cassandra.
    pub(super) slice_filters: Vec<Filter>,
}

impl<'a> Builder<'a> {
    /// Nothing read yet.
    pub(super) fn new(table: &'a Table, purpose: Purpose) -> Builder<'a> {
        Builder {
            table,
            purpose,
            columns: table.columns.iter().map(|_| Gathered::default()).collect(),
            multi: Vec::new(),
            token: None,
            filters: Vec::new(),
            slice_filters: Vec::new(),
        }
    }

    fn receiver(&self, column: &Column) -> Receiver {
        Receiver::new(column.name.clone(), column.column_type.cql.clone())
    }

    /// Takes one relation.
    pub(super) fn relation(
        &mut self,
        relation: &Relation,
        preparing: &mut Preparing,
    ) -> Result<(), CqlError> {
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
