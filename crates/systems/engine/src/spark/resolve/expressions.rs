//! Expressions: names to columns, functions to DataFusion's or our own, and the name a column gets
//! that nobody named.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ExprSchemable, lit};
use tidemill_spark_connect::{
    self as proto, CastToType, EvalMode, ExprType, Expression, NullOrdering, SortDirection,
};

use super::super::error::{Result, SparkError};
use super::super::frame::{Frame, Named};
use super::super::functions::{self, Call};
use super::super::sql;
use super::super::types;
use super::cast::cast_to;
use super::{Walk, literal};

/// An expression with its names.
#[derive(Debug, Clone)]
pub(in crate::spark) struct Resolved {
    pub(in crate::spark) expr: Expr,
    /// The column's name.
    pub(in crate::spark) name: String,
    /// How it is written inside of another one.
    pub(in crate::spark) sql: String,
}

impl Resolved {
    pub(in crate::spark) fn new(expr: Expr, sql: impl Into<String>) -> Resolved {
        let sql = sql.into();
        Resolved { expr, name: sql.clone(), sql }
    }

    pub(super) fn named(self) -> Named {
        Named { name: self.name, expr: self.expr }
    }
}

impl Walk<'_> {
    /// The columns of a `select`: stars are spread.
    pub(super) fn select(&self, expressions: &[Expression], frame: &Frame) -> Result<Vec<Named>> {
        let mut named = Vec::with_capacity(expressions.len());
        for expression in expressions {
            match self.star(expression, frame)? {
                Some(columns) => named.extend(columns),
                None => named.push(self.expression(expression, frame)?.named()),
            }
        }
        Ok(named)
    }

    /// The columns of `*`, `t.*` or `struct.*`; none if it is no star.
    fn star(&self, expression: &Expression, frame: &Frame) -> Result<Option<Vec<Named>>> {
        let text;
        let (target, plan_id) = match &expression.expr_type {
            Some(ExprType::UnresolvedStar(star)) => (star.unparsed_target.as_deref(), star.plan_id),
            Some(ExprType::ExpressionString(string)) => {
                text = string.expression.trim();
                match text.strip_suffix('*') {
                    Some("") => (None, None),
                    Some(_) if text.ends_with(".*") => (Some(text), None),
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        let Some(target) = target.filter(|target| !target.is_empty()) else {
            let all = frame.all().into_iter().zip(&frame.columns);
            let wanted = all.filter(|(_, column)| {
                plan_id.is_none_or(|plan_id| {
                    column.plan_ids.contains(&plan_id)
                        || !frame.columns.iter().any(|one| one.plan_ids.contains(&plan_id))
                })
            });
            return Ok(Some(wanted.map(|(named, _)| named).collect()));
        };
        let target = target.strip_suffix(".*").unwrap_or(target);
        let parts = name_parts(target)?;
        if let [qualifier] = parts.as_slice() {
            let places: Vec<usize> = (0..frame.columns.len())
                .filter(|place| {
                    let qualifiers = &frame.columns[*place].qualifiers;
                    qualifiers.iter().any(|one| one.eq_ignore_ascii_case(qualifier))
                })
                .collect();
            if !places.is_empty() {
                let named = |place: usize| Named {
                    name: frame.columns[place].name.clone(),
                    expr: frame.column(place),
                };
                return Ok(Some(places.into_iter().map(named).collect()));
            }
        }
        let inner = self.attribute(&parts, None, frame)?;
        let DataType::Struct(fields) = inner.expr.get_type(frame.plan.schema())? else {
            let text = format!("Can only star expand struct data types. Attribute: `{target}`.");
            return Err(SparkError::analysis(text));
        };
        let field = |name: &String| Named {
            name: name.clone(),
            expr: functions::field_of(inner.expr.clone(), name),
        };
        Ok(Some(fields.iter().map(|one| field(one.name())).collect()))
    }

    /// One expression over a frame's columns.
    pub(super) fn expression(&self, expression: &Expression, frame: &Frame) -> Result<Resolved> {
        let kind = expression.expr_type.as_ref();
        let kind = kind.ok_or_else(|| SparkError::unsupported("an expression of unknown kind"))?;
        match kind {
            ExprType::Literal(value) => {
                let (value, sql) = literal(value)?;
                Ok(Resolved::new(lit(value), sql))
            }
            ExprType::UnresolvedAttribute(attribute) => {
                let parts = name_parts(&attribute.unparsed_identifier)?;
                self.attribute(&parts, attribute.plan_id, frame)
            }
            ExprType::UnresolvedFunction(function) => {
                self.call(&function.function_name, &function.arguments, function.is_distinct, frame)
            }
            ExprType::CallFunction(call) => {
                self.call(&call.function_name, &call.arguments, false, frame)
            }
            ExprType::ExpressionString(text) => {
                let parsed = sql::expression(&text.expression)?;
                self.expression(&parsed, frame)
            }
            ExprType::Alias(alias) => self.alias(alias, frame),
            ExprType::Cast(cast) => self.cast(cast, frame),
            ExprType::UnresolvedExtractValue(extract) => self.extract(extract, frame),
            ExprType::UpdateFields(update) => self.update_fields(update, frame),
            ExprType::SortOrder(order) => {
                // The order itself is read where it matters.
                self.expression(child(order.child.as_deref())?, frame)
            }
            ExprType::Window(window) => self.window_function(window, frame),
            ExprType::UnresolvedStar(_) => Err(SparkError::analysis(
                "Invalid usage of '*' in an expression: it stands in a select or in count(*)",
            )),
            ExprType::CommonInlineUserDefinedFunction(function) => {
                let what = format!("user-defined function {} in Python", function.function_name);
                Err(SparkError::unsupported(what))
            }
            other => Err(SparkError::unsupported(format!("expression {}", other.name()))),
        }
    }

    pub(super) fn attribute(
        &self,
        parts: &[String],
        plan_id: Option<i64>,
        frame: &Frame,
    ) -> Result<Resolved> {
        let (place, fields) = frame.find(parts, plan_id)?;
        let mut expr = frame.column(place);
        for field in fields {
            expr = self.field(expr, field, frame)?;
        }
        let name = match fields.last() {
            Some(field) => field.clone(),
            None => frame.columns[place].name.clone(),
        };
        let sql = match fields {
            [] => name.clone(),
            _ => parts.join("."),
        };
        Ok(Resolved { expr, name, sql })
    }

    /// A field of a struct, of each struct of an array, or a value of a map.
    fn field(&self, of: Expr, name: &str, frame: &Frame) -> Result<Expr> {
        match of.get_type(frame.plan.schema())? {
            DataType::Struct(fields) => {
                let found = fields.iter().find(|field| field.name().eq_ignore_ascii_case(name));
                let Some(found) = found else {
                    let all: Vec<String> =
                        fields.iter().map(|field| format!("`{}`", field.name())).collect();
                    let all = all.join(", ");
                    let text = format!("No such struct field `{name}` in {all}.");
                    let kind = super::super::error::Kind::Analysis;
                    return Err(SparkError::new(kind, "FIELD_NOT_FOUND", "42704", &text)
                        .with("fieldName", format!("`{name}`"))
                        .with("fields", all));
                };
                Ok(functions::field_of(of, found.name()))
            }
            DataType::Map(..) => functions::element_of(of, lit(name)),
            other => {
                let shown = types::simple_string(&other).to_uppercase();
                let text = format!(
                    "Can't extract a value from \"{name}\". Need a complex type [STRUCT, ARRAY, MAP] \
                     but got \"{shown}\"."
                );
                let kind = super::super::error::Kind::Analysis;
                Err(SparkError::new(kind, "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", &text)
                    .with("base", format!("\"{name}\""))
                    .with("other", format!("\"{shown}\"")))
            }
        }
    }

    fn extract(&self, extract: &proto::UnresolvedExtractValue, frame: &Frame) -> Result<Resolved> {
        let of = self.expression(child(extract.child.as_deref())?, frame)?;
        let key = self.expression(child(extract.extraction.as_deref())?, frame)?;
        if let Expr::Literal(ScalarValue::Utf8(Some(name)), _) = &key.expr {
            let expr = self.field(of.expr, name, frame)?;
            return Ok(Resolved { expr, name: name.clone(), sql: format!("{}.{name}", of.sql) });
        }
        let sql = format!("{}[{}]", of.sql, key.sql);
        let data_type = of.expr.get_type(frame.plan.schema())?;
        let expr = match data_type {
            DataType::List(_) => functions::item_of(of.expr, key.expr),
            _ => functions::element_of(of.expr, key.expr)?,
        };
        Ok(Resolved::new(expr, sql))
    }

    fn alias(&self, alias: &proto::Alias, frame: &Frame) -> Result<Resolved> {
        let inner = self.expression(child(alias.expr.as_deref())?, frame)?;
        match alias.name.as_slice() {
            [name] => Ok(Resolved { expr: inner.expr, name: name.clone(), sql: name.clone() }),
            _ => Err(SparkError::unsupported("an alias of several names")),
        }
    }

    fn cast(&self, cast: &proto::Cast, frame: &Frame) -> Result<Resolved> {
        let of_expression = child(cast.expr.as_deref())?;
        let inner = self.expression(of_expression, frame)?;
        let target = match &cast.cast_to_type {
            Some(CastToType::Type(target)) => types::from_proto(target)?,
            Some(CastToType::TypeStr(text)) => types::parse(text)?,
            None => return Err(SparkError::invalid_plan("a cast without type")),
        };
        let word = if cast.eval_mode() == EvalMode::Try { "TRY_CAST" } else { "CAST" };
        let shown = types::simple_string(&target).to_uppercase();
        let sql = format!("{word}({} AS {shown})", inner.sql);
        let from = inner.expr.get_type(frame.plan.schema())?;
        let expr = cast_to(inner.expr.clone(), &from, &target, cast.eval_mode() == EvalMode::Try)?;
        // A column that is only cast keeps its name.
        let keeps = matches!(inner.expr, Expr::Column(_))
            || matches!(of_expression.expr_type, Some(ExprType::Alias(_)))
            || (matches!(of_expression.expr_type, Some(ExprType::UnresolvedAttribute(_))));
        let name = if keeps { inner.name } else { sql.clone() };
        Ok(Resolved { expr, name, sql })
    }

    fn update_fields(&self, update: &proto::UpdateFields, frame: &Frame) -> Result<Resolved> {
        let of = self.expression(child(update.struct_expression.as_deref())?, frame)?;
        let DataType::Struct(fields) = of.expr.get_type(frame.plan.schema())? else {
            return Err(SparkError::analysis("update_fields needs a struct"));
        };
        let value = match update.value_expression.as_deref() {
            Some(value) => Some(self.expression(value, frame)?.expr),
            None => None,
        };
        let mut members: Vec<(String, Expr)> = fields
            .iter()
            .map(|field| (field.name().clone(), functions::field_of(of.expr.clone(), field.name())))
            .collect();
        let place = members.iter().position(|(name, _)| *name == update.field_name);
        match (place, value) {
            (Some(place), Some(value)) => members[place].1 = value,
            (Some(place), None) => drop(members.remove(place)),
            (None, Some(value)) => members.push((update.field_name.clone(), value)),
            (None, None) => {}
        }
        Ok(Resolved::new(functions::struct_of(members), "update_fields()"))
    }

    fn call(
        &self,
        name: &str,
        arguments: &[Expression],
        distinct: bool,
        frame: &Frame,
    ) -> Result<Resolved> {
        let lower = name.to_lowercase();
        if lower == "count"
            && let [only] = arguments
            && self.star(only, frame)?.is_some()
        {
            let expr = functions::aggregate::count_rows();
            return Ok(Resolved::new(expr, "count(1)"));
        }
        if lower == "struct" {
            return self.structure(arguments, frame);
        }
        let mut resolved = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match self.star(argument, frame)? {
                Some(columns) => resolved
                    .extend(columns.into_iter().map(|named| Resolved::new(named.expr, named.name))),
                None => resolved.push(self.expression(argument, frame)?),
            }
        }
        let clock = &self.resolver.session.world.clock;
        let call = Call { name: &lower, distinct, schema: frame.plan.schema(), clock };
        let sql = functions::shown(&lower, &resolved, distinct);
        let name = if lower == "window" { "window".to_owned() } else { sql.clone() };
        let exprs = resolved.into_iter().map(|one| one.expr).collect();
        Ok(Resolved { expr: functions::call(&call, exprs)?, name, sql })
    }

    /// `struct(a, b AS c)`: its fields have the columns' names.
    fn structure(&self, arguments: &[Expression], frame: &Frame) -> Result<Resolved> {
        let named = self.select(arguments, frame)?;
        let shown: Vec<String> = named.iter().map(|one| one.name.clone()).collect();
        let members = named.into_iter().enumerate().map(|(place, one)| {
            let plain = matches!(one.expr, Expr::Literal(..));
            (if plain { format!("col{}", place + 1) } else { one.name }, one.expr)
        });
        let expr = functions::struct_of(members.collect());
        Ok(Resolved::new(expr, format!("struct({})", shown.join(", "))))
    }

    fn window_function(&self, window: &proto::Window, frame: &Frame) -> Result<Resolved> {
        let inner = self.expression(child(window.window_function.as_deref())?, frame)?;
        let partition = window
            .partition_spec
            .iter()
            .map(|one| Ok(self.expression(one, frame)?.expr))
            .collect::<Result<Vec<_>>>()?;
        let order = self.orders(&window.order_spec, frame)?;
        let expr =
            functions::window::over(inner.expr, partition, order, window.frame_spec.as_deref())?;
        Ok(Resolved::new(expr, format!("{} OVER (...)", inner.sql)))
    }

    /// `ORDER BY`.
    pub(super) fn orders(&self, orders: &[proto::SortOrder], frame: &Frame) -> Result<Vec<Sort>> {
        orders
            .iter()
            .map(|order| {
                let expr = self.expression(child(order.child.as_deref())?, frame)?.expr;
                Ok(directed(expr, order))
            })
            .collect()
    }
}

/// An expression in the direction of an order.
pub(super) fn directed(expr: Expr, order: &proto::SortOrder) -> Sort {
    let ascending = order.direction() != SortDirection::Descending;
    // Spark's NULLs are the smallest values.
    let nulls_first = match order.null_ordering() {
        NullOrdering::First => true,
        NullOrdering::Last => false,
        NullOrdering::Unspecified => ascending,
    };
    expr.sort(ascending, nulls_first)
}

/// An expression that has to be there.
pub(super) fn child(expression: Option<&Expression>) -> Result<&Expression> {
    expression.ok_or_else(|| SparkError::invalid_plan("an expression without its part"))
}

/// `a.b` and `` `a.b`.c `` in parts.
pub(in crate::spark) fn name_parts(text: &str) -> Result<Vec<String>> {
    let wrong = || {
        let text = format!(
            "Syntax error in the attribute name: {text}. Check that backticks appear in pairs."
        );
        let kind = super::super::error::Kind::Analysis;
        SparkError::new(kind, "INVALID_ATTRIBUTE_NAME_SYNTAX", "42601", &text)
    };
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '`' if quoted && letters.peek() == Some(&'`') => {
                letters.next();
                part.push('`');
            }
            '`' => quoted = !quoted,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            letter => part.push(letter),
        }
    }
    if quoted || (part.is_empty() && !parts.is_empty()) {
        return Err(wrong());
    }
    parts.push(part);
    Ok(parts)
}
