//! The operators of one job, one calling the next. Synchronous, no clock, no I/O: what goes in
//! decides what comes out.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;

use crate::plan::stream::{AssignWindow, Operator, StreamPlan};

use super::calc;
use super::rows::{Origin, RowFault, Rows};
use super::watermark::NONE;
use super::window::{self, WindowState};

/// What each stateful operator keeps, in their order; each a list of parts.
pub(crate) type SavedStates = Vec<Vec<Arc<Vec<u8>>>>;

/// The operators of one job.
pub(crate) struct Flow {
    nodes: Vec<FlowNode>,
    /// The node of each source.
    sources: Vec<usize>,
    /// Columns of the sink that must not be NULL.
    not_null: Vec<usize>,
}

struct FlowNode {
    work: Work,
    schema: SchemaRef,
    /// Who takes the output, and as which of its inputs; none for the last node.
    parent: Option<(usize, usize)>,
    /// Event time of each input.
    watermarks: Vec<i64>,
}

enum Work {
    /// Sources and unions hand on what they get.
    Pass,
    Filter(Arc<dyn PhysicalExpr>),
    Project(Vec<Arc<dyn PhysicalExpr>>),
    Assign(AssignWindow),
    Aggregate(Box<WindowState>),
}

/// What comes out of one step.
#[derive(Default)]
pub(crate) struct Output {
    /// For the sink.
    pub(crate) rows: Vec<Rows>,
    /// For the dead letters.
    pub(crate) faults: Vec<RowFault>,
    /// Rows that came after their window had fired.
    pub(crate) late: u64,
}

impl Flow {
    /// `groups_max`: groups of open windows at most, per operator.
    pub(crate) fn new(plan: &StreamPlan, groups_max: usize) -> Result<Flow> {
        let mut nodes = Vec::with_capacity(plan.nodes.len());
        let mut sources = vec![0; plan.sources.len()];
        for (index, node) in plan.nodes.iter().enumerate() {
            let work = match &node.operator {
                Operator::Source(source) => {
                    sources[*source] = index;
                    Work::Pass
                }
                Operator::Union => Work::Pass,
                Operator::Filter(predicate) => Work::Filter(Arc::clone(predicate)),
                Operator::Project(exprs) => Work::Project(exprs.clone()),
                Operator::AssignWindow(assign) => Work::Assign(assign.clone()),
                Operator::WindowAggregate(aggregate) => {
                    let schema = Arc::clone(&node.schema);
                    Work::Aggregate(Box::new(WindowState::new(
                        aggregate.clone(),
                        schema,
                        groups_max,
                    )?))
                }
            };
            let parent = plan.nodes.iter().enumerate().find_map(|(parent, candidate)| {
                let input = candidate.inputs.iter().position(|input| *input == index)?;
                Some((parent, input))
            });
            nodes.push(FlowNode {
                work,
                schema: Arc::clone(&node.schema),
                parent,
                watermarks: vec![NONE; node.inputs.len().max(1)],
            });
        }
        let not_null = plan
            .sink
            .physical()
            .enumerate()
            .filter(|(_, (_, _, not_null))| *not_null)
            .map(|(index, _)| index)
            .collect();
        Ok(Flow { nodes, sources, not_null })
    }

    /// Rows of a source. `stamps`: the write timestamps of the records they came from.
    pub(crate) fn push(
        &mut self,
        source: usize,
        rows: Rows,
        stamps: &[i64],
        output: &mut Output,
    ) -> Result<()> {
        self.run(self.sources[source], rows, stamps, output)
    }

    /// Hands rows to a node, and what it makes of them to the next.
    fn run(
        &mut self,
        mut at: usize,
        mut rows: Rows,
        stamps: &[i64],
        output: &mut Output,
    ) -> Result<()> {
        loop {
            if rows.len() == 0 {
                return Ok(());
            }
            let node = &mut self.nodes[at];
            rows = match &mut node.work {
                Work::Pass => rows,
                Work::Filter(predicate) => calc::filter(rows, predicate, &mut output.faults)?,
                Work::Project(exprs) => {
                    calc::project(rows, exprs, &node.schema, &mut output.faults)?
                }
                Work::Assign(assign) => {
                    window::assign(rows, assign, &node.schema, &mut output.faults)?
                }
                Work::Aggregate(state) => {
                    let watermark = node.watermarks[0];
                    let newest = |origin: &Origin| newest_stamp(origin, stamps);
                    state.update(rows, &newest, watermark, &mut output.faults)?;
                    output.late += state.take_late();
                    return Ok(());
                }
            };
            match node.parent {
                Some((parent, _)) => at = parent,
                None => {
                    let rows = calc::not_null(rows, &self.not_null, &mut output.faults)?;
                    if rows.len() > 0 {
                        output.rows.push(rows);
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Event time of a source moved on.
    pub(crate) fn watermark(
        &mut self,
        source: usize,
        watermark: i64,
        output: &mut Output,
    ) -> Result<()> {
        let (mut at, mut input, mut watermark) = (self.sources[source], 0, watermark);
        loop {
            let node = &mut self.nodes[at];
            let before = node.watermarks.iter().copied().min().unwrap_or(NONE);
            node.watermarks[input] = node.watermarks[input].max(watermark);
            let now = node.watermarks.iter().copied().min().unwrap_or(NONE);
            if now == before {
                return Ok(());
            }
            watermark = now;
            let parent = node.parent;
            if let Work::Aggregate(state) = &mut node.work
                && let Some(rows) = state.fire(watermark)?
            {
                match parent {
                    Some((parent, _)) => self.run(parent, rows, &[], output)?,
                    None => {
                        output.rows.push(calc::not_null(rows, &self.not_null, &mut output.faults)?)
                    }
                }
            }
            match parent {
                Some((parent, slot)) => (at, input) = (parent, slot),
                None => return Ok(()),
            }
        }
    }

    /// Whether some operator waits for event time.
    pub(crate) fn needs_watermarks(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.work, Work::Aggregate(_)))
    }

    /// What the operators keep, for a checkpoint.
    pub(crate) fn save(&mut self) -> Result<SavedStates> {
        self.nodes
            .iter_mut()
            .filter_map(|node| match &mut node.work {
                Work::Aggregate(state) => Some(state.save()),
                _ => None,
            })
            .collect()
    }

    /// Puts back what [`Flow::save`] gave.
    pub(crate) fn load(&mut self, states: &[Vec<Vec<u8>>]) -> Result<()> {
        let stateful = self.nodes.iter_mut().filter_map(|node| match &mut node.work {
            Work::Aggregate(state) => Some(state),
            _ => None,
        });
        stateful.zip(states).try_for_each(|(state, parts)| state.load(parts))
    }
}

/// The newest write timestamp among the rows, in microseconds.
fn newest_stamp(origin: &Origin, stamps: &[i64]) -> i64 {
    match origin {
        Origin::Records(records) => {
            let stamps = records.iter().filter_map(|record| stamps.get(*record as usize));
            stamps.copied().max().unwrap_or(0)
        }
        Origin::Computed(stamps) => stamps.iter().copied().max().unwrap_or(0),
    }
}
