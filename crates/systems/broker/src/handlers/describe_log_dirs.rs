//! DescribeLogDirs (key 35), v1–v5. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs>
//!
//! There is one directory. Differs from Kafka: the size of its volume is not told (-1).

use tidemill_kafka_wire::messages::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use tidemill_kafka_wire::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};

use super::Context;
use crate::partition::Partition;
use crate::topics::Topic;

pub(super) fn handle(
    context: &Context,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let topics = match &request.topics {
        None => context.core.topics.all().iter().map(|topic| describe(topic, None)).collect(),
        Some(asked) => asked
            .iter()
            .filter_map(|asked| {
                let topic = context.core.topics.named(&asked.topic)?;
                Some(describe(&topic, Some(&asked.partitions)))
            })
            .collect(),
    };
    let log_dir = context.core.topics.dir().display().to_string();
    let results = vec![DescribeLogDirsResult { log_dir, topics, ..Default::default() }];
    DescribeLogDirsResponse { results, ..Default::default() }
}

fn describe(topic: &Topic, only: Option<&[i32]>) -> DescribeLogDirsTopic {
    let size = |partition: &Partition| DescribeLogDirsPartition {
        partition_index: partition.index,
        partition_size: partition
            .size_bytes()
            .map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        ..Default::default()
    };
    let partitions = topic.partitions();
    let asked = partitions.iter().filter(|p| only.is_none_or(|only| only.contains(&p.index)));
    DescribeLogDirsTopic {
        name: topic.name.clone(),
        partitions: asked.map(|partition| size(partition)).collect(),
    }
}
