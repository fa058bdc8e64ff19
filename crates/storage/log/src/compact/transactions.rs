//! What a compaction must know of transactions: which batches were aborted, and which markers end
//! something that is still there.

use std::collections::{HashMap, HashSet};

use crate::AbortedTransaction;
use crate::batch::BatchHeader;
use crate::records::{self, MarkerKind};

/// Follows the transactions of a log, batch by batch from its start.
pub(super) struct Transactions {
    /// Not begun yet; the one that begins first at the back.
    later: Vec<AbortedTransaction>,
    /// Begun and to be aborted, by producer, and whether a batch of it was met.
    aborted: HashMap<i64, (AbortedTransaction, bool)>,
    /// Producers with a batch whose transaction was not aborted.
    committed: HashSet<i64>,
}

/// What a marker is to a compaction.
pub(super) struct Marker {
    /// Whether nothing of its transaction is left, so that the marker need not stay for ever.
    pub(super) ends_nothing: bool,
    /// The transaction that goes on being listed as aborted.
    pub(super) aborted: Option<AbortedTransaction>,
}

impl Transactions {
    /// `aborted`: all that have records where the compaction works.
    pub(super) fn new(mut aborted: Vec<AbortedTransaction>) -> Transactions {
        aborted.sort_unstable_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
        Transactions { later: aborted, aborted: HashMap::new(), committed: HashSet::new() }
    }

    /// Takes note of a batch of records; says whether it was aborted.
    pub(super) fn see_batch(&mut self, header: &BatchHeader) -> bool {
        self.begin_up_to(header.last_offset());
        if !header.is_transactional() {
            return false;
        }
        // Of a batch without records nothing is left that a marker would have to speak of.
        let is_there = header.record_count > 0;
        match self.aborted.get_mut(&header.producer_id) {
            Some((_, met)) => {
                *met |= is_there;
                true
            }
            None => {
                if is_there {
                    self.committed.insert(header.producer_id);
                }
                false
            }
        }
    }

    /// Takes note of a marker.
    pub(super) fn see_marker(&mut self, header: &BatchHeader, batch: &[u8]) -> Marker {
        self.begin_up_to(header.last_offset());
        match records::marker_kind(batch, header) {
            Some(MarkerKind::Abort) => {
                let ended = self.aborted.remove(&header.producer_id);
                let ended = ended.filter(|(_, met)| *met).map(|(transaction, _)| transaction);
                Marker { ends_nothing: ended.is_none(), aborted: ended }
            }
            Some(MarkerKind::Commit) => {
                let ends_nothing = !self.committed.remove(&header.producer_id);
                Marker { ends_nothing, aborted: None }
            }
            // A marker of which a compaction left only the header.
            None => Marker { ends_nothing: true, aborted: None },
        }
    }

    fn begin_up_to(&mut self, offset: i64) {
        while let Some(transaction) = self.later.pop_if(|next| next.first_offset <= offset) {
            self.aborted.insert(transaction.producer_id, (transaction, false));
        }
    }
}
