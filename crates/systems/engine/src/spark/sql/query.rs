//! A query's text as a tree of few kinds, whose expressions are those of a data frame.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::ast::{
    self, Distinct, GroupByExpr, JoinConstraint, JoinOperator, LimitClause, ObjectName,
    OrderByKind, SelectItem, SetExpr, SetOperator, SetQuantifier, Statement, TableFactor,
};
use tidemill_spark_connect::{Expression, JoinType, Literal, SetOpType, SortOrder};

use super::super::error::{Result, SparkError};
use super::{lower, parser, select_item, syntax};

/// Queries inside queries at most.
const DEPTH_MAX: usize = 30;

/// A query.
#[derive(Debug, Clone)]
pub(in crate::spark) enum Node {
    /// A view or a frame by its name.
    Table(String),
    Aliased(Box<Node>, String),
    Join {
        left: Box<Node>,
        right: Box<Node>,
        kind: JoinType,
        on: Option<Expression>,
        using: Vec<String>,
    },
    Select(Box<Select>),
    Set {
        left: Box<Node>,
        right: Box<Node>,
        kind: SetOpType,
        all: bool,
    },
    Ordered {
        input: Box<Node>,
        by: Vec<SortOrder>,
        limit: Option<i32>,
        offset: i32,
    },
    Values(Vec<Vec<Expression>>),
}

/// `SELECT`.
#[derive(Debug, Clone)]
pub(in crate::spark) struct Select {
    pub(in crate::spark) from: Option<Node>,
    pub(in crate::spark) filter: Option<Expression>,
    pub(in crate::spark) groups: Vec<Expression>,
    pub(in crate::spark) items: Vec<Expression>,
    pub(in crate::spark) having: Option<Expression>,
    pub(in crate::spark) distinct: bool,
}

/// What a text asks for.
#[derive(Debug, Clone)]
pub(in crate::spark) enum Asked {
    Query(Node),
    /// `CREATE OR REPLACE TEMPORARY VIEW name AS …`, with the text of the query.
    CreateView {
        name: String,
        query: String,
        replace: bool,
    },
    DropView {
        name: String,
        if_exists: bool,
    },
    ShowTables,
    /// `SET key = value`.
    Set {
        key: String,
        value: String,
    },
}

/// Reads a text of one statement.
pub(in crate::spark) fn statement(text: &str) -> Result<Asked> {
    let text = text.trim().trim_end_matches(';');
    let mut words = text.split_whitespace();
    // sqlparser wants quotes around Spark's values.
    if words.next().is_some_and(|word| word.eq_ignore_ascii_case("SET"))
        && let Some((key, value)) = text[3..].split_once('=')
    {
        return Ok(Asked::Set { key: key.trim().to_owned(), value: value.trim().to_owned() });
    }
    let mut parser = parser(text)?;
    let parsed = parser.parse_statement().map_err(|error| syntax(&error, &parser, text))?;
    let next = parser.peek_token();
    if next.token != datafusion::sql::sqlparser::tokenizer::Token::EOF {
        let at = next.span.start;
        let (line, column) = (at.line.max(1), at.column.saturating_sub(1));
        return Err(SparkError::syntax(&next.token.to_string(), text, line, column));
    }
    match parsed {
        Statement::Query(query) => Ok(Asked::Query(Scope::default().query(&query, 0)?)),
        Statement::CreateView(view) if view.temporary => Ok(Asked::CreateView {
            name: name_of(&view.name),
            query: view.query.to_string(),
            replace: view.or_replace,
        }),
        Statement::Drop { object_type: ast::ObjectType::View, if_exists, names, .. } => {
            Ok(Asked::DropView { name: names.first().map(name_of).unwrap_or_default(), if_exists })
        }
        Statement::ShowTables { .. } => Ok(Asked::ShowTables),
        other => {
            let text = other.to_string();
            let words: Vec<&str> = text.split_whitespace().take(3).collect();
            Err(SparkError::unsupported(format!("the statement {} …", words.join(" "))))
        }
    }
}

fn name_of(name: &ObjectName) -> String {
    name.to_string().replace('`', "")
}

/// Names that `WITH` gives to queries.
#[derive(Default, Clone)]
struct Scope {
    named: BTreeMap<String, Node>,
}

impl Scope {
    fn query(&self, query: &ast::Query, depth: usize) -> Result<Node> {
        if depth > DEPTH_MAX {
            let what = format!("more than {DEPTH_MAX} queries inside each other");
            return Err(SparkError::unsupported(what));
        }
        let mut inner = self.clone();
        for with in query.with.iter().flat_map(|with| &with.cte_tables) {
            let node = inner.query(&with.query, depth + 1)?;
            inner.named.insert(with.alias.name.value.to_lowercase(), node);
        }
        let body = inner.body(&query.body, depth + 1)?;
        let by = match &query.order_by {
            None => Vec::new(),
            Some(order) => match &order.kind {
                OrderByKind::Expressions(all) => {
                    all.iter().map(super::expressions::order).collect::<Result<Vec<_>>>()?
                }
                OrderByKind::All(_) => return Err(SparkError::unsupported("ORDER BY ALL")),
            },
        };
        let (limit, offset) = limits(query.limit_clause.as_ref())?;
        if by.is_empty() && limit.is_none() && offset == 0 {
            return Ok(body);
        }
        Ok(Node::Ordered { input: Box::new(body), by, limit, offset })
    }

    fn body(&self, body: &SetExpr, depth: usize) -> Result<Node> {
        match body {
            SetExpr::Select(select) => self.select(select, depth),
            SetExpr::Query(query) => self.query(query, depth + 1),
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                let kind = match op {
                    SetOperator::Union => SetOpType::Union,
                    SetOperator::Intersect => SetOpType::Intersect,
                    SetOperator::Except | SetOperator::Minus => SetOpType::Except,
                };
                Ok(Node::Set {
                    left: Box::new(self.body(left, depth + 1)?),
                    right: Box::new(self.body(right, depth + 1)?),
                    kind,
                    all: *set_quantifier == SetQuantifier::All,
                })
            }
            SetExpr::Values(values) => {
                let rows = values.rows.iter();
                let rows = rows.map(|row| row.iter().map(lower).collect::<Result<Vec<_>>>());
                Ok(Node::Values(rows.collect::<Result<Vec<_>>>()?))
            }
            other => Err(SparkError::unsupported(format!("the query {other}"))),
        }
    }

    fn select(&self, select: &ast::Select, depth: usize) -> Result<Node> {
        if !select.lateral_views.is_empty() {
            return Err(SparkError::unsupported("LATERAL VIEW"));
        }
        let mut from = None;
        for table in &select.from {
            let node = self.joined(table, depth)?;
            from = Some(match from {
                None => node,
                Some(left) => Node::Join {
                    left: Box::new(left),
                    right: Box::new(node),
                    kind: JoinType::Cross,
                    on: None,
                    using: Vec::new(),
                },
            });
        }
        let groups = match &select.group_by {
            GroupByExpr::Expressions(all, modifiers) if modifiers.is_empty() => {
                all.iter().map(|one| group(one, &select.projection)).collect::<Result<Vec<_>>>()?
            }
            other => return Err(SparkError::unsupported(format!("{other}"))),
        };
        let distinct = match &select.distinct {
            None | Some(Distinct::All) => false,
            Some(Distinct::Distinct) => true,
            Some(other) => return Err(SparkError::unsupported(format!("{other}"))),
        };
        Ok(Node::Select(Box::new(Select {
            from,
            filter: select.selection.as_ref().map(lower).transpose()?,
            groups,
            items: select.projection.iter().map(select_item).collect::<Result<Vec<_>>>()?,
            having: select.having.as_ref().map(lower).transpose()?,
            distinct,
        })))
    }

    fn joined(&self, table: &ast::TableWithJoins, depth: usize) -> Result<Node> {
        let mut left = self.factor(&table.relation, depth)?;
        for join in &table.joins {
            let right = self.factor(&join.relation, depth)?;
            let (kind, constraint) = match &join.join_operator {
                JoinOperator::Join(on) | JoinOperator::Inner(on) => (JoinType::Inner, Some(on)),
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => {
                    (JoinType::LeftOuter, Some(on))
                }
                JoinOperator::Right(on) | JoinOperator::RightOuter(on) => {
                    (JoinType::RightOuter, Some(on))
                }
                JoinOperator::FullOuter(on) => (JoinType::FullOuter, Some(on)),
                JoinOperator::LeftSemi(on) | JoinOperator::Semi(on) => {
                    (JoinType::LeftSemi, Some(on))
                }
                JoinOperator::LeftAnti(on) | JoinOperator::Anti(on) => {
                    (JoinType::LeftAnti, Some(on))
                }
                JoinOperator::CrossJoin(_) => (JoinType::Cross, None),
                _ => return Err(SparkError::unsupported(format!("the join {join}"))),
            };
            let (on, using) = match constraint {
                None | Some(JoinConstraint::None) => (None, Vec::new()),
                Some(JoinConstraint::On(on)) => (Some(lower(on)?), Vec::new()),
                Some(JoinConstraint::Using(names)) => (None, names.iter().map(name_of).collect()),
                Some(JoinConstraint::Natural) => {
                    return Err(SparkError::unsupported("NATURAL JOIN"));
                }
            };
            left = Node::Join { left: Box::new(left), right: Box::new(right), kind, on, using };
        }
        Ok(left)
    }

    fn factor(&self, factor: &TableFactor, depth: usize) -> Result<Node> {
        let (node, alias) = match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let name = name_of(name);
                let node = match self.named.get(&name.to_lowercase()) {
                    Some(query) => Node::Aliased(Box::new(query.clone()), name),
                    None => Node::Table(name),
                };
                (node, alias)
            }
            TableFactor::Derived { subquery, alias, lateral: false, .. } => {
                (self.query(subquery, depth + 1)?, alias)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                (self.joined(table_with_joins, depth + 1)?, alias)
            }
            other => return Err(SparkError::unsupported(format!("the table {other}"))),
        };
        Ok(match alias {
            Some(alias) => Node::Aliased(Box::new(node), alias.name.value.clone()),
            None => node,
        })
    }
}

/// `GROUP BY 1` is the first item; an alias of an item is that item.
fn group(expr: &ast::Expr, items: &[SelectItem]) -> Result<Expression> {
    let of_item = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            Some(expr.clone())
        }
        _ => None,
    };
    let meant = match expr {
        ast::Expr::Value(value) => {
            let place = value.value.to_string().parse::<usize>().ok();
            place.and_then(|place| items.get(place.checked_sub(1)?)).and_then(of_item)
        }
        ast::Expr::Identifier(name) => items.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias }
                if alias.value.eq_ignore_ascii_case(&name.value)
                    && !matches!(expr, ast::Expr::Identifier(_)) =>
            {
                Some(expr.clone())
            }
            _ => None,
        }),
        _ => None,
    };
    lower(meant.as_ref().unwrap_or(expr))
}

fn limits(clause: Option<&LimitClause>) -> Result<(Option<i32>, i32)> {
    let number = |expr: &ast::Expr| {
        let number = expr.to_string().parse::<i32>().ok();
        number.ok_or_else(|| SparkError::unsupported(format!("LIMIT {expr}")))
    };
    match clause {
        None => Ok((None, 0)),
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => Ok((
            limit.as_ref().map(number).transpose()?,
            offset.as_ref().map(|offset| number(&offset.value)).transpose()?.unwrap_or(0),
        )),
        Some(other) => Err(SparkError::unsupported(format!("{other}"))),
    }
}

/// Values for `:name` and `?`.
pub(in crate::spark) fn refuse_arguments(
    args: &BTreeMap<String, Literal>,
    positional: &[Literal],
) -> Result<()> {
    if args.is_empty() && positional.is_empty() {
        return Ok(());
    }
    Err(SparkError::unsupported("arguments of spark.sql"))
}
