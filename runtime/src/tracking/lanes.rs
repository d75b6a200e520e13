//! Lanes over time: which line continues which track, and what is remembered of it.

mod line;
mod position;

use bevrt_calibration::BevGrid;
use heapless::Vec as FixedVec;

use super::identity::IdSource;
use super::memory::{MEMORY, View};
use super::tracks::TrackedLane;
use crate::heads::{LANE_CAPACITY, LaneDetection, LaneDetections, ROAD_EDGE};
use crate::time::Stamp;
use line::{JoinScratch, OdomLine};
use position::assign_positions;

/// Lines that are remembered, unseen ones too.
const TRACK_CAPACITY: usize = 96;
/// Points this close to a remembered line lie on it.
const SAME_LINE_M: f64 = 0.8;
/// Least share of the shorter line that must lie on the other one.
const LEAST_OVERLAP: f64 = 0.3;
/// What an equal marking type is worth, as a share of overlap.
const SAME_MARKING_BONUS: f64 = 0.2;
/// Detections this close to the line that they continue are errors of one line.
const JOIN_REACH_M: f64 = 1.6;
/// Share of a detection's points that must lie on unseen parts of a line to belong to it.
const FRAGMENT_SHARE: f64 = 0.5;
/// A line that is not seen at all is reported from this length on.
const LEAST_UNSEEN_M: f64 = 5.0;
/// Share of the latest detection in confidence and type.
const LATEST_SHARE: f32 = 0.4;
const MARKINGS: usize = 4;
const COLOURS: usize = 2;

/// Gives lanes ids that last, by their overlap in the odometry frame, and remembers them.
///
/// A line keeps the id of the remembered line that it overlaps most. Type, colour and confidence
/// are smoothed over time. Its points are moved across the line to where all detections together say
/// it is, and stretches that are not seen now are added as long as they are believed in
/// (`View::believes`): what was passed closely is not forgotten when it is seen from afar or
/// hidden.
#[derive(Debug)]
pub struct LaneTracker {
    area: BevGrid,
    ids: IdSource,
    tracks: Vec<LaneTrack>,
    /// The detections of the frame.
    lines: Vec<OdomLine>,
    scratch: Box<Scratch>,
    pairs: Vec<Pair>,
}

#[derive(Clone, Debug)]
struct LaneTrack {
    id: u32,
    first_seen: Stamp,
    last_seen: Stamp,
    line: OdomLine,
    confidence: f32,
    sigma_lateral_m: f32,
    marking: [f32; MARKINGS],
    colour: [f32; COLOURS],
}

/// Memory for lines in the making.
#[derive(Debug, Default)]
struct Scratch {
    join: JoinScratch,
    rest: OdomLine,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    gain: f64,
    track: u16,
    lane: u16,
}

/// What became of the detections of a frame.
type IsUsed = [bool; LANE_CAPACITY];

impl LaneTracker {
    /// A tracker without any memory yet, of lanes inside of `area`.
    pub fn new(area: &BevGrid) -> Self {
        Self {
            area: *area,
            ids: IdSource::new(),
            tracks: Vec::with_capacity(TRACK_CAPACITY),
            lines: Vec::with_capacity(LANE_CAPACITY),
            scratch: Box::default(),
            pairs: Vec::with_capacity(TRACK_CAPACITY * LANE_CAPACITY),
        }
    }

    /// Forgets all lines.
    pub fn reset(&mut self) {
        self.tracks.clear();
    }

    pub(super) fn step(
        &mut self,
        view: &View<'_>,
        lanes: &LaneDetections,
        out: &mut FixedVec<TrackedLane, LANE_CAPACITY>,
    ) {
        self.tracks
            .retain(|track| view.stamp.since(track.last_seen) <= MEMORY);
        self.lines.resize_with(lanes.len(), OdomLine::default);
        for (line, lane) in self.lines.iter_mut().zip(lanes) {
            line.set(lane, view);
        }
        out.clear();
        let mut is_used = [false; LANE_CAPACITY];
        self.find_pairs(lanes);
        let mut is_taken = [false; TRACK_CAPACITY];
        for k in 0..self.pairs.len() {
            let pair = self.pairs[k];
            let (track, lane) = (usize::from(pair.track), usize::from(pair.lane));
            if !is_taken[track] && !is_used[lane] {
                is_taken[track] = true;
                self.go_on(track, view, lanes, lane, &mut is_used);
                // `out` has room for as many lanes as there are detections.
                let _ = out.push(self.tracks[track].report(view));
            }
        }
        for (k, lane) in lanes.iter().enumerate() {
            if !is_used[k] {
                let track = LaneTrack::new(self.ids.next(), lane, self.lines[k].clone(), view);
                let _ = out.push(track.report(view));
                self.remember(track);
            }
        }
        self.report_unseen(view, out);
        assign_positions(out);
        out.sort_unstable_by(|a, b| {
            b.lane
                .confidence
                .total_cmp(&a.lane.confidence)
                .then(a.id.cmp(&b.id))
        });
    }

    /// All tracks with the detections that may continue them, best overlaps first.
    fn find_pairs(&mut self, lanes: &LaneDetections) {
        self.pairs.clear();
        for (k, track) in self.tracks.iter().enumerate() {
            for (l, line) in self.lines.iter().enumerate() {
                let overlap = track.line.overlap(line, SAME_LINE_M);
                if overlap.share < LEAST_OVERLAP {
                    continue;
                }
                let is_same_marking = track.marking() == lanes[l].marking;
                let bonus = if is_same_marking {
                    SAME_MARKING_BONUS
                } else {
                    0.0
                };
                self.pairs.push(Pair {
                    gain: overlap.length_m * (1.0 + bonus),
                    track: k as u16,
                    lane: l as u16,
                });
            }
        }
        self.pairs.sort_unstable_by(|a, b| {
            b.gain
                .total_cmp(&a.gain)
                .then((a.track, a.lane).cmp(&(b.track, b.lane)))
        });
    }

    /// Continues a track by a detection, and by those that lie on what it remembers.
    fn go_on(
        &mut self,
        track: usize,
        view: &View<'_>,
        lanes: &LaneDetections,
        lane: usize,
        is_used: &mut IsUsed,
    ) {
        let track = &mut self.tracks[track];
        let elapsed = view.stamp.since(track.last_seen);
        is_used[lane] = true;
        track.update(view, &lanes[lane]);
        let scratch = &mut self.scratch.join;
        track
            .line
            .join(&self.lines[lane], elapsed, JOIN_REACH_M, scratch);
        let is_paint = lanes[lane].marking != ROAD_EDGE;
        let lines = &self.lines;
        let free = is_used.map(|is_used| !is_used);
        // Other lines of its family that are seen now are where they are seen.
        let is_other = |l: usize| {
            free[l]
                && (lanes[l].marking != ROAD_EDGE) == is_paint
                && lanes[l].marking != lanes[lane].marking
        };
        track.line.cut(
            |point| {
                view.believes(&point.seen, point.place, &self.area)
                    && (point.seen.at == view.stamp
                        || !(0..lines.len())
                            .any(|l| is_other(l) && lines[l].is_near(&point.place, SAME_LINE_M)))
            },
            view.stamp,
        );
        for l in 0..lines.len() {
            if is_used[l] || lanes[l].marking != lanes[lane].marking {
                continue;
            }
            if track.line.share_unseen(&lines[l], view.stamp, JOIN_REACH_M) >= FRAGMENT_SHARE {
                is_used[l] = true;
                track.line.join(&lines[l], elapsed, JOIN_REACH_M, scratch);
            }
        }
    }

    /// Adds what is remembered of lines that were not detected.
    fn report_unseen(&mut self, view: &View<'_>, out: &mut FixedVec<TrackedLane, LANE_CAPACITY>) {
        for k in 0..self.tracks.len() {
            let track = &self.tracks[k];
            if track.last_seen == view.stamp || out.is_full() {
                continue;
            }
            let is_paint = track.marking() != ROAD_EDGE;
            let is_covered = |place: &[f64; 2]| {
                self.tracks.iter().any(|other| {
                    other.last_seen == view.stamp
                        && (other.marking() != ROAD_EDGE) == is_paint
                        && other.line.is_near(place, JOIN_REACH_M)
                })
            };
            let rest = &mut self.scratch.rest;
            track.line.longest_into(rest, |point| {
                view.believes(&point.seen, point.place, &self.area) && !is_covered(&point.place)
            });
            if rest.length_m() >= LEAST_UNSEEN_M {
                let _ = out.push(track.report_as(rest, view));
            }
        }
    }

    fn remember(&mut self, track: LaneTrack) {
        if self.tracks.len() < TRACK_CAPACITY {
            self.tracks.push(track);
            return;
        }
        // A frame has fewer lanes than there are tracks, so the one that was not seen for the
        // longest time is none of this frame's.
        let mut oldest = 0;
        for (k, other) in self.tracks.iter().enumerate() {
            if other.last_seen < self.tracks[oldest].last_seen {
                oldest = k;
            }
        }
        self.tracks[oldest] = track;
    }
}

impl LaneTrack {
    fn new(id: u32, lane: &LaneDetection, line: OdomLine, view: &View<'_>) -> Self {
        let mut track = Self {
            id,
            first_seen: view.stamp,
            last_seen: view.stamp,
            line,
            confidence: lane.confidence,
            sigma_lateral_m: lane.sigma_lateral_m,
            marking: [0.0; MARKINGS],
            colour: [0.0; COLOURS],
        };
        vote(&mut track.marking, lane.marking, lane.confidence);
        vote(&mut track.colour, lane.colour, lane.confidence);
        track
    }

    fn update(&mut self, view: &View<'_>, lane: &LaneDetection) {
        self.last_seen = view.stamp;
        self.sigma_lateral_m = lane.sigma_lateral_m;
        self.confidence += LATEST_SHARE * (lane.confidence - self.confidence);
        vote(&mut self.marking, lane.marking, lane.confidence);
        vote(&mut self.colour, lane.colour, lane.confidence);
    }

    fn marking(&self) -> u8 {
        winner(&self.marking)
    }

    fn report(&self, view: &View<'_>) -> TrackedLane {
        self.report_as(&self.line, view)
    }

    /// The track with the points of `line`.
    fn report_as(&self, line: &OdomLine, view: &View<'_>) -> TrackedLane {
        let mut lane = LaneDetection {
            marking: self.marking(),
            colour: winner(&self.colour),
            confidence: self.confidence * view.trust(self.last_seen),
            sigma_lateral_m: self.sigma_lateral_m,
            ..LaneDetection::default()
        };
        line.write_into(view, &mut lane);
        TrackedLane {
            lane,
            id: self.id,
            age_s: view.stamp.since(self.first_seen).seconds() as f32,
            position: 0,
            is_coasting: self.last_seen != view.stamp,
        }
    }
}

fn vote<const N: usize>(votes: &mut [f32; N], choice: u8, confidence: f32) {
    for votes in votes.iter_mut() {
        *votes *= 1.0 - LATEST_SHARE;
    }
    votes[usize::from(choice)] += LATEST_SHARE * confidence;
}

fn winner<const N: usize>(votes: &[f32; N]) -> u8 {
    let mut best = 0;
    for (choice, count) in votes.iter().enumerate() {
        if *count > votes[best] {
            best = choice;
        }
    }
    best as u8
}

#[cfg(test)]
mod tests;
