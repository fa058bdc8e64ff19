//! Rows as text, as `show` prints them.

use std::fmt::Write as _;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Schema, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::functions::time::text_of;

/// One value as a cast to text gives it.
pub(super) fn cell(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        return "NULL".to_owned();
    }
    let list = |items: &dyn Array| {
        let items: Vec<String> = (0..items.len()).map(|row| inner(items, row)).collect();
        items.join(", ")
    };
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Timestamp(..) => {
            let micros = arrow::compute::cast(
                &array.slice(row, 1),
                &DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None),
            );
            match micros {
                Ok(micros) => text_of(micros.as_primitive::<TimestampMicrosecondType>().value(0)),
                Err(_) => String::new(),
            }
        }
        DataType::Float64 => real(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            if value == value.trunc() && value.abs() < 1e7 {
                format!("{value:.1}")
            } else {
                value.to_string()
            }
        }
        DataType::Binary => {
            let bytes: Vec<String> = array
                .as_binary::<i32>()
                .value(row)
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect();
            format!("[{}]", bytes.join(" "))
        }
        DataType::List(_) => format!("[{}]", list(array.as_list::<i32>().value(row).as_ref())),
        DataType::Struct(_) => {
            let columns = array.as_struct().columns();
            let values: Vec<String> = columns.iter().map(|one| inner(one.as_ref(), row)).collect();
            format!("{{{}}}", values.join(", "))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let pair = |at| {
                let (key, value) = (entries.column(0), entries.column(1));
                format!("{} -> {}", inner(key.as_ref(), at), inner(value.as_ref(), at))
            };
            format!("{{{}}}", (0..entries.len()).map(pair).collect::<Vec<_>>().join(", "))
        }
        _ => {
            let options = FormatOptions::default();
            ArrayFormatter::try_new(array, &options)
                .map(|formatter| formatter.value(row).to_string())
                .unwrap_or_default()
        }
    }
}

/// Inside of a list or struct NULL is written small.
fn inner(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) { "NULL".to_owned() } else { cell(array, row) }
}

/// A number as Java writes it.
fn real(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else if size != 0.0 && !(1e-3..1e7).contains(&size) {
        let text = format!("{value:E}");
        match text.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
            _ => text,
        }
    } else if value == value.trunc() {
        format!("{value:.1}")
    } else {
        value.to_string()
    }
}

/// The first `most` rows in a frame of lines, cells cut after `truncate` letters (0 for never).
pub(super) fn table(
    schema: &Schema,
    batches: &[RecordBatch],
    most: usize,
    truncate: usize,
    vertical: bool,
) -> String {
    let cut = |text: String| {
        let text = text.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
        match truncate {
            0 => text,
            _ if text.chars().count() <= truncate => text,
            short @ 1..=3 => text.chars().take(short).collect(),
            long => text.chars().take(long - 3).collect::<String>() + "...",
        }
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    for batch in batches {
        for row in 0..batch.num_rows() {
            if rows.len() < most {
                rows.push(batch.columns().iter().map(|one| cut(cell(one.as_ref(), row))).collect());
            }
        }
    }
    let names: Vec<String> =
        schema.fields().iter().map(|field| cut(field.name().clone())).collect();
    let mut text = match vertical {
        true => lines(&names, &rows),
        false => grid(&names, &rows, truncate > 0),
    };
    if total > most {
        let word = if most == 1 { "row" } else { "rows" };
        let _ = writeln!(text, "only showing top {most} {word}");
    }
    text
}

fn grid(names: &[String], rows: &[Vec<String>], right: bool) -> String {
    let mut widths: Vec<usize> = names.iter().map(|name| name.chars().count().max(3)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let rule: String =
        widths.iter().map(|width| format!("+{}", "-".repeat(*width))).collect::<String>() + "+\n";
    let line = |cells: &[String]| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let space = " ".repeat(width - cell.chars().count());
            let _ = match right {
                true => write!(text, "|{space}{cell}"),
                false => write!(text, "|{cell}{space}"),
            };
        }
        text + "|\n"
    };
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{rule}{}{rule}{body}{rule}", line(names))
}

fn lines(names: &[String], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return "(0 rows)\n".to_owned();
    }
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let longest = rows.iter().flatten().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let head = format!("-RECORD {number}");
        let rule = "-".repeat((width + longest + 5).saturating_sub(head.chars().count()));
        let _ = writeln!(text, "{head}{rule}");
        for (name, cell) in names.iter().zip(row) {
            let space = " ".repeat(width - name.chars().count());
            let tail = " ".repeat(longest - cell.chars().count());
            let _ = writeln!(text, " {name}{space} | {cell}{tail} ");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Float64Array, StringArray};
    use std::sync::Arc;

    #[test]
    fn rows_are_shown_in_a_frame_of_lines() {
        let batch = RecordBatch::try_from_iter([
            ("name", Arc::new(StringArray::from(vec![Some("Ann"), None])) as ArrayRef),
            ("x", Arc::new(Float64Array::from(vec![1.0, 2.5e10])) as ArrayRef),
        ])
        .unwrap();
        let text = table(&batch.schema(), std::slice::from_ref(&batch), 20, 20, false);
        let wanted = "+----+------+\n|name|     x|\n+----+------+\n| Ann|   1.0|\n|NULL|2.5E10|\n+----+------+\n";
        assert_eq!(text, wanted);
        let text = table(&batch.schema(), &[batch], 1, 20, false);
        assert!(text.ends_with("only showing top 1 row\n"), "{text}");
    }
}
