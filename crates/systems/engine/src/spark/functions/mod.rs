//! Spark's functions by name: DataFusion's where it has one of the same meaning, our own where the
//! meaning differs.

pub(super) mod aggregate;
pub(super) mod generate;
pub(super) mod json;
pub(super) mod operators;
pub(super) mod text;
pub(super) mod time;
pub(super) mod window;

mod own;
mod scalars;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, cast, lit};
use tidemill_runtime::Clock;

use super::error::{Result, SparkError};
use super::resolve::Resolved;

/// A call to be made.
pub(super) struct Call<'a> {
    /// In lower case.
    pub(super) name: &'a str,
    /// `count(DISTINCT …)`.
    pub(super) distinct: bool,
    /// What the arguments are over.
    pub(super) schema: &'a DFSchema,
    pub(super) clock: &'a Arc<dyn Clock>,
}

impl Call<'_> {
    /// The type of an argument.
    pub(super) fn type_of(&self, expr: &Expr) -> Result<DataType> {
        Ok(expr.get_type(self.schema)?)
    }

    /// As many arguments as wanted, or Spark's error.
    pub(super) fn exactly<const N: usize>(&self, args: Vec<Expr>) -> Result<[Expr; N]> {
        let found = args.len();
        args.try_into()
            .map_err(|_| SparkError::wrong_argument_count(self.name, &N.to_string(), found))
    }

    /// An argument as another type.
    pub(super) fn cast(&self, expr: Expr, to: &DataType) -> Result<Expr> {
        let from = self.type_of(&expr)?;
        super::resolve::cast_to(expr, &from, to, false)
    }
}

/// The value of a call. A function that nobody knows is an error with Spark's class.
pub(super) fn call(call: &Call<'_>, args: Vec<Expr>) -> Result<Expr> {
    if let Some(made) = operators::call(call, &args)? {
        return Ok(made);
    }
    if let Some(made) = aggregate::call(call, &args)? {
        return Ok(made);
    }
    if let Some(made) = window::call(call, &args)? {
        return Ok(made);
    }
    if let Some(made) = generate::call(call, &args)? {
        return Ok(made);
    }
    if let Some(made) = json::call(call, &args)? {
        return Ok(made);
    }
    if let Some(made) = time::call(call, &args)? {
        return Ok(made);
    }
    if let Some(made) = text::call(call, &args)? {
        return Ok(made);
    }
    if let Some(made) = scalars::call(call, args)? {
        return Ok(made);
    }
    Err(SparkError::unresolved_routine(call.name))
}

/// DataFusion's functions by name.
static STOCK: LazyLock<HashMap<String, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let scalars = datafusion::functions::all_default_functions().into_iter();
    let nested = datafusion::functions_nested::all_default_nested_functions();
    scalars.chain(nested).map(|function| (function.name().to_owned(), function)).collect()
});

/// A function of DataFusion's.
pub(super) fn stock(name: &str, args: Vec<Expr>) -> Result<Expr> {
    match STOCK.get(name) {
        Some(function) => Ok(function.call(args)),
        None => Err(SparkError::unresolved_routine(name)),
    }
}

/// One of DataFusion's that is known to be there.
fn known(name: &str, args: Vec<Expr>) -> Expr {
    STOCK.get(name).expect("the function is among DataFusion's defaults").call(args)
}

/// A field of a struct.
pub(super) fn field_of(of: Expr, name: &str) -> Expr {
    known("get_field", vec![of, lit(name)])
}

/// A value of a map; NULL if there is no such key.
pub(super) fn element_of(of: Expr, key: Expr) -> Result<Expr> {
    let found = stock("map_extract", vec![of, key])?;
    Ok(known("array_element", vec![found, lit(1_i64)]))
}

/// An item of an array, counted from 0.
pub(super) fn item_of(of: Expr, place: Expr) -> Expr {
    known("array_element", vec![of, cast(place, DataType::Int64) + lit(1_i64)])
}

/// A struct of named values.
pub(super) fn struct_of(members: Vec<(String, Expr)>) -> Expr {
    let args = members.into_iter().flat_map(|(name, expr)| [lit(name), expr]).collect();
    known("named_struct", args)
}

/// A number from 0 to 1.
pub(super) fn random() -> Expr {
    known("random", Vec::new())
}

/// Whole units in a number, rounded down: what the seconds of a moment are.
pub(super) fn floor_divide(number: Expr, unit: i64) -> Expr {
    own::one_i64("floor_divide", number, unit, |value, unit| value.div_euclid(unit))
}

/// How a call is written in the name of a column.
pub(super) fn shown(name: &str, args: &[Resolved], distinct: bool) -> String {
    let sql: Vec<&str> = args.iter().map(|one| one.sql.as_str()).collect();
    if let Some(text) = operators::shown(name, &sql) {
        return text;
    }
    // The schema of from_json is no part of its name.
    let sql = match (name, sql.as_slice()) {
        ("from_json" | "from_csv", [first, ..]) => vec![*first],
        ("window", [first, size]) => vec![*first, *size, *size, "0"],
        _ => sql,
    };
    let word = if distinct { "DISTINCT " } else { "" };
    let name = match name {
        "mean" => "avg",
        "ceiling" => "CEIL",
        "ceil" => "CEIL",
        "floor" => "FLOOR",
        "pow" | "power" => "POWER",
        "ln" => "ln",
        other => other,
    };
    format!("{name}({word}{})", sql.join(", "))
}

/// The text of a literal argument.
pub(super) fn literal_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text),
        _ => None,
    }
}

/// The number of a literal argument.
pub(super) fn literal_number(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(number)), _) => Some(*number),
        Expr::Literal(ScalarValue::Int32(Some(number)), _) => Some(i64::from(*number)),
        Expr::Literal(ScalarValue::Int16(Some(number)), _) => Some(i64::from(*number)),
        Expr::Literal(ScalarValue::Int8(Some(number)), _) => Some(i64::from(*number)),
        Expr::Negative(inner) => literal_number(inner).map(|number| -number),
        _ => None,
    }
}
