//! Schemas by id, for reading records that name theirs.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;
use tidemill_schema::avro::Schema;

use super::HttpPart;

/// Schemas kept; when full, all are forgotten and asked for again.
const KEPT_MAX: usize = 1000;

/// What the registry says of an id: an Avro schema, or one of a kind that is not read here.
type Known = Option<Arc<Schema>>;

/// A cache over the registry: an id never changes its meaning.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    known: Mutex<HashMap<u32, Known>>,
}

#[derive(Deserialize)]
struct ById {
    schema: String,
    #[serde(rename = "schemaType")]
    schema_type: Option<String>,
}

impl Schemas {
    /// The Avro schema of an id. `None` if the registry does not know it, is down, or it is of
    /// another kind: the record then shows as bytes.
    pub(crate) async fn avro(&self, registry: &HttpPart, id: u32) -> Known {
        if let Some(known) = self.known.lock().get(&id) {
            return known.clone();
        }
        let found: ById = registry.get(&format!("/schemas/ids/{id}")).await.ok()?;
        let is_avro = found.schema_type.as_deref().is_none_or(|kind| kind == "AVRO");
        let schema = if is_avro { Schema::parse(&found.schema).ok().map(Arc::new) } else { None };
        let mut known = self.known.lock();
        if known.len() >= KEPT_MAX {
            known.clear();
        }
        known.insert(id, schema.clone());
        schema
    }
}
