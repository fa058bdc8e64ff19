//! What SELECT lists, with types: evaluated per row, or per group.

mod evaluate;

use std::sync::Arc;

use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::response::ColumnSpec;

use super::context::Preparing;
use super::functions::{self, Aggregate, Function};
use super::literal::Receiver;
use super::term::{TypedTerm, is_assignable};
use crate::cql::selectable::Selectable;
use crate::error::CqlError;
use crate::schema::table::Table;
use crate::schema::types::plain_text;

pub(crate) use evaluate::{Evaluator, assemble, column_value, element_of};

/// What of a cell is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellPart {
    /// Its timestamp.
    WriteTime,
    /// The latest timestamp of its parts.
    MaxWriteTime,
    /// Seconds until it ends.
    Ttl,
}

/// One thing of a selection.
#[derive(Debug, Clone)]
pub(crate) enum Selector {
    /// The column at this place of the table.
    Column(usize),
    /// `count(*)`.
    CountRows,
    /// An aggregate of a selector of this type.
    Aggregate(Aggregate, CqlType, Box<Selector>),
    /// `writetime(a)` and its like.
    Cell(CellPart, usize),
    /// A call.
    Call(Arc<Function>, Vec<Selector>),
    /// `CAST`: from, to.
    Cast(CqlType, CqlType, Box<Selector>),
    /// A field of a user-defined type or tuple.
    Field(usize, Box<Selector>),
    /// An element of a map (whose key type this is), a set or a list.
    Element(CqlType, TypedTerm, Box<Selector>),
    /// A value.
    Value(TypedTerm),
}

impl Selector {
    /// Whether it needs all rows of a group.
    pub(crate) fn is_aggregate(&self) -> bool {
        match self {
            Selector::CountRows | Selector::Aggregate(..) => true,
            Selector::Column(_) | Selector::Cell(..) | Selector::Value(_) => false,
            Selector::Call(_, arguments) => arguments.iter().any(Selector::is_aggregate),
            Selector::Cast(_, _, inner)
            | Selector::Field(_, inner)
            | Selector::Element(_, _, inner) => inner.is_aggregate(),
        }
    }

    /// Columns it reads, by their places.
    pub(crate) fn columns(&self, out: &mut Vec<usize>) {
        match self {
            Selector::Column(at) | Selector::Cell(_, at) => out.push(*at),
            Selector::CountRows | Selector::Value(_) => {}
            Selector::Call(_, arguments) => arguments.iter().for_each(|it| it.columns(out)),
            Selector::Aggregate(_, _, inner)
            | Selector::Cast(_, _, inner)
            | Selector::Field(_, inner)
            | Selector::Element(_, _, inner) => inner.columns(out),
        }
    }
}

/// A selector, what it gives and how the result calls it.
struct Typed {
    selector: Selector,
    cql: CqlType,
    name: String,
}

/// All that SELECT lists.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// In the order listed.
    pub(crate) selectors: Vec<Selector>,
    /// The result's columns.
    pub(crate) columns: Arc<Vec<ColumnSpec>>,
}

impl Selection {
    /// All columns, for `*`.
    pub(crate) fn all(table: &Table) -> Selection {
        let selectors = (0..table.columns.len()).map(Selector::Column).collect();
        let typed = table.columns.iter().map(|it| (it.name.clone(), it.column_type.cql.clone()));
        Selection { selectors, columns: specs(table, typed) }
    }

    /// What is listed.
    pub(crate) fn prepare(
        listed: &[(Selectable, Option<String>)],
        table: &Table,
        preparing: &mut Preparing,
    ) -> Result<Selection, CqlError> {
        let mut selectors = Vec::with_capacity(listed.len());
        let mut named = Vec::with_capacity(listed.len());
        for (selectable, alias) in listed {
            let typed = prepare(selectable, table, preparing)?;
            selectors.push(typed.selector);
            named.push((alias.clone().unwrap_or(typed.name), typed.cql));
        }
        Ok(Selection { selectors, columns: specs(table, named.into_iter()) })
    }

    /// Whether rows are gathered into groups.
    pub(crate) fn is_aggregate(&self) -> bool {
        self.selectors.iter().any(Selector::is_aggregate)
    }

    /// Columns that are read, by their places.
    pub(crate) fn columns_read(&self) -> Vec<usize> {
        let mut out = Vec::new();
        self.selectors.iter().for_each(|selector| selector.columns(&mut out));
        out
    }
}

fn specs(table: &Table, columns: impl Iterator<Item = (String, CqlType)>) -> Arc<Vec<ColumnSpec>> {
    let keyspace: Arc<str> = table.keyspace.as_str().into();
    let name: Arc<str> = table.name.as_str().into();
    let spec = |(column, cql_type)| ColumnSpec {
        keyspace: keyspace.clone(),
        table: name.clone(),
        name: column,
        cql_type,
    };
    Arc::new(columns.map(spec).collect())
}

fn prepare(
    selectable: &Selectable,
    table: &Table,
    preparing: &mut Preparing,
) -> Result<Typed, CqlError> {
    match selectable {
        Selectable::Column(name) => {
            let column = table.column(name)?;
            let at = table.index_of(name).unwrap_or_default();
            let (cql, name) = (column.column_type.cql.clone(), name.clone());
            Ok(Typed { selector: Selector::Column(at), cql, name })
        }
        Selectable::CountRows => Ok(Typed {
            selector: Selector::CountRows,
            cql: CqlType::Bigint,
            name: "count".to_owned(),
        }),
        Selectable::CellMetadata(function, inner) => cell(function, inner, table, preparing),
        Selectable::Function(name, arguments) => call(name, arguments, table, preparing),
        Selectable::Cast(inner, raw) => {
            let inner = prepare(inner, table, preparing)?;
            let to = preparing.resolve_type(raw)?.cql;
            if !functions::can_cast(&inner.cql, &to) {
                return Err(CqlError::invalid(format!(
                    "{} cannot be cast to {}",
                    inner.name,
                    plain_text(&to)
                )));
            }
            let name = format!("cast({} as {})", inner.name, plain_text(&to));
            let selector = Selector::Cast(inner.cql, to.clone(), Box::new(inner.selector));
            Ok(Typed { selector, cql: to, name })
        }
        Selectable::Field(inner, field) => {
            let inner = prepare(inner, table, preparing)?;
            let CqlType::Udt(udt) = &inner.cql else {
                return Err(CqlError::invalid(format!(
                    "Invalid field selection: {} of type {} is not a user type",
                    inner.name,
                    plain_text(&inner.cql)
                )));
            };
            let Some(at) = udt.fields.iter().position(|(name, _)| name == field) else {
                return Err(CqlError::invalid(format!(
                    "{} of type {} has no field {field}",
                    inner.name,
                    plain_text(&inner.cql)
                )));
            };
            let cql = udt.fields[at].1.clone();
            let name = format!("{}.{field}", inner.name);
            Ok(Typed { selector: Selector::Field(at, Box::new(inner.selector)), cql, name })
        }
        Selectable::Element(inner, key) => {
            let inner = prepare(inner, table, preparing)?;
            let (key_type, cql) = match &inner.cql {
                CqlType::Map(key, value) => ((**key).clone(), (**value).clone()),
                CqlType::Set(element) => ((**element).clone(), (**element).clone()),
                CqlType::List(_) => {
                    return Err(CqlError::invalid(format!(
                        "Element selection is only allowed on sets and maps, but {} is a list",
                        inner.name
                    )));
                }
                _ => {
                    return Err(CqlError::invalid(format!(
                        "Invalid element selection: {} is of type {} is not a collection",
                        inner.name,
                        plain_text(&inner.cql)
                    )));
                }
            };
            let receiver = Receiver::new(format!("key({})", inner.name), key_type.clone());
            let name = format!("{}[{}]", inner.name, key.text());
            let key = TypedTerm::prepare(key, &receiver, preparing)?;
            let selector = Selector::Element(key_type, key, Box::new(inner.selector));
            Ok(Typed { selector, cql, name })
        }
        Selectable::Value(term) => value(term, None, preparing),
    }
}

/// A value that must say its type itself, or is an argument of a known type.
fn value(
    term: &crate::cql::term::Term,
    expected: Option<&CqlType>,
    preparing: &mut Preparing,
) -> Result<Typed, CqlError> {
    use crate::cql::term::Term;
    let cql = match (term, expected) {
        (Term::Cast(raw, _), _) => preparing.resolve_type(raw)?.cql,
        (_, Some(expected)) => expected.clone(),
        (term, None) => functions::literal_type(term).ok_or_else(|| {
            CqlError::invalid(format!(
                "Cannot infer type for term {} in selection clause (try using a cast to force a type)",
                term.text()
            ))
        })?,
    };
    let receiver = Receiver::new("[selection]", cql.clone());
    let selector = Selector::Value(TypedTerm::prepare(term, &receiver, preparing)?);
    Ok(Typed { selector, cql, name: term.text() })
}

fn cell(
    function: &str,
    inner: &Selectable,
    table: &Table,
    preparing: &mut Preparing,
) -> Result<Typed, CqlError> {
    let Selectable::Column(name) = inner else {
        return Err(CqlError::invalid(format!(
            "Cannot use selection function {function} on anything but a column"
        )));
    };
    let column = table.column(name)?;
    if column.kind.is_key() {
        return Err(CqlError::invalid(format!(
            "Cannot use selection function {function} on PRIMARY KEY part {name}"
        )));
    }
    let typed = prepare(inner, table, preparing)?;
    let Selector::Column(at) = typed.selector else { return Ok(typed) };
    let (part, one) = match function {
        "writetime" => (CellPart::WriteTime, CqlType::Bigint),
        "maxwritetime" => (CellPart::MaxWriteTime, CqlType::Bigint),
        _ => (CellPart::Ttl, CqlType::Int),
    };
    let is_many = column.column_type.is_multi_cell() && part != CellPart::MaxWriteTime;
    let cql = if is_many { CqlType::List(Box::new(one)) } else { one };
    Ok(Typed { selector: Selector::Cell(part, at), cql, name: format!("{function}({name})") })
}

fn call(
    name: &crate::cql::term::FunctionName,
    arguments: &[Selectable],
    table: &Table,
    preparing: &mut Preparing,
) -> Result<Typed, CqlError> {
    if let [only] = arguments
        && ["count", "min", "max", "sum", "avg"].contains(&name.name.as_str())
    {
        let inner = prepare(only, table, preparing)?;
        if inner.selector.is_aggregate() {
            return Err(CqlError::invalid(
                "aggregate functions cannot be used as arguments of aggregate functions",
            ));
        }
        let Some((kind, cql)) = functions::aggregate(&name.name, &inner.cql) else {
            return Err(functions::no_aggregate(&name.name));
        };
        let text = format!("system.{}({})", name.name, inner.name);
        let selector = Selector::Aggregate(kind, inner.cql, Box::new(inner.selector));
        return Ok(Typed { selector, cql, name: text });
    }
    // Arguments that say their type choose the function; the others take its types.
    let mut known = Vec::with_capacity(arguments.len());
    for argument in arguments {
        known.push(match argument {
            Selectable::Value(_) => None,
            other => Some(prepare(other, table, preparing)?),
        });
    }
    let types: Vec<_> = known.iter().map(|it| it.as_ref().map(|it| it.cql.clone())).collect();
    let mut all = functions::candidates(name, &table.key_types, &types);
    if all.is_empty() {
        return Err(functions::unknown(name));
    }
    let fits = |function: &Function| {
        function.arguments.len() == types.len()
            && types.iter().zip(&function.arguments).all(|(known, wanted)| {
                known.as_ref().is_none_or(|known| is_assignable(known, wanted))
            })
    };
    let Some(at) = all.iter().position(fits) else {
        if let ([function], [Some(argument)]) = (&all[..], &known[..])
            && let [wanted] = &function.arguments[..]
        {
            return Err(CqlError::invalid(format!(
                "Type error: {} cannot be passed as argument 0 of function {} of type {}",
                argument.name,
                function.name,
                plain_text(wanted)
            )));
        }
        return Err(functions::no_match(name, &all));
    };
    let function = all.swap_remove(at);
    let mut selectors = Vec::with_capacity(arguments.len());
    let mut names = Vec::with_capacity(arguments.len());
    for ((argument, known), wanted) in arguments.iter().zip(known).zip(&function.arguments) {
        let typed = match (argument, known) {
            (_, Some(known)) => known,
            (Selectable::Value(term), None) => value(term, Some(wanted), preparing)?,
            (other, None) => prepare(other, table, preparing)?,
        };
        selectors.push(typed.selector);
        names.push(typed.name);
    }
    let text = format!("{}({})", function.name, names.join(", "));
    let cql = function.returns.clone();
    Ok(Typed { selector: Selector::Call(Arc::new(function), selectors), cql, name: text })
}
