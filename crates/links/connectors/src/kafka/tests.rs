use tidemill_kafka_client::{ClientError, ErrorCode};

use super::sink_error;
use crate::SinkError;

#[test]
fn a_refusal_stops_the_job_and_silence_is_asked_again() {
    let refused = |code| ClientError::Refused { what: "producing".into(), code, message: None };
    let silent = ClientError::Unreachable { address: "a".into(), reason: "b".into() };
    assert!(matches!(sink_error(&silent), SinkError::Unavailable(_)));
    let moved = refused(ErrorCode::NotLeaderOrFollower);
    assert!(matches!(sink_error(&moved), SinkError::Unavailable(_)));
    let forbidden = refused(ErrorCode::TopicAuthorizationFailed);
    assert!(matches!(sink_error(&forbidden), SinkError::Failed(_)));
}
