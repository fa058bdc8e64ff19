//! A dataflow as text, for `EXPLAIN`, and as identity: which checkpoints belong to it.

use std::fmt::Write as _;

use crate::catalog::Table;
use crate::catalog::options::Connector;

use super::stream::{GroupColumn, Node, Operator, StreamPlan, WindowAggregate, WindowOutput};

impl StreamPlan {
    /// One line per operator, the sink first, inputs indented.
    pub(crate) fn explain(&self) -> String {
        let mut text = String::from("== Optimized Execution Plan ==\n");
        let columns: Vec<&str> =
            self.sink.physical().map(|(column, ..)| column.name.as_str()).collect();
        let _ = writeln!(text, "Sink({}, fields=[{}])", endpoint(&self.sink), columns.join(", "));
        if let Some(last) = self.nodes.len().checked_sub(1) {
            self.explain_node(last, 1, &mut text);
        }
        text
    }

    fn explain_node(&self, index: usize, depth: usize, text: &mut String) {
        let node = &self.nodes[index];
        let _ = writeln!(text, "{}+- {}", "   ".repeat(depth - 1), self.describe(node));
        for input in &node.inputs {
            self.explain_node(*input, depth + 1, text);
        }
    }

    fn describe(&self, node: &Node) -> String {
        match &node.operator {
            Operator::Source(index) => {
                let source = &self.sources[*index];
                let columns: Vec<&str> = source
                    .columns
                    .iter()
                    .map(|column| source.table.scan[*column].name.as_str())
                    .collect();
                let watermark = source
                    .watermark
                    .as_ref()
                    .map(|watermark| format!(", watermark=[{}]", watermark.text))
                    .unwrap_or_default();
                let from = endpoint(&source.table);
                format!("Source({from}, fields=[{}]{watermark})", columns.join(", "))
            }
            Operator::Filter(predicate) => format!("Calc(where=[{predicate}])"),
            Operator::Project(exprs) => {
                let named = exprs.iter().zip(node.schema.fields()).map(|(expr, field)| {
                    let expr = expr.to_string();
                    let plain = expr.rsplit_once('@').map_or(expr.as_str(), |(name, _)| name);
                    if plain == field.name() {
                        plain.to_owned()
                    } else {
                        format!("{expr} AS {}", field.name())
                    }
                });
                format!("Calc(select=[{}])", named.collect::<Vec<_>>().join(", "))
            }
            Operator::Union => "Union(all=[true])".to_owned(),
            Operator::AssignWindow(assign) => format!(
                "WindowTableFunction(window=[TUMBLE(time_col=[{}], size=[{} ms])])",
                assign.window.time_column, assign.window.size_ms
            ),
            Operator::WindowAggregate(aggregate) => {
                format!("WindowAggregate({})", describe_aggregate(aggregate))
            }
        }
    }

    /// What must stay the same for two plans to be versions of one job: what it reads, what it
    /// keeps, where it writes. Filters and columns may change.
    pub(crate) fn shape(&self) -> String {
        let mut parts: Vec<String> =
            self.sources.iter().map(|source| endpoint(&source.table)).collect();
        let stateful = self.nodes.iter().filter_map(|node| match &node.operator {
            Operator::WindowAggregate(_) => Some("WindowAggregate".to_owned()),
            _ => None,
        });
        parts.extend(stateful);
        parts.push(endpoint(&self.sink));
        parts.join(" > ")
    }

    /// What each operator keeps between records, by the operator's number among those that keep
    /// something. State written under another description cannot be read.
    pub(crate) fn state_descriptions(&self) -> Vec<String> {
        self.nodes
            .iter()
            .filter_map(|node| match &node.operator {
                Operator::WindowAggregate(aggregate) => Some(describe_state(aggregate, node)),
                _ => None,
            })
            .collect()
    }
}

fn describe_aggregate(aggregate: &WindowAggregate) -> String {
    let groups: Vec<String> = aggregate
        .groups
        .iter()
        .map(|group| match group {
            GroupColumn::Bound(WindowOutput::Start) => "window_start".to_owned(),
            GroupColumn::Bound(WindowOutput::End) => "window_end".to_owned(),
            GroupColumn::Bound(_) => "window_time".to_owned(),
            GroupColumn::Key(expr) => expr.to_string(),
        })
        .collect();
    let calls: Vec<&str> = aggregate.aggregates.iter().map(|call| call.text.as_str()).collect();
    format!("groupBy=[{}], select=[{}]", groups.join(", "), calls.join(", "))
}

/// Positions of columns are left out, so that a new column in the table keeps the state.
fn describe_state(aggregate: &WindowAggregate, node: &Node) -> String {
    let keys: Vec<String> = aggregate
        .groups
        .iter()
        .zip(node.schema.fields())
        .filter(|(group, _)| matches!(group, GroupColumn::Key(_)))
        .map(|(_, field)| format!("{} {}", field.name(), field.data_type()))
        .collect();
    let calls: Vec<&str> = aggregate.aggregates.iter().map(|call| call.text.as_str()).collect();
    format!(
        "TUMBLE({} ms, offset {} ms) BY [{}] COMPUTE [{}]",
        aggregate.window.size_ms,
        aggregate.window.offset_ms,
        keys.join(", "),
        calls.join(", ")
    )
}

/// Connector and what it stands for.
pub(crate) fn endpoint(table: &Table) -> String {
    match &table.connector {
        Connector::Kafka(kafka) => format!("kafka:{}", kafka.topic),
        Connector::Cassandra(cassandra) => {
            format!("cassandra:{}.{}", cassandra.keyspace, cassandra.table)
        }
        other => format!("{}:{}", other.name(), table.name),
    }
}
