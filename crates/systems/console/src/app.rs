//! What all handlers and watchers share.

use std::sync::Arc;

use tidemill_kafka_client::KafkaClient;
use tidemill_runtime::{Tasks, World};

use crate::config::{Config, Endpoints};
use crate::error::Part;
use crate::parts::{HttpPart, Schemas, Store, client};
use crate::watch::Watch;
use crate::watch::facts::Health;

/// The other boxes as clients of them, and what was seen of them.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) endpoints: Endpoints,
    /// This console's own URL.
    pub(crate) url: String,
    pub(crate) kafka: KafkaClient,
    pub(crate) registry: HttpPart,
    pub(crate) scheduler: HttpPart,
    pub(crate) engine: HttpPart,
    pub(crate) store: Store,
    pub(crate) schemas: Schemas,
    /// The SQL session at the engine; kept, so that a table made in one statement is there in the
    /// next.
    pub(crate) sql_session: tokio::sync::Mutex<Option<String>>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) tasks: Tasks,
    pub(crate) world: World,
}

impl App {
    /// Clients of the endpoints; nothing is connected yet.
    pub(crate) fn new(
        config: Config,
        endpoints: Endpoints,
        url: String,
        tasks: Tasks,
        world: World,
    ) -> Result<App, reqwest::Error> {
        let app = App {
            kafka: client(&endpoints, "console", world.clone()),
            registry: HttpPart::registry(&endpoints.registry)?,
            scheduler: HttpPart::new(
                Part::Scheduler,
                &endpoints.scheduler,
                &config.scheduler_token,
            )?,
            engine: HttpPart::new(Part::Engine, &endpoints.engine, "")?,
            store: Store::new(&endpoints.cql),
            schemas: Schemas::default(),
            sql_session: tokio::sync::Mutex::default(),
            watch: Arc::new(Watch::new()),
            config,
            endpoints,
            url,
            tasks,
            world,
        };
        app.register_boxes();
        Ok(app)
    }

    fn register_boxes(&self) {
        let mut facts = self.watch.facts.write();
        let boxes = [
            (Part::Broker, "kafka", self.endpoints.kafka.clone()),
            (Part::Registry, "http", self.registry.base().to_owned()),
            (Part::Scheduler, "http", self.scheduler.base().to_owned()),
            (Part::Engine, "http", self.engine.base().to_owned()),
            (Part::Store, "cql", self.store.address()),
            (Part::Console, "http", self.url.clone()),
        ];
        for (part, protocol, address) in boxes {
            if !address.is_empty() {
                facts.health.insert(part, Health::new(part, protocol, address));
            }
        }
        if let Some(own) = facts.health.get_mut(&Part::Console) {
            own.update(Ok(Some(env!("CARGO_PKG_VERSION").to_owned())), 0.0);
        }
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}
