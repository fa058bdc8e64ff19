//! Event time: watermarks, windows as keys of a group, duplicates in a stream.

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast};
use tidemill_spark_connect as proto;

use super::super::error::{Kind, Result, SparkError};
use super::super::frame::{Frame, Named, Watermark};
use super::super::functions;
use super::super::functions::window::{WindowSpec, window_of};
use super::super::types;
use super::Walk;
use crate::plan::{tumble_source, watermarked};
use crate::sql::query::Tumble;

/// The delay of a watermark at most.
const DELAY_MS_MAX: i64 = 100 * 365 * 86_400_000;

/// A key of a group.
pub(super) struct Key {
    /// What stands for it in the aggregate's other expressions.
    pub(super) expr: Expr,
    /// The columns that are grouped by.
    pub(super) columns: Vec<String>,
    /// Its value over the aggregate's output.
    pub(super) value: Expr,
}

impl<'a> Walk<'a> {
    pub(super) async fn with_watermark(&mut self, with: &'a proto::WithWatermark) -> Result<Frame> {
        let input = self.input(with.input.as_deref()).await?;
        let (place, _) = input.find(std::slice::from_ref(&with.event_time), None)?;
        if !matches!(input.data_type(place), arrow::datatypes::DataType::Timestamp(..)) {
            let shown = types::simple_string(input.data_type(place)).to_uppercase();
            let name = &with.event_time;
            let text = format!(
                "The event time `{name}` has the invalid type \"{shown}\", but expected \
                 \"TIMESTAMP\"."
            );
            return Err(SparkError::new(
                Kind::Analysis,
                "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
                "42K09",
                &text,
            )
            .with("eventName", format!("`{name}`"))
            .with("eventType", format!("\"{shown}\"")));
        }
        let delay_ms = functions::time::interval_ms(&with.delay_threshold)
            .filter(|delay| (0..=DELAY_MS_MAX).contains(delay))
            .ok_or_else(|| {
                SparkError::argument(format!(
                    "Unable to parse time delay '{}'",
                    with.delay_threshold
                ))
            })?;
        let column = input.columns[place].own.clone();
        let plan = match input.streaming {
            true => watermarked(input.plan.clone(), &column, delay_ms)?,
            // In a frame that ends it has no effect, as in Spark.
            false => input.plan.clone(),
        };
        let watermark = Some(Watermark { column, delay_ms });
        Ok(Frame { plan, watermark, ..input })
    }
}

/// The frame with the keys of a group as further columns. In a stream a window becomes one that
/// event time closes.
pub(super) fn keys(input: Frame, keys: Vec<Named>) -> Result<(Frame, Vec<Key>)> {
    let window = keys.iter().find_map(|key| window_of(&key.expr));
    let streaming = input.streaming;
    let width = input.columns.len();
    let mut named = input.all();
    named.extend(keys.iter().cloned());
    if streaming {
        let Some((time, spec)) = window else {
            return Err(SparkError::unsupported_stream(
                "an aggregation without window(…) over a column with a watermark",
            ));
        };
        return stream_keys(input, keys, time, &spec);
    }
    let frame = functions::generate::project(input, named)?;
    let found = (0..keys.len())
        .map(|place| {
            let own = frame.columns[width + place].own.clone();
            let value = Expr::Column(Column::new_unqualified(&own));
            Key { expr: keys[place].expr.clone(), columns: vec![own], value }
        })
        .collect();
    Ok((frame, found))
}

fn stream_keys(
    input: Frame,
    keys: Vec<Named>,
    time: Expr,
    spec: &WindowSpec,
) -> Result<(Frame, Vec<Key>)> {
    let has_watermark = match &time {
        Expr::Column(column) => {
            input.watermark.as_ref().is_some_and(|watermark| watermark.column == column.name)
        }
        _ => false,
    };
    if !has_watermark {
        let class = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION";
        let text = "Invalid streaming output mode: append. This output mode is not supported for \
                    streaming aggregations without watermark on streaming DataFrames/DataSets.";
        return Err(SparkError::new(Kind::Analysis, class, "42KDE", text));
    }
    if spec.slide_ms != spec.size_ms {
        return Err(SparkError::unsupported_stream("a sliding window"));
    }
    let width = input.columns.len();
    // Every column, every key that is no window, and the time; then the window's bounds.
    let mut named = input.all();
    for key in &keys {
        let expr = if window_of(&key.expr).is_some() { time.clone() } else { key.expr.clone() };
        named.push(Named { name: key.name.clone(), expr });
    }
    let before = input.project(named)?;
    let time_place = keys.iter().position(|key| window_of(&key.expr).is_some()).unwrap_or(0);
    let time_column = before.columns[width + time_place].own.clone();
    let tumble = Tumble {
        marker: "window".to_owned(),
        table: "the stream".to_owned(),
        time_column,
        size_ms: spec.size_ms,
        offset_ms: spec.offset_ms,
        at: crate::sql::Location::default(),
    };
    let source = tumble_source(tumble, before.plan.clone())?;
    let scan = LogicalPlanBuilder::scan("window", source, None)?;
    let all: Vec<Expr> = scan
        .schema()
        .columns()
        .into_iter()
        .map(|one| Expr::Column(one.clone()).alias(one.name))
        .collect();
    let plan = scan.project(all)?.build()?;
    let found = keys
        .into_iter()
        .enumerate()
        .map(|(place, key)| {
            let column = |name: &str| Expr::Column(Column::new_unqualified(name));
            if window_of(&key.expr).is_some() {
                let bound = |name| cast(column(name), types::timestamp());
                let value = functions::struct_of(vec![
                    ("start".to_owned(), bound("window_start")),
                    ("end".to_owned(), bound("window_end")),
                ]);
                let columns = vec!["window_start".to_owned(), "window_end".to_owned()];
                return Key { expr: key.expr, columns, value };
            }
            let own = before.columns[width + place].own.clone();
            Key { expr: key.expr, value: column(&own), columns: vec![own] }
        })
        .collect();
    let frame = Frame { plan, ..before };
    Ok((frame, found))
}

/// `dropDuplicates` in a stream.
pub(super) fn deduplicate(_: Frame, _: &[usize], within: bool) -> Result<Frame> {
    let name = if within { "dropDuplicatesWithinWatermark" } else { "dropDuplicates" };
    Err(SparkError::unsupported_stream(name))
}
