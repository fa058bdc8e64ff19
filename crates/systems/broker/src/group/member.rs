//! A member of a group.

use std::time::Duration;

use bytes::Bytes;
use tidemill_kafka_wire::group_records::MemberMetadata;
use tidemill_kafka_wire::messages::join_group::JoinGroupRequestProtocol;
use tidemill_kafka_wire::messages::{JoinGroupResponse, SyncGroupResponse};
use tokio::sync::oneshot;

/// Whoever waits for an answer. That it went away does no harm.
pub(crate) type Reply<T> = oneshot::Sender<T>;

/// A member as the group knows it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    /// Set for a static member (KIP-345): it keeps its place when it comes back.
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    /// What it can follow, the preferred one first, with its metadata for each.
    pub(crate) protocols: Vec<JoinGroupRequestProtocol>,
    /// What it was given in the last completed rebalance.
    pub(crate) assignment: Bytes,
    /// What the leader proposes, until that is stored.
    pub(crate) proposed: Bytes,
    /// It has not completed a join yet.
    pub(crate) is_new: bool,
    pub(crate) joining: Option<Reply<JoinGroupResponse>>,
    pub(crate) syncing: Option<Reply<SyncGroupResponse>>,
    /// When it is taken for dead, in monotonic time.
    pub(crate) session_ends: Duration,
}

impl Member {
    /// It was heard of.
    pub(crate) fn heard(&mut self, now: Duration) {
        self.session_ends = now + self.session_timeout;
    }

    /// While it waits for an answer it cannot send heartbeats. Only a new member's wait has an end:
    /// its client may be gone without ever having learnt its id.
    pub(crate) fn is_kept_alive(&self) -> bool {
        (self.joining.is_some() && !self.is_new) || self.syncing.is_some()
    }

    pub(crate) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|other| other.name == protocol)
    }

    /// Its metadata for a protocol.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|other| other.name == protocol);
        found.map(|found| found.metadata.clone()).unwrap_or_default()
    }

    /// The protocol it likes best among candidates that all members support.
    pub(crate) fn vote<'a>(&self, candidates: &[&'a str]) -> Option<&'a str> {
        let liked = self.protocols.iter().map(|protocol| &protocol.name);
        liked.into_iter().find_map(|name| candidates.iter().copied().find(|c| c == name))
    }

    /// As it is kept in `__consumer_offsets`.
    pub(crate) fn record(&self, protocol: &str) -> MemberMetadata {
        let ms = |timeout: Duration| i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        MemberMetadata {
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            rebalance_timeout: ms(self.rebalance_timeout),
            session_timeout: ms(self.session_timeout),
            subscription: self.metadata(protocol),
            assignment: self.proposed.clone(),
        }
    }

    /// As it was kept. It has a session's time to be heard of.
    pub(crate) fn restored(record: MemberMetadata, protocol: &str, now: Duration) -> Member {
        let timeout = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        let session_timeout = timeout(record.session_timeout);
        Member {
            id: record.member_id,
            instance_id: record.group_instance_id,
            client_id: record.client_id,
            client_host: record.client_host,
            session_timeout,
            rebalance_timeout: timeout(record.rebalance_timeout),
            protocols: vec![JoinGroupRequestProtocol {
                name: protocol.to_owned(),
                metadata: record.subscription,
            }],
            assignment: record.assignment.clone(),
            proposed: record.assignment,
            is_new: false,
            joining: None,
            syncing: None,
            session_ends: now + session_timeout,
        }
    }
}
