//! Connections to one broker, lent for one exchange each.
//!
//! A long poll holds its connection while it waits; the others are not delayed. A connection goes
//! back only after a whole exchange: a call that failed or was dropped in between takes its
//! connection with it.

use parking_lot::Mutex;
use tidemill_kafka_wire::Request;
use tokio::sync::Semaphore;

use crate::connection::Connection;
use crate::{ClientConfig, ClientError};

#[derive(Debug)]
pub(crate) struct Pool {
    address: String,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Pool {
    pub(crate) fn new(address: String, config: &ClientConfig) -> Pool {
        Pool {
            address,
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(config.connections_max),
        }
    }

    /// One exchange on a connection of its own. One that idled may have been closed by the broker
    /// meanwhile: that shows as unreachable, and the caller tries again.
    pub(crate) async fn call<R: Request>(
        &self,
        config: &ClientConfig,
        request: &R,
        version_max: i16,
    ) -> Result<R::Response, ClientError> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(ClientError::unreachable(&self.address, "the client was closed"));
        };
        // A statement of its own: the lock must not be held while the connection is used.
        let idle = self.idle.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(&self.address, config).await?,
        };
        let answer = connection.call(request, version_max).await?;
        self.idle.lock().push(connection);
        Ok(answer)
    }

    /// Forgets the connections that idle: the broker behind them went away.
    pub(crate) fn clear(&self) {
        self.idle.lock().clear();
    }
}
