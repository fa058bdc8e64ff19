//! Functions of texts whose meaning is Spark's own.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListBuilder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;

use super::own::own;
use super::{Call, Result, SparkError, literal_number, stock};
use crate::spark::types::list_of;

/// Without the space around it.
pub(in crate::spark) fn trimmed(text: Expr) -> Expr {
    super::known("btrim", vec![text])
}

/// A struct, array or map as text.
pub(in crate::spark) fn shown(value: Expr) -> Expr {
    own("cast_to_string", "", DataType::Utf8, vec![value], |arrays, rows| {
        let array = &arrays[0];
        let mut builder = StringBuilder::new();
        for row in 0..rows {
            match array.is_null(row) {
                true => builder.append_null(),
                false => builder.append_value(crate::spark::show::cell(array.as_ref(), row)),
            }
        }
        Ok(Arc::new(builder.finish()))
    })
}

pub(super) fn call(call: &Call<'_>, args: &[Expr]) -> Result<Option<Expr>> {
    let texts = |args: &[Expr]| {
        args.iter().map(|one| call.cast(one.clone(), &DataType::Utf8)).collect::<Result<Vec<_>>>()
    };
    Ok(Some(match call.name {
        // NULL if any part is, unlike DataFusion's.
        "concat" => {
            let lists = args.iter().map(|one| call.type_of(one)).collect::<Result<Vec<_>>>()?;
            if lists.iter().any(|one| matches!(one, DataType::List(_))) {
                return Ok(Some(stock("array_concat", args.to_vec())?));
            }
            own("concat", "", DataType::Utf8, texts(args)?, |arrays, rows| {
                let parts: Vec<_> = arrays.iter().map(|one| one.as_string::<i32>()).collect();
                let mut builder = StringBuilder::new();
                for row in 0..rows {
                    match parts.iter().any(|part| part.is_null(row)) {
                        true => builder.append_null(),
                        false => builder.append_value(
                            parts.iter().map(|part| part.value(row)).collect::<String>(),
                        ),
                    }
                }
                Ok(Arc::new(builder.finish()))
            })
        }
        "split" => split(call, args)?,
        "substring" | "substr" => substring(call, args)?,
        "regexp_extract" => extract(call, args)?,
        "regexp_replace" => {
            let mut all = texts(args)?;
            all.truncate(3);
            all.push(datafusion::logical_expr::lit("g"));
            stock("regexp_replace", all)?
        }
        _ => return Ok(None),
    }))
}

fn pattern(text: &str) -> datafusion::common::Result<regex::Regex> {
    regex::RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| datafusion::common::DataFusionError::Execution(error.to_string()))
}

/// Pieces between matches of a pattern.
fn split(call: &Call<'_>, args: &[Expr]) -> Result<Expr> {
    let (text, by, limit) = match args {
        [text, by] => (text, by, -1),
        [text, by, limit] => (text, by, literal_number(limit).unwrap_or(-1)),
        _ => return Err(SparkError::wrong_argument_count("split", "[2, 3]", args.len())),
    };
    let text = call.cast(text.clone(), &DataType::Utf8)?;
    let returns = list_of(DataType::Utf8, true);
    Ok(own("split", limit.to_string(), returns, vec![text, by.clone()], move |arrays, rows| {
        let (texts, patterns) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
        let mut builder = ListBuilder::new(StringBuilder::new());
        let mut last: Option<(String, regex::Regex)> = None;
        for row in 0..rows {
            if texts.is_null(row) || patterns.is_null(row) {
                builder.append_null();
                continue;
            }
            let wanted = patterns.value(row);
            if last.as_ref().is_none_or(|(known, _)| known != wanted) {
                last = Some((wanted.to_owned(), pattern(wanted)?));
            }
            let Some((_, pattern)) = &last else { continue };
            let pieces: Vec<&str> = match usize::try_from(limit) {
                Ok(limit @ 1..) => pattern.splitn(texts.value(row), limit).collect(),
                _ => pattern.split(texts.value(row)).collect(),
            };
            pieces.into_iter().for_each(|piece| builder.values().append_value(piece));
            builder.append(true);
        }
        Ok(Arc::new(builder.finish()))
    }))
}

/// Counted from 1, from the end if negative; 0 is 1.
fn substring(call: &Call<'_>, args: &[Expr]) -> Result<Expr> {
    let text = |one: &Expr| call.cast(one.clone(), &DataType::Utf8);
    let whole = |one: &Expr| call.cast(one.clone(), &DataType::Int64);
    let args = match args {
        [value, start] => vec![text(value)?, whole(start)?],
        [value, start, length] => vec![text(value)?, whole(start)?, whole(length)?],
        _ => return Err(SparkError::wrong_argument_count("substring", "[2, 3]", args.len())),
    };
    Ok(own("substring", "", DataType::Utf8, args, |arrays, rows| {
        use arrow::datatypes::Int64Type;
        let texts = arrays[0].as_string::<i32>();
        let starts = arrays[1].as_primitive::<Int64Type>();
        let lengths = arrays.get(2).map(|one| one.as_primitive::<Int64Type>());
        let mut builder = StringBuilder::new();
        for row in 0..rows {
            let no_length = lengths.is_some_and(|lengths| lengths.is_null(row));
            if texts.is_null(row) || starts.is_null(row) || no_length {
                builder.append_null();
                continue;
            }
            let text = texts.value(row);
            let count = text.chars().count() as i64;
            let start = match starts.value(row) {
                start if start > 0 => start - 1,
                0 => 0,
                start => count + start,
            };
            let length = lengths.map_or(i64::MAX, |lengths| lengths.value(row));
            let end = start.saturating_add(length).clamp(0, count);
            let start = start.clamp(0, count);
            let taken = (end - start).max(0) as usize;
            builder.append_value(text.chars().skip(start as usize).take(taken).collect::<String>());
        }
        Ok(Arc::new(builder.finish()))
    }))
}

/// A group of the first match; an empty text if there is none.
fn extract(call: &Call<'_>, args: &[Expr]) -> Result<Expr> {
    let (text, by, group) = match args {
        [text, by] => (text, by, 1),
        [text, by, group] => (text, by, literal_number(group).unwrap_or(1)),
        _ => return Err(SparkError::wrong_argument_count("regexp_extract", "[2, 3]", args.len())),
    };
    let text = call.cast(text.clone(), &DataType::Utf8)?;
    let args = vec![text, by.clone()];
    Ok(own("regexp_extract", group.to_string(), DataType::Utf8, args, move |arrays, rows| {
        let (texts, patterns) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
        let mut builder = StringBuilder::new();
        let mut last: Option<(String, regex::Regex)> = None;
        for row in 0..rows {
            if texts.is_null(row) || patterns.is_null(row) {
                builder.append_null();
                continue;
            }
            let wanted = patterns.value(row);
            if last.as_ref().is_none_or(|(known, _)| known != wanted) {
                last = Some((wanted.to_owned(), pattern(wanted)?));
            }
            let Some((_, pattern)) = &last else { continue };
            let group = usize::try_from(group).unwrap_or(0);
            let found = pattern.captures(texts.value(row));
            let found = found.and_then(|found| found.get(group).map(|one| one.as_str()));
            builder.append_value(found.unwrap_or_default());
        }
        Ok(Arc::new(builder.finish()))
    }))
}
