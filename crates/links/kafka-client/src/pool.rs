//! Connections to one broker, lent for one exchange each.
//!
//! A long poll holds its connection while it waits; the others are not delayed. A connection goes
//! back only after a whole exchange: a call that failed or was dropped in between takes its
//! connection with it.

use std::time::Duration;

use parking_lot::Mutex;
use tidemill_kafka_wire::Request;
use tidemill_kafka_wire::messages::api_versions::ApiVersion;
use tidemill_runtime::World;
use tokio::sync::Semaphore;

use crate::connection::Connection;
use crate::{ClientConfig, ClientError};

#[derive(Debug)]
pub(crate) struct Pool {
    address: String,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    /// Until when the broker wants to be left alone (KIP-219), on the monotonic clock.
    quiet_until: Mutex<Duration>,
}

impl Pool {
    pub(crate) fn new(address: String, config: &ClientConfig) -> Pool {
        Pool {
            address,
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(config.connections_max),
            quiet_until: Mutex::default(),
        }
    }

    /// One exchange on a connection of its own. One that idled may have been closed by the broker
    /// meanwhile: that shows as unreachable, and the caller tries again.
    pub(crate) async fn call<R: Request>(
        &self,
        config: &ClientConfig,
        world: &World,
        request: &R,
        version_max: i16,
    ) -> Result<R::Response, ClientError> {
        let quiet = self.quiet_until.lock().saturating_sub(world.clock.monotonic());
        if !quiet.is_zero() {
            tokio::time::sleep(quiet).await;
        }
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(ClientError::unreachable(&self.address, "the client was closed"));
        };
        let mut connection = self.take(config, world).await?;
        let answer = connection.call(request, version_max).await?;
        self.idle.lock().push(connection);
        Ok(answer)
    }

    /// The APIs the broker serves, and in which versions.
    pub(crate) async fn served(
        &self,
        config: &ClientConfig,
        world: &World,
    ) -> Result<Vec<ApiVersion>, ClientError> {
        let connection = self.take(config, world).await?;
        let served = connection.served().to_vec();
        self.idle.lock().push(connection);
        Ok(served)
    }

    async fn take(&self, config: &ClientConfig, world: &World) -> Result<Connection, ClientError> {
        let now = world.clock.monotonic();
        // A statement of its own: the lock must not be held while the connection is used.
        let idle = {
            let mut idle = self.idle.lock();
            idle.retain(|connection| connection.is_fresh(now));
            idle.pop()
        };
        match idle {
            Some(connection) => Ok(connection),
            None => Connection::open(&self.address, config, world).await,
        }
    }

    /// The broker asks for a pause; the next call waits for its end.
    pub(crate) fn throttle(&self, throttle_time_ms: i32, world: &World) {
        let Ok(ms @ 1..) = u64::try_from(throttle_time_ms) else { return };
        let end = world.clock.monotonic() + Duration::from_millis(ms);
        let mut quiet_until = self.quiet_until.lock();
        *quiet_until = (*quiet_until).max(end);
    }

    /// Forgets the connections that idle: the broker behind them went away.
    pub(crate) fn clear(&self) {
        self.idle.lock().clear();
    }
}
