//! What rests on the ground is remembered when it is not seen.

use bevrt_calibration::BevGrid;

use super::planar::PlanarPose;
use crate::time::{Span, Stamp};

/// How long an unseen place is remembered.
pub(super) const MEMORY: Span = Span::from_nanoseconds(3_000_000_000);
/// What was not seen again from this share of the distance was an error.
const NEARER: f64 = 0.9;
/// What was seen from here may vanish under the vehicle.
const UNDERFOOT_M: f64 = 5.0;
/// What was seen in fewer frames is not remembered.
const LEAST_SEEN: u16 = 3;

/// Where the vehicle is when it looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub stamp: Stamp,
    pub pose: &'a PlanarPose,
    /// Whether the vehicle's motion is known.
    pub has_motion: bool,
}

/// When, from where and how often something was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sightings {
    pub at: Stamp,
    /// The least distance from which it was seen.
    pub from_m: f64,
    /// In how many frames.
    pub count: u16,
}

impl View<'_> {
    /// A first sighting now, from a distance.
    pub(super) fn sighting(&self, from_m: f64) -> Sightings {
        Sightings {
            at: self.stamp,
            from_m,
            count: 1,
        }
    }

    /// Whether something at a place of the odometry frame is still believed in: it is seen now, or
    /// was seen several times a moment ago, the vehicle has come no nearer since, and it lies in
    /// `area`.
    pub(super) fn believes(&self, seen: &Sightings, place: [f64; 2], area: &BevGrid) -> bool {
        if seen.at == self.stamp {
            return true;
        }
        let [x, y] = self.pose.point_to_ego(place).map(f64::from);
        self.has_motion
            && seen.count >= LEAST_SEEN
            && self.stamp.since(seen.at) <= MEMORY
            && (seen.from_m <= UNDERFOOT_M || x.hypot(y) >= NEARER * seen.from_m)
            && covers(area, x, y)
    }

    /// What is left of a confidence since the last sighting: all of it now, nothing when it is
    /// forgotten.
    pub(super) fn trust(&self, last_seen: Stamp) -> f32 {
        (1.0 - self.stamp.since(last_seen).seconds() / MEMORY.seconds()).max(0.0) as f32
    }
}

impl Sightings {
    /// This sighting after `earlier` ones of the same thing; a frame counts once.
    pub(super) fn after(&self, earlier: &Self) -> Self {
        Self {
            at: self.at,
            from_m: self.from_m.min(earlier.from_m),
            count: earlier
                .count
                .saturating_add(u16::from(earlier.at != self.at)),
        }
    }
}

fn covers(area: &BevGrid, x: f64, y: f64) -> bool {
    let (dx, dy) = (x - area.x_min_m, y - area.y_min_m);
    (0.0..area.cell_m * area.rows as f64).contains(&dx)
        && (0.0..area.cell_m * area.cols as f64).contains(&dy)
}
