//! Configuration: `[registry]`.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use tidemill_runtime::{ByteSize, Span};
use tidemill_schema::compatibility::Level;

/// How the registry is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The topic that holds everything.
    pub topic: String,
    /// The compatibility level where none is set.
    pub compatibility: CompatibilityLevel,
    /// Whose answers it gives where versions of Schema Registry differ: 8, or 7.
    pub profile: Profile,
    /// The largest body of a request.
    pub request_bytes_max: ByteSize,
    /// How long a write waits for the topic.
    pub write_timeout: Span,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            topic: "_schemas".to_owned(),
            compatibility: CompatibilityLevel::default(),
            profile: Profile::default(),
            request_bytes_max: ByteSize::mib(4),
            write_timeout: Span::secs(30),
        }
    }
}

/// A level as it is written in the configuration, in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CompatibilityLevel(pub Level);

impl Serialize for CompatibilityLevel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.as_str().to_lowercase())
    }
}

impl<'de> Deserialize<'de> for CompatibilityLevel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(CompatibilityLevel).map_err(serde::de::Error::custom)
    }
}

/// The major version of Schema Registry whose answers are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Profile {
    /// Short answers; an incompatible schema has code 409.
    V7,
    /// Answers carry guid and schema type; an incompatible schema has code 40901.
    #[default]
    V8,
}

impl From<Profile> for u8 {
    fn from(profile: Profile) -> u8 {
        match profile {
            Profile::V7 => 7,
            Profile::V8 => 8,
        }
    }
}

impl TryFrom<u8> for Profile {
    type Error = String;

    fn try_from(major: u8) -> Result<Profile, String> {
        match major {
            7 => Ok(Profile::V7),
            8 => Ok(Profile::V8),
            other => Err(format!("profile {other} is not known; it is 7 or 8")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_reads_back_and_unknown_keys_are_errors() {
        let written = serde_json::to_string(&Config::default()).unwrap();
        assert!(written.contains(r#""compatibility":"backward","profile":8"#), "{written}");
        assert_eq!(serde_json::from_str::<Config>(&written).unwrap(), Config::default());
        for wrong in
            [r#"{"lissten":"127.0.0.1:1"}"#, r#"{"profile":6}"#, r#"{"compatibility":"x"}"#]
        {
            assert!(serde_json::from_str::<Config>(wrong).is_err(), "{wrong}");
        }
    }
}
