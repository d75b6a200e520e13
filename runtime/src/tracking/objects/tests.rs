use std::f64::consts::PI;

use bevrt_calibration::BevGrid;
use heapless::Vec as FixedVec;

use super::super::planar::{PlanarPose, wrapped};
use super::super::tracks::TrackedObject;
use super::ObjectTracker;
use crate::heads::{OBJECT_CAPACITY, ObjectDetection, ObjectDetections, ObjectSigma};
use crate::time::Stamp;

const RANGE: BevGrid = BevGrid {
    x_min_m: -51.2,
    y_min_m: -51.2,
    cell_m: 0.8,
    rows: 128,
    cols: 128,
};
const STEP_S: f64 = 0.1;

/// A tracker with a clock and a vehicle that drives on a circle of its own.
struct Drive {
    tracker: ObjectTracker,
    step: i64,
    speed_mps: f64,
    yaw_rate_radps: f64,
    pose: [f64; 3],
    out: FixedVec<TrackedObject, OBJECT_CAPACITY>,
}

impl Drive {
    fn new(speed_mps: f64, yaw_rate_radps: f64) -> Self {
        Self {
            tracker: ObjectTracker::new(&RANGE),
            step: 0,
            speed_mps,
            yaw_rate_radps,
            pose: [100.0, -40.0, 0.5],
            out: FixedVec::new(),
        }
    }

    fn time_s(&self) -> f64 {
        self.step as f64 * STEP_S
    }

    fn planar(&self) -> PlanarPose {
        PlanarPose::at(self.pose[0], self.pose[1], self.pose[2])
    }

    /// Shows the tracker things given in the odometry frame: x, y, yaw, vx, vy.
    fn show(&mut self, things: &[(u8, f32, [f64; 5])]) -> &[TrackedObject] {
        let pose = self.planar();
        let mut detections = ObjectDetections::new();
        for &(class, confidence, [x, y, yaw, vx, vy]) in things {
            let [x, y] = pose.point_to_ego([x, y]);
            detections
                .push(ObjectDetection {
                    class,
                    confidence,
                    position_m: [x, y, 0.7],
                    size_m: [4.5, 1.9, 1.6],
                    yaw_rad: wrapped(yaw - pose.yaw_rad) as f32,
                    velocity_mps: pose.vector_to_ego([vx, vy]),
                    yaw_rate_radps: 0.0,
                    sigma: ObjectSigma {
                        position_m: [0.4, 0.2],
                        yaw_rad: 0.1,
                        velocity_mps: [0.5, 0.5],
                        size_relative: 0.1,
                    },
                })
                .expect("there is room");
        }
        let stamp = Stamp::from_seconds(self.time_s());
        let dt_s = if self.step == 0 { 0.0 } else { STEP_S };
        self.tracker
            .step(stamp, dt_s, &pose, &detections, &mut self.out);
        self.step += 1;
        self.pose[2] += self.yaw_rate_radps * STEP_S;
        self.pose[0] += self.speed_mps * STEP_S * self.pose[2].cos();
        self.pose[1] += self.speed_mps * STEP_S * self.pose[2].sin();
        &self.out
    }
}

#[test]
fn ids_last_while_the_vehicle_drives_and_turns() {
    let mut drive = Drive::new(12.0, 0.4);
    let mut ids = Vec::new();
    for _ in 0..20 {
        let t = drive.time_s();
        let things = [
            (0, 0.8, [115.0 + 8.0 * t, -38.0, 0.0, 8.0, 0.0]),
            (0, 0.7, [120.0, -35.0, 0.3, 0.0, 0.0]),
            (6, 0.6, [110.0, -36.0 + 1.2 * t, 1.5, 0.0, 1.2]),
        ];
        let mut now: Vec<(u8, u32)> = drive
            .show(&things)
            .iter()
            .map(|track| (track.object.class, track.id))
            .collect();
        now.sort_unstable();
        assert_eq!(now.len(), 3);
        ids.push(now);
    }
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    assert!(ids[0].iter().all(|&(_, id)| id != 0));
}

#[test]
fn a_track_is_where_its_object_is_at_any_odometry_heading() {
    let mut drive = Drive::new(5.0, -0.9);
    for _ in 0..25 {
        let t = drive.time_s();
        let pose = drive.planar();
        let (x, y) = (112.0 + 6.0 * t, -38.0);
        let found = drive.show(&[(0, 0.9, [x, y, 0.0, 6.0, 0.0])])[0];
        let [ex, ey] = pose.point_to_ego([x, y]);
        let miss = (found.object.position_m[0] - ex).hypot(found.object.position_m[1] - ey);
        assert!(miss < 1e-3, "{miss}");
        let [vx, vy] = pose.vector_to_ego([6.0, 0.0]);
        let off = (found.object.velocity_mps[0] - vx).hypot(found.object.velocity_mps[1] - vy);
        assert!(off < 1e-3, "{off}");
        assert!((f64::from(found.object.yaw_rad) - wrapped(-pose.yaw_rad)).abs() < 1e-4);
    }
}

#[test]
fn noise_of_position_and_velocity_is_smoothed() {
    let mut drive = Drive::new(0.0, 0.0);
    let mut state = 12345_u32;
    let mut noise = move |size: f64| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        size * (f64::from(state >> 8) / 8_388_608.0 - 1.0)
    };
    let (mut raw, mut smooth) = (0.0, 0.0);
    for step in 0..60 {
        let t = drive.time_s();
        let (vx, vy) = (5.0 + noise(1.5), noise(1.5));
        let pose = drive.planar();
        // Errors of a camera: long along the ray.
        let [x, y] = pose.point_to_ego([90.0 + 5.0 * t, -35.0]);
        let (along, across) = (
            1.0 + noise(0.6) as f32 / x.hypot(y),
            noise(0.15) as f32 / x.hypot(y),
        );
        let [x, y] = pose.point_to_odom(along * x - across * y, along * y + across * x);
        let thing = [x, y, 0.0, vx, vy];
        let found = drive.show(&[(0, 0.9, thing)])[0];
        if step < 10 {
            continue;
        }
        let [ex, ey] = pose.vector_to_ego([5.0, 0.0]);
        raw += (vx - 5.0).hypot(vy);
        smooth +=
            f64::from((found.object.velocity_mps[0] - ex).hypot(found.object.velocity_mps[1] - ey));
    }
    assert!(smooth < 0.5 * raw, "{smooth} {raw}");
}

#[test]
fn a_short_occlusion_is_coasted_through_and_marked() {
    let mut drive = Drive::new(0.0, 0.0);
    let thing = |t: f64| (0, 0.9, [110.0 + 5.0 * t, -38.0, 0.0, 5.0, 0.0]);
    for _ in 0..10 {
        let t = drive.time_s();
        drive.show(&[thing(t)]);
    }
    let id = drive.out[0].id;
    let mut confidence = drive.out[0].object.confidence;
    for step in 1..=8 {
        let t = drive.time_s();
        let pose = drive.planar();
        let found = drive.show(&[])[0];
        assert!(found.is_coasting);
        assert_eq!(found.id, id);
        assert!((found.unseen_s - 0.1 * step as f32).abs() < 1e-4);
        assert!(found.object.confidence < confidence);
        confidence = found.object.confidence;
        let [ex, ey] = pose.point_to_ego([110.0 + 5.0 * t, -38.0]);
        let miss = (found.object.position_m[0] - ex).hypot(found.object.position_m[1] - ey);
        assert!(miss < 0.1, "{miss}");
    }
    let t = drive.time_s();
    let found = drive.show(&[thing(t)])[0];
    assert_eq!((found.id, found.is_coasting), (id, false));
    for _ in 0..12 {
        drive.show(&[]);
    }
    assert!(drive.out.is_empty(), "a second is the most");
}

#[test]
fn a_single_ghost_does_not_coast() {
    let mut drive = Drive::new(0.0, 0.0);
    drive.show(&[(0, 0.4, [110.0, -38.0, 0.0, 0.0, 0.0])]);
    assert_eq!(drive.out.len(), 1);
    assert!(drive.show(&[]).is_empty());
}

#[test]
fn one_flipped_heading_does_not_turn_a_car_round_but_several_do() {
    let mut drive = Drive::new(0.0, 0.0);
    let thing = |yaw: f64| (0, 0.9, [110.0, -38.0, yaw, 0.0, 0.0]);
    let relative = |found: TrackedObject| wrapped(f64::from(found.object.yaw_rad) + 0.5).abs();
    for _ in 0..5 {
        drive.show(&[thing(0.0)]);
    }
    let found = drive.show(&[thing(PI)])[0];
    assert!(relative(found) < 0.1);
    for _ in 0..3 {
        drive.show(&[thing(PI)]);
    }
    let found = drive.show(&[thing(PI)])[0];
    assert!(relative(found) > 3.0);
}

#[test]
fn a_heading_at_the_wrap_stays_there() {
    // The vehicle turns through ±π while a parked car is followed.
    let mut drive = Drive::new(0.0, 1.0);
    for _ in 0..70 {
        let pose = drive.planar();
        let found = drive.show(&[(0, 0.9, [105.0, -38.0, 3.1, 0.0, 0.0])])[0];
        let off = wrapped(f64::from(found.object.yaw_rad) - (3.1 - pose.yaw_rad));
        assert!(off.abs() < 0.01, "{off}");
        assert!(f64::from(found.object.yaw_rad).abs() <= PI + 1e-6);
    }
}

#[test]
fn a_class_that_flickers_keeps_its_track() {
    let mut drive = Drive::new(0.0, 0.0);
    for step in 0..10 {
        let class = u8::from(step % 4 == 3);
        drive.show(&[(class, 0.8, [110.0, -38.0, 0.0, 0.0, 0.0])]);
        assert_eq!(drive.out.len(), 1);
        assert_eq!(drive.out[0].object.class, 0);
    }
}

#[test]
fn a_pedestrian_never_takes_the_track_of_a_car() {
    let mut drive = Drive::new(0.0, 0.0);
    drive.show(&[(0, 0.8, [110.0, -38.0, 0.0, 0.0, 0.0])]);
    let car = drive.out[0].id;
    drive.show(&[(6, 0.8, [110.0, -38.0, 0.0, 0.0, 0.0])]);
    assert!(
        drive
            .out
            .iter()
            .all(|track| track.id != car || track.is_coasting)
    );
}

#[test]
fn a_full_frame_every_time_overflows_nothing() {
    let mut drive = Drive::new(0.0, 0.0);
    for step in 0..6 {
        // The whole crowd jumps by more than it can run, so every frame begins new tracks.
        let shift = 1.65 * f64::from(step);
        let things: Vec<_> = (0..OBJECT_CAPACITY)
            .map(|k| {
                let (row, col) = (k / 12, k % 12);
                let x = 75.0 + 5.0 * row as f64 + shift;
                (6, 0.9, [x, -65.0 + 5.0 * col as f64, 0.0, 0.0, 0.0])
            })
            .collect();
        drive.show(&things);
        assert_eq!(drive.out.len(), OBJECT_CAPACITY);
    }
}

#[test]
fn a_place_is_smoothed_along_the_ray_more_than_across_it() {
    let mut drive = Drive::new(0.0, 0.0);
    // A car straight ahead, which appears 0.3 m off both ways every other time.
    let mut moved = [[0.0_f64; 2]; 2];
    for step in 0..40 {
        let off: f32 = if step % 2 == 0 { 0.3 } else { 0.0 };
        let pose = drive.planar();
        let [x, y] = pose.point_to_odom(20.0 + off, off);
        let found = drive.show(&[(0, 0.9, [x, y, 0.5, 0.0, 0.0])])[0].object;
        if step >= 38 {
            moved[step - 38] = [found.position_m[0].into(), found.position_m[1].into()];
        }
    }
    let [along, across] = [0, 1].map(|axis| (moved[1][axis] - moved[0][axis]).abs());
    assert!(along < 0.5 * across, "{along} {across}");
}

#[test]
fn a_walking_person_faces_where_they_walk() {
    let mut drive = Drive::new(0.0, 0.0);
    for _ in 0..40 {
        let t = drive.time_s();
        // They walk to the left of the odometry frame's x; the network takes them for turned round.
        drive.show(&[(6, 0.8, [110.0, -38.0 + 1.4 * t, -PI / 2.0, 0.0, 1.4])]);
    }
    let yaw = f64::from(drive.out[0].object.yaw_rad) + drive.planar().yaw_rad;
    assert!(wrapped(yaw - PI / 2.0).abs() < 0.4, "{yaw}");
}

#[test]
fn a_fast_car_does_not_drive_backwards() {
    let mut drive = Drive::new(0.0, 0.0);
    for _ in 0..20 {
        let t = drive.time_s();
        drive.show(&[(0, 0.8, [110.0 + 8.0 * t, -38.0, PI, 8.0, 0.0])]);
    }
    let yaw = f64::from(drive.out[0].object.yaw_rad) + drive.planar().yaw_rad;
    assert!(wrapped(yaw).abs() < 0.2, "{yaw}");
}
