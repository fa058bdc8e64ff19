//! `system_schema` and `system_virtual_schema`: the schema as rows.

use super::rows::{RowMaker, boolean, double, int, long, text, text_map, texts, uuid};
use crate::schema::Schema;
use crate::schema::keyspace::Keyspace;
use crate::schema::table::{Column, Table};

fn stored(schema: &Schema, is_virtual: bool) -> impl Iterator<Item = &Keyspace> {
    schema.keyspaces.values().map(|it| &**it).filter(move |it| it.is_virtual == is_virtual)
}

fn all_tables(schema: &Schema, is_virtual: bool) -> impl Iterator<Item = &Table> {
    stored(schema, is_virtual).flat_map(|it| it.tables.values().map(|table| &**table))
}

pub(super) fn keyspaces(schema: &Schema, maker: &mut RowMaker<'_>) {
    for keyspace in stored(schema, false) {
        maker.add(&[
            ("keyspace_name", text(&keyspace.name)),
            ("durable_writes", boolean(keyspace.durable_writes)),
            ("replication", text_map(&keyspace.replication)),
        ]);
    }
}

pub(super) fn tables(schema: &Schema, maker: &mut RowMaker<'_>) {
    for table in all_tables(schema, false) {
        let options = &table.options;
        let mut values = vec![
            ("keyspace_name", text(&table.keyspace)),
            ("table_name", text(&table.name)),
            ("id", uuid(table.id)),
            ("dclocal_read_repair_chance", double(0.0)),
            ("read_repair_chance", double(0.0)),
            ("extensions", text_map(&options.map("extensions"))),
        ];
        let flags: &[&str] =
            if table.is_counter() { &["compound", "counter"] } else { &["compound"] };
        values.push(("flags", texts(flags)));
        for name in ["additional_write_policy", "comment", "read_repair", "speculative_retry"] {
            values.push((name, text(options.text(name))));
        }
        for name in ["bloom_filter_fp_chance", "crc_check_chance"] {
            values.push((name, double(options.double(name))));
        }
        for name in ["caching", "compaction", "compression"] {
            values.push((name, text_map(&options.map(name))));
        }
        for name in [
            "default_time_to_live",
            "gc_grace_seconds",
            "max_index_interval",
            "memtable_flush_period_in_ms",
            "min_index_interval",
        ] {
            values.push((name, int(options.integer(name))));
        }
        maker.add(&values);
    }
}

pub(super) fn columns(schema: &Schema, maker: &mut RowMaker<'_>, is_virtual: bool) {
    for table in all_tables(schema, is_virtual) {
        for column in &table.columns {
            let direction = match (column.kind.name(), column.descending) {
                ("clustering", false) => "asc",
                ("clustering", true) => "desc",
                _ => "none",
            };
            maker.add(&[
                ("keyspace_name", text(&table.keyspace)),
                ("table_name", text(&table.name)),
                ("column_name", text(&column.name)),
                ("clustering_order", text(direction)),
                ("column_name_bytes", text(&column.name)),
                ("kind", text(column.kind.name())),
                ("position", int(position(table, column))),
                ("type", text(&column.column_type.text())),
            ]);
        }
    }
}

/// The place of a key column among its kind; -1 for the others.
fn position(table: &Table, column: &Column) -> i32 {
    let among = |columns: &[Column]| columns.iter().position(|it| it.name == column.name);
    let found = among(table.partition_key()).or_else(|| among(table.clustering()));
    found.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1)
}

pub(super) fn types(schema: &Schema, maker: &mut RowMaker<'_>) {
    for keyspace in stored(schema, false) {
        for known in keyspace.types.values() {
            let (names, types): (Vec<&String>, Vec<String>) =
                known.named_fields().map(|(name, field)| (name, field.text())).unzip();
            maker.add(&[
                ("keyspace_name", text(&keyspace.name)),
                ("type_name", text(&known.udt.name)),
                ("field_names", texts(&names)),
                ("field_types", texts(&types)),
            ]);
        }
    }
}

pub(super) fn dropped(schema: &Schema, maker: &mut RowMaker<'_>) {
    for table in all_tables(schema, false) {
        for column in &table.dropped {
            maker.add(&[
                ("keyspace_name", text(&table.keyspace)),
                ("table_name", text(&table.name)),
                ("column_name", text(&column.name)),
                ("dropped_time", long(column.dropped_ms)),
                ("kind", text(if column.is_static { "static" } else { "regular" })),
                ("type", text(&column.type_text)),
            ]);
        }
    }
}

pub(super) fn virtual_keyspaces(schema: &Schema, maker: &mut RowMaker<'_>) {
    for keyspace in stored(schema, true) {
        maker.add(&[("keyspace_name", text(&keyspace.name))]);
    }
}

pub(super) fn virtual_tables(schema: &Schema, maker: &mut RowMaker<'_>) {
    for table in all_tables(schema, true) {
        maker.add(&[
            ("keyspace_name", text(&table.keyspace)),
            ("table_name", text(&table.name)),
            ("comment", text(table.options.text("comment"))),
        ]);
    }
}
