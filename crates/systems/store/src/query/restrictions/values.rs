//! A WHERE with the values of a run: keys, slices, the part of the ring.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::request::Value;
use tidemill_cql_wire::value::collection;

use super::{Bound, ClusteringPart, KeyPart, NamedPartition, Restrictions};
use crate::error::CqlError;
use crate::query::context::Binding;
use crate::query::term::{TypedIn, TypedTerm};
use crate::schema::table::Table;
use crate::storage::byte_comparable::put_component;
use crate::storage::key::{
    ClusteringBound, KEY_BYTES_MAX, PartitionPrefix, Slice, after_token, at_token,
    serialize_partition_key, token_of,
};
use crate::storage::partition::Target;

/// Partitions or slices one statement may name by combining INs.
const COMBINATIONS_MAX: usize = 65_536;

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
