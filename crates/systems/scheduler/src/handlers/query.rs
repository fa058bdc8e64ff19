//! Query parameters: names may come more than once, values are checked, and a filter of Airflow's
//! that we do not have is refused instead of ignored.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::Timestamp;

use super::error::ApiError;
use crate::store::ListFilter;

/// Airflow's `maximum_page_limit`.
const LIMIT_MAX: i64 = 100;
/// Airflow's `fallback_page_limit`.
const LIMIT_DEFAULT: i64 = 50;

/// The parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Query, ApiError> {
        Ok(Query::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Query {
    fn parse(text: &str) -> Query {
        // The URL type knows how forms are written; the rest of the URL does not matter.
        let url = reqwest::Url::parse(&format!("http://localhost/?{text}"));
        let pairs = url.map(|url| url.query_pairs().into_owned().collect());
        Query { pairs: pairs.unwrap_or_default() }
    }

    /// The last value of a name.
    pub(super) fn one(&mut self, name: &str) -> Option<String> {
        self.many(name).pop()
    }

    /// All values of a name.
    pub(super) fn many(&mut self, name: &str) -> Vec<String> {
        let (taken, rest) =
            std::mem::take(&mut self.pairs).into_iter().partition(|(key, _)| key == name);
        self.pairs = rest;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).filter(|value| !value.is_empty()).collect()
    }

    /// `true` or `false`; a bare name is true.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        if self.pairs.iter().any(|(key, value)| key == name && value.is_empty()) {
            return Ok(Some(true));
        }
        let Some(text) = self.one(name) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(ApiError::invalid(&["query", name], format!("{text:?} is not a boolean"))),
        }
    }

    /// All values of a name, each of a kind that can be read.
    pub(super) fn named<T: std::str::FromStr<Err = String>>(
        &mut self,
        name: &str,
    ) -> Result<Vec<T>, ApiError> {
        let values = self.many(name).into_iter().map(|text| {
            text.parse().map_err(|message: String| ApiError::invalid(&["query", name], message))
        });
        values.collect()
    }

    /// A number that is not negative.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.one(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) if number >= 0 => Ok(Some(number)),
            _ => {
                let message = format!("{text:?} is not a whole number of 0 or more");
                Err(ApiError::invalid(&["query", name], message))
            }
        }
    }

    /// An instant.
    pub(super) fn instant(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let at = text.parse::<Timestamp>().map(Some);
        at.map_err(|_| ApiError::invalid(&["query", name], format!("{text:?} is not a date-time")))
    }

    /// `limit` and `offset`.
    pub(super) fn page(&mut self) -> Result<(i64, i64), ApiError> {
        let limit = self.number("limit")?.unwrap_or(LIMIT_DEFAULT);
        let limit = if limit == 0 { LIMIT_DEFAULT } else { limit.min(LIMIT_MAX) };
        Ok((limit, self.number("offset")?.unwrap_or(0)))
    }

    /// `order_by`: names of a table, `-` for descending.
    pub(super) fn order(
        &mut self,
        known: &[(&'static str, &'static str)],
    ) -> Result<Vec<(&'static str, bool)>, ApiError> {
        let mut order = Vec::new();
        for text in self.many("order_by") {
            for name in text.split(',') {
                let (bare, descending) =
                    name.strip_prefix('-').map_or((name, false), |bare| (bare, true));
                let column = known.iter().find(|(known, _)| *known == bare);
                let (_, column) = column.ok_or_else(|| {
                    ApiError::bad_request(format!(
                        "Ordering with '{bare}' is disallowed or the attribute does not exist on \
                         the model"
                    ))
                })?;
                order.push((*column, descending));
            }
        }
        Ok(order)
    }

    /// A list's page and order, and a pattern of its names.
    pub(super) fn list(
        &mut self,
        pattern: &str,
        orders: &[(&'static str, &'static str)],
    ) -> Result<ListFilter, ApiError> {
        let (limit, offset) = self.page()?;
        let order = self.order(orders)?;
        // A single tilde matches everything.
        let pattern = self.one(pattern).filter(|pattern| pattern != "~");
        Ok(ListFilter { pattern, order, limit, offset })
    }

    /// What is left must not be a filter, or the answer would hold more than was asked for.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        let is_filter = |name: &str| {
            ["_pattern", "_gte", "_gt", "_lte", "_lt", "_contains", "_name"]
                .iter()
                .any(|ending| name.ends_with(ending))
                || matches!(
                    name,
                    "cursor" | "dag_version" | "bundle_version" | "operator" | "queue"
                )
        };
        match self.pairs.iter().find(|(name, value)| is_filter(name) && !value.is_empty()) {
            None => Ok(()),
            Some((name, _)) => Err(ApiError::bad_request(format!(
                "the filter '{name}' is not supported by this version"
            ))),
        }
    }
}

/// SQL's `LIKE` with `%` only, as Airflow's patterns are; without regard to case.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('%');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_checked() {
        let mut query = Query::parse("state=a&state=b%2Bc&limit=500&offset=3&flag=TRUE&empty=");
        assert_eq!(query.many("state"), ["a", "b+c"]);
        assert_eq!(query.page().unwrap(), (100, 3));
        assert_eq!(query.flag("flag").unwrap(), Some(true));
        assert_eq!(query.one("empty"), None);
        assert_eq!(Query::parse("follow").flag("follow").unwrap(), Some(true));
        assert_eq!(Query::parse("").flag("follow").unwrap(), None);
        assert!(Query::parse("follow=perhaps").flag("follow").is_err());
        assert!(query.finish().is_ok());
        assert!(Query::parse("limit=-1").page().is_err());
        assert!(Query::parse("order_by=-nosuch").order(&[("id", "r.id")]).is_err());
        let mut query = Query::parse("order_by=-id");
        assert_eq!(query.order(&[("id", "r.id")]).unwrap(), [("r.id", true)]);
        assert!(Query::parse("run_id_pattern=x").finish().is_err());
        assert!(Query::parse("_=123").finish().is_ok());
    }

    #[test]
    fn a_pattern_is_sqls_like() {
        for (pattern, text, expected) in [
            ("%user%", "the_users", true),
            ("user%", "the_users", false),
            ("%USERS", "the_users", true),
            ("a%c%e", "abcde", true),
            ("abc", "abc", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
