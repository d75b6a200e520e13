use std::f64::consts::PI;

use nalgebra::Vector3;

use super::*;
use crate::time::Span;

fn at(milliseconds: i64) -> Stamp {
    Stamp::from_nanoseconds(milliseconds * 1_000_000)
}

fn pose(x: f64, y: f64, yaw: f64) -> Pose<Odom, Ego> {
    let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw);
    Pose::new(rotation, Vector3::new(x, y, 0.0))
}

fn xy_yaw(pose: &Pose<Odom, Ego>) -> [f64; 3] {
    let isometry = pose.as_isometry();
    let t = isometry.translation.vector;
    [t.x, t.y, isometry.rotation.euler_angles().2]
}

fn assert_near(found: [f64; 3], expected: [f64; 3], tolerance: f64) {
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < tolerance,
            "{found} instead of {expected}"
        );
    }
}

fn buffer(source: EgoMotionSource) -> EgoMotion {
    EgoMotion::new(EgoMotionSpec::new(source)).expect("valid limits")
}

/// Poses every 10 ms at 10 m/s along x.
fn straight(samples: i64) -> EgoMotion {
    let mut motion = buffer(EgoMotionSource::Poses);
    for i in 0..samples {
        motion
            .push_pose(at(i * 10), &pose(i as f64 * 0.1, 0.0, 0.0))
            .expect("accepted");
    }
    motion
}

fn constant_turn(samples: i64, step_ms: i64, speed: f64, yaw_rate: f64) -> EgoMotion {
    let mut motion = buffer(EgoMotionSource::Rates);
    for i in 0..samples {
        motion
            .push_rates(at(i * step_ms), speed, yaw_rate)
            .expect("accepted");
    }
    motion
}

#[test]
fn poses_are_interpolated_at_the_stamp_and_not_taken_from_a_neighbour() {
    let motion = straight(50);
    let found = motion.odom_from_ego(at(123)).expect("known");
    assert_near(xy_yaw(&found), [1.23, 0.0, 0.0], 1e-12);
    assert_eq!(motion.state_at(at(123)), EgoMotionState::Ok);
}

#[test]
fn yaw_wraps_at_half_a_turn() {
    let mut motion = buffer(EgoMotionSource::Poses);
    motion
        .push_pose(at(0), &pose(0.0, 0.0, PI - 0.02))
        .expect("accepted");
    motion
        .push_pose(at(10), &pose(0.0, 0.0, -PI + 0.02))
        .expect("accepted");
    let [.., yaw] = xy_yaw(&motion.odom_from_ego(at(5)).expect("known"));
    assert!((yaw.abs() - PI).abs() < 1e-9, "{yaw}");
    let turned = motion.past_from_now(at(0), at(10)).expect("known");
    assert!((turned.as_isometry().rotation.euler_angles().2 - 0.04).abs() < 1e-12);
    // The same rotation written with the other sign of its quaternion.
    let negated = UnitQuaternion::new_unchecked(
        -pose(0.0, 0.0, -PI + 0.04)
            .as_isometry()
            .rotation
            .into_inner(),
    );
    motion
        .push_pose(at(20), &Pose::new(negated, Vector3::zeros()))
        .expect("accepted");
    let turned = motion.past_from_now(at(10), at(15)).expect("known");
    assert!((turned.as_isometry().rotation.euler_angles().2 - 0.01).abs() < 1e-12);
}

#[test]
fn speed_and_yaw_rate_follow_the_exact_arc() {
    let (speed, yaw_rate) = (12.0, 0.4);
    let motion = constant_turn(301, 10, speed, yaw_rate);
    for milliseconds in [0, 5, 1000, 1234, 3000] {
        let yaw = yaw_rate * milliseconds as f64 / 1000.0;
        let radius = speed / yaw_rate;
        let expected = [radius * yaw.sin(), radius * (1.0 - yaw.cos()), yaw];
        let found = motion.odom_from_ego(at(milliseconds)).expect("known");
        assert_near(xy_yaw(&found), expected, 1e-9);
    }
}

#[test]
fn a_full_circle_in_coarse_steps_comes_back_to_where_it_began() {
    // 100 steps of 200 ms make one turn.
    let motion = constant_turn(101, 200, 8.0, 2.0 * PI / 20.0);
    let found = motion.odom_from_ego(at(20_000)).expect("known");
    assert_near(xy_yaw(&found), [0.0, 0.0, 0.0], 1e-9);
}

#[test]
fn standing_and_reversing_are_motion_too() {
    let motion = constant_turn(11, 100, -2.0, 0.0);
    let found = motion.odom_from_ego(at(1000)).expect("known");
    assert_near(xy_yaw(&found), [-2.0, 0.0, 0.0], 1e-12);
    let motion = constant_turn(11, 100, 0.0, 0.0);
    assert_near(
        xy_yaw(&motion.odom_from_ego(at(950)).expect("known")),
        [0.0; 3],
        1e-12,
    );
}

#[test]
fn extrapolation_goes_on_as_before_and_has_a_limit() {
    let motion = straight(50);
    let pose = motion.pose_at(at(590)).expect("within the limit");
    assert!(pose.is_extrapolated);
    assert_near(xy_yaw(&pose.odom_from_ego), [5.9, 0.0, 0.0], 1e-9);
    assert_eq!(motion.state_at(at(590)), EgoMotionState::Extrapolated);
    assert_eq!(
        motion.odom_from_ego(at(591)).map(|_| ()),
        Err(EgoMotionFault::Stale)
    );
    assert_eq!(motion.state_at(at(591)), EgoMotionState::Stale);

    let motion = constant_turn(101, 10, 10.0, 0.5);
    let found = motion.odom_from_ego(at(1100)).expect("within the limit");
    let expected = [20.0 * 0.55_f64.sin(), 20.0 * (1.0 - 0.55_f64.cos()), 0.55];
    assert_near(xy_yaw(&found), expected, 1e-9);
}

#[test]
fn poses_in_a_turn_are_extrapolated_in_vehicle_axes() {
    let mut motion = buffer(EgoMotionSource::Poses);
    for i in 0..=100 {
        let yaw = 0.5 * i as f64 * 0.01;
        let at_yaw = pose(20.0 * yaw.sin(), 20.0 * (1.0 - yaw.cos()), yaw);
        motion.push_pose(at(i * 10), &at_yaw).expect("accepted");
    }
    let found = motion.odom_from_ego(at(1050)).expect("within the limit");
    let expected = [
        20.0 * 0.525_f64.sin(),
        20.0 * (1.0 - 0.525_f64.cos()),
        0.525,
    ];
    assert_near(xy_yaw(&found), expected, 0.02);
}

#[test]
fn nothing_is_known_before_the_first_sample() {
    let mut motion = buffer(EgoMotionSource::Poses);
    assert_eq!(
        motion.odom_from_ego(at(0)).map(|_| ()),
        Err(EgoMotionFault::Absent)
    );
    assert_eq!(motion.state_at(at(0)), EgoMotionState::Absent);
    motion
        .push_pose(at(100), &pose(0.0, 0.0, 0.0))
        .expect("accepted");
    assert_eq!(
        motion.odom_from_ego(at(99)).map(|_| ()),
        Err(EgoMotionFault::TooOld)
    );
    assert!(motion.odom_from_ego(at(100)).is_ok());
    // One pose does not tell how fast.
    assert_eq!(
        motion.odom_from_ego(at(101)).map(|_| ()),
        Err(EgoMotionFault::Absent)
    );
}

#[test]
fn ten_seconds_at_a_hundred_hertz_are_remembered() {
    let motion = straight(5000);
    let newest = 4999 * 10;
    assert!(motion.odom_from_ego(at(newest - 10_000)).is_ok());
    assert_eq!(
        motion.odom_from_ego(at(newest - 30_000)).map(|_| ()),
        Err(EgoMotionFault::TooOld)
    );
}

#[test]
fn a_gap_between_poses_is_not_bridged_but_both_sides_are_related() {
    let mut motion = straight(10);
    let update = motion.push_pose(at(590), &pose(5.9, 0.0, 0.0));
    assert_eq!(update, Ok(EgoMotionUpdate::Continued));
    assert_eq!(
        motion.odom_from_ego(at(300)).map(|_| ()),
        Err(EgoMotionFault::Gap)
    );
    assert_eq!(motion.state_at(at(300)), EgoMotionState::Gap);
    let across = motion
        .past_from_now(at(90), at(590))
        .expect("odometry went on meanwhile");
    assert!((across.translation().x - 5.0).abs() < 1e-12);
    // The step over the gap does not tell the speed after it.
    assert_eq!(
        motion.odom_from_ego(at(595)).map(|_| ()),
        Err(EgoMotionFault::Gap)
    );
}

#[test]
fn a_gap_in_the_rates_begins_a_new_epoch() {
    let mut motion = constant_turn(50, 10, 10.0, 0.0);
    let update = motion.push_rates(at(1000), 10.0, 0.0);
    assert_eq!(update, Ok(EgoMotionUpdate::NewEpoch(EgoMotionFault::Gap)));
    motion.push_rates(at(1010), 10.0, 0.0).expect("accepted");
    assert_eq!(
        motion.past_from_now(at(400), at(1005)).map(|_| ()),
        Err(EgoMotionFault::Jump)
    );
    assert!(motion.past_from_now(at(1000), at(1005)).is_ok());
    assert_eq!(
        motion.odom_from_ego(at(700)).map(|_| ()),
        Err(EgoMotionFault::Gap)
    );
}

#[test]
fn a_jump_begins_a_new_epoch_however_small_the_step_of_time() {
    for jumped in [
        pose(1000.0, 0.0, 0.0),
        pose(5.4, 0.0, 0.0),
        pose(5.0, 0.0, 0.2),
        pose(4.9, 3.0, 0.0),
    ] {
        let mut motion = straight(50);
        let update = motion.push_pose(at(500), &jumped);
        assert_eq!(
            update,
            Ok(EgoMotionUpdate::NewEpoch(EgoMotionFault::Jump)),
            "{jumped:?}"
        );
        assert_eq!(
            motion.odom_from_ego(at(495)).map(|_| ()),
            Err(EgoMotionFault::Jump)
        );
        assert_eq!(
            motion.past_from_now(at(300), at(500)).map(|_| ()),
            Err(EgoMotionFault::Jump)
        );
        assert_eq!(
            motion.odom_from_ego(at(510)).map(|_| ()),
            Err(EgoMotionFault::Jump)
        );
        assert_eq!(motion.state_at(at(495)), EgoMotionState::Jump);
    }
}

#[test]
fn hard_braking_and_swerving_are_no_jump() {
    let mut motion = buffer(EgoMotionSource::Poses);
    let (mut x, mut y, mut yaw, mut speed, mut yaw_rate) = (0.0, 0.0, 0.0_f64, 35.0_f64, 0.0_f64);
    for i in 0..300 {
        let update = motion
            .push_pose(at(i * 20), &pose(x, y, yaw))
            .expect("accepted");
        assert_eq!(update, EgoMotionUpdate::Continued, "at sample {i}");
        speed = (speed - 10.0 * 0.02).max(0.0);
        yaw_rate = (yaw_rate + if i % 40 < 20 { 0.1 } else { -0.1 }).clamp(-1.0, 1.0);
        yaw += yaw_rate * 0.02;
        (x, y) = (x + speed * 0.02 * yaw.cos(), y + speed * 0.02 * yaw.sin());
    }
}

#[test]
fn impossible_samples_are_refused_and_named_as_the_reason() {
    let mut motion = constant_turn(50, 10, 10.0, 0.0);
    let mut refused = |speed, yaw_rate| {
        motion
            .push_rates(at(500), speed, yaw_rate)
            .expect_err("refused")
    };
    assert_eq!(refused(f64::NAN, 0.0), EgoMotionFault::NotFinite);
    assert_eq!(refused(10.0, f64::INFINITY), EgoMotionFault::NotFinite);
    assert_eq!(refused(10.0, 40.0), EgoMotionFault::Implausible);
    assert_eq!(refused(655.35, 0.0), EgoMotionFault::Implausible);
    assert_eq!(
        motion.odom_from_ego(at(650)).map(|_| ()),
        Err(EgoMotionFault::Implausible)
    );
    assert_eq!(motion.state_at(at(650)), EgoMotionState::Implausible);
    assert!(motion.odom_from_ego(at(520)).is_ok());

    let mut motion = straight(10);
    let nowhere = motion.push_pose(at(100), &pose(f64::NAN, 0.0, 0.0));
    assert_eq!(nowhere, Err(EgoMotionFault::NotFinite));
    assert_eq!(motion.last_refusal(), Some(EgoMotionFault::NotFinite));
}

#[test]
fn backward_and_repeated_stamps_are_refused_until_a_reset() {
    let mut motion = straight(10);
    assert_eq!(
        motion.push_pose(at(90), &pose(0.9, 0.0, 0.0)),
        Err(EgoMotionFault::Backwards)
    );
    assert_eq!(
        motion.push_pose(at(50), &pose(0.5, 0.0, 0.0)),
        Err(EgoMotionFault::Backwards)
    );
    let before = motion.pose_at(at(90)).expect("known").epoch;
    motion.reset();
    assert_eq!(
        motion.odom_from_ego(at(50)).map(|_| ()),
        Err(EgoMotionFault::Absent)
    );
    motion
        .push_pose(at(50), &pose(0.5, 0.0, 0.0))
        .expect("accepted");
    assert_ne!(motion.pose_at(at(50)).expect("known").epoch, before);
}

#[test]
fn the_other_kind_of_sample_is_refused() {
    let mut motion = buffer(EgoMotionSource::Poses);
    assert_eq!(
        motion.push_rates(at(0), 1.0, 0.0),
        Err(EgoMotionFault::WrongSource)
    );
    let mut motion = buffer(EgoMotionSource::Rates);
    assert_eq!(
        motion.push_pose(at(0), &pose(0.0, 0.0, 0.0)),
        Err(EgoMotionFault::WrongSource)
    );
}

#[test]
fn impossible_limits_are_refused() {
    let spec = EgoMotionSpec::new(EgoMotionSource::Poses);
    let refused = |spec| EgoMotion::new(spec).map(|_| ()).expect_err("refused");
    let capacity = EgoMotionSetupError::Capacity { found: 1 };
    assert_eq!(
        refused(EgoMotionSpec {
            capacity: 1,
            ..spec
        }),
        capacity
    );
    let limit = |field, found| EgoMotionSetupError::Limit { field, found };
    let found = refused(EgoMotionSpec {
        speed_limit_mps: 0.0,
        ..spec
    });
    assert_eq!(found, limit("speed_limit_mps", 0.0));
    let found = refused(EgoMotionSpec {
        gap_limit: Span::ZERO,
        ..spec
    });
    assert_eq!(found, limit("gap_limit", 0.0));
    let found = refused(EgoMotionSpec {
        jump_limit_m: f64::INFINITY,
        ..spec
    });
    assert_eq!(found, limit("jump_limit_m", f64::INFINITY));
}

fn rates() -> EgoMotion {
    EgoMotion::new(EgoMotionSpec::new(EgoMotionSource::Rates)).expect("valid limits")
}

#[test]
fn a_speed_that_jumps_is_implausible_until_it_lasts_longer_than_a_gap() {
    let mut motion = rates();
    for step in 0..10 {
        motion.push_rates(at(step * 20), 10.0, 0.0).expect("steady");
    }
    let faulty = motion.push_rates(at(200), 30.0, 0.0);
    assert_eq!(faulty, Err(EgoMotionFault::Implausible));
    let turning = motion.push_rates(at(200), 10.0, 1.5);
    assert_eq!(turning, Err(EgoMotionFault::Implausible));
    assert_eq!(motion.state_at(at(200)), EgoMotionState::Extrapolated);
    assert_eq!(motion.state_at(at(300)), EgoMotionState::Implausible);
    // Hard braking is not.
    let braking = motion.push_rates(at(240), 9.0, 0.0);
    assert_eq!(braking, Ok(EgoMotionUpdate::Continued));
    for step in 13..24 {
        let refused = motion.push_rates(at(step * 20), 40.0, 0.0);
        assert_eq!(refused, Err(EgoMotionFault::Implausible));
    }
    let lasting = motion.push_rates(at(500), 40.0, 0.0);
    assert_eq!(lasting, Ok(EgoMotionUpdate::NewEpoch(EgoMotionFault::Gap)));
}

#[test]
fn rates_of_a_moving_vehicle_that_never_change_are_frozen() {
    let mut motion = rates();
    let push = |motion: &mut EgoMotion, steps: std::ops::Range<i64>, speed| {
        for step in steps {
            motion
                .push_rates(at(step * 20), speed, 0.01)
                .expect("plausible");
        }
    };
    push(&mut motion, 0..50, 8.0);
    assert_eq!(motion.state_at(at(980)), EgoMotionState::Ok);
    push(&mut motion, 50..51, 8.0);
    assert_eq!(motion.state_at(at(1000)), EgoMotionState::Frozen);
    assert!(motion.pose_at(at(1000)).is_ok(), "it is still used");
    push(&mut motion, 51..52, 8.001);
    assert_eq!(motion.state_at(at(1020)), EgoMotionState::Ok);
    // A vehicle that stands has nothing to change.
    let mut motion = rates();
    push(&mut motion, 0..200, 0.0);
    assert_eq!(motion.state_at(at(3980)), EgoMotionState::Ok);
}
