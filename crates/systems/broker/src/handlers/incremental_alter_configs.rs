//! IncrementalAlterConfigs (key 44), v0–v1. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_IncrementalAlterConfigs>
//!
//! Settings of topics: set, delete, and for lists append and subtract (KIP-339). All changes to one
//! resource happen or none. Differs from Kafka: the broker's own settings are in its file.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig,
};
use tidemill_kafka_wire::messages::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::Context;
use super::describe_configs::TOPIC;
use crate::config::Config;
use crate::topics::Refused;
use crate::topics::settings::{self, Overrides};

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

pub(super) fn handle(
    context: &Context,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let alone = |resource: &AlterConfigsResource| {
        let same = |other: &&AlterConfigsResource| {
            other.resource_type == resource.resource_type
                && other.resource_name == resource.resource_name
        };
        request.resources.iter().filter(same).count() == 1
    };
    let responses = request.resources.iter().map(|resource| {
        let outcome = match alone(resource) {
            true => alter(context, resource, request.validate_only),
            false => Err(invalid("a resource is named once per request")),
        };
        let (error_code, error_message) = match outcome {
            Ok(()) => (ErrorCode::None, None),
            Err(refused) => (refused.code, Some(refused.message)),
        };
        AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
        }
    });
    IncrementalAlterConfigsResponse { responses: responses.collect(), ..Default::default() }
}

fn invalid(message: impl Into<String>) -> Refused {
    Refused::new(ErrorCode::InvalidRequest, message)
}

fn alter(
    context: &Context,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Refused> {
    if resource.resource_type != TOPIC {
        return Err(invalid("only settings of topics can be changed while the broker runs"));
    }
    let name = &resource.resource_name;
    let topic = context.core.topics.named(name).ok_or_else(|| {
        let message = format!("there is no topic '{name}'");
        Refused::new(ErrorCode::UnknownTopicOrPartition, message)
    })?;
    let mut overrides = topic.settings().overrides.clone();
    for (index, change) in resource.configs.iter().enumerate() {
        if resource.configs[..index].iter().any(|earlier| earlier.name == change.name) {
            return Err(invalid(format!("{} is named more than once", change.name)));
        }
        apply(&mut overrides, change, &context.core.config)?;
    }
    match validate_only {
        true => Ok(()),
        false => context.core.topics.configure(&topic, overrides),
    }
}

fn apply(
    overrides: &mut Overrides,
    change: &AlterableConfig,
    config: &Config,
) -> Result<(), Refused> {
    let name = &change.name;
    let wrong = |reason: String| Refused::new(ErrorCode::InvalidConfig, reason);
    if change.config_operation == DELETE {
        overrides.remove(name);
        return Ok(());
    }
    let value = change.value.as_deref();
    let value = value.ok_or_else(|| invalid(format!("there is no value for {name}")))?;
    let definition = settings::definition(name)
        .ok_or_else(|| wrong(format!("there is no topic setting '{name}'")))?;
    let changed = match change.config_operation {
        SET => value.to_owned(),
        APPEND | SUBTRACT if !definition.kind.is_list() => {
            return Err(wrong(format!("{name} is no list: it can be set or deleted")));
        }
        operation @ (APPEND | SUBTRACT) => {
            let current = overrides.get(name).cloned();
            let current = current.unwrap_or_else(|| definition.default(config));
            change_list(&current, value, operation == APPEND)
        }
        other => return Err(invalid(format!("operation {other} is not known"))),
    };
    settings::check(name, &changed).map_err(wrong)?;
    overrides.insert(name.clone(), changed);
    Ok(())
}

fn change_list(current: &str, parts: &str, is_append: bool) -> String {
    let mut list: Vec<&str> = settings::split(current).collect();
    for part in settings::split(parts) {
        let known = list.iter().position(|other| *other == part);
        match (is_append, known) {
            (true, None) => list.push(part),
            (false, Some(index)) => drop(list.remove(index)),
            _ => {}
        }
    }
    list.join(",")
}
