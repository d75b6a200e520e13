//! Lanes over time: which line continues which track.

mod line;
mod position;

use heapless::Vec as FixedVec;

use super::identity::IdSource;
use super::planar::PlanarPose;
use super::tracks::TrackedLane;
use crate::heads::{LANE_CAPACITY, LaneDetection, LaneDetections};
use crate::time::{Span, Stamp};
use line::OdomLine;
use position::assign_positions;

/// Lines that are remembered, unseen ones too.
const TRACK_CAPACITY: usize = 96;
/// How long an unseen line keeps its id.
const MEMORY: Span = Span::from_nanoseconds(1_000_000_000);
/// Points this close to a remembered line lie on it.
const SAME_LINE_M: f64 = 0.8;
/// Least share of the shorter line that must lie on the other one.
const LEAST_OVERLAP: f64 = 0.3;
/// What an equal marking type is worth, as a share of overlap.
const SAME_MARKING_BONUS: f64 = 0.2;
/// Share of the latest detection in confidence and type.
const LATEST_SHARE: f32 = 0.4;
const MARKINGS: usize = 4;
const COLOURS: usize = 2;

/// Gives lanes ids that last, by their overlap in the odometry frame.
///
/// A line keeps the id of the remembered line that it overlaps most. Type, colour and confidence
/// are smoothed over time. The points are as many as those of the latest detection, moved across
/// the line to where all detections together say it is: what was passed closely is not forgotten
/// when it is seen from afar.
#[derive(Debug)]
pub struct LaneTracker {
    ids: IdSource,
    tracks: Vec<LaneTrack>,
    lines: FixedVec<OdomLine, LANE_CAPACITY>,
    pairs: Vec<Pair>,
}

#[derive(Clone, Copy, Debug)]
struct LaneTrack {
    id: u32,
    first_seen: Stamp,
    last_seen: Stamp,
    line: OdomLine,
    confidence: f32,
    marking: [f32; MARKINGS],
    colour: [f32; COLOURS],
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    gain: f64,
    track: u16,
    lane: u16,
}

impl LaneTracker {
    /// A tracker without any memory yet.
    pub fn new() -> Self {
        Self {
            ids: IdSource::new(),
            tracks: Vec::with_capacity(TRACK_CAPACITY),
            lines: FixedVec::new(),
            pairs: Vec::with_capacity(TRACK_CAPACITY * LANE_CAPACITY),
        }
    }

    /// Forgets all lines.
    pub fn reset(&mut self) {
        self.tracks.clear();
    }

    pub(super) fn step(
        &mut self,
        stamp: Stamp,
        pose: &PlanarPose,
        lanes: &LaneDetections,
        out: &mut FixedVec<TrackedLane, LANE_CAPACITY>,
    ) {
        self.tracks
            .retain(|track| stamp.since(track.last_seen) <= MEMORY);
        self.lines.clear();
        self.lines
            .extend(lanes.iter().map(|lane| OdomLine::new(lane, pose)));
        let track_of = self.join(lanes);
        out.clear();
        for (k, lane) in lanes.iter().enumerate() {
            let track = match track_of[k] {
                Some(track) => {
                    self.tracks[track].update(stamp, lane, self.lines[k]);
                    track
                }
                None => self.begin(stamp, lane, self.lines[k]),
            };
            // `out` has room for as many lanes as there are detections.
            let _ = out.push(self.tracks[track].report(stamp, pose, lane));
        }
        assign_positions(out);
        out.sort_unstable_by(|a, b| {
            b.lane
                .confidence
                .total_cmp(&a.lane.confidence)
                .then(a.id.cmp(&b.id))
        });
    }

    /// The track of each lane, best overlaps first.
    fn join(&mut self, lanes: &LaneDetections) -> [Option<usize>; LANE_CAPACITY] {
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
        let mut is_taken = [false; TRACK_CAPACITY];
        let mut track_of = [None; LANE_CAPACITY];
        for pair in &self.pairs {
            let (track, lane) = (usize::from(pair.track), usize::from(pair.lane));
            if !is_taken[track] && track_of[lane].is_none() {
                is_taken[track] = true;
                track_of[lane] = Some(track);
            }
        }
        track_of
    }

    fn begin(&mut self, stamp: Stamp, lane: &LaneDetection, line: OdomLine) -> usize {
        let track = LaneTrack::new(self.ids.next(), stamp, lane, line);
        if self.tracks.len() < TRACK_CAPACITY {
            self.tracks.push(track);
            return self.tracks.len() - 1;
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
        oldest
    }
}

impl Default for LaneTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl LaneTrack {
    fn new(id: u32, stamp: Stamp, lane: &LaneDetection, line: OdomLine) -> Self {
        let mut track = Self {
            id,
            first_seen: stamp,
            last_seen: stamp,
            line,
            confidence: lane.confidence,
            marking: [0.0; MARKINGS],
            colour: [0.0; COLOURS],
        };
        vote(&mut track.marking, lane.marking, lane.confidence);
        vote(&mut track.colour, lane.colour, lane.confidence);
        track
    }

    fn update(&mut self, stamp: Stamp, lane: &LaneDetection, mut line: OdomLine) {
        line.join(&self.line, stamp.since(self.last_seen), SAME_LINE_M);
        self.last_seen = stamp;
        self.line = line;
        self.confidence += LATEST_SHARE * (lane.confidence - self.confidence);
        vote(&mut self.marking, lane.marking, lane.confidence);
        vote(&mut self.colour, lane.colour, lane.confidence);
    }

    fn marking(&self) -> u8 {
        winner(&self.marking)
    }

    fn report(&self, stamp: Stamp, pose: &PlanarPose, lane: &LaneDetection) -> TrackedLane {
        let mut lane = LaneDetection {
            marking: self.marking(),
            colour: winner(&self.colour),
            confidence: self.confidence,
            ..*lane
        };
        self.line.write_into(pose, &mut lane);
        TrackedLane {
            lane,
            id: self.id,
            age_s: stamp.since(self.first_seen).seconds() as f32,
            position: 0,
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
