//! `Config`: settings read and changed.

use tidemill_spark_connect::{ConfigOp, ConfigRequest, ConfigResponse, KeyValue};

use crate::spark::conf::is_modifiable;
use crate::spark::error::{Result, SparkError};
use crate::spark::sessions::Session;

pub(in crate::spark) fn handle(
    session: &Session,
    request: ConfigRequest,
) -> Result<ConfigResponse> {
    let operation = request.operation.and_then(|operation| operation.op_type);
    let operation = operation.ok_or_else(|| SparkError::invalid_plan("no config operation"))?;
    let mut response = ConfigResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        ..ConfigResponse::default()
    };
    let mut conf = session.conf.lock();
    let pair = |key: &str, value: Option<&str>| KeyValue {
        key: key.to_owned(),
        value: value.map(str::to_owned),
    };
    match operation {
        ConfigOp::Set(set) => {
            let silent = set.silent();
            for KeyValue { key, value } in set.pairs {
                match conf.set(&key, value.as_deref().unwrap_or_default()) {
                    Ok(()) => {}
                    Err(error) if silent => response.warnings.push(error.message),
                    Err(error) => return Err(error),
                }
            }
        }
        ConfigOp::Get(get) => {
            for key in &get.keys {
                response.pairs.push(pair(key, Some(conf.require(key)?)));
            }
        }
        ConfigOp::GetWithDefault(get) => {
            for KeyValue { key, value } in &get.pairs {
                response.pairs.push(pair(key, conf.get(key).or(value.as_deref())));
            }
        }
        ConfigOp::GetOption(get) => {
            response.pairs.extend(get.keys.iter().map(|key| pair(key, conf.get(key))));
        }
        ConfigOp::GetAll(get) => {
            let prefix = get.prefix.unwrap_or_default();
            let all = conf.all(&prefix);
            // Spark leaves the prefix away.
            let named = all.iter().map(|(key, value)| pair(&key[prefix.len()..], Some(value)));
            response.pairs.extend(named);
        }
        ConfigOp::Unset(unset) => unset.keys.iter().for_each(|key| conf.unset(key)),
        ConfigOp::IsModifiable(asked) => {
            response.pairs.extend(
                asked.keys.iter().map(|key| pair(key, Some(&is_modifiable(key).to_string()))),
            );
        }
    }
    Ok(response)
}
