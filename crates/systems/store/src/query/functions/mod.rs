//! Functions: found by name and types of arguments, called with bytes. Null arguments give null.

mod aggregates;
pub(crate) mod arithmetic;
mod cast;
mod collections;
mod conversions;
mod identifiers;
mod times;

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;

use super::context::{Binding, Preparing, long_bytes};
use super::literal::{self, Receiver};
use super::term::{TypedTerm, is_assignable};
use crate::cql::term::{FunctionName, Term};
use crate::error::CqlError;
use crate::schema::types::plain_text;
use crate::storage::key;

pub(crate) use aggregates::{Aggregate, AggregateState, aggregate, no_aggregate};
pub(crate) use cast::{can_cast, cast};

type Body = Box<dyn Fn(&[Bytes], &Binding<'_>) -> Result<Option<Bytes>, CqlError> + Send + Sync>;

/// A scalar function for certain types.
pub(crate) struct Function {
    /// As results name it: `system.now`.
    pub(crate) name: String,
    /// The types it takes.
    pub(crate) arguments: Vec<CqlType>,
    /// The type it gives.
    pub(crate) returns: CqlType,
    body: Body,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Function {
    fn new(
        arguments: Vec<CqlType>,
        returns: CqlType,
        body: impl Fn(&[Bytes], &Binding<'_>) -> Result<Option<Bytes>, CqlError> + Send + Sync + 'static,
    ) -> Function {
        Function { name: String::new(), arguments, returns, body: Box::new(body) }
    }

    /// Calls it. One argument without a value gives none.
    pub(crate) fn call(
        &self,
        arguments: &[Option<Bytes>],
        binding: &Binding<'_>,
    ) -> Result<Option<Bytes>, CqlError> {
        let known: Option<Vec<Bytes>> = arguments.iter().cloned().collect();
        match known {
            Some(known) => (self.body)(&known, binding),
            None => Ok(None),
        }
    }
}

/// All functions of a name. `key_types` are those of the table's partition key, for `token`;
/// `arguments` are the types of the arguments as far as they are known.
pub(crate) fn candidates(
    name: &FunctionName,
    key_types: &[CqlType],
    arguments: &[Option<CqlType>],
) -> Vec<Function> {
    if name.keyspace.as_deref().is_some_and(|keyspace| keyspace != "system") {
        return Vec::new();
    }
    // toTimestamp and to_timestamp are the same to us.
    let plain = name.name.replace('_', "");
    let mut found = match plain.as_str() {
        "token" => vec![token(key_types)],
        _ => Vec::new(),
    };
    found.extend(identifiers::named(&plain));
    found.extend(times::named(&plain));
    found.extend(conversions::named(&plain));
    found.extend(collections::named(&plain, arguments));
    found.extend(arithmetic::named(&plain));
    for function in &mut found {
        function.name = format!("system.{}", name.name);
    }
    found
}

fn token(key_types: &[CqlType]) -> Function {
    Function::new(key_types.to_vec(), CqlType::Bigint, |arguments, _| {
        Ok(Some(long_bytes(key::token_of(arguments))))
    })
}

/// Whether there is such a function at all.
pub(crate) fn unknown(name: &FunctionName) -> CqlError {
    CqlError::invalid(format!("Unknown function '{}'", name.name))
}

/// What is said when a function exists for other arguments.
pub(crate) fn no_match(name: &FunctionName, candidates: &[Function]) -> CqlError {
    let signature = |function: &Function| {
        let types: Vec<_> = function.arguments.iter().map(plain_text).collect();
        format!("{} : ({}) -> {}", function.name, types.join(", "), plain_text(&function.returns))
    };
    match candidates {
        [only] => CqlError::invalid(format!(
            "Invalid number of arguments in call to function {}: {} required",
            only.name,
            only.arguments.len()
        )),
        several => {
            let known: Vec<_> = several.iter().map(signature).collect();
            CqlError::invalid(format!(
                "Invalid call to function {}, none of its type signatures match (known type \
                 signatures: {})",
                name.name,
                known.join(", ")
            ))
        }
    }
}

/// A call where a value stands: the first function whose types fit what it gets and what it is for.
pub(crate) fn prepare_call(
    name: &FunctionName,
    arguments: &[Term],
    receiver: &Receiver,
    preparing: &mut Preparing,
) -> Result<TypedTerm, CqlError> {
    let key_types = preparing_key_types(preparing);
    let guesses: Vec<_> = arguments.iter().map(|term| guess(term, &key_types)).collect();
    let all = candidates(name, &key_types, &guesses);
    if all.is_empty() {
        return Err(unknown(name));
    }
    let mut last = None;
    for function in all.iter().filter(|it| it.arguments.len() == arguments.len()) {
        if !is_assignable(&function.returns, &receiver.cql) {
            last = Some(CqlError::invalid(format!(
                "Type error: cannot assign result of function {} (type {}) to {} (type {})",
                function.name,
                plain_text(&function.returns),
                receiver.name,
                plain_text(&receiver.cql)
            )));
            continue;
        }
        preparing.attempt()?;
        let saved = preparing.save();
        match prepare_arguments(function, arguments, preparing) {
            Ok(arguments) => {
                let mut all = candidates(name, &key_types, &guesses);
                let at = all.iter().position(|other| {
                    other.arguments == function.arguments && other.returns == function.returns
                });
                let chosen = all.swap_remove(at.unwrap_or(0));
                return Ok(TypedTerm::Call(Arc::new(chosen), arguments));
            }
            Err(error) => {
                preparing.restore(saved);
                last = Some(error);
            }
        }
    }
    Err(match last {
        Some(error) if all.len() == 1 => error,
        Some(error) if arguments.len() == 1 && matches!(arguments[0], Term::Function(..)) => error,
        _ => no_match(name, &all),
    })
}

fn preparing_key_types(preparing: &Preparing) -> Vec<CqlType> {
    let table = preparing.keyspace.tables.get(&*preparing.table);
    table.map_or_else(Vec::new, |table| table.key_types.clone())
}

fn prepare_arguments(
    function: &Function,
    arguments: &[Term],
    preparing: &mut Preparing,
) -> Result<Vec<TypedTerm>, CqlError> {
    let typed = arguments.iter().zip(&function.arguments).enumerate().map(|(at, (term, cql))| {
        let receiver = Receiver::new(format!("arg{at}({})", function.name), cql.clone());
        TypedTerm::prepare(term, &receiver, preparing)
    });
    typed.collect()
}

/// The type of a term that says it itself.
fn guess(term: &Term, key_types: &[CqlType]) -> Option<CqlType> {
    match term {
        Term::Function(name, arguments) => {
            let guesses: Vec<_> = arguments.iter().map(|term| guess(term, key_types)).collect();
            let all = candidates(name, key_types, &guesses);
            all.into_iter().next().map(|function| function.returns)
        }
        _ => None,
    }
}

/// The bytes of a literal that stands among a selection's arguments.
pub(crate) fn literal_type(term: &Term) -> Option<CqlType> {
    use crate::cql::ConstantKind;
    match term {
        Term::Constant(kind, _) => Some(match kind {
            ConstantKind::String => return None,
            ConstantKind::Integer => CqlType::Int,
            ConstantKind::Float => CqlType::Double,
            ConstantKind::Boolean => CqlType::Boolean,
            ConstantKind::Uuid => CqlType::Uuid,
            ConstantKind::Hex => CqlType::Blob,
            ConstantKind::Duration => CqlType::Duration,
        }),
        _ => None,
    }
}

/// A value of a type from its text; for functions that read texts.
pub(crate) fn from_text(cql: &CqlType, text: &str) -> Result<Bytes, CqlError> {
    literal::parse(cql, text).map_err(CqlError::invalid)
}
