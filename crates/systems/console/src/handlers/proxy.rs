//! Questions that are passed on as they are, and only those listed here.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::segment;
use crate::app::App;
use crate::error::{ApiError, Part};
use crate::parts::HttpPart;

/// What may be asked of the registry. `*` stands for one name.
const REGISTRY: &[(Method, &str)] = &[
    (Method::GET, "subjects"),
    (Method::GET, "subjects/*/versions"),
    (Method::GET, "subjects/*/versions/*"),
    (Method::GET, "schemas/ids/*"),
    (Method::GET, "config"),
    (Method::GET, "config/*"),
    (Method::GET, "mode"),
    (Method::POST, "compatibility/subjects/*/versions"),
    (Method::POST, "compatibility/subjects/*/versions/*"),
];

/// What may be asked of the scheduler, below Airflow's `/api/v2`.
const SCHEDULER: &[(Method, &str)] = &[
    (Method::GET, "version"),
    (Method::GET, "assets"),
    (Method::GET, "importErrors"),
    (Method::GET, "dags"),
    (Method::GET, "dags/*"),
    (Method::PATCH, "dags/*"),
    (Method::GET, "dags/*/details"),
    (Method::GET, "dags/*/tasks"),
    (Method::GET, "dagSources/*"),
    (Method::GET, "dags/*/dagRuns"),
    (Method::POST, "dags/*/dagRuns"),
    (Method::GET, "dags/*/dagRuns/*"),
    (Method::PATCH, "dags/*/dagRuns/*"),
    (Method::POST, "dags/*/dagRuns/*/clear"),
    (Method::POST, "dags/*/clearTaskInstances"),
    (Method::GET, "dags/*/dagRuns/*/taskInstances"),
    (Method::GET, "dags/*/dagRuns/*/taskInstances/*"),
    (Method::GET, "dags/*/dagRuns/*/taskInstances/*/logs/*"),
    (Method::GET, "dags/*/dagRuns/*/taskInstances/*/xcomEntries"),
    (Method::GET, "dags/*/dagRuns/*/taskInstances/*/xcomEntries/*"),
];

/// `/api/v1/registry/…`
pub(super) async fn registry(
    State(app): State<Arc<App>>,
    method: Method,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    pass_on(&app.registry, REGISTRY, "/", &method, &path, query, &body).await
}

/// `/api/v1/scheduler/…`
pub(super) async fn scheduler(
    State(app): State<Arc<App>>,
    method: Method,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    pass_on(&app.scheduler, SCHEDULER, "/api/v2/", &method, &path, query, &body).await
}

async fn pass_on(
    part: &HttpPart,
    allowed: &[(Method, &str)],
    prefix: &str,
    method: &Method,
    path: &str,
    query: Option<String>,
    body: &Bytes,
) -> Result<Response, ApiError> {
    if !is_allowed(allowed, method, path) {
        return Err(ApiError::missing(Part::Console, format!("{method} {path} is not passed on")));
    }
    // Decoded once by the router; each part becomes one segment again, so that a name with a slash
    // or dots in it cannot reach another place.
    let path: Vec<String> = path.split('/').map(segment).collect();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let body: Option<Value> = match body.is_empty() {
        true => None,
        false => Some(
            serde_json::from_slice(body)
                .map_err(|error| ApiError::bad(format!("the body is not JSON: {error}")))?,
        ),
    };
    let path = format!("{prefix}{}{query}", path.join("/"));
    let answer = part.send(method.clone(), &path, body.as_ref()).await?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], answer).into_response())
}

/// A name that holds a slash has more segments than the pattern, and is not passed on.
fn is_allowed(allowed: &[(Method, &str)], method: &Method, path: &str) -> bool {
    allowed.iter().any(|(known, pattern)| {
        known == method
            && pattern.split('/').count() == path.split('/').count()
            && pattern.split('/').zip(path.split('/')).all(|(wanted, given)| {
                if wanted == "*" { !given.is_empty() } else { wanted == given }
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_passed_on() {
        for (method, path, expected) in [
            (Method::GET, "dags/x/dagRuns", true),
            (Method::POST, "dags/x/dagRuns", true),
            (Method::DELETE, "dags/x", false),
            (Method::PATCH, "dags/x", true),
            (Method::GET, "connections", false),
            (Method::GET, "variables", false),
            (Method::GET, "dags//dagRuns", false),
            (Method::GET, "dags/x/dagRuns/", false),
            (Method::GET, "dags/a/b/c", false),
        ] {
            assert_eq!(is_allowed(SCHEDULER, &method, path), expected, "{method} {path}");
        }
        assert!(!is_allowed(REGISTRY, &Method::POST, "subjects/x/versions"));
        assert!(!is_allowed(REGISTRY, &Method::DELETE, "subjects/x"));
        assert!(is_allowed(REGISTRY, &Method::POST, "compatibility/subjects/x/versions"));
    }
}
