//! Whether identities stay sound over a long run.

use std::collections::BTreeMap;

use bevrt_runtime::{Span, Stamp};

/// An id that was away for longer than this belongs to something else when it comes back.
const MEMORY: Span = Span::from_milliseconds(10_000);
/// Bits of ids that there is room for from the beginning.
const ROOM: usize = 1 << 20;
/// Ids beyond this are taken for damaged: no run of days comes near.
const LARGEST: u32 = 1 << 27;
const BITS: usize = u64::BITS as usize;

/// Watches the ids of one kind of element.
#[derive(Clone, Debug)]
pub struct IdWatch {
    /// The kind.
    pub kind: &'static str,
    /// Frames of the first half of the run.
    half: u64,
    frames: u64,
    /// A bit for each id that was ever published.
    published: Vec<u64>,
    /// When each id was last seen, of those that may come back.
    seen: BTreeMap<u32, Stamp>,
    /// Largest id.
    pub highest: u32,
    /// Ids that were given again to something else.
    pub repeated: u64,
    /// Ids that were twice in a frame, zero, or out of any range.
    pub unsound: u64,
    /// New ids in the first and in the second half.
    pub given: [u64; 2],
    /// Most elements in a frame.
    pub most: usize,
}

impl IdWatch {
    /// For a run whose first half has `half` frames.
    pub fn new(kind: &'static str, half: u64) -> Self {
        Self {
            kind,
            half,
            frames: 0,
            published: vec![0; ROOM / BITS],
            seen: BTreeMap::new(),
            highest: 0,
            repeated: 0,
            unsound: 0,
            given: [0; 2],
            most: 0,
        }
    }

    /// Looks at the ids of a frame.
    pub fn look_at(&mut self, stamp: Stamp, ids: impl Iterator<Item = u32>) {
        self.seen.retain(|_, last| stamp.since(*last) <= MEMORY);
        let is_late = self.frames >= self.half;
        self.frames += 1;
        let mut count = 0;
        for id in ids {
            count += 1;
            if id > LARGEST {
                self.unsound += 1;
                continue;
            }
            let before = self.seen.insert(id, stamp);
            self.unsound += u64::from(id == 0 || before == Some(stamp));
            if before.is_none() {
                if self.was_published(id) {
                    self.repeated += 1;
                } else {
                    self.given[usize::from(is_late)] += 1;
                }
            }
            self.highest = self.highest.max(id);
        }
        self.most = self.most.max(count);
    }

    /// Whether the id was published before; from now on it is.
    fn was_published(&mut self, id: u32) -> bool {
        let (word, bit) = (id as usize / BITS, 1_u64 << (id as usize % BITS));
        if word >= self.published.len() {
            self.published.resize((word + 1).next_power_of_two(), 0);
        }
        let was = self.published[word] & bit != 0;
        self.published[word] |= bit;
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Stamp {
        Stamp::from_nanoseconds(1_000_000_000) + Span::from_seconds(seconds)
    }

    #[test]
    fn an_id_that_comes_back_soon_is_the_same_and_later_is_repeated() {
        let mut watch = IdWatch::new("objects", 2);
        watch.look_at(at(0.0), [1, 2].into_iter());
        watch.look_at(at(5.0), [2].into_iter());
        watch.look_at(at(9.0), [1, 2, 5_000_000].into_iter());
        assert_eq!((watch.repeated, watch.given), (0, [2, 1]));
        watch.look_at(at(30.0), [2].into_iter());
        assert_eq!(watch.repeated, 1);
        assert_eq!(
            (watch.highest, watch.most, watch.unsound),
            (5_000_000, 3, 0)
        );
    }

    #[test]
    fn zero_and_an_id_twice_in_a_frame_are_unsound() {
        let mut watch = IdWatch::new("lanes", 1);
        watch.look_at(at(0.0), [0, 3, 3, u32::MAX].into_iter());
        assert_eq!(watch.unsound, 3);
    }
}
