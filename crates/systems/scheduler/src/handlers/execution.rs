//! `/execution`: what a running task asks of us, in the manner of Airflow's Execution API. Unlike
//! `/api/v2` it tells passwords, so it answers only who shows the token that our own children have.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::body::Body;
use super::error::ApiError;
use crate::store::Variable;

/// Lets our own children pass.
pub(super) async fn own_children_only(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let shown = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let token = shown.and_then(|shown| shown.strip_prefix(b"Bearer ")).unwrap_or_default();
    if is_same(token, api.token.as_bytes()) {
        return Ok(next.run(request).await);
    }
    let detail = "only tasks that this scheduler started are answered here";
    Err(ApiError::new(StatusCode::FORBIDDEN, detail))
}

/// Takes equally long wherever two texts differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b));
    one.len() == other.len() && differs == 0
}

/// `GET /execution/variables/{key}`.
pub(super) async fn variable(
    State(api): State<Api>,
    Path(key): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let value = api.settings.variable_value(&key).await?;
    let value = value.ok_or_else(|| no_variable(&key))?;
    Ok(Json(json!({ "key": key, "value": value })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariableBody {
    value: String,
    description: Option<String>,
}

/// `PUT /execution/variables/{key}`: made or replaced.
pub(super) async fn put_variable(
    State(api): State<Api>,
    Path(key): Path<String>,
    Body(body): Body<VariableBody>,
) -> Result<Json<Value>, ApiError> {
    let known = api.settings.variable(&key).await?.and_then(|variable| variable.description);
    let description = body.description.or(known);
    let variable = Variable { key, value: body.value, description };
    api.settings.put_variable(&variable).await?;
    Ok(Json(json!({ "key": variable.key })))
}

/// `DELETE /execution/variables/{key}`.
pub(super) async fn delete_variable(
    State(api): State<Api>,
    Path(key): Path<String>,
) -> Result<Json<Value>, ApiError> {
    match api.settings.delete_variable(&key).await? {
        true => Ok(Json(json!({ "key": key }))),
        false => Err(no_variable(&key)),
    }
}

fn no_variable(key: &str) -> ApiError {
    ApiError::not_found(format!("Variable with key '{key}' not found"))
}

/// `GET /execution/connections/{conn_id}`: with its password.
pub(super) async fn connection(
    State(api): State<Api>,
    Path(conn_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = api.settings.connection_value(&conn_id).await?;
    let found = found
        .ok_or_else(|| ApiError::not_found(format!("Connection with ID {conn_id} not found")))?;
    Ok(Json(json!({
        "conn_id": found.conn_id,
        "conn_type": found.conn_type,
        "description": found.description,
        "host": found.host,
        "login": found.login,
        "password": found.password,
        "schema": found.schema,
        "port": found.port,
        "extra": found.extra,
    })))
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_token_is_the_whole_token() {
        assert!(is_same(b"abc", b"abc"));
        for shown in ["", "ab", "abd", "abcd"] {
            assert!(!is_same(shown.as_bytes(), b"abc"), "{shown}");
        }
    }
}
