//! Where reading starts and in which steps it goes, without any I/O.

/// Where to read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seek {
    /// The newest, backwards.
    Latest,
    /// The oldest, forwards.
    Earliest,
    /// From an offset, forwards.
    Offset(i64),
    /// From a time in milliseconds, forwards.
    Timestamp(i64),
}

impl Seek {
    /// `latest`, `earliest`, `offset:12`, `timestamp:1700000000000`.
    pub(crate) fn parse(text: &str) -> Option<Seek> {
        match text {
            "" | "latest" => return Some(Seek::Latest),
            "earliest" => return Some(Seek::Earliest),
            _ => {}
        }
        let (kind, number) = text.split_once(':')?;
        let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
        match kind {
            "offset" => Some(Seek::Offset(number)),
            "timestamp" => Some(Seek::Timestamp(number)),
            _ => None,
        }
    }
}

/// Offsets `from..to` of one partition to read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// First step backwards when nothing is filtered out: as many offsets as are wanted, and a few
/// that may be gaps (transaction markers, compaction).
const SPARE: i64 = 8;
/// Offsets of a step backwards at most.
const STEP_MAX: i64 = 50_000;

/// What is left to read of one partition.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    pub(crate) partition: i32,
    backwards: bool,
    start: i64,
    end: i64,
    step: i64,
}

impl Progress {
    /// Offsets `start..end`, read backwards in steps that grow, or forwards in one.
    pub(crate) fn new(partition: i32, start: i64, end: i64, wanted: i64, seek: Seek) -> Progress {
        let backwards = seek == Seek::Latest;
        Progress { partition, backwards, start, end, step: (wanted + SPARE).clamp(1, STEP_MAX) }
    }

    /// The next window; `None` when all is read.
    pub(crate) fn next(&mut self) -> Option<Window> {
        if self.start >= self.end {
            return None;
        }
        if !self.backwards {
            let window = Window { from: self.start, to: self.end };
            self.start = self.end;
            return Some(window);
        }
        let from = (self.end - self.step).max(self.start);
        let window = Window { from, to: self.end };
        self.end = from;
        self.step = (self.step * 2).min(STEP_MAX);
        Some(window)
    }

    /// Offsets not yet given out.
    pub(crate) fn left(&self) -> i64 {
        (self.end - self.start).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_read_from_reads_back() {
        for (text, seek) in [
            ("", Some(Seek::Latest)),
            ("latest", Some(Seek::Latest)),
            ("earliest", Some(Seek::Earliest)),
            ("offset:12", Some(Seek::Offset(12))),
            ("timestamp:1700000000000", Some(Seek::Timestamp(1_700_000_000_000))),
            ("offset:-1", None),
            ("offset:", None),
            ("offset:x", None),
            ("tomorrow", None),
            ("page:1", None),
        ] {
            assert_eq!(Seek::parse(text), seek, "{text}");
        }
    }

    #[test]
    fn reading_backwards_covers_each_offset_once_in_growing_steps() {
        let mut progress = Progress::new(0, 10, 1000, 100, Seek::Latest);
        let mut windows = Vec::new();
        while let Some(window) = progress.next() {
            windows.push(window);
        }
        assert_eq!(windows.first(), Some(&Window { from: 892, to: 1000 }));
        assert_eq!(windows.last().map(|last| last.from), Some(10));
        assert!(windows.windows(2).all(|pair| pair[0].from == pair[1].to), "{windows:?}");
        assert_eq!(progress.left(), 0);
    }

    #[test]
    fn reading_forwards_is_one_window_and_nothing_is_none() {
        let mut forwards = Progress::new(0, 3, 9, 2, Seek::Offset(3));
        assert_eq!(forwards.next(), Some(Window { from: 3, to: 9 }));
        assert_eq!(forwards.next(), None);
        assert_eq!(Progress::new(0, 9, 9, 2, Seek::Latest).next(), None);
    }
}
