//! From a table's options to what it is connected to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tidemill_access::{CassandraAccess, Credentials, RegistryAccess, Secret};
use tidemill_connectors::cassandra::{
    CassandraColumn, CassandraConfig, CassandraSink, cql_type_of, known_cql_type,
};
use tidemill_connectors::datagen::{DatagenConfig, DatagenSource};
use tidemill_connectors::discard::{Blackhole, Print};
use tidemill_connectors::kafka::{
    KafkaDeadLetters, KafkaSink, KafkaSource, KafkaSourceConfig, Startup as SourceStartup,
};
use tidemill_connectors::registry::SchemaRegistry;
use tidemill_connectors::{DeadLetters, Encode, Sink, Source};
use tidemill_kafka_client::{ClientConfig, KafkaClient};
use tidemill_runtime::World;

use crate::catalog::Table;
use crate::catalog::options::{CassandraOptions, Connector, Format, KafkaOptions, Startup};
use crate::formats::RowEncoder;
use crate::runtime::job::Schemas;

/// Where the node's own boxes, or the real systems in their place, can be reached. A pipeline that
/// names no host is connected to these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineLinks {
    /// Kafka.
    pub kafka: ClientConfig,
    /// Schema registry.
    pub registry: RegistryAccess,
    /// Cassandra.
    pub cassandra: CassandraAccess,
    /// Addresses as scripts write them (`broker:29092`, or a host alone) to those that answer.
    pub aliases: BTreeMap<String, String>,
}

impl EngineLinks {
    /// Addresses, separated by commas, as they answer: what is no alias stays as it is written.
    fn answering(&self, addresses: &str) -> String {
        let one = |address: &str| {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            let alias = self.aliases.get(address).or_else(|| self.aliases.get(host));
            alias.cloned().unwrap_or_else(|| address.to_owned())
        };
        addresses.split(',').map(|address| one(address.trim())).collect::<Vec<_>>().join(",")
    }
}

/// How far a source reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading<'a> {
    /// As the table says, for the job of this name.
    Job(&'a str),
    /// From the beginning to the current end, for a query.
    Query,
}

/// Makes what tables stand for. Errors say what is wrong with the options.
pub(crate) trait Ends: Send + Sync {
    fn source(&self, table: &Table, reading: Reading<'_>) -> Result<Box<dyn Source>, String>;
    fn dead_letters(&self, source: &Table) -> Option<Box<dyn DeadLetters>>;
    fn schemas(&self, source: &Table) -> Result<Arc<dyn Schemas>, String>;
    fn sink(&self, table: &Table) -> Result<Box<dyn Sink>, String>;
}

/// Real systems, over the wire.
pub(crate) struct WireEnds {
    links: EngineLinks,
    world: World,
    /// One client per cluster, shared by all jobs; none names the node's own.
    clients: Mutex<HashMap<Option<String>, KafkaClient>>,
}

impl WireEnds {
    pub(crate) fn new(links: EngineLinks, world: World) -> WireEnds {
        WireEnds { links, world, clients: Mutex::default() }
    }

    /// A table that names its brokers is connected to them plainly: the node's passwords are for
    /// the node's cluster only.
    fn client(&self, options: &KafkaOptions) -> KafkaClient {
        let servers = options.bootstrap_servers.as_deref();
        let servers = servers.map(|servers| self.links.answering(servers));
        // The node's own, by another name, has its security too.
        let own = self.links.kafka.bootstrap_servers.join(",");
        let servers = servers.filter(|servers| *servers != own);
        let mut clients = self.clients.lock();
        let client = clients.entry(servers).or_insert_with_key(|servers| {
            let config = match servers {
                None => self.links.kafka.clone(),
                Some(servers) => {
                    let servers = servers.split(',').map(str::trim).filter(|one| !one.is_empty());
                    ClientConfig::new(servers, "tidemill-engine")
                }
            };
            KafkaClient::new(config, self.world.clone())
        });
        client.clone()
    }
}

impl Ends for WireEnds {
    fn source(&self, table: &Table, reading: Reading<'_>) -> Result<Box<dyn Source>, String> {
        let clock = Arc::clone(&self.world.clock);
        match &table.connector {
            Connector::Kafka(options) => {
                let config = source_config(options, reading);
                Ok(Box::new(KafkaSource::new(self.client(options), config, clock)))
            }
            Connector::Datagen(options) => {
                if reading == Reading::Query && options.number_of_rows.is_none() {
                    return Err(format!(
                        "Querying an unbounded table '{}' in batch mode is not allowed. Set \
                         'number-of-rows'.",
                        table.name
                    ));
                }
                let config = DatagenConfig {
                    rows_per_second: match reading {
                        Reading::Job(_) => options.rows_per_second,
                        Reading::Query => i64::MAX,
                    },
                    number_of_rows: options.number_of_rows,
                };
                Ok(Box::new(DatagenSource::new(config, clock)))
            }
            other => Err(format!(
                "Connector '{}' can only be used as a sink. It cannot be used as a source.",
                other.name()
            )),
        }
    }

    fn dead_letters(&self, source: &Table) -> Option<Box<dyn DeadLetters>> {
        match &source.connector {
            Connector::Kafka(options) => {
                let topic = options.dead_letter_topic.clone();
                Some(Box::new(KafkaDeadLetters::new(self.client(options), topic)))
            }
            _ => None,
        }
    }

    fn schemas(&self, source: &Table) -> Result<Arc<dyn Schemas>, String> {
        let access = match &source.connector {
            Connector::Kafka(KafkaOptions { format: Format::AvroConfluent(avro), .. }) => {
                match &avro.url {
                    Some(own) => RegistryAccess::open(own),
                    None => self.links.registry.clone(),
                }
            }
            _ => return Ok(Arc::new(NoSchemas)),
        };
        Ok(Arc::new(RegistrySchemas(SchemaRegistry::new(access)?)))
    }

    fn sink(&self, table: &Table) -> Result<Box<dyn Sink>, String> {
        match &table.connector {
            Connector::Kafka(options) => {
                let encode = Box::new(TopicEncoder::new(table, options));
                Ok(Box::new(KafkaSink::new(self.client(options), options.topic.clone(), encode)))
            }
            Connector::Cassandra(options) => {
                let config = cassandra_config(table, options, &self.links)?;
                Ok(Box::new(CassandraSink::new(config)))
            }
            Connector::Print { identifier } => Ok(Box::new(Print::new(identifier))),
            Connector::Blackhole => Ok(Box::new(Blackhole)),
            Connector::Spark { format } => Err(format!("'{format}' is a sink of Spark Connect")),
            Connector::Datagen(_) => Err(
                "Connector 'datagen' can only be used as a source. It cannot be used as a sink."
                    .to_owned(),
            ),
        }
    }
}

fn source_config(options: &KafkaOptions, reading: Reading<'_>) -> KafkaSourceConfig {
    let (startup, group) = match reading {
        Reading::Job(job) => {
            let own = format!("tidemill-{job}");
            let startup = match options.startup {
                Startup::Earliest => SourceStartup::Earliest,
                Startup::Latest => SourceStartup::Latest,
                Startup::Timestamp(ms) => SourceStartup::At(ms),
                Startup::GroupOffsets => {
                    SourceStartup::Group(options.group_id.clone().unwrap_or_else(|| own.clone()))
                }
            };
            (startup, Some(own))
        }
        Reading::Query => match options.startup {
            Startup::Timestamp(ms) => (SourceStartup::At(ms), None),
            _ => (SourceStartup::Earliest, None),
        },
    };
    KafkaSourceConfig {
        topic: options.topic.clone(),
        startup,
        bounded: options.bounded || reading == Reading::Query,
        group,
    }
}

fn cassandra_config(
    table: &Table,
    options: &CassandraOptions,
    links: &EngineLinks,
) -> Result<CassandraConfig, String> {
    let columns = table
        .physical()
        .map(|(column, sql_type, _)| {
            let cql_type = match options.cql_types.get(&column.name) {
                Some((cql_type, _)) if known_cql_type(cql_type) => cql_type.clone(),
                Some((cql_type, at)) => {
                    return Err(format!(
                        "'tidemill.cql.type.{}' = '{cql_type}' at {at} is no CQL type",
                        column.name
                    ));
                }
                None => cql_type_of(&sql_type.arrow()).ok_or_else(|| {
                    format!("column '{}' of type {sql_type} has no CQL type", column.name)
                })?,
            };
            Ok(CassandraColumn { name: column.name.clone(), cql_type })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let own = &links.cassandra;
    let points = options.contact_points.as_deref().map(|points| links.answering(points));
    let mut cluster = match points.filter(|points| *points != own.contact_points.join(",")) {
        Some(points) => CassandraAccess::open(points.split(',')),
        None => own.clone(),
    };
    if let Some((username, password)) = &options.credentials {
        cluster.credentials = Some(Credentials::new(username, Secret::new(password)));
    }
    Ok(CassandraConfig {
        cluster,
        keyspace: options.keyspace.clone(),
        table: options.table.clone(),
        columns,
        key: table.primary_key.clone(),
        replication_factor: options.replication_factor,
        in_flight_max: options.in_flight_max,
    })
}

/// Key and value of a topic's records.
struct TopicEncoder {
    key: Option<RowEncoder>,
    value: RowEncoder,
}

impl TopicEncoder {
    fn new(table: &Table, options: &KafkaOptions) -> TopicEncoder {
        let names: Vec<&str> = table.physical().map(|(column, ..)| column.name.as_str()).collect();
        let key = options.key_format.as_ref().map(|format| {
            let place = |field: &String| names.iter().position(|name| name == field);
            let columns = options.key_fields.iter().filter_map(place).collect();
            RowEncoder::new(format.clone(), columns)
        });
        let value = RowEncoder::new(options.format.clone(), (0..names.len()).collect());
        TopicEncoder { key, value }
    }
}

impl Encode for TopicEncoder {
    fn encode(&self, batch: &RecordBatch, row: usize) -> (Option<Bytes>, Option<Bytes>) {
        let key = self.key.as_ref().and_then(|key| key.encode(batch, row));
        (key, self.value.encode(batch, row))
    }
}

struct RegistrySchemas(SchemaRegistry);

#[async_trait]
impl Schemas for RegistrySchemas {
    async fn schema(&self, id: u32) -> Result<Result<String, String>, String> {
        self.0.schema(id).await
    }
}

/// For formats without schemas.
pub(crate) struct NoSchemas;

#[async_trait]
impl Schemas for NoSchemas {
    async fn schema(&self, id: u32) -> Result<Result<String, String>, String> {
        Ok(Err(format!("no registry for schema {id}")))
    }
}
