//! The clocks of the two sides, and how far they are apart.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::Instant;

/// The monotonic clock of this process.
#[derive(Clone, Copy, Debug)]
pub struct LinkClock;

impl LinkClock {
    /// Nanoseconds since the first reading.
    pub fn now_ns() -> i64 {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let elapsed = ORIGIN.get_or_init(Instant::now).elapsed();
        i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
    }
}

/// Exchanges that are remembered: drift over them is small, and one of them was quick.
const EXCHANGES: usize = 16;

/// How far the other clock is ahead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// Their clock minus ours.
    pub offset_ns: i64,
    /// The offset is wrong by no more than this: half of the time on the way.
    pub error_ns: i64,
}

/// Finds the offset from exchanges of two messages with four stamps, as NTP does: the exchange that
/// was on the way for the least time tells best.
#[derive(Clone, Debug, Default)]
pub struct ClockSync {
    exchanges: VecDeque<ClockOffset>,
}

impl ClockSync {
    /// Adds an exchange: sent (our clock), received and answered (theirs), answer received (ours).
    pub fn add(&mut self, sent_ns: i64, received_ns: i64, answered_ns: i64, back_ns: i64) {
        if self.exchanges.len() == EXCHANGES {
            self.exchanges.pop_front();
        }
        let there = received_ns.saturating_sub(sent_ns);
        let back = back_ns.saturating_sub(answered_ns);
        self.exchanges.push_back(ClockOffset {
            offset_ns: there / 2 - back / 2,
            error_ns: (there / 2).saturating_add(back / 2),
        });
    }

    /// The best knowledge; `None` before the first exchange.
    pub fn offset(&self) -> Option<ClockOffset> {
        self.exchanges
            .iter()
            .copied()
            .min_by_key(|exchange| exchange.error_ns)
    }

    /// Exchanges that are remembered.
    pub fn exchanges(&self) -> usize {
        self.exchanges.len()
    }

    /// Forgets everything, as when the other side was started anew.
    pub fn clear(&mut self) {
        self.exchanges.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_exchange_tells_the_offset_within_its_error() {
        let ahead = 5_000_000;
        let mut sync = ClockSync::default();
        assert_eq!(sync.offset(), None);
        // Times there and back: the second exchange is the quickest.
        for (begin, there, back) in [(0, 900, 100), (10_000, 60, 40), (20_000, 10, 4000)] {
            let received = begin + there + ahead;
            let answered = received + 7;
            sync.add(begin, received, answered, answered - ahead + back);
        }
        let offset = sync.offset().expect("three exchanges");
        assert_eq!(offset.error_ns, 50);
        assert_eq!(offset.offset_ns, ahead + 10);
    }

    #[test]
    fn old_exchanges_are_forgotten() {
        let mut sync = ClockSync::default();
        sync.add(0, 1, 1, 2);
        for begin in 0..EXCHANGES as i64 {
            sync.add(begin, begin + 150, begin + 150, begin + 200);
        }
        assert_eq!(sync.exchanges(), EXCHANGES);
        assert_eq!(
            sync.offset(),
            Some(ClockOffset {
                offset_ns: 50,
                error_ns: 100
            })
        );
    }
}
