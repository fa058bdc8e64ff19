//! Operators: arithmetic, comparison, logic, `CASE`.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::exec_err;
use datafusion::logical_expr::{BinaryExpr, Case, Expr, Operator, cast, in_list, lit, not};

use super::own::own;
use super::{Call, Result, SparkError, stock};

/// Two operands and a sign.
const BINARY: [(&str, Operator); 18] = [
    ("+", Operator::Plus),
    ("-", Operator::Minus),
    ("*", Operator::Multiply),
    ("%", Operator::Modulo),
    ("mod", Operator::Modulo),
    ("==", Operator::Eq),
    ("=", Operator::Eq),
    ("<=>", Operator::IsNotDistinctFrom),
    ("<", Operator::Lt),
    ("<=", Operator::LtEq),
    (">", Operator::Gt),
    (">=", Operator::GtEq),
    ("and", Operator::And),
    ("or", Operator::Or),
    ("&", Operator::BitwiseAnd),
    ("|", Operator::BitwiseOr),
    ("^", Operator::BitwiseXor),
    ("!=", Operator::NotEq),
];

pub(super) fn call(call: &Call<'_>, args: &[Expr]) -> Result<Option<Expr>> {
    let binary = BINARY.iter().find(|(name, _)| *name == call.name);
    if let (Some((_, operator)), [left, right]) = (binary, args) {
        return Ok(Some(self::binary(call, left, *operator, right)?));
    }
    let one = || call.exactly::<1>(args.to_vec());
    Ok(Some(match call.name {
        "/" => {
            let [left, right] = call.exactly(args.to_vec())?;
            divide(call, left, right, false)?
        }
        "try_divide" => {
            let [left, right] = call.exactly(args.to_vec())?;
            divide(call, left, right, true)?
        }
        "div" => {
            let [left, right] = call.exactly(args.to_vec())?;
            cast(left, DataType::Int64) / cast(right, DataType::Int64)
        }
        "negative" | "-" => Expr::Negative(Box::new(one()?[0].clone())),
        "positive" | "+" => one()?[0].clone(),
        "not" | "!" => not(one()?[0].clone()),
        "~" => {
            let [value] = one()?;
            Expr::BinaryExpr(BinaryExpr::new(
                Box::new(value),
                Operator::BitwiseXor,
                Box::new(lit(-1_i64)),
            ))
        }
        "isnull" => one()?[0].clone().is_null(),
        "isnotnull" => one()?[0].clone().is_not_null(),
        "in" => match args {
            [value, list @ ..] if !list.is_empty() => in_list(value.clone(), list.to_vec(), false),
            _ => return Err(SparkError::wrong_argument_count("in", "> 1", args.len())),
        },
        "between" => {
            let [value, low, high] = call.exactly(args.to_vec())?;
            value.between(low, high)
        }
        "like" | "ilike" => like(call, args)?,
        "rlike" | "regexp" | "regexp_like" => {
            let [value, pattern] = call.exactly(args.to_vec())?;
            let value = call.cast(value, &DataType::Utf8)?;
            stock("regexp_like", vec![value, pattern])?
        }
        "when" => case(args)?,
        "if" | "iff" => {
            let [condition, then, otherwise] = call.exactly(args.to_vec())?;
            case(&[condition, then, otherwise])?
        }
        _ => return Ok(None),
    }))
}

fn binary(call: &Call<'_>, left: &Expr, operator: Operator, right: &Expr) -> Result<Expr> {
    let (mut left, mut right) = (left.clone(), right.clone());
    if !matches!(operator, Operator::And | Operator::Or) {
        let (one, two) = (call.type_of(&left)?, call.type_of(&right)?);
        // A text beside a number is read as one.
        if one == DataType::Utf8 && two.is_numeric() {
            left = call.cast(left, &wider(&two))?;
        } else if two == DataType::Utf8 && one.is_numeric() {
            right = call.cast(right, &wider(&one))?;
        } else if one == DataType::Utf8 && is_time(&two) {
            left = call.cast(left, &two)?;
        } else if two == DataType::Utf8 && is_time(&one) {
            right = call.cast(right, &one)?;
        }
    }
    Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right))))
}

fn wider(number: &DataType) -> DataType {
    if number.is_integer() { DataType::Int64 } else { DataType::Float64 }
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Date32)
}

/// `/` divides into a fraction, and nothing by zero.
fn divide(call: &Call<'_>, left: Expr, right: Expr, tolerant: bool) -> Result<Expr> {
    let decimal =
        |expr: &Expr| Ok::<_, SparkError>(matches!(call.type_of(expr)?, DataType::Decimal128(..)));
    if decimal(&left)? && decimal(&right)? {
        return Ok(left / right);
    }
    let left = call.cast(left, &DataType::Float64)?;
    let right = call.cast(right, &DataType::Float64)?;
    let name = if tolerant { "try_divide" } else { "divide" };
    Ok(own(name, "", DataType::Float64, vec![left, right], move |arrays, rows| {
        let left = arrays[0].as_primitive::<Float64Type>();
        let right = arrays[1].as_primitive::<Float64Type>();
        let mut results = Vec::with_capacity(rows);
        for row in 0..rows {
            if left.is_null(row) || right.is_null(row) {
                results.push(None);
            } else if right.value(row) == 0.0 {
                if !tolerant {
                    return exec_err!("Divide by zero");
                }
                results.push(None);
            } else {
                results.push(Some(left.value(row) / right.value(row)));
            }
        }
        Ok(Arc::new(Float64Array::from(results)))
    }))
}

fn like(call: &Call<'_>, args: &[Expr]) -> Result<Expr> {
    let (value, pattern) = match args {
        [value, pattern] | [value, pattern, _] => (value.clone(), pattern.clone()),
        _ => return Err(SparkError::wrong_argument_count(call.name, "2", args.len())),
    };
    let escape = args.get(2).and_then(super::literal_text).and_then(|text| text.chars().next());
    let value = call.cast(value, &DataType::Utf8)?;
    Ok(Expr::Like(datafusion::logical_expr::Like::new(
        false,
        Box::new(value),
        Box::new(pattern),
        escape,
        call.name == "ilike",
    )))
}

/// Conditions and values in turn, at the end the value for all other rows.
fn case(args: &[Expr]) -> Result<Expr> {
    if args.len() < 2 {
        return Err(SparkError::wrong_argument_count("when", "> 1", args.len()));
    }
    let (pairs, rest) = args.split_at(args.len() / 2 * 2);
    let branches = pairs
        .chunks_exact(2)
        .map(|pair| (Box::new(pair[0].clone()), Box::new(pair[1].clone())))
        .collect();
    Ok(Expr::Case(Case::new(None, branches, rest.first().map(|other| Box::new(other.clone())))))
}

/// How an operator is written in the name of a column; none for other functions.
pub(super) fn shown(name: &str, args: &[&str]) -> Option<String> {
    let sign = match name {
        "==" => "=",
        "and" => "AND",
        "or" => "OR",
        "mod" => "%",
        other => other,
    };
    let known = BINARY.iter().any(|(one, _)| *one == name) || matches!(name, "/" | "div");
    match (name, args) {
        ("!=", [left, right]) => Some(format!("(NOT ({left} = {right}))")),
        (_, [left, right]) if known => Some(format!("({left} {sign} {right})")),
        ("like" | "rlike" | "ilike", [left, right, ..]) => {
            Some(format!("{left} {} {right}", name.to_uppercase()))
        }
        ("not" | "!", [value]) => Some(format!("(NOT {value})")),
        ("negative" | "-", [value]) => Some(format!("(- {value})")),
        ("isnull", [value]) => Some(format!("({value} IS NULL)")),
        ("isnotnull", [value]) => Some(format!("({value} IS NOT NULL)")),
        ("in", [value, list @ ..]) => Some(format!("({value} IN ({}))", list.join(", "))),
        ("when", args) => {
            let mut text = String::from("CASE");
            for pair in args.chunks(2) {
                match pair {
                    [condition, value] => text += &format!(" WHEN {condition} THEN {value}"),
                    [otherwise] => text += &format!(" ELSE {otherwise}"),
                    _ => {}
                }
            }
            Some(text + " END")
        }
        _ => None,
    }
}
