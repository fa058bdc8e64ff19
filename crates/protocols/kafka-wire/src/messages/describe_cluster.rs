//! DescribeCluster (key 60): brokers and controller (KIP-700).
//!
//! v1 endpoint type (KIP-919) · v2 fenced brokers. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeCluster>

use crate::ErrorCode;
use crate::message::api;

api! {
    DescribeCluster (DescribeClusterRequest => DescribeClusterResponse), versions 0..=2, flexible 0..;

    /// Which endpoints: 1 brokers, 2 controllers.
    DescribeClusterRequest {
        include_cluster_authorized_operations: bool,
        endpoint_type: i8                           [1..] = 1,
        include_fenced_brokers: bool                [2..],
    }

    /// The cluster.
    DescribeClusterResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
        endpoint_type: i8                   [1..] = 1,
        cluster_id: String,
        controller_id: i32                        = -1,
        brokers: Vec<DescribeClusterBroker>,
        cluster_authorized_operations: i32        = i32::MIN,
    }

    /// A broker and where it listens.
    DescribeClusterBroker {
        broker_id: i32,
        host: String,
        port: i32,
        rack: Option<String>,
        is_fenced: bool      [2..],
    }
}
