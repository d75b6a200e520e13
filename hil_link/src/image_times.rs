//! When images were due, sent or received, to be looked up for the frames that they are in.

use std::collections::VecDeque;

use bevrt_runtime::OutputFrame;

/// Images that are remembered: more than a second of sixteen cameras.
const REMEMBERED: usize = 512;

/// Times of one image. Which clock, and of what, its keeper says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageTime {
    pub(crate) camera: usize,
    pub(crate) stamp_ns: i64,
    /// When it should have happened.
    pub(crate) due_ns: i64,
    /// When it happened.
    pub(crate) at_ns: i64,
}

/// Times of the last images.
#[derive(Clone, Debug, Default)]
pub(crate) struct ImageTimes {
    images: VecDeque<ImageTime>,
}

impl ImageTimes {
    pub(crate) fn add(&mut self, image: ImageTime) {
        if self.images.len() == REMEMBERED {
            self.images.pop_front();
        }
        self.images.push_back(image);
    }

    /// The image of the frame that came last; `None` when none of them is remembered.
    pub(crate) fn last_of(&self, frame: &OutputFrame) -> Option<ImageTime> {
        let cameras = frame.health.cameras();
        self.images
            .iter()
            .filter(|image| {
                cameras
                    .get(image.camera)
                    .is_some_and(|camera| camera.stamp_ns == image.stamp_ns)
            })
            .max_by_key(|image| image.at_ns)
            .copied()
    }
}
