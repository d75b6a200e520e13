use bevrt_calibration::{Ego, Odom, Pose};
use nalgebra::{UnitQuaternion, Vector3};

use super::Tracker;
use crate::engine::conformance::reduced_package;
use crate::heads::{Detections, ObjectDetection};
use crate::time::Stamp;

fn tracker() -> Tracker {
    Tracker::new(reduced_package().manifest())
}

fn detections() -> Detections {
    let mut detections = Detections::default();
    let object = ObjectDetection {
        confidence: 0.8,
        position_m: [5.0, 1.0, 0.5],
        size_m: [4.0, 1.8, 1.5],
        ..ObjectDetection::default()
    };
    detections.objects.push(object).expect("there is room");
    detections
}

fn pose() -> Pose<Odom, Ego> {
    let turn = UnitQuaternion::from_euler_angles(0.0, 0.0, 0.3);
    Pose::new(turn, Vector3::new(50.0, 20.0, 1.0))
}

fn id(tracker: &Tracker) -> u32 {
    tracker.tracks().objects[0].id
}

#[test]
fn tracks_are_dropped_when_time_goes_back_or_stops() {
    let mut tracker = tracker();
    let pose = pose();
    let mut at = |seconds: f64| {
        tracker.update(Stamp::from_seconds(seconds), Some(&pose), &detections());
        id(&tracker)
    };
    let first = at(10.0);
    assert_eq!(at(10.1), first);
    let second = at(9.0);
    assert_ne!(second, first);
    assert_eq!(at(9.1), second);
    assert_ne!(at(11.5), second);
}

#[test]
fn tracks_are_dropped_when_the_pose_comes_or_goes() {
    let mut tracker = tracker();
    let pose = pose();
    tracker.update(Stamp::from_seconds(0.0), None, &detections());
    let without = id(&tracker);
    tracker.update(Stamp::from_seconds(0.1), None, &detections());
    assert_eq!(id(&tracker), without);
    tracker.update(Stamp::from_seconds(0.2), Some(&pose), &detections());
    assert_ne!(id(&tracker), without);
}

#[test]
fn a_reset_forgets_tracks_and_never_gives_an_old_id() {
    let mut tracker = tracker();
    tracker.update(Stamp::from_seconds(0.0), Some(&pose()), &detections());
    let before = id(&tracker);
    tracker.reset();
    assert!(tracker.tracks().objects.is_empty());
    tracker.update(Stamp::from_seconds(0.1), Some(&pose()), &detections());
    assert!(id(&tracker) > before);
}

#[test]
fn the_same_detections_give_the_same_tracks() {
    let run = || {
        let mut tracker = tracker();
        for k in 0..10 {
            let mut detections = detections();
            detections.objects[0].position_m[0] += 0.13 * k as f32;
            tracker.update(
                Stamp::from_seconds(0.1 * f64::from(k)),
                Some(&pose()),
                &detections,
            );
        }
        tracker.tracks().clone()
    };
    assert_eq!(run(), run());
}
