//! ApiVersions (key 18), v0–v4. Spec: <https://kafka.apache.org/protocol#The_Messages_ApiVersions>
//!
//! v3 names the client and lists features. An unknown version is answered with a v0 body and
//! UNSUPPORTED_VERSION (KIP-511).
//! Differs from Kafka: no features are finalized, because none of those Kafka has is served yet.

use tidemill_kafka_wire::messages::api_versions::ApiVersion;
use tidemill_kafka_wire::messages::{ApiVersionsRequest, ApiVersionsResponse};
use tidemill_kafka_wire::{ApiKey, ErrorCode};

use super::{Context, SERVED};

pub(super) fn handle(context: &Context, request: ApiVersionsRequest) -> ApiVersionsResponse {
    let named = |text: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || ['.', '-'].contains(&c);
        text.chars().all(inner)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let (name, version) = (&request.client_software_name, &request.client_software_version);
    if context.version >= 3 && !(named(name) && named(version)) {
        return ApiVersionsResponse { error_code: ErrorCode::InvalidRequest, ..all() };
    }
    all()
}

/// What every broker of this release answers to a version it does not know: a v0 body with only
/// this API's versions, so that the client asks again.
pub(super) fn of_unknown_version() -> ApiVersionsResponse {
    let mut response = all();
    response.api_keys.retain(|served| served.api_key == ApiKey::ApiVersions.key());
    ApiVersionsResponse { error_code: ErrorCode::UnsupportedVersion, ..response }
}

fn all() -> ApiVersionsResponse {
    let api_keys = SERVED
        .iter()
        .map(|served| ApiVersion {
            api_key: served.api.key(),
            // librdkafka compresses only for brokers that list Produce from v0 (KAFKA-18659).
            min_version: if served.api == ApiKey::Produce { 0 } else { served.version_min },
            max_version: served.version_max,
        })
        .collect();
    ApiVersionsResponse { api_keys, ..Default::default() }
}
