//! `map_keys`, `map_values`, `collection_count`: for whatever collection they get.

use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::collection;

use super::super::context::int_bytes;
use super::Function;
use crate::error::CqlError;

fn broken(error: tidemill_cql_wire::value::ValueError) -> CqlError {
    CqlError::invalid(error.to_string())
}

pub(super) fn named(name: &str, arguments: &[Option<CqlType>]) -> Vec<Function> {
    let [Some(argument)] = arguments else { return Vec::new() };
    let whole = argument.clone();
    match (name, argument) {
        ("mapkeys", CqlType::Map(key, _)) => {
            let returns = CqlType::Set(key.clone());
            vec![Function::new(vec![whole], returns, |arguments, _| {
                let pairs = collection::pairs(arguments[0].clone()).map_err(broken)?;
                let keys: Vec<_> = pairs.into_iter().map(|(key, _)| key).collect();
                Ok(Some(collection::from_elements(&keys)))
            })]
        }
        ("mapvalues", CqlType::Map(_, value)) => {
            let returns = CqlType::List(value.clone());
            vec![Function::new(vec![whole], returns, |arguments, _| {
                let pairs = collection::pairs(arguments[0].clone()).map_err(broken)?;
                let values: Vec<_> = pairs.into_iter().map(|(_, value)| value).collect();
                Ok(Some(collection::from_elements(&values)))
            })]
        }
        ("collectioncount", collection) if collection.is_collection() => {
            vec![Function::new(vec![whole], CqlType::Int, |arguments, _| {
                // The number of elements is what a collection starts with.
                let count = arguments[0].first_chunk::<4>();
                Ok(Some(int_bytes(count.map_or(0, |raw| i32::from_be_bytes(*raw)))))
            })]
        }
        _ => Vec::new(),
    }
}
