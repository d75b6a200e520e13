//! Tracks: whether an object keeps its identity over a drive.
//!
//! Drives are compared one by one, each class by itself, and their counts are added up; every score
//! is made of the sums.

mod clear;
mod drive;
mod events;
mod hota;
mod identity;
mod similarity;
mod sweep;

use std::sync::Arc;

use super::score_classes::ScoreClass;

pub use clear::ClearTally;
pub use drive::{TrackBox, TrackDrive, TrackFrame};
pub use events::TrackEvents;
pub use hota::{HOTA_LEVELS, HotaScores, HotaTally};
pub use identity::IdentityTally;
pub use similarity::{SimilarityDrive, SimilarityFrame, ZERO_SIMILARITY_M};
pub use sweep::{RECALLS, TrackClassScores, TrackCounts};

use sweep::ClassDrive;

/// Verdicts on the tracks of any number of drives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackTally {
    /// Frames of a drive that goes on.
    open: TrackDrive,
    /// One entry for each moving class.
    ended: Vec<Arc<[ClassDrive]>>,
}

fn compared(drive: &TrackDrive) -> Arc<[ClassDrive]> {
    moving_classes()
        .map(|class| ClassDrive::new(drive, class))
        .collect()
}

fn moving_classes() -> impl Iterator<Item = ScoreClass> {
    ScoreClass::ALL.into_iter().filter(|class| class.moves())
}

impl TrackTally {
    /// Adds the next frame of a drive.
    pub fn add(&mut self, frame: TrackFrame) {
        self.open.push(frame);
    }

    /// The next frame belongs to another drive, with other identities.
    pub fn end_drive(&mut self) {
        let drive = std::mem::take(&mut self.open);
        if !drive.is_empty() {
            self.ended.push(compared(&drive));
        }
    }

    /// Adds the drives of another tally. Its last one has ended with that.
    pub fn merge(&mut self, other: &Self) {
        self.ended.extend(other.ended.iter().cloned());
        if !other.open.is_empty() {
            self.ended.push(compared(&other.open));
        }
    }

    /// The scores over all drives.
    pub fn scores(&self) -> TrackScores {
        let open = (!self.open.is_empty()).then(|| compared(&self.open));
        let drives: Vec<&Arc<[ClassDrive]>> = self.ended.iter().chain(&open).collect();
        let classes = moving_classes().enumerate().map(|(place, class)| {
            TrackClassScores::new(class, drives.iter().map(|drive| &drive[place]))
        });
        TrackScores::new(classes.collect())
    }
}

/// Scores of tracks over all classes that move.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackScores {
    /// Each class.
    pub classes: Vec<TrackClassScores>,
    /// AMOTA, mean over the classes that have ground truth; `None` where none has, as for the others.
    pub average_accuracy: Option<f64>,
    /// AMOTP, metres.
    pub average_distance_m: Option<f64>,
    /// HOTA, DetA, AssA and LocA at the confidence of the highest MOTA of each class.
    pub hota: Option<HotaScores>,
    /// MOTA at that confidence.
    pub accuracy: Option<f64>,
    /// IDF1 at that confidence.
    pub identity_f1: Option<f64>,
    /// Identity switches at that confidence, of all classes together.
    pub identity_switches: usize,
    /// HOTA of every prediction.
    pub published_hota: Option<f64>,
}

impl TrackScores {
    fn new(classes: Vec<TrackClassScores>) -> Self {
        let scored = || classes.iter().filter(|class| class.truth_boxes > 0);
        let count = scored().count();
        let mean = |value: &dyn Fn(&TrackClassScores) -> f64| {
            (count > 0).then(|| scored().map(value).sum::<f64>() / count as f64)
        };
        let hota: Vec<HotaScores> = scored().map(|class| class.counts.hota.scores()).collect();
        Self {
            average_accuracy: mean(&|class| class.average_accuracy),
            average_distance_m: mean(&|class| class.average_distance_m),
            hota: (count > 0).then(|| HotaScores::mean(&hota)),
            accuracy: mean(&|class| class.counts.clear.accuracy()),
            identity_f1: mean(&|class| class.counts.identity.f1()),
            identity_switches: scored()
                .map(|class| class.counts.clear.identity_switches)
                .sum(),
            published_hota: mean(&|class| class.published.hota.scores().hota),
            classes,
        }
    }
}
