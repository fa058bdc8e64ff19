//! The client: which broker is asked, and when again.

use std::sync::Arc;
use std::time::Duration;

use tidemill_kafka_wire::messages::FindCoordinatorRequest;
use tidemill_kafka_wire::{ErrorCode, Request};
use tidemill_runtime::World;
use tokio::time::timeout;

use crate::cluster::Known;
use crate::error::accepted;
use crate::retry::Backoff;
use crate::{ClientConfig, ClientError, Producer, ProducerConfig};

/// Any version that both sides know.
pub(crate) const NEWEST: i16 = i16::MAX;

/// A client of one cluster. Cheap to clone; connects when it is first asked something, and again
/// whenever a connection was lost.
#[derive(Debug, Clone)]
pub struct KafkaClient {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: ClientConfig,
    pub(crate) world: World,
    pub(crate) known: Known,
}

impl KafkaClient {
    /// A client; nothing is connected yet.
    pub fn new(config: ClientConfig, world: World) -> KafkaClient {
        let known = Known::new(&config);
        KafkaClient { inner: Arc::new(Inner { config, world, known }) }
    }

    /// An idempotent producer over this client's connections.
    pub fn producer(&self, config: ProducerConfig) -> Producer {
        Producer::new(self.clone(), config)
    }

    /// How the client was configured.
    pub fn config(&self) -> &ClientConfig {
        &self.inner.config
    }

    /// Asks whichever broker answers; a lost connection is tried again within the timeout.
    pub(crate) async fn ask_any<R: Request>(
        &self,
        request: &R,
        version_max: i16,
    ) -> Result<R::Response, ClientError> {
        let mut backoff = self.backoff();
        loop {
            let mut last = None;
            for address in self.inner.known.addresses() {
                match self.ask_at(&address, request, version_max, self.left(&backoff)).await {
                    Err(error @ ClientError::Unreachable { .. }) => last = Some(error),
                    answer => return answer,
                }
            }
            let error = last.unwrap_or_else(|| {
                ClientError::unreachable("(none)", "no bootstrap server is configured")
            });
            if !self.wait(&mut backoff).await {
                return Err(error);
            }
        }
    }

    /// Asks the coordinator of a group. It is looked up again whenever it says that it is not the
    /// one, or is loading.
    pub(crate) async fn ask_coordinator<R: Request>(
        &self,
        group: &str,
        request: &R,
        version_max: i16,
        code_of: impl Fn(&R::Response) -> ErrorCode,
    ) -> Result<R::Response, ClientError> {
        let mut backoff = self.backoff();
        loop {
            let answer = match self.coordinator(group).await {
                Ok(address) => {
                    self.ask_at(&address, request, version_max, self.left(&backoff)).await
                }
                Err(error) => Err(error),
            };
            let again = match &answer {
                Ok(answer) => matches!(
                    code_of(answer),
                    ErrorCode::CoordinatorLoadInProgress
                        | ErrorCode::CoordinatorNotAvailable
                        | ErrorCode::NotCoordinator
                ),
                Err(error) => {
                    error.is_retriable() && !matches!(error, ClientError::TimedOut { .. })
                }
            };
            if !again || !self.wait(&mut backoff).await {
                return answer;
            }
            self.inner.known.forget_coordinator(group);
        }
    }

    /// The address of a group's coordinator.
    async fn coordinator(&self, group: &str) -> Result<String, ClientError> {
        if let Some(address) = self.inner.known.coordinator(group) {
            return Ok(address);
        }
        let request = FindCoordinatorRequest {
            key: group.to_owned(),
            key_type: 0,
            coordinator_keys: vec![group.to_owned()],
        };
        let found = self.ask_any(&request, NEWEST).await?;
        let what = || format!("finding the coordinator of group {group}");
        let (host, port) = match found.coordinators.into_iter().next() {
            Some(one) => {
                accepted(one.error_code, one.error_message.as_deref(), what)?;
                (one.host, one.port)
            }
            None => {
                accepted(found.error_code, found.error_message.as_deref(), what)?;
                (found.host, found.port)
            }
        };
        let address = format!("{host}:{port}");
        self.inner.known.learn_coordinator(group, &address);
        Ok(address)
    }

    /// One exchange with one broker, within `patience`.
    pub(crate) async fn ask_at<R: Request>(
        &self,
        address: &str,
        request: &R,
        version_max: i16,
        patience: Duration,
    ) -> Result<R::Response, ClientError> {
        let pool = self.inner.known.pool(address, &self.inner.config);
        let Inner { config, world, .. } = &*self.inner;
        let answer = timeout(patience, pool.call(config, world, request, version_max)).await;
        match answer {
            Ok(Err(error @ ClientError::Unreachable { .. })) => {
                pool.clear();
                Err(error)
            }
            Ok(answer) => answer,
            Err(_) => Err(ClientError::TimedOut {
                what: format!("{} at {address}", R::KEY.name()),
                after: patience,
            }),
        }
    }

    /// The broker at `address` asked for a pause of so long.
    pub(crate) fn throttle(&self, address: &str, throttle_time_ms: i32) {
        if throttle_time_ms > 0 {
            let pool = self.inner.known.pool(address, &self.inner.config);
            pool.throttle(throttle_time_ms, &self.inner.world);
        }
    }

    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(&*self.inner.world.clock, self.inner.config.request_timeout)
    }

    pub(crate) fn left(&self, backoff: &Backoff) -> Duration {
        backoff.left(&*self.inner.world.clock)
    }

    pub(crate) async fn wait(&self, backoff: &mut Backoff) -> bool {
        backoff.wait(&*self.inner.world.clock, &*self.inner.world.random).await
    }
}
