//! Arrows, crosswalks and stop lines over time.

mod kinds;

use bevrt_calibration::BevGrid;
use heapless::Vec as FixedVec;

use super::identity::IdSource;
use super::memory::{MEMORY, Sightings, View};
use super::planar::wrapped;
use super::tracks::TrackedElement;
use crate::time::Stamp;
use kinds::KINDS;
pub use kinds::TrackableElement;

/// Tracks that are kept for each element that a frame can hold.
const TRACKS_PER_ELEMENT: usize = 2;
/// A network is surer of itself than errors that repeat from frame to frame allow.
const LEAST_SIGMA_M: f64 = 0.15;
/// Growth of the variance of a position that rests: drift of the odometry, m²/s.
const DRIFT_M2PS: f64 = 0.04;
/// A network repeats its errors for about this long, so frames that come faster tell less each.
const ERROR_MEMORY_S: f64 = 0.5;
/// Beyond this many deviations a filtered position is wrong and is given up by half at least.
const SURPRISE: f64 = 3.0;
/// Confidence, direction and sizes are means over about this time, weighted by how well each
/// detection knows its place.
const KNOWLEDGE_S: f64 = 3.0;

/// Follows elements that rest on the road: arrows, crosswalks or stop lines.
///
/// An element takes the id of the nearest remembered one within the reach of its kind. Its position
/// is filtered in the odometry frame, its kind is voted on by all detections of its track. It is
/// reported in frames that detect it, and in others as long as it is believed in
/// (`View::believes`): it was passed, or is hidden.
#[derive(Debug)]
pub struct ElementTracker<T, const N: usize> {
    area: BevGrid,
    ids: IdSource,
    tracks: Vec<Track<T>>,
    pairs: Vec<Pair>,
}

#[derive(Clone, Copy, Debug)]
struct Track<T> {
    id: u32,
    first_seen: Stamp,
    seen: Sightings,
    position_m: [f64; 2],
    variance_m2: f64,
    /// Mean direction in the odometry frame, as cosine and sine of its angle times
    /// [`TrackableElement::DIRECTION_FOLDS`].
    direction: [f64; 2],
    /// What all detections say together of the kind, each weighted by its squared confidence.
    kind_votes: [f32; KINDS],
    confidence: f32,
    /// What confidence, direction and sizes are worth against those of another detection: the sum of
    /// the inverse variances of the past ones, faded.
    knowledge: f64,
    /// All else.
    element: T,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    distance_m: f64,
    track: u16,
    element: u16,
}

impl<T: TrackableElement, const N: usize> ElementTracker<T, N> {
    /// A tracker without any memory yet, of elements inside of `area`.
    pub fn new(area: &BevGrid) -> Self {
        Self {
            area: *area,
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
        view: &View<'_>,
        dt_s: f64,
        elements: &FixedVec<T, N>,
        out: &mut FixedVec<TrackedElement<T>, N>,
    ) {
        self.tracks
            .retain(|track| view.stamp.since(track.seen.at) <= MEMORY);
        for track in &mut self.tracks {
            track.variance_m2 += DRIFT_M2PS * dt_s;
        }
        self.find_pairs(view, elements);
        let mut is_joined = [false; N];
        for pair in &self.pairs {
            let (track, element) = (usize::from(pair.track), usize::from(pair.element));
            let track = &mut self.tracks[track];
            if track.seen.at != view.stamp && !is_joined[element] {
                is_joined[element] = true;
                track.update(view, dt_s, &elements[element]);
            }
        }
        for (element, is_joined) in elements.iter().zip(is_joined) {
            if !is_joined {
                self.begin(view, element);
            }
        }
        self.report(view, out);
    }

    fn find_pairs(&mut self, view: &View<'_>, elements: &FixedVec<T, N>) {
        self.pairs.clear();
        for (k, track) in self.tracks.iter().enumerate() {
            for (l, element) in elements.iter().enumerate() {
                let [x, y, _] = element.position_m();
                let [x, y] = view.pose.point_to_odom(x, y);
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

    fn begin(&mut self, view: &View<'_>, element: &T) {
        if self.tracks.len() == N * TRACKS_PER_ELEMENT {
            let oldest = self
                .tracks
                .iter()
                .enumerate()
                .min_by_key(|(_, track)| track.seen.at)
                .map(|(k, _)| k);
            if let Some(oldest) = oldest {
                self.tracks.swap_remove(oldest);
            }
        }
        let id = self.ids.next();
        self.tracks.push(Track::new(id, view, element));
    }

    fn report(&self, view: &View<'_>, out: &mut FixedVec<TrackedElement<T>, N>) {
        out.clear();
        let is_seen = |track: &&Track<T>| track.seen.at == view.stamp;
        let is_covered = |track: &Track<T>| {
            self.tracks.iter().filter(is_seen).any(|seen| {
                let [dx, dy] = [0, 1].map(|k| seen.position_m[k] - track.position_m[k]);
                dx.hypot(dy) <= T::REACH_M
            })
        };
        let is_remembered = |track: &&Track<T>| {
            track.seen.at != view.stamp
                && view.believes(&track.seen, track.position_m, &self.area)
                && !is_covered(track)
        };
        let seen = self.tracks.iter().filter(is_seen);
        let all = seen.chain(self.tracks.iter().filter(is_remembered));
        out.extend(all.take(N).map(|track| track.report(view)));
        out.sort_unstable_by(|a, b| {
            b.element
                .confidence()
                .total_cmp(&a.element.confidence())
                .then(a.id.cmp(&b.id))
        });
    }
}

impl<T: TrackableElement> Track<T> {
    fn new(id: u32, view: &View<'_>, element: &T) -> Self {
        let [x, y, _] = element.position_m();
        let mut kind_votes = [0.0; KINDS];
        kind_votes[element.kind()] = element.confidence().powi(2);
        Self {
            id,
            first_seen: view.stamp,
            seen: view.sighting(range_m(element)),
            position_m: view.pose.point_to_odom(x, y),
            variance_m2: variance(element),
            direction: direction(view, element),
            kind_votes,
            confidence: element.confidence(),
            knowledge: 1.0 / variance(element),
            element: *element,
        }
    }

    fn update(&mut self, view: &View<'_>, dt_s: f64, element: &T) {
        let [x, y, _] = element.position_m();
        let [x, y] = view.pose.point_to_odom(x, y);
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
        self.seen = view.sighting(range_m(element)).after(&self.seen);
        let news = 1.0 / variance(element);
        self.knowledge = news + self.knowledge * (-dt_s / KNOWLEDGE_S).exp();
        let share = news / self.knowledge;
        self.confidence += share as f32 * (element.confidence() - self.confidence);
        let seen = direction(view, element);
        self.direction = [0, 1].map(|k| self.direction[k] + share * (seen[k] - self.direction[k]));
        self.element = element.blended(&self.element, share as f32);
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

    fn report(&self, view: &View<'_>) -> TrackedElement<T> {
        let [cos, sin] = self.direction;
        let folds = T::DIRECTION_FOLDS;
        let turned = sin.atan2(cos) - folds * view.pose.yaw_rad;
        let heading = wrapped(turned) / folds;
        let sigma_m = self.variance_m2.sqrt() as f32;
        let mut element = self.element;
        let (kind, share) = self.likeliest_kind();
        element.set_kind(kind);
        element.set_confidence(self.confidence * share * view.trust(self.seen.at));
        element.place(
            view.pose.point_to_ego(self.position_m),
            heading as f32,
            sigma_m,
        );
        TrackedElement {
            element,
            id: self.id,
            age_s: view.stamp.since(self.first_seen).seconds() as f32,
            is_coasting: self.seen.at != view.stamp,
        }
    }
}

/// Direction of an element in the odometry frame, as [`Track::direction`].
fn direction<T: TrackableElement>(view: &View<'_>, element: &T) -> [f64; 2] {
    let heading_rad = view.pose.yaw_rad + f64::from(element.heading_rad());
    let (sin, cos) = (T::DIRECTION_FOLDS * heading_rad).sin_cos();
    [cos, sin]
}

/// Distance of an element from the vehicle.
fn range_m<T: TrackableElement>(element: &T) -> f64 {
    let [x, y, _] = element.position_m();
    f64::from(x.hypot(y))
}

fn variance<T: TrackableElement>(element: &T) -> f64 {
    f64::from(element.sigma_position_m())
        .max(LEAST_SIGMA_M)
        .powi(2)
}

#[cfg(test)]
mod tests;
