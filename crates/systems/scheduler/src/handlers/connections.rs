//! `/connections`: list, get, add, change, remove, and many at once. Passwords, and what stands
//! under the name of a secret in an extra, are shown masked; sent back masked, they stay.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::body::Body;
use super::bulk::{self, Entity};
use super::error::ApiError;
use super::query::Query;
use super::variables::python_json;
use crate::store::{CONNECTION_ORDERS, Connection, MASK, merged, redacted};

/// Longest name, in characters.
const ID_CHARS_MAX: usize = 200;

/// Airflow's `ConnectionBody`. A field that is missing leaves what is there, null removes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionBody {
    connection_id: String,
    conn_type: String,
    #[serde(default, deserialize_with = "super::body::present")]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::body::present")]
    host: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::body::present")]
    login: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::body::present")]
    schema: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::body::present")]
    port: Option<Option<i64>>,
    #[serde(default, deserialize_with = "super::body::present")]
    password: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::body::present")]
    extra: Option<Option<String>>,
    team_name: Option<String>,
}

/// `GET /connections`.
pub(super) async fn list(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let filter = query.list("connection_id_pattern", CONNECTION_ORDERS)?;
    query.finish()?;
    let page = api.settings.connections(&filter).await?;
    let shown: Vec<Value> = page.items.iter().map(shown).collect();
    Ok(Json(json!({ "connections": shown, "total_entries": page.total })))
}

/// `GET /connections/{connection_id}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path(conn_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let connection = api.settings.connection(&conn_id).await?;
    Ok(Json(shown(&connection.ok_or_else(|| unknown(&conn_id))?)))
}

/// `POST /connections`.
pub(super) async fn post(
    State(api): State<Api>,
    Body(body): Body<ConnectionBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    body.check()?;
    let connection = body.into_new()?;
    if !api.settings.add_connection(&connection).await? {
        return Err(ApiError::not_unique());
    }
    Ok((StatusCode::CREATED, Json(shown(&connection))))
}

/// `PATCH /connections/{connection_id}`.
pub(super) async fn patch(
    State(api): State<Api>,
    Path(conn_id): Path<String>,
    mut query: Query,
    Body(body): Body<ConnectionBody>,
) -> Result<Json<Value>, ApiError> {
    if body.connection_id != conn_id {
        let detail = "The connection_id in the request body does not match the URL parameter";
        return Err(ApiError::bad_request(detail));
    }
    body.check()?;
    let old = api.settings.connection(&conn_id).await?.ok_or_else(|| unknown(&conn_id))?;
    let connection = body.into_changed(old, &query.many("update_mask"))?;
    api.settings.put_connection(&connection).await?;
    Ok(Json(shown(&connection)))
}

/// `DELETE /connections/{connection_id}`.
pub(super) async fn delete(
    State(api): State<Api>,
    Path(conn_id): Path<String>,
) -> Result<StatusCode, ApiError> {
    match api.settings.delete_connection(&conn_id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&conn_id)),
    }
}

/// `PATCH /connections`: many at once.
pub(super) async fn bulk(
    State(api): State<Api>,
    Body(body): Body<bulk::BulkBody<ConnectionBody>>,
) -> Result<Json<Value>, ApiError> {
    bulk::run(&api, body).await
}

/// `POST /connections/test`: refused, as Airflow does unless it is told otherwise.
pub(super) async fn test() -> ApiError {
    let detail = "Testing connections is disabled in Airflow configuration. \
         Contact your deployment admin to enable it.";
    ApiError::new(StatusCode::FORBIDDEN, detail)
}

impl Entity for ConnectionBody {
    type Stored = Connection;
    const KIND: (&'static str, &'static str) = ("connections", "connection_ids");

    fn name(&self) -> &str {
        &self.connection_id
    }

    fn check(&self) -> Result<(), ApiError> {
        let (id, place) = (&self.connection_id, ["body", "connection_id"]);
        if id.chars().count() > ID_CHARS_MAX {
            let message = format!("String should have at most {ID_CHARS_MAX} characters");
            return Err(ApiError::invalid(&place, message));
        }
        let fits = |one: char| one.is_alphanumeric() || matches!(one, '_' | '.' | '-');
        if id.is_empty() || !id.chars().all(fits) {
            return Err(ApiError::invalid(&place, "String should match pattern '^[\\w.-]+$'"));
        }
        if let Some(Some(extra)) = &self.extra {
            check_extra(extra)?;
        }
        super::body::no_team(self.team_name.as_deref())
    }

    async fn find(api: &Api, name: &str) -> Result<Option<Connection>, ApiError> {
        Ok(api.settings.connection(name).await?)
    }

    async fn save(api: &Api, stored: &Connection) -> Result<(), ApiError> {
        Ok(api.settings.put_connection(stored).await?)
    }

    async fn remove(api: &Api, name: &str) -> Result<bool, ApiError> {
        Ok(api.settings.delete_connection(name).await?)
    }

    fn into_new(self) -> Result<Connection, ApiError> {
        Ok(Connection {
            conn_id: self.connection_id,
            conn_type: self.conn_type,
            description: self.description.flatten(),
            host: self.host.flatten(),
            login: self.login.flatten(),
            password: self.password.flatten(),
            schema: self.schema.flatten(),
            port: self.port.flatten(),
            extra: self.extra.flatten().map(whole),
        })
    }

    fn into_changed(self, mut old: Connection, mask: &[String]) -> Result<Connection, ApiError> {
        let is_meant = |field: &str| mask.is_empty() || mask.iter().any(|name| name == field);
        if is_meant("conn_type") {
            old.conn_type = self.conn_type;
        }
        let texts = [
            ("description", self.description, &mut old.description),
            ("host", self.host, &mut old.host),
            ("login", self.login, &mut old.login),
            ("schema", self.schema, &mut old.schema),
        ];
        for (field, new, old) in texts {
            if let Some(new) = new.filter(|_| is_meant(field)) {
                *old = new;
            }
        }
        if let Some(port) = self.port.filter(|_| is_meant("port")) {
            old.port = port;
        }
        if let Some(password) = self.password.filter(|_| is_meant("password")) {
            // A password that comes back as it was shown is the one that is there.
            if password.as_deref() != Some(MASK) || old.password.is_none() {
                old.password = password;
            }
        }
        if let Some(extra) = self.extra.filter(|_| is_meant("extra")) {
            old.extra = merged_extra(extra.map(whole), old.extra.as_deref());
        }
        Ok(old)
    }
}

fn check_extra(extra: &str) -> Result<(), ApiError> {
    let message = match serde_json::from_str::<Value>(extra) {
        _ if extra.is_empty() => return Ok(()),
        Ok(Value::Object(_)) => return Ok(()),
        Ok(_) => "",
        Err(_) => ", but encountered non-JSON in `extra` field",
    };
    let message = format!(
        "Value error, The `extra` field must be a valid JSON object (e.g., {{'key': 'value'}}){message}"
    );
    Err(ApiError::invalid(&["body", "extra"], message))
}

/// An empty extra is an empty object.
fn whole(extra: String) -> String {
    if extra.is_empty() { "{}".to_owned() } else { extra }
}

fn merged_extra(new: Option<String>, old: Option<&str>) -> Option<String> {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (new.as_deref().and_then(parsed), old.and_then(parsed)) {
        (Some(new), Some(old)) => Some(python_json(&merged(new, &old, None))),
        _ => new,
    }
}

fn unknown(conn_id: &str) -> ApiError {
    ApiError::not_found(format!("The Connection with connection_id: `{conn_id}` was not found"))
}

/// Airflow's `ConnectionResponse`.
fn shown(connection: &Connection) -> Value {
    let extra = connection.extra.as_deref().map(|extra| match serde_json::from_str(extra) {
        Ok(parsed) => python_json(&redacted(&parsed, None)),
        // What cannot be looked through is not shown.
        Err(_) => MASK.to_owned(),
    });
    json!({
        "connection_id": connection.conn_id,
        "conn_type": connection.conn_type,
        "description": connection.description,
        "host": connection.host,
        "login": connection.login,
        "schema": connection.schema,
        "port": connection.port,
        "password": connection.password.as_ref().map(|_| MASK),
        "extra": extra,
        "team_name": null,
    })
}
