use heapless::Vec as FixedVec;

use super::super::memory::View;
use super::super::planar::PlanarPose;
use super::super::tracks::TrackedElement;
use super::ElementTracker;
use crate::heads::{ARROW_CAPACITY, ArrowDetection, FINE, STOP_LINE_CAPACITY, StopLineDetection};
use crate::time::Stamp;

fn arrow(pose: &PlanarPose, x: f64, y: f64, yaw: f64) -> ArrowDetection {
    let [x, y] = pose.point_to_ego([x, y]);
    ArrowDetection {
        directions: 1,
        confidence: 0.8,
        position_m: [x, y, 0.0],
        yaw_rad: (yaw - pose.yaw_rad) as f32,
        sigma_position_m: 0.4,
    }
}

fn step(
    tracker: &mut ElementTracker<ArrowDetection, ARROW_CAPACITY>,
    k: u32,
    pose: &PlanarPose,
    arrows: &[ArrowDetection],
) -> FixedVec<TrackedElement<ArrowDetection>, ARROW_CAPACITY> {
    let mut out = FixedVec::new();
    let arrows: FixedVec<ArrowDetection, ARROW_CAPACITY> = arrows.iter().copied().collect();
    let view = View {
        stamp: Stamp::from_seconds(0.1 * f64::from(k)),
        pose,
        has_motion: true,
    };
    tracker.step(&view, 0.1, &arrows, &mut out);
    out
}

#[test]
fn ids_last_while_the_vehicle_drives_over_the_arrows() {
    let mut tracker = ElementTracker::new(&FINE);
    let mut ids = Vec::new();
    for k in 0..30 {
        let pose = PlanarPose::at(1.2 * f64::from(k), 0.0, 0.1);
        let found = step(
            &mut tracker,
            k,
            &pose,
            &[arrow(&pose, 20.0, 0.0, 0.0), arrow(&pose, 20.0, 3.0, 0.0)],
        );
        let mut now: Vec<u32> = found.iter().map(|track| track.id).collect();
        now.sort_unstable();
        ids.push(now);
    }
    assert!(ids.iter().all(|now| *now == [1, 2]), "{ids:?}");
}

#[test]
fn a_resting_position_is_smoothed_and_its_deviation_falls() {
    let mut tracker = ElementTracker::new(&FINE);
    let mut last = (0.0, 0.0);
    for k in 0..20 {
        let pose = PlanarPose::at(0.5 * f64::from(k), 0.0, 0.0);
        let off = if k % 2 == 0 { 0.4 } else { -0.4 };
        let found = step(
            &mut tracker,
            k,
            &pose,
            &[arrow(&pose, 20.0 + off, 1.0, 0.0)],
        );
        let [x, _] = [found[0].element.position_m[0], 0.0];
        let miss = (f64::from(x) - (20.0 - 0.5 * f64::from(k))).abs();
        last = (miss, f64::from(found[0].element.sigma_position_m));
    }
    assert!(last.0 < 0.2, "{last:?}");
    assert!(last.1 < 0.25, "{last:?}");
}

#[test]
fn what_was_seen_once_is_not_reported_unseen_and_keeps_its_id_for_a_while() {
    let mut tracker = ElementTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    let id = step(&mut tracker, 0, &pose, &[arrow(&pose, 10.0, 0.0, 0.0)])[0].id;
    for k in 1..10 {
        assert!(step(&mut tracker, k, &pose, &[]).is_empty());
    }
    let again = [arrow(&pose, 10.3, 0.0, 0.0)];
    assert_eq!(step(&mut tracker, 10, &pose, &again)[0].id, id);
    assert_ne!(step(&mut tracker, 50, &pose, &again)[0].id, id);
}

#[test]
fn what_was_passed_is_remembered_behind_the_vehicle() {
    let mut tracker = ElementTracker::new(&FINE);
    let mut last = f32::INFINITY;
    for k in 0..60 {
        let pose = PlanarPose::at(f64::from(k), 0.0, 0.0);
        // Seen while it is ahead, up to k = 15, and not behind.
        let ahead = [arrow(&pose, 16.0, 1.0, 0.0)];
        let found = step(&mut tracker, k, &pose, if k <= 15 { &ahead } else { &[] });
        if k <= 15 {
            continue;
        }
        if k > 45 {
            assert!(found.is_empty(), "step {k}");
            continue;
        }
        assert!(found[0].is_coasting, "step {k}");
        let element = &found[0].element;
        let expected = [16.0 - k as f32, 1.0];
        assert!(
            (element.position_m[0] - expected[0]).abs() < 0.2,
            "step {k}"
        );
        assert!(
            (element.position_m[1] - expected[1]).abs() < 0.2,
            "step {k}"
        );
        assert!(element.confidence < last, "step {k}");
        last = element.confidence;
    }
}

#[test]
fn what_is_not_seen_from_nearer_was_an_error() {
    let mut tracker = ElementTracker::new(&FINE);
    for k in 0..12 {
        let pose = PlanarPose::at(f64::from(k), 0.0, 0.0);
        // Seen from 20 to 15 m, not from nearer.
        let seen = [arrow(&pose, 20.0, 0.0, 0.0)];
        let found = step(&mut tracker, k, &pose, if k <= 5 { &seen } else { &[] });
        assert_eq!(found.len(), usize::from(k <= 6), "step {k}");
    }
}

#[test]
fn nothing_is_remembered_without_ego_motion() {
    let mut tracker: ElementTracker<ArrowDetection, ARROW_CAPACITY> = ElementTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    for k in 0..6 {
        let seen = [arrow(&pose, 10.0, 0.0, 0.0)];
        let arrows: FixedVec<ArrowDetection, ARROW_CAPACITY> =
            seen.into_iter().take(usize::from(k < 5)).collect();
        let view = View {
            stamp: Stamp::from_seconds(0.1 * f64::from(k)),
            pose: &pose,
            has_motion: false,
        };
        let mut out = FixedVec::new();
        tracker.step(&view, 0.1, &arrows, &mut out);
        assert_eq!(out.len(), usize::from(k < 5));
    }
}

#[test]
fn a_confidence_from_near_outweighs_those_from_afar() {
    let mut tracker = ElementTracker::new(&FINE);
    for k in 0..40 {
        let pose = PlanarPose::at(f64::from(k), 0.0, 0.0);
        let range_m = (20.0 - f64::from(k)).abs();
        let seen = ArrowDetection {
            confidence: if range_m < 8.0 { 0.9 } else { 0.2 },
            sigma_position_m: (0.05 * range_m) as f32,
            ..arrow(&pose, 20.0, 0.0, 0.0)
        };
        let found = step(&mut tracker, k, &pose, &[seen]);
        let confidence = found[0].element.confidence;
        match k {
            ..12 => assert!(confidence < 0.21, "step {k}: {confidence}"),
            16..30 => assert!(confidence > 0.6, "step {k}: {confidence}"),
            _ => {}
        }
    }
}

#[test]
fn a_direction_of_period_pi_does_not_jump() {
    let mut tracker: ElementTracker<StopLineDetection, STOP_LINE_CAPACITY> =
        ElementTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    for k in 0..10 {
        // Just below and just above π/2 are nearly the same direction.
        let theta_rad = if k % 2 == 0 { 1.55 } else { -1.55 };
        let line = StopLineDetection {
            confidence: 0.7,
            position_m: [12.0, 1.0, 0.0],
            theta_rad,
            length_m: 3.0,
            sigma_position_m: 0.3,
        };
        let lines: FixedVec<StopLineDetection, STOP_LINE_CAPACITY> = [line].into_iter().collect();
        let mut out = FixedVec::new();
        let view = View {
            stamp: Stamp::from_seconds(0.1 * f64::from(k)),
            pose: &pose,
            has_motion: true,
        };
        tracker.step(&view, 0.1, &lines, &mut out);
        let found = out[0].element.theta_rad;
        assert!(found.abs() > 1.5, "{found}");
    }
}

#[test]
fn a_full_frame_every_time_overflows_nothing() {
    let mut tracker = ElementTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    for k in 0..5 {
        let arrows: Vec<_> = (0..ARROW_CAPACITY)
            .map(|l| arrow(&pose, 3.0 * l as f64, 50.0 * f64::from(k), 0.0))
            .collect();
        assert_eq!(step(&mut tracker, k, &pose, &arrows).len(), ARROW_CAPACITY);
    }
}

#[test]
fn a_kind_is_what_the_surest_detections_said() {
    let mut tracker = ElementTracker::new(&FINE);
    let pose = PlanarPose::IDENTITY;
    let seen = |directions: u8, confidence: f32| ArrowDetection {
        directions,
        confidence,
        ..arrow(&pose, 20.0, 0.0, 0.0)
    };
    // Unsure from afar, sure from near, then wrong for a moment and unsure again.
    let all = [
        (1, 0.3, 1),
        (1, 0.3, 1),
        (4, 0.8, 4),
        (4, 0.8, 4),
        (1, 0.9, 4),
        (5, 0.3, 4),
        (5, 0.3, 4),
    ];
    for (k, (directions, confidence, expected)) in (0..).zip(all) {
        let found = step(&mut tracker, k, &pose, &[seen(directions, confidence)]);
        assert_eq!(found[0].element.directions, expected, "step {k}");
    }
}
