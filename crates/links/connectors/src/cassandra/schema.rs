//! Keyspace and table in CQL.

use arrow::datatypes::DataType;

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CassandraColumn {
    /// Its name; case matters.
    pub name: String,
    /// Its type, for a table that is made.
    pub cql_type: String,
}

/// The CQL type of a column unless another one is asked for; none if there is no fitting one.
pub fn cql_type_of(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Utf8 => "text".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(..) => "decimal".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Time32(_) => "time".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Binary => "blob".to_owned(),
        DataType::List(item) => format!("list<{}>", frozen(cql_type_of(item.data_type())?)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => format!(
                "map<{}, {}>",
                frozen(cql_type_of(fields[0].data_type())?),
                frozen(cql_type_of(fields[1].data_type())?)
            ),
            _ => return None,
        },
        _ => return None,
    })
}

/// A collection inside a collection has to be frozen.
fn frozen(cql_type: String) -> String {
    if cql_type.contains('<') { format!("frozen<{cql_type}>") } else { cql_type }
}

/// Types that can be asked for by name; they go into DDL as they are.
pub fn known_cql_type(cql_type: &str) -> bool {
    const KNOWN: [&str; 19] = [
        "ascii",
        "bigint",
        "blob",
        "boolean",
        "date",
        "decimal",
        "double",
        "float",
        "inet",
        "int",
        "smallint",
        "text",
        "time",
        "timestamp",
        "timeuuid",
        "tinyint",
        "uuid",
        "varchar",
        "varint",
    ];
    KNOWN.contains(&cql_type)
}

/// A name as CQL quotes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Copies in the local datacentre if it is known, else anywhere.
pub(super) fn create_keyspace(
    keyspace: &str,
    replication_factor: u32,
    datacenter: Option<&str>,
) -> String {
    let replication = match datacenter {
        None => {
            format!("'class': 'SimpleStrategy', 'replication_factor': {replication_factor}")
        }
        Some(name) => {
            let name = name.replace('\'', "''");
            format!("'class': 'NetworkTopologyStrategy', '{name}': {replication_factor}")
        }
    };
    let keyspace = quoted(keyspace);
    format!("CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{{replication}}}")
}

/// The first column of the key is the partition key, the others cluster.
pub(super) fn create_table(
    keyspace: &str,
    table: &str,
    columns: &[CassandraColumn],
    key: &[String],
) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("{} {}", quoted(&column.name), column.cql_type))
        .collect();
    let key: Vec<String> = key.iter().map(|name| quoted(name)).collect();
    format!(
        "CREATE TABLE IF NOT EXISTS {}.{} ({}, PRIMARY KEY ({}))",
        quoted(keyspace),
        quoted(table),
        columns.join(", "),
        key.join(", ")
    )
}

pub(super) fn upsert(keyspace: &str, table: &str, columns: &[CassandraColumn]) -> String {
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let marks = vec!["?"; columns.len()];
    format!(
        "INSERT INTO {}.{} ({}) VALUES ({}) USING TIMESTAMP ?",
        quoted(keyspace),
        quoted(table),
        names.join(", "),
        marks.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_kept_in_the_local_datacentre_if_it_is_known() {
        for (datacenter, replication) in [
            (None, "{'class': 'SimpleStrategy', 'replication_factor': 3}"),
            (Some("dc'1"), "{'class': 'NetworkTopologyStrategy', 'dc''1': 3}"),
        ] {
            let made = create_keyspace("ks", 3, datacenter);
            assert!(made.ends_with(replication), "{made}");
        }
    }

    #[test]
    fn statements_quote_every_name() {
        let column = |name: &str, cql_type: &str| CassandraColumn {
            name: name.to_owned(),
            cql_type: cql_type.to_owned(),
        };
        let columns = [column("id", "uuid"), column("First \"n\"", "text")];
        assert_eq!(
            create_table("ks", "Users", &columns, &["id".to_owned()]),
            "CREATE TABLE IF NOT EXISTS \"ks\".\"Users\" (\"id\" uuid, \"First \"\"n\"\"\" text, \
             PRIMARY KEY (\"id\"))"
        );
        assert_eq!(
            upsert("ks", "Users", &columns),
            "INSERT INTO \"ks\".\"Users\" (\"id\", \"First \"\"n\"\"\") VALUES (?, ?) USING \
             TIMESTAMP ?"
        );
    }
}
