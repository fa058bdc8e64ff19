//! Proving who asks, on a connection that is open and not yet used.
//!
//! SaslHandshake names the mechanism, SaslAuthenticate carries its messages (KIP-152). The broker
//! says how long that lasts (KIP-368); a connection is given up before it is over.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
};
use tidemill_runtime::World;

use crate::ClientError;
use crate::client::NEWEST;
use crate::connection::Connection;
use crate::error::accepted;

use super::scram::{Scram, ScramError};
use super::{Sasl, SaslMechanism};

/// Random bytes in a nonce; their text has a third more.
const NONCE_BYTES: usize = 24;

/// Authenticates. Gives how long the broker takes the connection for authenticated, if it ends.
pub(crate) async fn authenticate(
    connection: &mut Connection,
    sasl: &Sasl,
    world: &World,
) -> Result<Option<Duration>, ClientError> {
    let mechanism = sasl.mechanism;
    shake_hands(connection, mechanism).await?;
    let mut exchange = Exchange { connection, sasl };
    let last = match mechanism {
        SaslMechanism::Plain => {
            let (user, password) = (&sasl.credentials.username, &sasl.credentials.password);
            exchange.step(format!("\0{user}\0{}", password.reveal())).await?
        }
        SaslMechanism::ScramSha256 | SaslMechanism::ScramSha512 => {
            let mut nonce = [0; NONCE_BYTES];
            world.random.fill(&mut nonce);
            let nonce = STANDARD_NO_PAD.encode(nonce);
            let scram = Scram::new(mechanism, &sasl.credentials, nonce);
            let challenge = exchange.step(scram.first()).await?.auth_bytes;
            let (proof, proved) =
                scram.prove(&challenge).map_err(|error| exchange.distrust(&error))?;
            let last = exchange.step(proof).await?;
            proved.check(&last.auth_bytes).map_err(|error| exchange.distrust(&error))?;
            last
        }
    };
    let lifetime = u64::try_from(last.session_lifetime_ms).unwrap_or(0);
    Ok((lifetime > 0).then(|| Duration::from_millis(lifetime)))
}

async fn shake_hands(
    connection: &mut Connection,
    mechanism: SaslMechanism,
) -> Result<(), ClientError> {
    let request = SaslHandshakeRequest { mechanism: mechanism.name().to_owned() };
    let answer = connection.call(&request, NEWEST).await?;
    let offered = format!("offered are {}", answer.mechanisms.join(", "));
    let said = (answer.error_code == ErrorCode::UnsupportedSaslMechanism).then_some(&*offered);
    accepted(answer.error_code, said, || {
        format!("authenticating with {mechanism} at {}", connection.address())
    })
}

struct Exchange<'a> {
    connection: &'a mut Connection,
    sasl: &'a Sasl,
}

impl Exchange<'_> {
    async fn step(&mut self, message: String) -> Result<SaslAuthenticateResponse, ClientError> {
        let request = SaslAuthenticateRequest { auth_bytes: Bytes::from(message) };
        let answer = self.connection.call(&request, NEWEST).await?;
        accepted(answer.error_code, answer.error_message.as_deref(), || {
            let Sasl { mechanism, credentials } = self.sasl;
            let address = self.connection.address();
            format!("authenticating {} with {mechanism} at {address}", credentials.username)
        })?;
        Ok(answer)
    }

    fn distrust(&self, error: &ScramError) -> ClientError {
        ClientError::Untrusted {
            address: self.connection.address().to_owned(),
            reason: error.to_string(),
        }
    }
}
