//! `/variables`: list, get, add, change, remove, and many at once. A value under the name of a
//! secret is shown masked.

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
use crate::store::{VARIABLE_ORDERS, Variable, redacted};

/// Longest name, in characters: Airflow's `ID_LEN`.
const KEY_CHARS_MAX: usize = 250;

/// Airflow's `VariableBody`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariableBody {
    key: String,
    /// A value that is no text is kept as JSON.
    #[serde(default, deserialize_with = "super::body::present")]
    value: Option<Value>,
    #[serde(default, deserialize_with = "super::body::present")]
    description: Option<Option<String>>,
    team_name: Option<String>,
}

/// `GET /variables`.
pub(super) async fn list(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let filter = query.list("variable_key_pattern", VARIABLE_ORDERS)?;
    query.finish()?;
    let page = api.settings.variables(&filter).await?;
    let shown: Vec<Value> = page.items.iter().map(shown).collect();
    Ok(Json(json!({ "variables": shown, "total_entries": page.total })))
}

/// `GET /variables/{variable_key}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path(key): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let variable = api.settings.variable(&key).await?;
    Ok(Json(shown(&variable.ok_or_else(|| unknown(&key))?)))
}

/// `POST /variables`.
pub(super) async fn post(
    State(api): State<Api>,
    Body(body): Body<VariableBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    body.check()?;
    let variable = body.into_new()?;
    if !api.settings.add_variable(&variable).await? {
        let detail = format!("The Variable with key: `{}` already exists", variable.key);
        return Err(ApiError::new(StatusCode::CONFLICT, detail));
    }
    Ok((StatusCode::CREATED, Json(shown(&variable))))
}

/// `PATCH /variables/{variable_key}`.
pub(super) async fn patch(
    State(api): State<Api>,
    Path(key): Path<String>,
    mut query: Query,
    Body(body): Body<VariableBody>,
) -> Result<Json<Value>, ApiError> {
    let mask = query.many("update_mask");
    if body.key != key {
        let detail = "Invalid body, key from request body doesn't match uri parameter";
        return Err(ApiError::bad_request(detail));
    }
    body.check()?;
    if body.value.is_none() && mask.is_empty() {
        return Err(ApiError::missing(&["body", "value"]));
    }
    let old = api.settings.variable(&key).await?.ok_or_else(|| unknown(&key))?;
    let variable = body.into_changed(old, &mask)?;
    api.settings.put_variable(&variable).await?;
    Ok(Json(shown(&variable)))
}

/// `DELETE /variables/{variable_key}`.
pub(super) async fn delete(
    State(api): State<Api>,
    Path(key): Path<String>,
) -> Result<StatusCode, ApiError> {
    match api.settings.delete_variable(&key).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&key)),
    }
}

/// `PATCH /variables`: many at once.
pub(super) async fn bulk(
    State(api): State<Api>,
    Body(body): Body<bulk::BulkBody<VariableBody>>,
) -> Result<Json<Value>, ApiError> {
    bulk::run(&api, body).await
}

impl Entity for VariableBody {
    type Stored = Variable;
    const KIND: (&'static str, &'static str) = ("variables", "keys");

    fn name(&self) -> &str {
        &self.key
    }

    fn check(&self) -> Result<(), ApiError> {
        if self.key.chars().count() > KEY_CHARS_MAX {
            let message = format!("String should have at most {KEY_CHARS_MAX} characters");
            return Err(ApiError::invalid(&["body", "key"], message));
        }
        super::body::no_team(self.team_name.as_deref())
    }

    async fn find(api: &Api, name: &str) -> Result<Option<Variable>, ApiError> {
        Ok(api.settings.variable(name).await?)
    }

    async fn save(api: &Api, stored: &Variable) -> Result<(), ApiError> {
        Ok(api.settings.put_variable(stored).await?)
    }

    async fn remove(api: &Api, name: &str) -> Result<bool, ApiError> {
        Ok(api.settings.delete_variable(name).await?)
    }

    fn into_new(self) -> Result<Variable, ApiError> {
        let value = self.value.ok_or_else(|| ApiError::missing(&["body", "value"]))?;
        Ok(Variable {
            key: self.key,
            value: text_of(value),
            description: self.description.flatten(),
        })
    }

    fn into_changed(self, mut old: Variable, mask: &[String]) -> Result<Variable, ApiError> {
        if mask.iter().any(|field| field == "key") {
            let detail = "Update not allowed: the following fields are immutable and cannot be \
                 modified: {'key'}";
            return Err(ApiError::bad_request(detail));
        }
        let is_meant = |field: &str| mask.is_empty() || mask.iter().any(|name| name == field);
        if let Some(value) = self.value.filter(|_| is_meant("value") || is_meant("val")) {
            old.value = text_of(value);
        }
        if let Some(description) = self.description.filter(|_| is_meant("description")) {
            old.description = description;
        }
        Ok(old)
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => serde_json::to_string_pretty(&other).unwrap_or_default(),
    }
}

fn unknown(key: &str) -> ApiError {
    ApiError::not_found(format!("The Variable with key: `{key}` was not found"))
}

/// Airflow's `VariableResponse`.
fn shown(variable: &Variable) -> Value {
    let key = Some(variable.key.as_str());
    let value = match serde_json::from_str::<Value>(&variable.value) {
        Ok(parsed) => python_json(&redacted(&parsed, key)),
        Err(_) => match redacted(&Value::String(variable.value.clone()), key) {
            Value::String(text) => text,
            other => other.to_string(),
        },
    };
    json!({
        "key": variable.key,
        "value": value,
        "description": variable.description,
        "is_encrypted": true,
        "team_name": null,
    })
}

/// JSON with the spaces that Python's `json.dumps` writes, which clients compare with.
pub(super) fn python_json(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python_json).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                format!("{}: {}", ascii(&Value::String(name.clone())), python_json(value))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => ascii(other),
    }
}

/// A value that holds no other, in ASCII as Python writes it.
fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}
