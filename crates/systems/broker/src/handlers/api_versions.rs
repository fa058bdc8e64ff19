//! ApiVersions (key 18), v0–v4. Spec: <https://kafka.apache.org/protocol#The_Messages_ApiVersions>
//!
//! v3 names the client and lists features. An unknown version is answered with a v0 body and
//! UNSUPPORTED_VERSION (KIP-511).
//! Differs from Kafka: of its features only `transaction.version` is finalized, because the others
//! are not served.

use tidemill_kafka_wire::messages::api_versions::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use tidemill_kafka_wire::messages::{ApiVersionsRequest, ApiVersionsResponse};
use tidemill_kafka_wire::{ApiKey, ErrorCode};

use super::{Context, SERVED};

/// The feature that tells clients how transactions work here (KIP-890).
const TRANSACTION_VERSION: &str = "transaction.version";
/// Each transaction has its own epoch, and partitions add themselves.
const TRANSACTION_LEVEL: i16 = 2;

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
    let name = || TRANSACTION_VERSION.to_owned();
    ApiVersionsResponse {
        api_keys,
        supported_features: vec![SupportedFeatureKey {
            name: name(),
            min_version: 0,
            max_version: TRANSACTION_LEVEL,
        }],
        // Never changes: one level is served.
        finalized_features_epoch: 0,
        finalized_features: vec![FinalizedFeatureKey {
            name: name(),
            max_version_level: TRANSACTION_LEVEL,
            min_version_level: TRANSACTION_LEVEL,
        }],
        ..Default::default()
    }
}
