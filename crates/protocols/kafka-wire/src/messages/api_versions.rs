//! ApiVersions (key 18): what a broker serves.
//!
//! v3 names the client software and lists features. An unknown version is answered with a v0 body
//! and UNSUPPORTED_VERSION (KIP-511); the answer's header is v0 in every version. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_ApiVersions>

use crate::ErrorCode;
use crate::message::api;

api! {
    ApiVersions (ApiVersionsRequest => ApiVersionsResponse), versions 0..=4, flexible 3..;

    /// Who asks.
    ApiVersionsRequest {
        client_software_name: String    [3..],
        client_software_version: String [3..],
    }

    /// What is served, in which versions.
    ApiVersionsResponse {
        error_code: ErrorCode,
        api_keys: Vec<ApiVersion>,
        throttle_time_ms: i32                        [1..],
        supported_features: Vec<SupportedFeatureKey> [3.., tag 0],
        finalized_features_epoch: i64                [3.., tag 1] = -1,
        finalized_features: Vec<FinalizedFeatureKey> [3.., tag 2],
        zk_migration_ready: bool                     [3.., tag 3],
    }

    /// One API and the versions served.
    ApiVersion {
        api_key: i16,
        min_version: i16,
        max_version: i16,
    }

    /// A feature and the levels the broker can take.
    SupportedFeatureKey {
        name: String     [3..],
        min_version: i16 [3..],
        max_version: i16 [3..],
    }

    /// A feature and the level the cluster has.
    FinalizedFeatureKey {
        name: String           [3..],
        max_version_level: i16 [3..],
        min_version_level: i16 [3..],
    }
}
