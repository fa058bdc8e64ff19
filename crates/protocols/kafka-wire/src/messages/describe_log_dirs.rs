//! DescribeLogDirs (key 35): bytes on disk per partition (KIP-113).
//!
//! v4 size of the volume (KIP-827) · v5 cordoned directories. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs>

use crate::ErrorCode;
use crate::message::api;

api! {
    DescribeLogDirs (DescribeLogDirsRequest => DescribeLogDirsResponse), versions 1..=5, flexible 2..;

    /// Which partitions; `None` asks for all.
    DescribeLogDirsRequest {
        topics: Option<Vec<DescribableLogDirTopic>>,
    }

    /// Partitions of one topic.
    DescribableLogDirTopic {
        topic: String,
        partitions: Vec<i32>,
    }

    /// The log directories.
    DescribeLogDirsResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode               [3..],
        results: Vec<DescribeLogDirsResult>,
    }

    /// One directory and what is in it.
    DescribeLogDirsResult {
        error_code: ErrorCode,
        log_dir: String,
        topics: Vec<DescribeLogDirsTopic>,
        total_bytes: i64                  [4..] = -1,
        usable_bytes: i64                 [4..] = -1,
        is_cordoned: bool                 [5..],
    }

    /// Partitions of one topic.
    DescribeLogDirsTopic {
        name: String,
        partitions: Vec<DescribeLogDirsPartition>,
    }

    /// Bytes of one partition.
    DescribeLogDirsPartition {
        partition_index: i32,
        partition_size: i64,
        offset_lag: i64,
        is_future_key: bool,
    }
}
