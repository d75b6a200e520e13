use heapless::Vec as FixedVec;

use super::super::memory::View;
use super::super::planar::PlanarPose;
use super::super::tracks::TrackedLane;
use super::LaneTracker;
use crate::heads::{FINE, LANE_CAPACITY, LaneDetection, LaneDetections};
use crate::time::Stamp;

/// A lane in the ego frame through points given in the odometry frame.
fn lane(pose: &PlanarPose, from: [f64; 2], to: [f64; 2], marking: u8) -> LaneDetection {
    let length = (to[0] - from[0]).hypot(to[1] - from[1]);
    let steps = (length.round() as usize).clamp(1, 47);
    let mut lane = LaneDetection {
        point_count: (steps + 1) as u16,
        marking,
        confidence: 0.8,
        ..LaneDetection::default()
    };
    for k in 0..=steps {
        let share = k as f64 / steps as f64;
        let point = [
            from[0] + share * (to[0] - from[0]),
            from[1] + share * (to[1] - from[1]),
        ];
        let [x, y] = pose.point_to_ego(point);
        lane.points_m[k] = [x, y, 0.0];
    }
    lane
}

fn list(lanes: &[LaneDetection]) -> LaneDetections {
    lanes.iter().copied().collect()
}

fn step(
    tracker: &mut LaneTracker,
    time_s: f64,
    pose: &PlanarPose,
    lanes: &[LaneDetection],
) -> FixedVec<TrackedLane, LANE_CAPACITY> {
    let mut out = FixedVec::new();
    let view = View {
        stamp: Stamp::from_seconds(time_s),
        pose,
        has_motion: true,
    };
    tracker.step(&view, &list(lanes), &mut out);
    out
}

/// The id of the lane whose first point has the given side.
fn id_beside(tracks: &[TrackedLane], position: i8) -> u32 {
    tracks
        .iter()
        .find(|track| track.position == position)
        .map_or(0, |track| track.id)
}

#[test]
fn ids_last_while_the_vehicle_drives_along() {
    let mut tracker = LaneTracker::new(&FINE);
    let mut ids = Vec::new();
    for k in 0..40 {
        let x = 1.5 * f64::from(k);
        let pose = PlanarPose::at(x, 0.0, 0.02 * f64::from(k % 5));
        let line = |y: f64| lane(&pose, [x - 20.0, y], [x + 27.0, y], 1);
        let tracks = step(
            &mut tracker,
            0.1 * f64::from(k),
            &pose,
            &[line(1.8), line(-1.7), line(5.3)],
        );
        ids.push([1, -1, 2].map(|position| id_beside(&tracks, position)));
    }
    assert!(ids.iter().all(|now| *now == ids[0]), "{ids:?}");
    assert!(ids[0].iter().all(|&id| id != 0));
}

#[test]
fn a_lane_change_moves_positions_and_keeps_ids() {
    let mut tracker = LaneTracker::new(&FINE);
    let lanes =
        |pose: &PlanarPose| [1.75, -1.75, 5.25].map(|y| lane(pose, [-20.0, y], [25.0, y], 1));
    let before = PlanarPose::at(0.0, 0.0, 0.0);
    let tracks = step(&mut tracker, 0.0, &before, &lanes(&before));
    let (left, right, far) = (
        id_beside(&tracks, 1),
        id_beside(&tracks, -1),
        id_beside(&tracks, 2),
    );
    let after = PlanarPose::at(0.0, 3.5, 0.0);
    let tracks = step(&mut tracker, 0.5, &after, &lanes(&after));
    assert_eq!(id_beside(&tracks, -1), left);
    assert_eq!(id_beside(&tracks, -2), right);
    assert_eq!(id_beside(&tracks, 1), far);
}

#[test]
fn a_line_that_grows_shrinks_or_flickers_keeps_its_id() {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    let with = |from: f64, to: f64, marking: u8| [lane(&pose, [from, 2.0], [to, 2.0], marking)];
    let id = step(&mut tracker, 0.0, &pose, &with(0.0, 30.0, 1))[0].id;
    for (time_s, from, to) in [(0.1, 5.0, 12.0), (0.2, -10.0, 32.0), (0.3, -8.0, 3.0)] {
        let found = step(&mut tracker, time_s, &pose, &with(from, to, 1));
        assert_eq!(found[0].id, id, "at {time_s}");
    }
    step(&mut tracker, 0.8, &pose, &[]);
    assert_eq!(
        step(&mut tracker, 1.2, &pose, &with(-8.0, 20.0, 1))[0].id,
        id
    );
    step(&mut tracker, 1.3, &pose, &[]);
    assert_ne!(
        step(&mut tracker, 4.9, &pose, &with(-8.0, 20.0, 1))[0].id,
        id
    );
}

/// The ends of a lane along x.
fn extent(track: &TrackedLane) -> [f32; 2] {
    let points = track.lane.points();
    [points[0][0], points[points.len() - 1][0]]
}

/// Drives along y = 2 at 10 m/s and 10 Hz, with the line seen from `back_m` behind on; the frames.
fn drive_along(
    tracker: &mut LaneTracker,
    frames: usize,
    has_motion: bool,
    back_m: impl Fn(usize) -> f64,
) -> Vec<FixedVec<TrackedLane, LANE_CAPACITY>> {
    let along = |k: usize| {
        let x = k as f64;
        let pose = PlanarPose::at(x, 0.0, 0.0);
        let seen = lane(&pose, [x - back_m(k), 2.0], [x + 20.0, 2.0], 1);
        let mut out = FixedVec::new();
        let view = View {
            stamp: Stamp::from_seconds(0.1 * x),
            pose: &pose,
            has_motion,
        };
        tracker.step(&view, &list(&[seen]), &mut out);
        out
    };
    (0..frames).map(along).collect()
}

#[test]
fn what_was_passed_is_remembered_behind_the_vehicle() {
    let mut tracker = LaneTracker::new(&FINE);
    let frames = drive_along(&mut tracker, 40, true, |_| 5.0);
    for (k, frame) in frames.iter().enumerate() {
        assert_eq!(frame.len(), 1, "frame {k}");
        let [from, to] = extent(&frame[0]);
        // All that was seen in three frames, up to the border of the area.
        let oldest = -(3.0 + k as f32).clamp(5.0, 33.0);
        assert!(
            (from - oldest).abs() < 1.6 && (to - 20.0).abs() < 0.1,
            "frame {k}: {from} {to}"
        );
    }
}

#[test]
fn nothing_is_remembered_without_ego_motion() {
    let mut tracker = LaneTracker::new(&FINE);
    let frames = drive_along(&mut tracker, 20, false, |_| 5.0);
    for frame in &frames {
        assert!((extent(&frame[0])[0] + 5.0).abs() < 0.1);
    }
}

#[test]
fn what_is_not_seen_from_nearer_was_an_error() {
    let mut tracker = LaneTracker::new(&FINE);
    for k in 0..34 {
        let x = f64::from(k);
        let pose = PlanarPose::at(x, 0.0, 0.0);
        // From afar the line seems to go on over x = 40; from within 15 m it ends at 30.
        let end = if x < 25.0 { x + 20.0 } else { 30.0 };
        let seen = lane(&pose, [x - 5.0, 2.0], [end, 2.0], 1);
        let found = step(&mut tracker, 0.1 * x, &pose, &[seen]);
        if k >= 29 {
            let end_m = x + f64::from(extent(&found[0])[1]);
            assert!(end_m < 31.5, "at {x}: {end_m}");
        }
    }
}

#[test]
fn an_unseen_line_is_reported_for_three_seconds_with_falling_confidence() {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    let seen = [lane(&pose, [-10.0, 2.0], [20.0, 2.0], 1)];
    let id = (0..5).fold(0, |_, k| {
        step(&mut tracker, 0.1 * f64::from(k), &pose, &seen)[0].id
    });
    let mut last = f32::INFINITY;
    for k in 5..30 {
        let found = step(&mut tracker, 0.1 * f64::from(k), &pose, &[]);
        assert_eq!((found.len(), found[0].id), (1, id));
        assert!(found[0].is_coasting);
        assert!(found[0].lane.confidence < last);
        last = found[0].lane.confidence;
    }
    assert!(step(&mut tracker, 3.6, &pose, &[]).is_empty());
}

#[test]
fn what_was_seen_once_is_not_reported_unseen() {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    step(
        &mut tracker,
        0.0,
        &pose,
        &[lane(&pose, [-10.0, 2.0], [20.0, 2.0], 1)],
    );
    assert!(step(&mut tracker, 0.1, &pose, &[]).is_empty());
}

/// What is reported when of a dashed line, seen from −25 to 20 m before, only the part from −2 m on
/// is seen, and another line from `from` to `to`.
fn after_a_whole_line(
    from: [f64; 2],
    to: [f64; 2],
    marking: u8,
) -> FixedVec<TrackedLane, LANE_CAPACITY> {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    let whole = [lane(&pose, [-25.0, 2.0], [20.0, 2.0], 1)];
    for k in 0..5 {
        step(&mut tracker, 0.1 * f64::from(k), &pose, &whole);
    }
    let parts = [
        lane(&pose, [-2.0, 2.0], [20.0, 2.0], 1),
        lane(&pose, from, to, marking),
    ];
    step(&mut tracker, 0.5, &pose, &parts)
}

#[test]
fn fragments_of_a_remembered_line_are_one_line() {
    let found = after_a_whole_line([-25.0, 2.4], [-15.0, 2.9], 1);
    assert_eq!(found.len(), 1);
    let [from, to] = extent(&found[0]);
    assert!(
        (from + 25.0).abs() < 1.0 && (to - 20.0).abs() < 0.1,
        "{from} {to}"
    );
}

#[test]
fn a_remembered_stretch_ends_where_another_type_is_seen() {
    let found = after_a_whole_line([-25.0, 2.0], [-10.0, 2.0], 0);
    let mut ends: Vec<_> = found.iter().map(extent).collect();
    ends.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]));
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert!(
        (ends[0][1] + 10.0).abs() < 0.1 && (ends[1][0] + 10.0).abs() < 1.5,
        "{ends:?}"
    );
}

#[test]
fn a_flicker_of_type_is_smoothed() {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    for (k, marking) in [1, 1, 1, 0, 1, 1].into_iter().enumerate() {
        let found = step(
            &mut tracker,
            0.1 * k as f64,
            &pose,
            &[lane(&pose, [0.0, 2.0], [30.0, 2.0], marking)],
        );
        assert_eq!(found[0].lane.marking, 1);
    }
}

#[test]
fn neighbours_never_swap_ids() {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    let lines =
        |shift: f64| [2.0 + shift, 2.7 + shift].map(|y| lane(&pose, [0.0, y], [30.0, y], 0));
    let first = step(&mut tracker, 0.0, &pose, &lines(0.0));
    let (inner, outer) = (id_beside(&first, 1), id_beside(&first, 2));
    for k in 1..10 {
        let shift = if k % 2 == 0 { 0.1 } else { -0.1 };
        let found = step(&mut tracker, 0.1 * f64::from(k), &pose, &lines(shift));
        assert_eq!(id_beside(&found, 1), inner);
        assert_eq!(id_beside(&found, 2), outer);
    }
}

#[test]
fn a_line_that_does_not_pass_the_vehicle_has_no_position() {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    let lanes = [
        lane(&pose, [15.0, -10.0], [15.0, 10.0], 0),
        lane(&pose, [20.0, 2.0], [40.0, 2.0], 0),
        lane(&pose, [3.0, -2.0], [30.0, -2.5], 0),
    ];
    let found = step(&mut tracker, 0.0, &pose, &lanes);
    let mut positions: Vec<i8> = found.iter().map(|track| track.position).collect();
    positions.sort_unstable();
    assert_eq!(positions, [-1, 0, 0]);
}

#[test]
fn a_full_frame_every_time_overflows_nothing() {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    for k in 0..4 {
        let lanes: Vec<_> = (0..LANE_CAPACITY)
            .map(|l| {
                let y = 1.7 * l as f64 + 200.0 * f64::from(k);
                lane(&pose, [0.0, y], [40.0, y], 0)
            })
            .collect();
        let found = step(&mut tracker, 0.1 * f64::from(k), &pose, &lanes);
        assert_eq!(found.len(), LANE_CAPACITY);
    }
}

#[test]
fn a_line_that_was_passed_closely_is_remembered_from_afar() {
    let mut tracker = LaneTracker::new(&FINE);
    let mut worst = [0.0_f64; 2];
    for k in 0..60 {
        let pose = PlanarPose::at(0.8 * f64::from(k), 0.0, 0.0);
        // Seen too far to the left, the more so the further away: half a metre at 25 m.
        let mut seen = lane(
            &pose,
            [0.8 * f64::from(k) - 25.0, 2.0],
            [0.8 * f64::from(k) + 20.0, 2.0],
            1,
        );
        seen.sigma_lateral_m = 0.2;
        let count = usize::from(seen.point_count);
        for [x, y, _] in &mut seen.points_m[..count] {
            *y += 0.5 * (*x / 25.0).powi(2);
        }
        let tracks = step(&mut tracker, 0.1 * f64::from(k), &pose, &[seen]);
        if k < 40 {
            continue;
        }
        let error = |points: &[[f32; 3]]| {
            let behind = points.iter().filter(|point| point[0] < 0.0);
            behind
                .map(|point| f64::from((point[1] - 2.0).abs()))
                .fold(0.0, f64::max)
        };
        worst[0] = worst[0].max(error(seen.points()));
        worst[1] = worst[1].max(error(tracks[0].lane.points()));
    }
    assert!(worst[0] > 0.45 && worst[1] < 0.2, "{worst:?}");
}

#[test]
fn a_line_that_moves_is_followed() {
    let mut tracker = LaneTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    let seen = |y: f64| LaneDetection {
        sigma_lateral_m: 0.2,
        ..lane(&pose, [-20.0, y], [25.0, y], 1)
    };
    step(&mut tracker, 0.0, &pose, &[seen(2.0)]);
    let mut last = 0.0;
    for k in 1..30 {
        let tracks = step(&mut tracker, 0.1 * f64::from(k), &pose, &[seen(2.5)]);
        last = tracks[0].lane.points()[10][1];
    }
    assert!((last - 2.5).abs() < 0.1, "{last}");
}
