//! Arrows, crosswalks and stop lines over time.

mod kinds;

use heapless::Vec as FixedVec;

use super::identity::IdSource;
use super::planar::PlanarPose;
use super::tracks::TrackedElement;
use crate::time::{Span, Stamp};
use kinds::KINDS;
pub use kinds::TrackableElement;

/// Tracks that are kept for each element that a frame can hold.
const TRACKS_PER_ELEMENT: usize = 2;
/// How long an unseen element keeps its id.
const MEMORY: Span = Span::from_nanoseconds(2_000_000_000);
/// A network is surer of itself than errors that repeat from frame to frame allow.
const LEAST_SIGMA_M: f64 = 0.15;
/// Growth of the variance of a position that rests: drift of the odometry, m²/s.
const DRIFT_M2PS: f64 = 0.04;
/// A network repeats its errors for about this long, so frames that come faster tell less each.
const ERROR_MEMORY_S: f64 = 0.5;
/// Beyond this many deviations a filtered position is wrong and is given up by half at least.
const SURPRISE: f64 = 3.0;
/// Share of the latest detection in confidence.
const LATEST_SHARE: f32 = 0.4;

/// Follows elements that rest on the road: arrows, crosswalks or stop lines.
///
/// An element takes the id of the nearest remembered one within the reach of its kind. Its position
/// is filtered in the odometry frame, its kind is voted on by all detections of its track; it is
/// reported only in frames that detect it.
#[derive(Debug)]
pub struct ElementTracker<T, const N: usize> {
    ids: IdSource,
    tracks: Vec<Track<T>>,
    pairs: Vec<Pair>,
}

#[derive(Clone, Copy, Debug)]
struct Track<T> {
    id: u32,
    first_seen: Stamp,
    last_seen: Stamp,
    position_m: [f64; 2],
    variance_m2: f64,
    /// Direction in the odometry frame.
    heading_rad: f64,
    /// What all detections say together of the kind, each weighted by its squared confidence.
    kind_votes: [f32; KINDS],
    /// All else, as last reported.
    element: T,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    distance_m: f64,
    track: u16,
    element: u16,
}

impl<T: TrackableElement, const N: usize> ElementTracker<T, N> {
    /// A tracker without any memory yet.
    pub fn new() -> Self {
        Self {
            ids: IdSource::new(),
            tracks: Vec::with_capacity(N * TRACKS_PER_ELEMENT),
            pairs: Vec::with_capacity(N * N * TRACKS_PER_ELEMENT),
        }
    }

    /// Forgets all elements.
    pub fn reset(&mut self) {
        self.tracks.clear();
    }

    pub(super) fn step(
        &mut self,
        stamp: Stamp,
        dt_s: f64,
        pose: &PlanarPose,
        elements: &FixedVec<T, N>,
        out: &mut FixedVec<TrackedElement<T>, N>,
    ) {
        self.tracks
            .retain(|track| stamp.since(track.last_seen) <= MEMORY);
        for track in &mut self.tracks {
            track.variance_m2 += DRIFT_M2PS * dt_s;
        }
        self.find_pairs(pose, elements);
        let mut is_joined = [false; N];
        for pair in &self.pairs {
            let (track, element) = (usize::from(pair.track), usize::from(pair.element));
            let track = &mut self.tracks[track];
            if track.last_seen != stamp && !is_joined[element] {
                is_joined[element] = true;
                track.update(stamp, dt_s, pose, &elements[element]);
            }
        }
        for (element, is_joined) in elements.iter().zip(is_joined) {
            if !is_joined {
                self.begin(stamp, pose, element);
            }
        }
        self.report(stamp, pose, out);
    }

    fn find_pairs(&mut self, pose: &PlanarPose, elements: &FixedVec<T, N>) {
        self.pairs.clear();
        for (k, track) in self.tracks.iter().enumerate() {
            for (l, element) in elements.iter().enumerate() {
                let [x, y, _] = element.position_m();
                let [x, y] = pose.point_to_odom(x, y);
                let distance_m = (x - track.position_m[0]).hypot(y - track.position_m[1]);
                if distance_m <= T::REACH_M {
                    self.pairs.push(Pair {
                        distance_m,
                        track: k as u16,
                        element: l as u16,
                    });
                }
            }
        }
        self.pairs.sort_unstable_by(|a, b| {
            a.distance_m
                .total_cmp(&b.distance_m)
                .then((a.track, a.element).cmp(&(b.track, b.element)))
        });
    }

    fn begin(&mut self, stamp: Stamp, pose: &PlanarPose, element: &T) {
        if self.tracks.len() == N * TRACKS_PER_ELEMENT {
            let oldest = self
                .tracks
                .iter()
                .enumerate()
                .min_by_key(|(_, track)| track.last_seen)
                .map(|(k, _)| k);
            if let Some(oldest) = oldest {
                self.tracks.swap_remove(oldest);
            }
        }
        let id = self.ids.next();
        self.tracks.push(Track::new(id, stamp, pose, element));
    }

    fn report(&self, stamp: Stamp, pose: &PlanarPose, out: &mut FixedVec<TrackedElement<T>, N>) {
        out.clear();
        out.extend(
            self.tracks
                .iter()
                .filter(|track| track.last_seen == stamp)
                .take(N)
                .map(|track| track.report(stamp, pose)),
        );
        out.sort_unstable_by(|a, b| {
            b.element
                .confidence()
                .total_cmp(&a.element.confidence())
                .then(a.id.cmp(&b.id))
        });
    }
}

impl<T: TrackableElement, const N: usize> Default for ElementTracker<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: TrackableElement> Track<T> {
    fn new(id: u32, stamp: Stamp, pose: &PlanarPose, element: &T) -> Self {
        let [x, y, _] = element.position_m();
        let mut kind_votes = [0.0; KINDS];
        kind_votes[element.kind()] = element.confidence().powi(2);
        Self {
            id,
            first_seen: stamp,
            last_seen: stamp,
            position_m: pose.point_to_odom(x, y),
            variance_m2: variance(element),
            heading_rad: pose.yaw_rad + f64::from(element.heading_rad()),
            kind_votes,
            element: *element,
        }
    }

    fn update(&mut self, stamp: Stamp, dt_s: f64, pose: &PlanarPose, element: &T) {
        let [x, y, _] = element.position_m();
        let [x, y] = pose.point_to_odom(x, y);
        let (dx, dy) = (x - self.position_m[0], y - self.position_m[1]);
        let repeated = (ERROR_MEMORY_S / dt_s).clamp(1.0, 10.0);
        let total = self.variance_m2 + repeated * variance(element);
        let mut gain = self.variance_m2 / total;
        if dx.hypot(dy) > SURPRISE * total.sqrt() {
            gain = gain.max(0.5);
            self.variance_m2 = total;
        }
        self.position_m = [
            self.position_m[0] + gain * dx,
            self.position_m[1] + gain * dy,
        ];
        self.variance_m2 *= 1.0 - gain;
        let off = pose.yaw_rad + f64::from(element.heading_rad()) - self.heading_rad;
        self.heading_rad += gain * T::wrapped_heading(off);
        self.last_seen = stamp;
        let confidence = self.element.confidence();
        let confidence = confidence + LATEST_SHARE * (element.confidence() - confidence);
        self.element = element.blended(&self.element, gain as f32, confidence);
        self.kind_votes[element.kind()] += element.confidence().powi(2);
    }

    /// The kind with most votes, and its share of them.
    fn likeliest_kind(&self) -> (usize, f32) {
        let votes = &self.kind_votes;
        let kind = (1..KINDS).fold(0, |a, b| if votes[b] > votes[a] { b } else { a });
        (
            kind,
            votes[kind] / votes.iter().sum::<f32>().max(f32::MIN_POSITIVE),
        )
    }

    fn report(&self, stamp: Stamp, pose: &PlanarPose) -> TrackedElement<T> {
        let heading = T::wrapped_heading(self.heading_rad - pose.yaw_rad);
        let sigma_m = self.variance_m2.sqrt() as f32;
        let mut element = self.element;
        let (kind, share) = self.likeliest_kind();
        element.set_kind(kind, share);
        element.place(pose.point_to_ego(self.position_m), heading as f32, sigma_m);
        TrackedElement {
            element,
            id: self.id,
            age_s: stamp.since(self.first_seen).seconds() as f32,
        }
    }
}

fn variance<T: TrackableElement>(element: &T) -> f64 {
    f64::from(element.sigma_position_m())
        .max(LEAST_SIGMA_M)
        .powi(2)
}

#[cfg(test)]
mod tests;
