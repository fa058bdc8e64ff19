//! All relations together: what becomes a key, what a slice, what a filter, and what is refused.

use super::builder::Builder;
use super::gathered::Gathered;
use super::{Bound, ClusteringPart, KeyPart, Purpose, Restrictions};
use crate::cql::statements::relation::Operator;
use crate::error::CqlError;
use crate::query::filter::{Filter, FilterCheck};

const FILTERING_NEEDED: &str = "Cannot execute this query as it might involve data filtering and \
    thus may have unpredictable performance. If you want to execute this query despite the \
    performance unpredictability, use ALLOW FILTERING";

impl Builder<'_> {
    /// What it all comes to.
    pub(super) fn finish(mut self) -> Result<Restrictions, CqlError> {
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
