//! InitProducerId (key 22): an identity for an idempotent or transactional producer.
//!
//! v3 a producer that comes again (KIP-360) · v4 PRODUCER_FENCED · v6, two-phase commit, is unstable
//! in Kafka and not here. Spec: <https://kafka.apache.org/protocol#The_Messages_InitProducerId>

use crate::ErrorCode;
use crate::message::api;

api! {
    InitProducerId (InitProducerIdRequest => InitProducerIdResponse), versions 0..=5, flexible 2..;

    /// Who asks: no transactional id for a producer that is only idempotent.
    InitProducerIdRequest {
        transactional_id: Option<String>,
        transaction_timeout_ms: i32,
        producer_id: i64                 [3..] = -1,
        producer_epoch: i16              [3..] = -1,
    }

    /// The identity.
    InitProducerIdResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        producer_id: i64 = -1,
        producer_epoch: i16,
    }
}
