//! What was seen in the last seconds, and so may be asked of a network with memory.

use super::{GroundTruth, Lane};
use std::collections::BTreeMap;

/// How long a thing that was seen counts as ground truth, seconds.
const COUNTS_FOR_S: f64 = 2.0;
/// How long a well seen object that is hidden now counts for the recall of occluded objects, seconds.
const OCCLUDED_FOR_S: f64 = 1.5;
/// Part of the silhouette that makes an object seen.
const SEEN_FRACTION: f32 = 0.2;
/// Part of the silhouette that makes an object well seen.
const WELL_SEEN_FRACTION: f32 = 0.4;
/// Pixels at the network's size that make an object seen.
const SEEN_PX: f32 = 40.0;
/// Part of its surface that makes an arrow, a crosswalk or a stop line seen.
const SEEN_MARK_FRACTION: f32 = 0.25;

/// Remembers what was seen, and marks in each ground truth what counts.
///
/// Fed with the successive ground truths of one drive, visibility of the moment filled. Going back in time forgets all.
#[derive(Clone, Debug, Default)]
pub struct VisibilityMemory {
    latest_s: Option<f64>,
    objects: BTreeMap<u32, ObjectMemory>,
    lanes: BTreeMap<u32, Vec<f64>>,
    marks: BTreeMap<u32, f64>,
}

#[derive(Clone, Copy, Debug)]
struct ObjectMemory {
    seen_s: f64,
    well_seen_s: f64,
}

impl VisibilityMemory {
    /// A memory of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what is visible now and writes `counts`, `is_occluded_recall` and `was_seen`.
    ///
    /// `visible_px` must be given at the network's image size.
    pub fn observe(&mut self, truth: &mut GroundTruth) {
        let now_s = truth.t_s;
        if self.latest_s.is_some_and(|latest_s| now_s < latest_s) {
            *self = Self::default();
        }
        self.latest_s = Some(now_s);
        self.observe_objects(truth);
        for lane in &mut truth.lanes {
            observe_lane(&mut self.lanes, lane, now_s);
        }
        let marks = &mut self.marks;
        let mut observe_mark = |id: u32, visible_fraction: f32| {
            if visible_fraction >= SEEN_MARK_FRACTION {
                marks.insert(id, now_s);
            }
            marks
                .get(&id)
                .is_some_and(|seen_s| is_within(now_s - seen_s, COUNTS_FOR_S))
        };
        for arrow in &mut truth.arrows {
            arrow.was_seen = observe_mark(arrow.id, arrow.visible_fraction);
        }
        for crosswalk in &mut truth.crosswalks {
            crosswalk.was_seen = observe_mark(crosswalk.id, crosswalk.visible_fraction);
        }
        for stop_line in &mut truth.stop_lines {
            stop_line.was_seen = observe_mark(stop_line.id, stop_line.visible_fraction);
        }
    }

    fn observe_objects(&mut self, truth: &mut GroundTruth) {
        let now_s = truth.t_s;
        for object in &mut truth.objects {
            let never = ObjectMemory {
                seen_s: f64::NEG_INFINITY,
                well_seen_s: f64::NEG_INFINITY,
            };
            let memory = self.objects.entry(object.id).or_insert(never);
            let is_large = object.visible_px >= SEEN_PX;
            if is_large && object.visible_fraction >= SEEN_FRACTION {
                memory.seen_s = now_s;
            }
            if is_large && object.visible_fraction >= WELL_SEEN_FRACTION {
                memory.well_seen_s = now_s;
            }
            object.counts = is_within(now_s - memory.seen_s, COUNTS_FOR_S);
            object.is_occluded_recall = object.visible_fraction < SEEN_FRACTION
                && is_within(now_s - memory.well_seen_s, OCCLUDED_FOR_S);
        }
    }
}

/// Spans are compared with a tolerance, since stamps at 10 Hz are not exact in binary.
fn is_within(age_s: f64, limit_s: f64) -> bool {
    age_s <= limit_s + 1e-6
}

fn observe_lane(lanes: &mut BTreeMap<u32, Vec<f64>>, lane: &mut Lane, now_s: f64) {
    let seen = lanes.entry(lane.id).or_default();
    for point in &mut lane.points {
        let station = point.station as usize;
        if station >= seen.len() {
            seen.resize(station + 1, f64::NEG_INFINITY);
        }
        if point.is_visible {
            seen[station] = now_s;
        }
        point.was_seen = is_within(now_s - seen[station], COUNTS_FOR_S);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LanePoint, MarkingColour, MarkingType, Object, ObjectClass};
    use super::*;
    use nalgebra::{Isometry3, Point3};

    fn truth_at(t_s: f64, visible_fraction: f32, visible_px: f32) -> GroundTruth {
        let object = Object {
            id: 7,
            class: ObjectClass::Car,
            centre: Point3::origin(),
            size: [4.0, 2.0, 1.5],
            yaw: 0.0,
            velocity: [0.0; 2],
            yaw_rate: 0.0,
            visible_fraction,
            visible_px,
            silhouette_px: 100.0,
            counts: false,
            is_occluded_recall: false,
        };
        let point = LanePoint {
            position: Point3::origin(),
            station: 3,
            is_visible: visible_fraction > 0.5,
            was_seen: false,
        };
        let lane = Lane {
            id: 1,
            marking: MarkingType::Solid,
            colour: MarkingColour::White,
            points: vec![point],
        };
        GroundTruth {
            t_s,
            world_from_ego: Isometry3::identity(),
            objects: vec![object],
            lanes: vec![lane],
            arrows: Vec::new(),
            crosswalks: Vec::new(),
            stop_lines: Vec::new(),
        }
    }

    #[test]
    fn hidden_object_counts_for_two_seconds_and_is_recalled_for_one_and_a_half() {
        let mut memory = VisibilityMemory::new();
        for (t_s, fraction, counts, recall) in [
            (0.0, 0.9, true, false),
            (1.4, 0.1, true, true),
            (1.9, 0.0, true, false),
            (2.1, 0.0, false, false),
        ] {
            let mut truth = truth_at(t_s, fraction, 90.0);
            memory.observe(&mut truth);
            assert_eq!(
                (truth.objects[0].counts, truth.objects[0].is_occluded_recall),
                (counts, recall),
                "at {t_s} s"
            );
        }
    }

    #[test]
    fn object_of_too_few_pixels_does_not_count() {
        let mut truth = truth_at(0.0, 1.0, 39.0);
        VisibilityMemory::new().observe(&mut truth);
        assert!(!truth.objects[0].counts);
    }

    #[test]
    fn lane_point_stays_seen_for_two_seconds() {
        let mut memory = VisibilityMemory::new();
        for (t_s, fraction, seen) in [(0.0, 0.9, true), (2.0, 0.1, true), (2.5, 0.1, false)] {
            let mut truth = truth_at(t_s, fraction, 90.0);
            memory.observe(&mut truth);
            assert_eq!(truth.lanes[0].points[0].was_seen, seen, "at {t_s} s");
        }
    }

    #[test]
    fn going_back_in_time_forgets() {
        let mut memory = VisibilityMemory::new();
        memory.observe(&mut truth_at(5.0, 0.9, 90.0));
        let mut truth = truth_at(4.9, 0.0, 0.0);
        memory.observe(&mut truth);
        assert!(!truth.objects[0].counts);
    }
}
