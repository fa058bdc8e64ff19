//! Connections: how tasks reach other systems.

use super::{ListFilter, Page, Settings, StoreError, Table};
use crate::store::database::{Row, Sql};

/// A connection, in Airflow's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// Its name.
    pub conn_id: String,
    /// What kind of system: `postgres`, `http`, …
    pub conn_type: String,
    /// For people.
    pub description: Option<String>,
    /// Name or address of the system.
    pub host: Option<String>,
    /// User.
    pub login: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Database, or what the kind of system has in its place.
    pub schema: Option<String>,
    /// Port.
    pub port: Option<i64>,
    /// A JSON object with what else the kind of system needs.
    pub extra: Option<String>,
}

/// What connections can be ordered by: the API's name, the column.
pub const CONNECTION_ORDERS: &[(&str, &str)] = &[
    ("connection_id", "conn_id"),
    ("conn_id", "conn_id"),
    ("conn_type", "conn_type"),
    ("description", "description"),
    ("host", "host"),
    ("port", "port"),
    ("id", "id"),
];

const TABLE: Table = Table {
    name: "connection",
    columns: "conn_id, conn_type, description, host, login, password, schema, port, extra",
    key: "conn_id",
};

impl Settings {
    /// What a task that asks for a connection gets: from the environment, as URI or JSON, or from
    /// here. Its password and the secrets in its extra are masked in logs from now on.
    pub async fn connection_value(&self, conn_id: &str) -> Result<Option<Connection>, StoreError> {
        let connection = match self.environment.connection(conn_id) {
            Some(text) => Some(Connection::from_text(conn_id, text)?),
            None => self.connection(conn_id).await?,
        };
        if let Some(connection) = &connection {
            self.mask(connection);
        }
        Ok(connection)
    }

    fn mask(&self, connection: &Connection) {
        if let Some(password) = &connection.password {
            self.masks.add(password);
            self.masks.add(&super::uri::quoted(password));
        }
        let extra = connection.extra.as_deref().and_then(|extra| serde_json::from_str(extra).ok());
        if let Some(extra) = extra {
            self.masks.add_value(&extra, None);
        }
    }

    /// A connection that was set here.
    pub async fn connection(&self, conn_id: &str) -> Result<Option<Connection>, StoreError> {
        self.one(&TABLE, conn_id, |row| self.read_connection(row)).await
    }

    /// Connections that were set here.
    pub async fn connections(&self, filter: &ListFilter) -> Result<Page<Connection>, StoreError> {
        self.list(&TABLE, filter, |row| self.read_connection(row)).await
    }

    /// Adds a connection; false if there is one of that name, which stays as it is.
    pub async fn add_connection(&self, connection: &Connection) -> Result<bool, StoreError> {
        Ok(self.insert_connection("DO NOTHING", connection).await? > 0)
    }

    /// Adds or replaces a connection.
    pub async fn put_connection(&self, connection: &Connection) -> Result<(), StoreError> {
        let replace = "DO UPDATE SET conn_type = excluded.conn_type, \
             description = excluded.description, host = excluded.host, login = excluded.login, \
             password = excluded.password, schema = excluded.schema, port = excluded.port, \
             extra = excluded.extra";
        self.insert_connection(replace, connection).await?;
        Ok(())
    }

    /// Removes a connection; whether there was one.
    pub async fn delete_connection(&self, conn_id: &str) -> Result<bool, StoreError> {
        self.delete(&TABLE, conn_id).await
    }

    async fn insert_connection(
        &self,
        conflict: &str,
        connection: &Connection,
    ) -> Result<u64, StoreError> {
        let insert = format!(
            "INSERT INTO connection ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (conn_id) {conflict}",
            TABLE.columns
        );
        let conn_id = &connection.conn_id;
        let sealed = |field: &str, value: &Option<String>| {
            value.as_deref().map(|value| self.cipher.seal(&place(conn_id, field), value))
        };
        let password = sealed("password", &connection.password);
        let extra = sealed("extra", &connection.extra);
        let insert = Sql::new(insert)
            .bind(conn_id.as_str())
            .bind(connection.conn_type.as_str())
            .bind(connection.description.as_deref())
            .bind(connection.host.as_deref())
            .bind(connection.login.as_deref())
            .bind(password.as_deref())
            .bind(connection.schema.as_deref())
            .bind(connection.port)
            .bind(extra.as_deref());
        self.change(insert).await
    }

    fn read_connection(&self, row: &Row) -> Result<Connection, StoreError> {
        let conn_id: String = row.get("conn_id")?;
        let opened = |field: &str| -> Result<Option<String>, StoreError> {
            let sealed: Option<String> = row.get(field)?;
            sealed.map(|sealed| self.unsealed(&place(&conn_id, field), &sealed)).transpose()
        };
        Ok(Connection {
            password: opened("password")?,
            extra: opened("extra")?,
            conn_type: row.get("conn_type")?,
            description: row.get("description")?,
            host: row.get("host")?,
            login: row.get("login")?,
            schema: row.get("schema")?,
            port: row.get("port")?,
            conn_id,
        })
    }
}

fn place(conn_id: &str, field: &str) -> String {
    format!("connection {conn_id} {field}")
}
