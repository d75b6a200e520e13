use super::*;
use crate::ground_truth::{MarkingType, Object, ObjectClass};
use bevrt_calibration::rigs;

fn drive(seed: u64) -> Drive {
    Drive::new(seed, &rigs::six_pinhole(), DriveOptions::default())
}

#[test]
fn same_seed_gives_the_same_drive() {
    let (a, b) = (drive(5), drive(5));
    for t_s in [0.0, 3.3, 9.9] {
        let (left, right) = (a.ground_truth(t_s), b.ground_truth(t_s));
        assert_eq!(left.objects, right.objects);
        assert_eq!(left.lanes, right.lanes);
        assert_eq!(left.world_from_ego, right.world_from_ego);
        assert_eq!(
            a.scene_at(t_s).instances.len(),
            b.scene_at(t_s).instances.len()
        );
    }
    assert_eq!(a.can(0.0, 10.0), b.can(0.0, 10.0));
}

#[test]
fn ego_moves_smoothly() {
    for seed in 0..30 {
        let drive = drive(seed);
        let step_s = 0.01;
        for tick in 1..990 {
            let t_s = f64::from(tick) * step_s;
            let poses = [t_s - step_s, t_s, t_s + step_s].map(|t| drive.ego_pose(t));
            let places = [0, 1, 2].map(|i| *poses[i].translation());
            let [v, yaw_rate] = drive.ego_motion(t_s);
            let speed = (places[2] - places[0]).norm() / (2.0 * step_s);
            assert!(
                (speed - v).abs() < 0.06 + 0.01 * v,
                "seed {seed} at {t_s}: {speed} {v}"
            );
            assert!(
                (0.0..=16.9).contains(&v) && yaw_rate.abs() < 1.0,
                "seed {seed} at {t_s}: {v} {yaw_rate}"
            );
            let bend = (places[2] - 2.0 * places[1] + places[0]).norm() / (step_s * step_s);
            assert!(bend < 9.5, "seed {seed} at {t_s}: {bend} m/s²");
            let turn = (poses[1].rotation().inverse() * poses[2].rotation()).angle() / step_s;
            assert!(turn < 1.1, "seed {seed} at {t_s}: {turn} rad/s");
        }
    }
}

#[test]
fn actors_move_as_vehicles_and_people_do() {
    for seed in 0..20 {
        let drive = drive(seed);
        for actor in &drive.actors {
            for tick in 0..50 {
                let state = actor.at(f64::from(tick) * 0.2);
                let v = state.velocity.norm();
                assert!(
                    v < 17.5 && state.yaw_rate.abs() < 1.6,
                    "seed {seed}: {v} {}",
                    state.yaw_rate
                );
                assert!(
                    (v * state.yaw_rate).abs() < 6.0,
                    "seed {seed}: lateral {}",
                    v * state.yaw_rate
                );
            }
        }
    }
}

#[test]
fn velocity_and_yaw_rate_agree_with_the_motion() {
    let drive = drive(17);
    for actor in drive.actors.iter().filter(|actor| actor.is_in_traffic()) {
        for tick in 1..48 {
            let t_s = f64::from(tick) * 0.2;
            let h = 0.01;
            let (before, state, after) = (actor.at(t_s - h), actor.at(t_s), actor.at(t_s + h));
            let velocity = (after.place - before.place) / (2.0 * h);
            assert!(
                (velocity - state.velocity).norm() < 0.25,
                "{velocity} {}",
                state.velocity
            );
            let yaw_rate = (after.yaw - before.yaw) / (2.0 * h);
            assert!(
                (yaw_rate - state.yaw_rate).abs() < 0.15,
                "{yaw_rate} {}",
                state.yaw_rate
            );
        }
    }
}

#[test]
fn objects_rest_on_the_ground() {
    for seed in 0..10 {
        let drive = drive(seed);
        let truth = drive.ground_truth(4.0);
        for object in &truth.objects {
            let centre = truth.world_from_ego * object.centre;
            let ground = drive.world.terrain.z(&Point2::new(centre.x, centre.y));
            let low = centre.z - 0.5 * f64::from(object.size[2]);
            assert!(
                (low - ground).abs() < 0.25,
                "seed {seed} {:?}: {}",
                object.class,
                low - ground
            );
        }
    }
}

#[test]
fn nothing_touches_the_ego_vehicle() {
    for seed in 0..30 {
        let drive = drive(seed);
        for tick in 0..50 {
            let truth = drive.ground_truth(f64::from(tick) * 0.2);
            for object in &truth.objects {
                let is_inside =
                    object.centre.x > -0.8 && object.centre.x < 3.6 && object.centre.y.abs() < 0.9;
                assert!(!is_inside, "seed {seed}: {object:?}");
            }
        }
    }
}

#[test]
fn enough_objects_are_near() {
    let mut total = 0;
    for seed in 0..40 {
        let truth = drive(seed).ground_truth(5.0);
        total += truth
            .objects
            .iter()
            .filter(|object| object.centre.x.hypot(object.centre.y) < 50.0)
            .count();
    }
    let mean = f64::from(total as u32) / 40.0;
    assert!(mean > 18.0, "{mean}");
}

#[test]
fn ego_drives_between_the_lines_of_its_lane() {
    let mut crossed = 0;
    for seed in 0..30 {
        let drive = drive(seed);
        for tick in 0..20 {
            let truth = drive.ground_truth(f64::from(tick) * 0.5);
            let lines = truth
                .lanes
                .iter()
                .filter(|lane| lane.marking != MarkingType::RoadEdge);
            let near = |point: &crate::ground_truth::LanePoint| {
                point.position.x.abs() < 0.6 && point.position.y.abs() < 0.8
            };
            crossed += usize::from(lines.flat_map(|lane| &lane.points).any(near));
        }
    }
    // A turn may cut the end of a line.
    assert!(crossed < 12, "{crossed}");
}

#[test]
fn cameras_move_with_the_body_that_the_calibration_does_not_know() {
    let rig = rigs::six_pinhole();
    let drive = drive(3);
    let mut largest: f64 = 0.0;
    for tick in 0..100 {
        let t_s = f64::from(tick) * 0.1;
        let nominal =
            drive.ego_pose(t_s).as_isometry() * rig.cameras()[0].ego_from_cam.as_isometry();
        let actual = *drive.camera_pose(t_s, 0).as_isometry();
        let angle = nominal.rotation.angle_to(&actual.rotation);
        assert!(angle < 0.04);
        largest = largest.max(angle);
    }
    assert!(largest > 0.001);
}

#[test]
fn skew_is_off_unless_asked_for() {
    let plain = drive(3);
    assert!((0..6).all(|camera| plain.camera_time(2.0, camera) == 2.0));
    let options = DriveOptions {
        camera_skew_s: 0.015,
        ..DriveOptions::default()
    };
    let skewed = Drive::new(3, &rigs::six_pinhole(), options);
    let offsets: Vec<f64> = (0..6)
        .map(|camera| skewed.camera_time(2.0, camera) - 2.0)
        .collect();
    assert!(offsets.iter().all(|offset| offset.abs() <= 0.015));
    assert!(offsets.iter().any(|offset| offset.abs() > 0.003));
}

#[test]
fn many_large_vehicles_are_many_and_change_nothing_unless_asked_for() {
    let count = |has_many: bool| {
        let options = DriveOptions {
            has_many_large_vehicles: has_many,
            ..DriveOptions::default()
        };
        let large = (0..12).map(|seed| {
            let drive = Drive::new(seed, &rigs::six_pinhole(), options);
            let truth = drive.ground_truth(1.0);
            let objects = truth.objects.iter();
            let is_large =
                |object: &&Object| matches!(object.class, ObjectClass::Truck | ObjectClass::Bus);
            objects.filter(is_large).count()
        });
        large.sum::<usize>()
    };
    let (few, many) = (count(false), count(true));
    assert!(many > 2 * few.max(4), "{many} against {few}");
}
