//! A short drive in memory: NV12 frame sets with stamps, arrivals and ego motion.

mod builder;
mod events;
mod feed;
mod folder;
mod noise;

use bevrt_calibration::{Odom, Pose, Rig};
use bevrt_hil::source::DriveSource;
use bevrt_runtime::{EgoMotionSource, ImageView, PixelFormat, Span};

use crate::error::BenchError;
pub use events::{Event, Motion, What};
pub use feed::Feed;
pub use noise::ring_rig;

/// Frame sets of a drive that can be driven round and round.
///
/// Stamps and arrivals are those of the drive, skew between the cameras included. Sets are complete
/// and their images arrive before the next set's.
#[derive(Clone, Debug)]
pub struct Recording {
    description: String,
    rig: Rig,
    ego_motion: EgoMotionSource,
    period: Span,
    sets: usize,
    /// Ego motion that came before the first image; it is given once.
    lead: Vec<Event>,
    /// One round, in the order of arrival.
    events: Vec<Event>,
    /// Pixels of set s, camera c at `s * cameras + c`.
    images: Vec<Vec<u8>>,
    /// How far a round goes; the identity where ego motion comes as rates.
    round: Pose<Odom, Odom>,
}

impl Recording {
    /// Reads a drive into memory: at most `sets` frame sets, one more is read to know how long a
    /// round lasts. Images that are not NV12 are converted (BT.601, limited range).
    ///
    /// # Errors
    /// The drive cannot be read, has fewer than two whole sets, or images are missing in a set.
    pub fn from_drive(
        drive: &mut dyn DriveSource,
        sets: usize,
        description: impl Into<String>,
    ) -> Result<Self, BenchError> {
        builder::build(drive, sets, description.into())
    }

    /// Where the frames come from, in words: equal words, equal frames.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The cameras.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// What kind of ego motion comes with the images.
    pub fn ego_motion(&self) -> EgoMotionSource {
        self.ego_motion
    }

    /// Frame sets of one round.
    pub fn sets(&self) -> usize {
        self.sets
    }

    /// Mean time between frame sets.
    pub fn set_period(&self) -> Span {
        Span::from_nanoseconds(self.period.nanoseconds() / self.sets as i64)
    }

    /// Bytes of all pixels.
    pub fn bytes(&self) -> usize {
        self.images.iter().map(Vec::len).sum()
    }

    /// The picture of a camera in a set.
    ///
    /// # Panics
    /// There is no such set or camera.
    pub fn image(&self, set: usize, camera: usize) -> ImageView<'_> {
        let lens = &self.rig.cameras()[camera].intrinsics;
        let pixels = &self.images[set * self.rig.cameras().len() + camera];
        ImageView::packed(PixelFormat::Nv12, lens.width(), lens.height(), pixels)
            .expect("sizes were checked when the recording was made")
    }

    /// The drive from its beginning, round after round.
    pub fn feed(&self) -> Feed<'_> {
        Feed::new(self)
    }
}

#[cfg(test)]
pub(crate) mod tests;
