//! An expression of SQL as the expression a data frame would send.

use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, CastKind, CeilFloorKind, DuplicateTreatment, Expr, FunctionArg,
    FunctionArgExpr, FunctionArguments, UnaryOperator, Value, WindowType,
};
use tidemill_spark_connect::{
    self as proto, CastToType, EvalMode, ExprType, Expression, LiteralType, NullOrdering,
    SortDirection, SortOrder,
};

use super::super::error::{Result, SparkError};

fn made(kind: ExprType) -> Expression {
    Expression { expr_type: Some(kind) }
}

fn literal(kind: LiteralType) -> Expression {
    made(ExprType::Literal(proto::Literal { literal_type: Some(kind) }))
}

pub(super) fn star(target: Option<String>) -> Expression {
    let star = proto::UnresolvedStar { unparsed_target: target, plan_id: None };
    made(ExprType::UnresolvedStar(star))
}

fn call(name: &str, arguments: Vec<Expression>) -> Expression {
    made(ExprType::UnresolvedFunction(proto::UnresolvedFunction {
        function_name: name.to_owned(),
        arguments,
        ..proto::UnresolvedFunction::default()
    }))
}

/// A name, its parts in backticks.
fn attribute<'i>(parts: impl Iterator<Item = &'i ast::Ident>) -> Expression {
    let parts: Vec<String> =
        parts.map(|part| format!("`{}`", part.value.replace('`', "``"))).collect();
    made(ExprType::UnresolvedAttribute(proto::UnresolvedAttribute {
        unparsed_identifier: parts.join("."),
        ..proto::UnresolvedAttribute::default()
    }))
}

/// The expression of a text. Its depth is bounded by the parser's.
pub(in crate::spark) fn lower(expr: &Expr) -> Result<Expression> {
    Ok(match expr {
        Expr::Identifier(name) => attribute(std::iter::once(name)),
        Expr::CompoundIdentifier(parts) => attribute(parts.iter()),
        Expr::CompoundFieldAccess { root, access_chain } => access(lower(root)?, access_chain)?,
        Expr::Nested(inner) => lower(inner)?,
        Expr::Value(value) => constant(&value.value)?,
        Expr::IsNull(of) => call("isnull", vec![lower(of)?]),
        Expr::IsNotNull(of) => call("isnotnull", vec![lower(of)?]),
        Expr::IsTrue(of) => call("<=>", vec![lower(of)?, literal(LiteralType::Boolean(true))]),
        Expr::IsFalse(of) => call("<=>", vec![lower(of)?, literal(LiteralType::Boolean(false))]),
        Expr::IsNotTrue(of) => {
            negated(call("<=>", vec![lower(of)?, literal(LiteralType::Boolean(true))]), true)
        }
        Expr::IsNotFalse(of) => {
            negated(call("<=>", vec![lower(of)?, literal(LiteralType::Boolean(false))]), true)
        }
        Expr::IsNotDistinctFrom(one, two) => call("<=>", vec![lower(one)?, lower(two)?]),
        Expr::IsDistinctFrom(one, two) => {
            negated(call("<=>", vec![lower(one)?, lower(two)?]), true)
        }
        Expr::InList { expr, list, negated: not } => {
            let mut arguments = vec![lower(expr)?];
            for item in list {
                arguments.push(lower(item)?);
            }
            negated(call("in", arguments), *not)
        }
        Expr::Between { expr, negated: not, low, high } => {
            negated(call("between", vec![lower(expr)?, lower(low)?, lower(high)?]), *not)
        }
        Expr::Like { negated: not, expr, pattern, .. } => {
            negated(call("like", vec![lower(expr)?, lower(pattern)?]), *not)
        }
        Expr::ILike { negated: not, expr, pattern, .. } => {
            negated(call("ilike", vec![lower(expr)?, lower(pattern)?]), *not)
        }
        Expr::RLike { negated: not, expr, pattern, .. } => {
            negated(call("rlike", vec![lower(expr)?, lower(pattern)?]), *not)
        }
        Expr::BinaryOp { left, op, right } => binary(lower(left)?, op, lower(right)?)?,
        Expr::UnaryOp { op, expr } => unary(op, lower(expr)?)?,
        Expr::Cast { kind, expr, data_type, .. } => cast(kind, lower(expr)?, data_type),
        Expr::Case { operand, conditions, else_result, .. } => {
            case(operand.as_deref(), conditions, else_result.as_deref())?
        }
        Expr::Function(function) => function_call(function)?,
        Expr::Extract { field, expr, .. } => {
            call(&field.to_string().to_lowercase(), vec![lower(expr)?])
        }
        Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(_) } => {
            call("ceil", vec![lower(expr)?])
        }
        Expr::Floor { expr, field: CeilFloorKind::DateTimeField(_) } => {
            call("floor", vec![lower(expr)?])
        }
        Expr::Position { expr, r#in } => call("instr", vec![lower(r#in)?, lower(expr)?]),
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let mut arguments = vec![lower(expr)?];
            for part in [substring_from, substring_for].into_iter().flatten() {
                arguments.push(lower(part)?);
            }
            call("substring", arguments)
        }
        Expr::Trim { expr, trim_where: None, trim_what: None, .. } => {
            call("trim", vec![lower(expr)?])
        }
        Expr::TypedString(typed) => {
            let text = constant(&typed.value.value)?;
            cast(&CastKind::Cast, text, &typed.data_type)
        }
        Expr::Struct { values, .. } => {
            call("struct", values.iter().map(lower).collect::<Result<Vec<_>>>()?)
        }
        Expr::Array(array) => {
            call("array", array.elem.iter().map(lower).collect::<Result<Vec<_>>>()?)
        }
        Expr::Interval(interval) => duration(interval)?,
        other => return Err(SparkError::unsupported(format!("the expression {other}"))),
    })
}

fn negated(expression: Expression, not: bool) -> Expression {
    if not { call("not", vec![expression]) } else { expression }
}

fn access(root: Expression, chain: &[ast::AccessExpr]) -> Result<Expression> {
    let mut inner = root;
    for step in chain {
        let extraction = match step {
            ast::AccessExpr::Dot(Expr::Identifier(name)) => {
                literal(LiteralType::String(name.value.clone()))
            }
            ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => lower(index)?,
            other => return Err(SparkError::unsupported(format!("the expression {other}"))),
        };
        inner = made(ExprType::UnresolvedExtractValue(Box::new(proto::UnresolvedExtractValue {
            child: Some(Box::new(inner)),
            extraction: Some(Box::new(extraction)),
        })));
    }
    Ok(inner)
}

fn constant(value: &Value) -> Result<Expression> {
    Ok(literal(match value {
        Value::Number(text, _) => number(text)?,
        Value::SingleQuotedString(text)
        | Value::DoubleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::SingleQuotedRawStringLiteral(text)
        | Value::DoubleQuotedRawStringLiteral(text) => LiteralType::String(text.clone()),
        Value::Boolean(value) => LiteralType::Boolean(*value),
        Value::Null => LiteralType::Null(proto::DataType {
            kind: Some(proto::DataTypeKind::Null(proto::NullType::default())),
        }),
        Value::HexStringLiteral(text) => LiteralType::Binary(hex(text)?.into()),
        other => return Err(SparkError::unsupported(format!("the literal {other}"))),
    }))
}

/// An `INT` if it fits, else a `BIGINT`; with a point a `DECIMAL`, with an exponent a `DOUBLE`.
fn number(text: &str) -> Result<LiteralType> {
    if let Ok(value) = text.parse::<i32>() {
        return Ok(LiteralType::Integer(value));
    }
    if let Ok(value) = text.parse::<i64>() {
        return Ok(LiteralType::Long(value));
    }
    let lower = text.to_lowercase();
    let real = |text: &str| text.parse::<f64>().ok();
    let wrong = || SparkError::argument(format!("the number {text} is out of range"));
    match lower.chars().last() {
        Some('l') => {
            let number = lower.trim_end_matches('l').parse().map_err(|_| wrong())?;
            return Ok(LiteralType::Long(number));
        }
        Some('d') => {
            return real(lower.trim_end_matches('d')).map(LiteralType::Double).ok_or_else(wrong);
        }
        _ => {}
    }
    if lower.contains('e') {
        return real(&lower).map(LiteralType::Double).ok_or_else(wrong);
    }
    let fraction = lower.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = lower.chars().filter(char::is_ascii_digit).collect::<String>();
    let precision = digits.trim_start_matches('0').len().max(fraction.len()).max(1);
    Ok(LiteralType::Decimal(proto::LiteralDecimal {
        value: lower.clone(),
        precision: i32::try_from(precision).ok(),
        scale: i32::try_from(fraction.len()).ok(),
    }))
}

fn hex(text: &str) -> Result<Vec<u8>> {
    let wrong = || SparkError::argument(format!("X'{text}' is no binary literal"));
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    digits.chunks_exact(2).map(|pair| byte(pair).ok_or_else(wrong)).collect()
}

fn binary(left: Expression, op: &BinaryOperator, right: Expression) -> Result<Expression> {
    let name = match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::MyIntegerDivide | BinaryOperator::DuckIntegerDivide => "div",
        BinaryOperator::Eq => "==",
        BinaryOperator::NotEq => "!=",
        BinaryOperator::Spaceship => "<=>",
        BinaryOperator::Lt => "<",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Gt => ">",
        BinaryOperator::GtEq => ">=",
        BinaryOperator::And => "and",
        BinaryOperator::Or => "or",
        BinaryOperator::BitwiseAnd => "&",
        BinaryOperator::BitwiseOr => "|",
        BinaryOperator::BitwiseXor => "^",
        BinaryOperator::StringConcat => "concat",
        other => return Err(SparkError::unsupported(format!("the operator {other}"))),
    };
    Ok(call(name, vec![left, right]))
}

fn unary(op: &UnaryOperator, of: Expression) -> Result<Expression> {
    match op {
        UnaryOperator::Not | UnaryOperator::BangNot => Ok(negated(of, true)),
        UnaryOperator::Plus => Ok(of),
        UnaryOperator::Minus => Ok(minus(of)),
        other => Err(SparkError::unsupported(format!("the operator {other}"))),
    }
}

/// A negative number is a literal.
fn minus(of: Expression) -> Expression {
    if let Some(ExprType::Literal(proto::Literal { literal_type: Some(kind) })) = &of.expr_type {
        match kind {
            LiteralType::Integer(value) => return literal(LiteralType::Integer(-value)),
            LiteralType::Long(value) => return literal(LiteralType::Long(-value)),
            LiteralType::Double(value) => return literal(LiteralType::Double(-value)),
            _ => {}
        }
    }
    call("negative", vec![of])
}

fn cast(kind: &CastKind, of: Expression, data_type: &ast::DataType) -> Expression {
    let eval_mode = match kind {
        CastKind::TryCast | CastKind::SafeCast => EvalMode::Try,
        _ => EvalMode::Unspecified,
    };
    made(ExprType::Cast(Box::new(proto::Cast {
        expr: Some(Box::new(of)),
        cast_to_type: Some(CastToType::TypeStr(data_type.to_string())),
        eval_mode: eval_mode as i32,
    })))
}

fn case(
    operand: Option<&Expr>,
    conditions: &[ast::CaseWhen],
    otherwise: Option<&Expr>,
) -> Result<Expression> {
    let mut arguments = Vec::with_capacity(conditions.len() * 2 + 1);
    for when in conditions {
        let condition = lower(&when.condition)?;
        arguments.push(match operand {
            Some(operand) => call("==", vec![lower(operand)?, condition]),
            None => condition,
        });
        arguments.push(lower(&when.result)?);
    }
    if let Some(otherwise) = otherwise {
        arguments.push(lower(otherwise)?);
    }
    Ok(call("when", arguments))
}

fn function_call(function: &ast::Function) -> Result<Expression> {
    let name = function.name.to_string().replace('`', "").to_lowercase();
    if function.filter.is_some() || !function.within_group.is_empty() {
        return Err(SparkError::unsupported(format!("FILTER or WITHIN GROUP of {name}")));
    }
    let (mut arguments, mut is_distinct) = (Vec::new(), false);
    if let FunctionArguments::List(list) = &function.args {
        is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        for argument in &list.args {
            arguments.push(match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => lower(expr)?,
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => star(None),
                FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(of)) => {
                    star(Some(of.to_string()))
                }
                other => {
                    return Err(SparkError::unsupported(format!("the argument {other} of {name}")));
                }
            });
        }
    }
    let made_call = made(ExprType::UnresolvedFunction(proto::UnresolvedFunction {
        function_name: name,
        arguments,
        is_distinct,
        ..proto::UnresolvedFunction::default()
    }));
    match &function.over {
        None => Ok(made_call),
        Some(WindowType::WindowSpec(spec)) => over(made_call, spec),
        Some(WindowType::NamedWindow(name)) => {
            Err(SparkError::unsupported(format!("the named window {name}")))
        }
    }
}

fn over(function: Expression, spec: &ast::WindowSpec) -> Result<Expression> {
    let frame_spec = spec.window_frame.as_ref().map(frame).transpose()?;
    Ok(made(ExprType::Window(Box::new(proto::Window {
        window_function: Some(Box::new(function)),
        partition_spec: spec.partition_by.iter().map(lower).collect::<Result<Vec<_>>>()?,
        order_spec: spec.order_by.iter().map(order).collect::<Result<Vec<_>>>()?,
        frame_spec: frame_spec.map(Box::new),
    }))))
}

fn frame(frame: &ast::WindowFrame) -> Result<proto::WindowFrame> {
    use proto::FrameBoundaryKind as Kind;
    let bound = |bound: &ast::WindowFrameBound| {
        let boundary = match bound {
            ast::WindowFrameBound::CurrentRow => Kind::CurrentRow(true),
            ast::WindowFrameBound::Preceding(None) | ast::WindowFrameBound::Following(None) => {
                Kind::Unbounded(true)
            }
            ast::WindowFrameBound::Preceding(Some(by)) => Kind::Value(Box::new(minus(lower(by)?))),
            ast::WindowFrameBound::Following(Some(by)) => Kind::Value(Box::new(lower(by)?)),
        };
        Ok::<_, SparkError>(Some(Box::new(proto::FrameBoundary { boundary: Some(boundary) })))
    };
    let current = ast::WindowFrameBound::CurrentRow;
    Ok(proto::WindowFrame {
        frame_type: match frame.units {
            ast::WindowFrameUnits::Rows => proto::FrameType::Row as i32,
            _ => proto::FrameType::Range as i32,
        },
        lower: bound(&frame.start_bound)?,
        upper: bound(frame.end_bound.as_ref().unwrap_or(&current))?,
    })
}

/// `ORDER BY a DESC NULLS LAST`.
pub(in crate::spark) fn order(by: &ast::OrderByExpr) -> Result<SortOrder> {
    let ascending = by.options.asc.unwrap_or(true);
    let direction = if ascending { SortDirection::Ascending } else { SortDirection::Descending };
    let null_ordering = match by.options.nulls_first {
        Some(true) => NullOrdering::First,
        Some(false) => NullOrdering::Last,
        None => NullOrdering::Unspecified,
    };
    Ok(SortOrder {
        child: Some(Box::new(lower(&by.expr)?)),
        direction: direction as i32,
        null_ordering: null_ordering as i32,
    })
}

fn duration(interval: &ast::Interval) -> Result<Expression> {
    let unit = interval.leading_field.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = match interval.value.as_ref() {
        Expr::Value(value) => value.value.to_string(),
        other => other.to_string(),
    };
    let text = format!("{} {unit}", text.trim_matches('\''));
    let millis = super::super::functions::time::interval_ms(&text)
        .ok_or_else(|| SparkError::unsupported(format!("INTERVAL {text}")))?;
    Ok(literal(LiteralType::DayTimeInterval(millis * 1000)))
}
