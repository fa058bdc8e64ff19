//! DescribeCluster (key 60), v0–v2. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeCluster>
//!
//! v1 says which endpoints are meant: this is a broker's, there are no controller's (KIP-919).

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::describe_cluster::DescribeClusterBroker;
use tidemill_kafka_wire::messages::{DescribeClusterRequest, DescribeClusterResponse};

use super::{Context, permitted};
use crate::core::NODE_ID;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(super) fn handle(
    context: &Context,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let endpoint_type = request.endpoint_type;
    let refused = |error_code, message: &str| DescribeClusterResponse {
        error_code,
        error_message: Some(message.to_owned()),
        endpoint_type,
        ..Default::default()
    };
    match endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            return refused(ErrorCode::MismatchedEndpointType, "this is a broker's endpoint");
        }
        _ => {
            let message = "endpoints are of brokers (1) or controllers (2)";
            return refused(ErrorCode::UnsupportedEndpointType, message);
        }
    }
    DescribeClusterResponse {
        endpoint_type,
        cluster_id: context.core.cluster_id.clone(),
        controller_id: NODE_ID,
        brokers: vec![DescribeClusterBroker {
            broker_id: NODE_ID,
            host: context.ends.broker.ip().to_string(),
            port: context.ends.broker.port().into(),
            ..Default::default()
        }],
        cluster_authorized_operations: match request.include_cluster_authorized_operations {
            true => permitted::ON_CLUSTER,
            false => i32::MIN,
        },
        ..Default::default()
    }
}
