//! The client's side of SCRAM: both sides prove that they know the password, and neither sends it.
//!
//! Spec: RFC 5802, RFC 7677. As Kafka does it: the password's bytes are taken as they are (no
//! SASLprep), and there is no channel binding.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};
use tidemill_access::{Credentials, Secret};

use super::SaslMechanism;

/// What Kafka's own client takes at least; with fewer a password is found out too easily.
const ITERATIONS_MIN: u32 = 4096;
/// More would only keep the client busy.
const ITERATIONS_MAX: u32 = 1 << 20;
/// "No channel binding, no other user", as the last message repeats it.
const CHANNEL: &str = "biws";

/// Why an exchange came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScramError {
    /// The broker says why.
    #[error("the broker refused: {0}")]
    Refused(String),
    /// It is not what the exchange asks for.
    #[error("not a SCRAM message: {0}")]
    Malformed(&'static str),
    /// The number of iterations is out of bounds.
    #[error("{0} iterations are not between {ITERATIONS_MIN} and {ITERATIONS_MAX}")]
    Iterations(u32),
    /// The broker does not know the password either.
    #[error("the broker could not prove that it knows the password")]
    Impostor,
}

struct Hashes {
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
    pbkdf2: pbkdf2::Algorithm,
}

fn hashes(mechanism: SaslMechanism) -> Hashes {
    match mechanism {
        SaslMechanism::ScramSha512 => Hashes {
            digest: &digest::SHA512,
            hmac: hmac::HMAC_SHA512,
            pbkdf2: pbkdf2::PBKDF2_HMAC_SHA512,
        },
        SaslMechanism::Plain | SaslMechanism::ScramSha256 => Hashes {
            digest: &digest::SHA256,
            hmac: hmac::HMAC_SHA256,
            pbkdf2: pbkdf2::PBKDF2_HMAC_SHA256,
        },
    }
}

/// The first message was sent.
pub(crate) struct Scram {
    mechanism: SaslMechanism,
    password: Secret,
    nonce: String,
    first_bare: String,
}

/// The proof was sent; the broker's is awaited.
pub(crate) struct Proved {
    server_key: hmac::Key,
    exchange: String,
}

impl Scram {
    /// Begins; `nonce` is of printable characters without a comma, and used once.
    pub(crate) fn new(mechanism: SaslMechanism, credentials: &Credentials, nonce: String) -> Scram {
        let user = credentials.username.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={user},r={nonce}");
        Scram { mechanism, password: credentials.password.clone(), nonce, first_bare }
    }

    /// The first message.
    pub(crate) fn first(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    /// The answer to the broker's first message: the proof.
    pub(crate) fn prove(self, challenge: &[u8]) -> Result<(String, Proved), ScramError> {
        let challenge =
            std::str::from_utf8(challenge).map_err(|_| ScramError::Malformed("text"))?;
        let nonce = attribute(challenge, "r=")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(ScramError::Malformed("a nonce that continues ours"));
        }
        let salt = BASE64.decode(attribute(challenge, "s=")?);
        let salt = salt.map_err(|_| ScramError::Malformed("a salt"))?;
        let iterations: u32 = attribute(challenge, "i=")?
            .parse()
            .map_err(|_| ScramError::Malformed("a number of iterations"))?;
        let count = NonZeroU32::new(iterations)
            .filter(|count| (ITERATIONS_MIN..=ITERATIONS_MAX).contains(&count.get()))
            .ok_or(ScramError::Iterations(iterations))?;

        let Hashes { digest, hmac, pbkdf2 } = hashes(self.mechanism);
        let mut salted = vec![0; digest.output_len()];
        pbkdf2::derive(pbkdf2, count, &salt, self.password.reveal().as_bytes(), &mut salted);
        let salted = hmac::Key::new(hmac, &salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let stored_key = digest::digest(digest, client_key.as_ref());

        let last = format!("c={CHANNEL},r={nonce}");
        let exchange = format!("{},{challenge},{last}", self.first_bare);
        let signature = hmac::sign(&hmac::Key::new(hmac, stored_key.as_ref()), exchange.as_bytes());
        let proof: Vec<u8> =
            client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();

        let server_key = hmac::sign(&salted, b"Server Key");
        let server_key = hmac::Key::new(hmac, server_key.as_ref());
        Ok((format!("{last},p={}", BASE64.encode(proof)), Proved { server_key, exchange }))
    }
}

impl Proved {
    /// Checks the broker's last message: whether it knows the password too.
    pub(crate) fn check(&self, last: &[u8]) -> Result<(), ScramError> {
        let last = std::str::from_utf8(last).map_err(|_| ScramError::Malformed("text"))?;
        if let Ok(reason) = attribute(last, "e=") {
            return Err(ScramError::Refused(reason.to_owned()));
        }
        let signature = BASE64.decode(attribute(last, "v=")?);
        let signature = signature.map_err(|_| ScramError::Malformed("a signature"))?;
        // Compares in constant time.
        hmac::verify(&self.server_key, self.exchange.as_bytes(), &signature)
            .map_err(|_| ScramError::Impostor)
    }
}

/// The value behind a name such as `r=`.
fn attribute<'a>(message: &'a str, name: &'static str) -> Result<&'a str, ScramError> {
    let found = message.split(',').find_map(|part| part.strip_prefix(name));
    found.ok_or(ScramError::Malformed(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn begun(user: &str) -> Scram {
        let credentials = Credentials::new(user, Secret::new("pencil"));
        Scram::new(SaslMechanism::ScramSha256, &credentials, "rOprNGfwEbeRWgbNEkqO".to_owned())
    }

    /// The exchange printed in RFC 7677, section 3.
    #[test]
    fn the_exchange_of_the_specification_comes_out() {
        let scram = begun("user");
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let (last, proved) = scram.prove(CHALLENGE.as_bytes()).unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        proved.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
    }

    #[test]
    fn a_broker_that_does_not_know_the_password_is_found_out() {
        let (_, proved) = begun("user").prove(CHALLENGE.as_bytes()).unwrap();
        let other = BASE64.encode([7; 32]);
        assert_eq!(proved.check(format!("v={other}").as_bytes()), Err(ScramError::Impostor));
        let refused = proved.check(b"e=invalid-proof");
        assert_eq!(refused, Err(ScramError::Refused("invalid-proof".to_owned())));
    }

    #[test]
    fn a_challenge_that_weakens_the_exchange_is_refused() {
        for (challenge, what) in [
            ("r=somebodyelses,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "a nonce"),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "a nonce"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", "iterations"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967295", "iterations"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096", "a salt"),
            ("", "r="),
        ] {
            let Err(error) = begun("user").prove(challenge.as_bytes()) else {
                panic!("{challenge} was taken");
            };
            assert!(error.to_string().contains(what), "{challenge}: {error}");
        }
    }

    #[test]
    fn signs_with_a_meaning_are_escaped_in_names() {
        assert_eq!(begun("a=b,c").first(), "n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO");
    }
}
