//! A connection written as one text: Airflow's URI form, or JSON.
//!
//! `type://login:password@host:port/schema?key=value`, each part percent-encoded. What the query
//! holds becomes the extra, values as JSON where they are JSON; `__extra__` is the extra itself. A
//! host may carry a protocol of its own: `http://https://host`.

use serde_json::{Map, Value};

use super::Connection;

/// The query's key for an extra that is written whole.
const EXTRA: &str = "__extra__";

/// Why a text is no connection. The text is not repeated: it holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the connection {conn_id} of the environment cannot be read: {reason}")]
pub struct ConnectionError {
    /// Its name.
    pub conn_id: String,
    /// What is wrong.
    pub reason: String,
}

impl Connection {
    /// From a URI, or from JSON if it begins with a brace.
    pub fn from_text(conn_id: &str, text: &str) -> Result<Connection, ConnectionError> {
        let read = if text.starts_with('{') { from_json(text) } else { from_uri(text) };
        let failed = |reason| ConnectionError { conn_id: conn_id.to_owned(), reason };
        let mut connection = read.map_err(failed)?;
        connection.conn_id = conn_id.to_owned();
        Ok(connection)
    }
}

fn normal_type(scheme: &str) -> String {
    if scheme == "postgresql" { "postgres".to_owned() } else { scheme.replace('-', "_") }
}

fn from_uri(uri: &str) -> Result<Connection, String> {
    let invalid = || "Invalid connection string.".to_owned();
    let (scheme, rest) = uri.split_once("://").ok_or_else(invalid)?;
    let (protocol, rest) = match rest.split_once("://") {
        // A query may hold another URL.
        Some((protocol, rest)) if !protocol.contains(['/', '?', '#']) => {
            if protocol.contains(['@', ':']) || rest.contains("://") {
                return Err(invalid());
            }
            (Some(protocol), rest)
        }
        _ => (None, rest),
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let (login, password) = match user.map(|user| user.split_once(':').ok_or(user)) {
        None => (None, None),
        Some(Ok((login, password))) => (Some(unquoted(login)), Some(unquoted(password))),
        Some(Err(login)) => (Some(unquoted(login)), None),
    };
    let (host, port) = host_and_port(place)?;
    let host = match protocol {
        Some(protocol) if !host.is_empty() => format!("{protocol}://{host}"),
        _ => host,
    };
    Ok(Connection {
        conn_type: normal_type(&scheme.to_lowercase()),
        host: Some(host),
        login,
        password,
        schema: Some(unquoted(path)),
        port,
        extra: extra_of(query),
        ..Connection::default()
    })
}

/// Names are in small letters, unless they are paths (of a socket).
fn host_and_port(place: &str) -> Result<(String, Option<i64>), String> {
    let (host, port) = match place.strip_prefix('[').and_then(|place| place.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => {
            let number: Result<u16, _> = port.parse();
            let wrong = |_| "the port is not a number up to 65535".to_owned();
            Some(i64::from(number.map_err(wrong)?))
        }
        None => None,
    };
    let host = unquoted(host);
    Ok((if host.contains('/') { host } else { host.to_lowercase() }, port))
}

fn extra_of(query: &str) -> Option<String> {
    if query.is_empty() {
        return None;
    }
    let mut extra = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (form_decoded(key), form_decoded(value));
        if key == EXTRA {
            return Some(value);
        }
        let parsed = serde_json::from_str(&value).unwrap_or(Value::String(value));
        extra.insert(key, parsed);
    }
    Some(Value::Object(extra).to_string())
}

fn from_json(text: &str) -> Result<Connection, String> {
    // The reason of a syntax error names a place, not the content.
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Value::Object(mut fields) = value else { return Err("it is no JSON object".to_owned()) };
    if let Some(Value::String(uri)) = fields.remove("uri") {
        return from_uri(&uri);
    }
    let mut connection = Connection::default();
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("extra", Value::String(extra)) => connection.extra = Some(extra),
            ("extra", Value::Null) | ("conn_id", _) => {}
            ("extra", extra) => connection.extra = Some(extra.to_string()),
            ("port", port) => connection.port = json_port(&port)?,
            ("conn_type", Value::String(scheme)) => connection.conn_type = normal_type(&scheme),
            ("host", value) => connection.host = json_text("host", value)?,
            ("login", value) => connection.login = json_text("login", value)?,
            ("password", value) => connection.password = json_text("password", value)?,
            ("schema", value) => connection.schema = json_text("schema", value)?,
            ("description", value) => connection.description = json_text("description", value)?,
            (other, _) => return Err(format!("the field {other} is unknown")),
        }
    }
    Ok(connection)
}

fn json_text(name: &str, value: Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(format!("the field {name} is no text")),
    }
}

fn json_port(port: &Value) -> Result<Option<i64>, String> {
    match port {
        Value::Null => Ok(None),
        Value::Number(number) if number.is_i64() => Ok(number.as_i64()),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) if text.parse::<i64>().is_ok() => Ok(text.parse().ok()),
        _ => Err("Expected integer value for `port`".to_owned()),
    }
}

fn form_decoded(text: &str) -> String {
    unquoted(&text.replace('+', " "))
}

/// Without percent-encoding. What is none stays.
fn unquoted(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        let code = bytes.get(place + 1..place + 3).filter(|_| bytes[place] == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code
            .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|code| u8::from_str_radix(code, 16).ok())
        {
            Some(byte) => {
                plain.push(byte);
                place += 3;
            }
            None => {
                plain.push(bytes[place]);
                place += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// As Python's `quote` writes it: that form of a password can come up in logs too.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' | b'/' => {
                quoted.push(char::from(byte));
            }
            other => quoted.push_str(&format!("%{other:02X}")),
        }
    }
    quoted
}
