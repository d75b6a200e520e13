//! Images that came while the pipelines worked.

use bevrt_runtime::{Span, Stamp, SyncSpec};

/// What is given to the pipelines now.
#[derive(Debug)]
pub struct Taken<I> {
    /// In the order in which they came.
    pub images: Vec<I>,
    /// Sets that gave way to a newer one.
    pub dropped_sets: u64,
}

/// Images of type `I` that wait for a pipeline. Of these only the newest set is given to it, so no
/// result grows old, however slow a step is: as with the driver of a camera that keeps what is newest.
#[derive(Debug)]
pub struct WaitingImages<I> {
    cameras: usize,
    tolerance: Span,
    images: Vec<Waiting<I>>,
    /// The set that was given last, where more of it may come.
    begun: Option<Set>,
}

#[derive(Debug)]
struct Waiting<I> {
    camera: usize,
    stamp: Stamp,
    image: I,
}

/// Images that belong together.
#[derive(Clone, Copy, Debug)]
struct Set {
    oldest: Stamp,
    newest: Stamp,
    /// A bit for each camera.
    cameras: u64,
}

impl<I> WaitingImages<I> {
    /// For a rig of `cameras` cameras.
    pub fn new(cameras: usize) -> Self {
        Self {
            cameras,
            tolerance: SyncSpec::new(cameras, 0).tolerance,
            images: Vec::new(),
            begun: None,
        }
    }

    /// Lets an image wait.
    pub fn add(&mut self, camera: usize, stamp: Stamp, image: I) {
        self.images.push(Waiting {
            camera,
            stamp,
            image,
        });
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The newest set of which nothing more is to come: a whole one, or the last but one. Older ones
    /// are dropped, the rest waits on. Where images of one set wait alone, all of them are given.
    ///
    /// What was begun is gone on with, and an image that is older than all sets is given, so that the
    /// pipeline can say what is wrong with it. As long as any image waits, at least one is given.
    pub fn take_newest(&mut self) -> Taken<I> {
        let mut taken = self.take();
        if taken.images.is_empty() && !self.images.is_empty() {
            // Nothing more came of what was begun, and something newer is here.
            self.begun = None;
            taken = self.take();
        }
        taken
    }

    fn take(&mut self) -> Taken<I> {
        let first_waiting = usize::from(self.begun.is_some());
        let mut sets = Vec::from_iter(self.begun);
        let images = std::mem::take(&mut self.images);
        let places: Vec<_> = images.iter().map(|i| self.place(i, &mut sets)).collect();
        let last_but_one = sets.len().saturating_sub(2);
        let is_whole = |set: &Set| set.cameras.count_ones() as usize == self.cameras;
        let newest_whole = sets.iter().rposition(is_whole);
        let chosen = newest_whole.unwrap_or(0).max(last_but_one);
        let mut taken = Taken {
            images: Vec::new(),
            dropped_sets: chosen.saturating_sub(first_waiting) as u64,
        };
        for (image, place) in images.into_iter().zip(places) {
            match place {
                Some(set) if set > chosen => self.images.push(image),
                Some(set) if (first_waiting..chosen).contains(&set) => {}
                Some(_) | None => taken.images.push(image.image),
            }
        }
        self.begun = sets.get(chosen).copied().filter(|set| !is_whole(set));
        taken
    }

    /// The set of an image; `None` for one that is older than all sets and in none of them.
    fn place(&self, image: &Waiting<I>, sets: &mut Vec<Set>) -> Option<usize> {
        let Waiting { camera, stamp, .. } = image;
        let bit = 1_u64.checked_shl(*camera as u32).unwrap_or(0);
        let admits = |set: &Set| {
            let is_near = |other: Stamp| stamp.distance(other) <= self.tolerance;
            set.cameras & bit == 0 && is_near(set.oldest) && is_near(set.newest)
        };
        if let Some(place) = sets.iter().position(admits) {
            let set = &mut sets[place];
            set.cameras |= bit;
            set.oldest = set.oldest.min(*stamp);
            set.newest = set.newest.max(*stamp);
            return Some(place);
        }
        if sets.iter().any(|set| *stamp <= set.newest) {
            return None;
        }
        sets.push(Set {
            oldest: *stamp,
            newest: *stamp,
            cameras: bit,
        });
        Some(sets.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Image = (usize, i64);

    fn add(waiting: &mut WaitingImages<Image>, (camera, stamp_ms): Image) {
        let stamp = Stamp::from_nanoseconds(1_000_000 * stamp_ms);
        waiting.add(camera, stamp, (camera, stamp_ms));
    }

    /// Camera and milliseconds of what is given, and the number of sets that are dropped.
    fn taken(waiting: &mut WaitingImages<Image>) -> (Vec<Image>, u64) {
        let taken = waiting.take_newest();
        (taken.images, taken.dropped_sets)
    }

    fn waiting(images: &[Image]) -> WaitingImages<Image> {
        let mut waiting = WaitingImages::new(2);
        for &image in images {
            add(&mut waiting, image);
        }
        waiting
    }

    #[test]
    fn images_that_come_one_by_one_are_given_one_by_one() {
        let mut waiting = waiting(&[]);
        for round in 0..5 {
            // One camera alone gives sets, too.
            for camera in 0..(1 + usize::from(round < 3)) {
                add(&mut waiting, (camera, 100 * round));
                assert_eq!(taken(&mut waiting), (vec![(camera, 100 * round)], 0));
                assert!(waiting.is_empty());
            }
        }
    }

    #[test]
    fn of_whole_sets_the_newest_is_given_and_what_is_coming_in_waits() {
        let mut waiting = waiting(&[
            (0, 0),
            (1, 5),
            (0, 100),
            (1, 105),
            (1, 205),
            (0, 200),
            (0, 300),
        ]);
        assert_eq!(taken(&mut waiting), (vec![(1, 205), (0, 200)], 2));
        assert!(!waiting.is_empty());
        add(&mut waiting, (1, 300));
        add(&mut waiting, (1, 400));
        assert_eq!(taken(&mut waiting), (vec![(0, 300), (1, 300)], 0));
        assert_eq!(taken(&mut waiting), (vec![(1, 400)], 0));
    }

    #[test]
    fn without_a_camera_the_last_set_but_one_is_given() {
        let mut waiting = waiting(&[(0, 0), (0, 100), (0, 200)]);
        assert_eq!(taken(&mut waiting), (vec![(0, 100)], 1));
        assert_eq!(taken(&mut waiting), (vec![(0, 200)], 0));
    }

    #[test]
    fn a_set_that_was_begun_is_gone_on_with() {
        let mut waiting = waiting(&[(0, 0)]);
        assert_eq!(taken(&mut waiting), (vec![(0, 0)], 0));
        for (camera, stamp_ms) in [(1, 0), (0, 100), (1, 100), (0, 200), (1, 200)] {
            add(&mut waiting, (camera, stamp_ms));
        }
        assert_eq!(taken(&mut waiting), (vec![(1, 0), (0, 200), (1, 200)], 1));
    }

    #[test]
    fn images_from_before_are_given_for_the_pipeline_to_judge() {
        let mut waiting = waiting(&[(0, 500), (1, 100), (1, 500), (1, 500)]);
        let all = vec![(0, 500), (1, 100), (1, 500), (1, 500)];
        assert_eq!(taken(&mut waiting), (all, 0));
    }
}
