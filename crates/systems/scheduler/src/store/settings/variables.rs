//! Variables: texts that tasks read by name.

use super::{ListFilter, Page, Settings, StoreError, Table};
use crate::store::database::{Row, Sql};
use crate::store::mask::is_sensitive;

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub key: String,
    /// Its value; whatever is not a text is JSON.
    pub value: String,
    /// For people.
    pub description: Option<String>,
}

/// What variables can be ordered by: the API's name, the column.
pub const VARIABLE_ORDERS: &[(&str, &str)] =
    &[("key", "key"), ("id", "id"), ("_val", "value"), ("description", "description")];

const TABLE: Table = Table { name: "variable", columns: "key, value, description", key: "key" };

impl Settings {
    /// What a task that asks for a variable gets: from the environment, or from here. It is masked
    /// in logs from now on if its name is that of a secret.
    pub async fn variable_value(&self, key: &str) -> Result<Option<String>, StoreError> {
        let value = match self.environment.variable(key) {
            Some(value) => Some(value.to_owned()),
            None => self.variable(key).await?.map(|variable| variable.value),
        };
        if let Some(value) = &value {
            match serde_json::from_str(value) {
                Ok(parsed @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
                    self.masks.add_value(&parsed, Some(key));
                }
                _ if is_sensitive(key) => self.masks.add(value),
                _ => {}
            }
        }
        Ok(value)
    }

    /// A variable that was set here.
    pub async fn variable(&self, key: &str) -> Result<Option<Variable>, StoreError> {
        self.one(&TABLE, key, |row| self.read_variable(row)).await
    }

    /// Variables that were set here.
    pub async fn variables(&self, filter: &ListFilter) -> Result<Page<Variable>, StoreError> {
        self.list(&TABLE, filter, |row| self.read_variable(row)).await
    }

    /// Adds a variable; false if there is one of that name, which stays as it is.
    pub async fn add_variable(&self, variable: &Variable) -> Result<bool, StoreError> {
        let added = self.insert("DO NOTHING", variable).await?;
        Ok(added > 0)
    }

    /// Adds or replaces a variable.
    pub async fn put_variable(&self, variable: &Variable) -> Result<(), StoreError> {
        let replace = "DO UPDATE SET value = excluded.value, description = excluded.description";
        self.insert(replace, variable).await?;
        Ok(())
    }

    /// Removes a variable; whether there was one.
    pub async fn delete_variable(&self, key: &str) -> Result<bool, StoreError> {
        self.delete(&TABLE, key).await
    }

    async fn insert(&self, conflict: &str, variable: &Variable) -> Result<u64, StoreError> {
        let insert = format!(
            "INSERT INTO variable (key, value, description) VALUES ($1, $2, $3) \
             ON CONFLICT (key) {conflict}"
        );
        let sealed = self.cipher.seal(&place(&variable.key), &variable.value);
        let insert = Sql::new(insert).bind(variable.key.as_str()).bind(sealed);
        self.change(insert.bind(variable.description.as_deref())).await
    }

    fn read_variable(&self, row: &Row) -> Result<Variable, StoreError> {
        let key: String = row.get("key")?;
        let value = self.unsealed(&place(&key), &row.get::<String>("value")?)?;
        Ok(Variable { key, value, description: row.get("description")? })
    }
}

fn place(key: &str) -> String {
    format!("variable {key}")
}
