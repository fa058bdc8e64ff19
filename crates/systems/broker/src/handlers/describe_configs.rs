//! DescribeConfigs (key 32), v1–v4. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeConfigs>
//!
//! Topics and the broker, each value with its source and what it would be without it (KIP-226).
//! Differs from Kafka: of the broker's keys only those this broker has; no loggers.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult,
    DescribeConfigsSynonym,
};
use tidemill_kafka_wire::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

use super::Context;
use crate::broker_settings;
use crate::config::Config;
use crate::core::NODE_ID;
use crate::topics::settings::{DEFINITIONS, TopicSettings};
use crate::topics::{Refused, name};

pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;

const DYNAMIC_TOPIC: i8 = 1;
const STATIC_BROKER: i8 = 4;
const DEFAULT: i8 = 5;

/// A setting with all the places its value could come from, the strongest first.
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
    is_read_only: bool,
    kind: i8,
    documentation: &'static str,
    synonyms: Vec<(String, String, i8)>,
}

impl Setting {
    /// Where the value comes from.
    pub(super) fn source(&self) -> i8 {
        self.synonyms.first().map_or(DEFAULT, |(_, _, source)| *source)
    }
}

pub(super) fn handle(
    context: &Context,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let results = request.resources.into_iter().map(|resource| {
        let described = describe(context, &resource);
        let (error_code, error_message, settings) = match described {
            Ok(settings) => (ErrorCode::None, None, settings),
            Err(refused) => (refused.code, Some(refused.message), Vec::new()),
        };
        let wanted = |setting: &Setting| {
            let keys = resource.configuration_keys.as_ref();
            keys.is_none_or(|keys| keys.contains(&setting.name))
        };
        DescribeConfigsResult {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            configs: settings
                .into_iter()
                .filter(wanted)
                .map(|setting| {
                    answer(setting, request.include_synonyms, request.include_documentation)
                })
                .collect(),
            resource_name: resource.resource_name,
        }
    });
    DescribeConfigsResponse { results: results.collect(), ..Default::default() }
}

fn describe(
    context: &Context,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Setting>, Refused> {
    let config = &context.core.config;
    let asked = &resource.resource_name;
    match resource.resource_type {
        TOPIC => {
            name::check(asked)
                .map_err(|reason| Refused::new(ErrorCode::InvalidTopicException, reason))?;
            let topic = context.core.topics.named(asked).ok_or_else(|| {
                let message = format!("there is no topic '{asked}'");
                Refused::new(ErrorCode::UnknownTopicOrPartition, message)
            })?;
            Ok(of_topic(&topic.settings(), config))
        }
        BROKER if asked.is_empty() => Ok(Vec::new()),
        BROKER if *asked == NODE_ID.to_string() => Ok(of_broker(context)),
        BROKER => {
            let message = format!("this is broker {NODE_ID}, not '{asked}'");
            Err(Refused::new(ErrorCode::InvalidRequest, message))
        }
        other => {
            let message = format!("resources of type {other} have no settings here");
            Err(Refused::new(ErrorCode::InvalidRequest, message))
        }
    }
}

/// All settings of a topic.
pub(super) fn of_topic(settings: &TopicSettings, config: &Config) -> Vec<Setting> {
    let (mut all, shipped) = (Vec::with_capacity(DEFINITIONS.len()), Config::default());
    for definition in DEFINITIONS {
        let mut synonyms = Vec::new();
        if let Some(set) = settings.overrides.get(definition.name) {
            synonyms.push((definition.name.to_owned(), set.clone(), DYNAMIC_TOPIC));
        }
        let (configured, default) = (definition.default(config), definition.default(&shipped));
        if let Some(synonym) = definition.synonym {
            if configured != default {
                synonyms.push((synonym.to_owned(), configured.clone(), STATIC_BROKER));
            }
            synonyms.push((synonym.to_owned(), default, DEFAULT));
        }
        all.push(Setting {
            name: definition.name.to_owned(),
            value: synonyms.first().map_or(configured, |(_, value, _)| value.clone()),
            is_read_only: false,
            kind: definition.kind.number(),
            documentation: definition.documentation(),
            synonyms,
        });
    }
    all
}

fn of_broker(context: &Context) -> Vec<Setting> {
    let (config, shipped) = (&context.core.config, Config::default());
    let listen = context.ends.broker;
    let dir = context.core.topics.dir();
    broker_settings::all(config, listen, dir)
        .into_iter()
        .zip(broker_settings::all(&shipped, shipped.listen, dir))
        .map(|(now, default)| {
            let name = now.name.to_owned();
            let mut synonyms = vec![(name.clone(), default.value, DEFAULT)];
            if now.value != synonyms[0].1 || now.is_always_set {
                synonyms.insert(0, (name.clone(), now.value.clone(), STATIC_BROKER));
            }
            Setting {
                name,
                value: now.value,
                is_read_only: true,
                kind: now.kind,
                documentation: now.documentation,
                synonyms,
            }
        })
        .collect()
}

fn answer(
    setting: Setting,
    with_synonyms: bool,
    with_documentation: bool,
) -> DescribeConfigsResourceResult {
    let config_source = setting.source();
    let synonyms = setting.synonyms.into_iter().filter(|_| with_synonyms);
    DescribeConfigsResourceResult {
        name: setting.name,
        value: Some(setting.value),
        read_only: setting.is_read_only,
        config_source,
        is_sensitive: false,
        synonyms: synonyms
            .map(|(name, value, source)| DescribeConfigsSynonym {
                name,
                value: Some(value),
                source,
            })
            .collect(),
        config_type: setting.kind,
        documentation: with_documentation.then(|| setting.documentation.to_owned()),
    }
}
