//! Objects over time: which detection continues which track.

mod filter;
mod track;

use bevrt_calibration::BevGrid;
use heapless::Vec as FixedVec;

use super::identity::IdSource;
use super::planar::PlanarPose;
use super::tracks::TrackedObject;
use crate::heads::{
    OBJECT_CAPACITY, ObjectDetection, ObjectDetections, ObjectGroup, is_same_object,
};
use crate::time::{Span, Stamp};
use track::Track;

/// Tracks that are kept, coasting and unconfirmed ones too.
const TRACK_CAPACITY: usize = 192;
/// Longest time that a confirmed track is carried on without a detection.
const LONGEST_COAST: Span = Span::from_nanoseconds(1_000_000_000);
/// The same for a track that is not confirmed yet; it is not reported while it coasts.
const LONGEST_DOUBT: Span = Span::from_nanoseconds(250_000_000);
/// Detections that confirm a track.
const CONFIRMING_HITS: u32 = 3;
/// Time constant of a coasting track's confidence.
const COAST_DECAY_S: f64 = 0.8;
/// A weaker track is dropped.
const LEAST_CONFIDENCE: f32 = 0.05;
/// Squared Mahalanobis distance that holds 99.7 % of a plane's normal distribution.
const GATE: f64 = 11.6;
/// Added to the squared distance when track and detection are of different classes.
const OTHER_CLASS_COST: f64 = 2.0;

/// Follows objects: Kalman filters on position, velocity, heading and turning rate.
///
/// Detections go to tracks of the same group of classes, nearest pairs (by Mahalanobis distance)
/// first. A new track is reported at once; one that was seen three times coasts for up to a second
/// when it is not seen, with falling confidence.
#[derive(Debug)]
pub struct ObjectTracker {
    range: BevGrid,
    ids: IdSource,
    tracks: Vec<Track>,
    pairs: Vec<Pair>,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    cost: f64,
    track: u16,
    detection: u16,
}

impl ObjectTracker {
    /// A tracker that follows objects inside of `range`.
    pub fn new(range: &BevGrid) -> Self {
        Self {
            range: *range,
            ids: IdSource::new(),
            tracks: Vec::with_capacity(TRACK_CAPACITY),
            pairs: Vec::with_capacity(TRACK_CAPACITY * OBJECT_CAPACITY),
        }
    }

    /// Forgets all tracks.
    pub fn reset(&mut self) {
        self.tracks.clear();
    }

    /// Joins detections to tracks; `dt_s` has passed since the last step.
    pub(super) fn step(
        &mut self,
        stamp: Stamp,
        dt_s: f64,
        pose: &PlanarPose,
        detections: &ObjectDetections,
        out: &mut FixedVec<TrackedObject, OBJECT_CAPACITY>,
    ) {
        for track in &mut self.tracks {
            track.predict(dt_s);
        }
        let is_joined = self.join(stamp, pose, detections);
        for (detection, is_joined) in detections.iter().zip(is_joined) {
            if !is_joined {
                self.begin(stamp, pose, detection);
            }
        }
        self.drop_lost(stamp, dt_s, pose);
        self.report(stamp, pose, out);
    }

    /// Updates tracks with their detections; says which detections were used.
    fn join(
        &mut self,
        stamp: Stamp,
        pose: &PlanarPose,
        detections: &ObjectDetections,
    ) -> [bool; OBJECT_CAPACITY] {
        self.pairs.clear();
        let places: FixedVec<Place, OBJECT_CAPACITY> = detections
            .iter()
            .map(|detection| Place::of(detection, pose))
            .collect();
        for (k, track) in self.tracks.iter().enumerate() {
            let class = track.class();
            let group = ObjectGroup::of(class);
            for (l, place) in places.iter().enumerate() {
                if place.group != group || !place.is_in_reach(track) {
                    continue;
                }
                let cost = cost(track, class, &detections[l], place.in_odom, pose);
                if let Some(cost) = cost {
                    self.pairs.push(Pair {
                        cost,
                        track: k as u16,
                        detection: l as u16,
                    });
                }
            }
        }
        self.pairs.sort_unstable_by(|a, b| {
            a.cost
                .total_cmp(&b.cost)
                .then((a.track, a.detection).cmp(&(b.track, b.detection)))
        });
        let mut is_updated = [false; TRACK_CAPACITY];
        let mut is_joined = [false; OBJECT_CAPACITY];
        for pair in &self.pairs {
            let (track, detection) = (usize::from(pair.track), usize::from(pair.detection));
            if is_updated[track] || is_joined[detection] {
                continue;
            }
            is_updated[track] = true;
            is_joined[detection] = true;
            self.tracks[track].update(stamp, pose, &detections[detection]);
        }
        is_joined
    }

    fn begin(&mut self, stamp: Stamp, pose: &PlanarPose, detection: &ObjectDetection) {
        if self.tracks.len() == TRACK_CAPACITY {
            let weakest = self
                .tracks
                .iter()
                .enumerate()
                .min_by(|(_, a), (_, b)| {
                    let is_seen = |track: &Track| track.last_seen() == stamp;
                    (is_seen(a).cmp(&is_seen(b))).then(a.confidence().total_cmp(&b.confidence()))
                })
                .map(|(k, _)| k);
            if let Some(weakest) = weakest {
                self.tracks.swap_remove(weakest);
            }
        }
        let id = self.ids.next();
        self.tracks.push(Track::new(id, stamp, pose, detection));
    }

    fn drop_lost(&mut self, stamp: Stamp, dt_s: f64, pose: &PlanarPose) {
        let decay = (-dt_s / COAST_DECAY_S).exp() as f32;
        let range = self.range;
        self.tracks.retain_mut(|track| {
            let unseen = stamp.since(track.last_seen());
            if unseen == Span::ZERO {
                return true;
            }
            track.fade(decay);
            let longest = if track.hits() >= CONFIRMING_HITS {
                LONGEST_COAST
            } else {
                LONGEST_DOUBT
            };
            let [x, y] = track.position_in_ego(pose);
            unseen <= longest
                && track.confidence() >= LEAST_CONFIDENCE
                && range.cell_of(f64::from(x), f64::from(y)).is_some()
        });
    }

    fn report(
        &self,
        stamp: Stamp,
        pose: &PlanarPose,
        out: &mut FixedVec<TrackedObject, OBJECT_CAPACITY>,
    ) {
        out.clear();
        // The seen ones come first, so that the list is full of them before it takes others.
        for track in self
            .tracks
            .iter()
            .filter(|track| track.last_seen() == stamp)
        {
            if out.push(track.report(stamp, pose)).is_err() {
                break;
            }
        }
        let seen = out.len();
        for track in &self.tracks {
            if track.last_seen() == stamp || track.hits() < CONFIRMING_HITS {
                continue;
            }
            let coasting = track.report(stamp, pose);
            let is_seen = |other: &TrackedObject| is_same_object(&other.object, &coasting.object);
            if !out[..seen].iter().any(is_seen) && out.push(coasting).is_err() {
                break;
            }
        }
        out.sort_unstable_by(|a, b| {
            b.object
                .confidence
                .total_cmp(&a.object.confidence)
                .then(a.id.cmp(&b.id))
        });
    }
}

/// What pairs of a detection have in common.
#[derive(Clone, Copy, Debug)]
struct Place {
    group: ObjectGroup,
    in_odom: [f64; 2],
    reach_m: f64,
}

impl Place {
    fn of(detection: &ObjectDetection, pose: &PlanarPose) -> Self {
        let group = ObjectGroup::of(detection.class);
        let [x, y, _] = detection.position_m;
        Self {
            group,
            in_odom: pose.point_to_odom(x, y),
            reach_m: reach_m(group),
        }
    }

    /// The cheap test on each axis, which spares the covariance of most pairs.
    fn is_in_reach(&self, track: &Track) -> bool {
        let [dx, dy] = track.offset_to(self.in_odom);
        dx.abs() <= self.reach_m && dy.abs() <= self.reach_m
    }
}

/// Cost of joining a track of class `class` and a detection at `position`, or `None` when they
/// cannot be one object.
fn cost(
    track: &Track,
    class: u8,
    detection: &ObjectDetection,
    position: [f64; 2],
    pose: &PlanarPose,
) -> Option<f64> {
    let distance = track.squared_distance(position, detection, pose);
    let penalty = if class == detection.class {
        0.0
    } else {
        OTHER_CLASS_COST
    };
    (distance <= GATE).then_some(distance + penalty)
}

/// Furthest that a detection may lie from where its track is expected.
const fn reach_m(group: ObjectGroup) -> f64 {
    match group {
        ObjectGroup::Vehicle => 4.5,
        ObjectGroup::TwoWheeler => 3.0,
        ObjectGroup::Pedestrian => 1.6,
        ObjectGroup::Cone => 1.2,
    }
}

#[cfg(test)]
mod tests;
