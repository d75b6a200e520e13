//! A frame set that still takes images.

use heapless::Vec;

use super::ImageTimes;
use crate::frame::MAX_CAMERAS;
use crate::time::{Span, Stamp};

/// The images of a set so far, by camera.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenSet {
    images: [Option<ImageTimes>; MAX_CAMERAS],
    /// Arrival of its first image.
    opened: Option<Stamp>,
    is_overrun: bool,
}

impl OpenSet {
    /// A set without images.
    pub const EMPTY: Self = Self {
        images: [None; MAX_CAMERAS],
        opened: None,
        is_overrun: false,
    };

    /// Arrival of the first image; `None` while there is none.
    pub fn opened(&self) -> Option<Stamp> {
        self.opened
    }

    /// Whether an image came.
    pub fn is_open(&self) -> bool {
        self.opened.is_some()
    }

    /// Whether the camera's image is there.
    pub fn holds(&self, camera: usize) -> bool {
        self.images[camera].is_some()
    }

    /// The camera's image.
    pub fn image(&self, camera: usize) -> Option<ImageTimes> {
        self.images[camera]
    }

    /// Whether all stamps stay within `tolerance` of each other with `stamp` among them. An empty set
    /// admits any.
    pub fn admits(&self, stamp: Stamp, tolerance: Span) -> bool {
        let is_near = |image: &ImageTimes| image.stamp.distance(stamp) <= tolerance;
        self.images.iter().flatten().all(is_near)
    }

    /// The oldest stamp.
    pub fn oldest(&self) -> Option<Stamp> {
        self.images.iter().flatten().map(|image| image.stamp).min()
    }

    /// The newest stamp.
    pub fn newest(&self) -> Option<Stamp> {
        self.images.iter().flatten().map(|image| image.stamp).max()
    }

    /// The middle one of the stamps, the earlier of the two middle ones when they are even in number.
    pub fn lower_median(&self) -> Option<Stamp> {
        let mut stamps: Vec<Stamp, MAX_CAMERAS> = self
            .images
            .iter()
            .flatten()
            .map(|image| image.stamp)
            .collect();
        stamps.sort_unstable();
        stamps.get(stamps.len().saturating_sub(1) / 2).copied()
    }

    /// Puts an image in; true when one of the same camera was there.
    pub fn insert(&mut self, camera: usize, image: ImageTimes) -> bool {
        self.opened.get_or_insert(image.arrival);
        self.images[camera].replace(image).is_some()
    }

    /// Takes a camera's image out. Without its last image the set is as if it had never begun.
    pub fn remove(&mut self, camera: usize) {
        self.images[camera] = None;
        if self.images.iter().all(Option::is_none) {
            *self = Self::EMPTY;
        }
    }

    /// Notes that an image came which is too new for this set.
    pub fn mark_overrun(&mut self) {
        self.is_overrun = true;
    }

    /// Whether an image came which was too new for this set.
    pub fn is_overrun(&self) -> bool {
        self.is_overrun
    }

    /// Forgets the overrun: a successor can be opened now.
    pub fn clear_overrun(&mut self) {
        self.is_overrun = false;
    }
}
