//! `intAsBlob`, `blobAsInt` and the like: the same bytes under another type.

use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::validate;

use super::Function;
use crate::error::CqlError;

pub(super) fn named(name: &str) -> Vec<Function> {
    if let Some(to) = name.strip_prefix("blobas").and_then(CqlType::native_named) {
        let (target, name) = (to.clone(), name.to_owned());
        return vec![Function::new(vec![CqlType::Blob], to, move |arguments, _| {
            validate(&target, &arguments[0]).map_err(|_| {
                let hex: String = arguments[0].iter().map(|byte| format!("{byte:02x}")).collect();
                CqlError::invalid(format!(
                    "In call to function system.{name}, value 0x{hex} is not a valid binary \
                     representation for type {target}"
                ))
            })?;
            Ok(Some(arguments[0].clone()))
        })];
    }
    match name.strip_suffix("asblob").and_then(CqlType::native_named) {
        Some(from) => vec![Function::new(vec![from], CqlType::Blob, |arguments, _| {
            Ok(Some(arguments[0].clone()))
        })],
        None => Vec::new(),
    }
}
