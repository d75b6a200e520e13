//! Poses between and beyond samples.

use bevrt_calibration::{Ego, Odom, Pose};
use nalgebra::{UnitQuaternion, Vector3};

use super::ring::Sample;
use crate::time::Stamp;

/// The pose at `stamp` on the straight line between two poses, turning evenly on the shorter way.
pub(super) fn between(earlier: &Sample, later: &Sample, stamp: Stamp) -> Pose<Odom, Ego> {
    let fraction = (stamp - earlier.stamp).seconds() / (later.stamp - earlier.stamp).seconds();
    let (a, b) = (
        earlier.odom_from_ego.as_isometry(),
        later.odom_from_ego.as_isometry(),
    );
    let translation = a.translation.vector.lerp(&b.translation.vector, fraction);
    Pose::new(
        a.rotation * partial_turn(&a.rotation, &b.rotation, fraction),
        translation,
    )
}

/// The pose at `stamp` after `newest`, with speed and turn rate of the step from `before`, both in
/// vehicle axes.
pub(super) fn beyond(before: &Sample, newest: &Sample, stamp: Stamp) -> Pose<Odom, Ego> {
    let fraction = (stamp - newest.stamp).seconds() / (newest.stamp - before.stamp).seconds();
    let (a, b) = (
        before.odom_from_ego.as_isometry(),
        newest.odom_from_ego.as_isometry(),
    );
    let step = a.rotation.inverse() * (b.translation.vector - a.translation.vector);
    let translation = b.translation.vector + b.rotation * (step * fraction);
    Pose::new(
        b.rotation * partial_turn(&a.rotation, &b.rotation, fraction),
        translation,
    )
}

/// The way from `earlier` to `stamp` along the arc of the mean speed and mean yaw rate of the samples.
///
/// Over the angle θ the chord is the length of the arc times sin(θ/2)/(θ/2), in the direction θ/2.
pub(super) fn mean_arc(earlier: &Sample, later: &Sample, stamp: Stamp) -> Pose<Ego, Ego> {
    let seconds = (stamp - earlier.stamp).seconds();
    let arc_m = 0.5 * (earlier.speed_mps + later.speed_mps) * seconds;
    let half_turn = 0.25 * (earlier.yaw_rate_radps + later.yaw_rate_radps) * seconds;
    let chord_m = arc_m * sinc(half_turn);
    let translation = Vector3::new(chord_m * half_turn.cos(), chord_m * half_turn.sin(), 0.0);
    let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), 2.0 * half_turn);
    Pose::new(rotation, translation)
}

/// The turn from `a` towards `b`, by the shorter way, times `fraction`.
fn partial_turn(
    a: &UnitQuaternion<f64>,
    b: &UnitQuaternion<f64>,
    fraction: f64,
) -> UnitQuaternion<f64> {
    UnitQuaternion::from_scaled_axis((a.inverse() * b).scaled_axis() * fraction)
}

fn sinc(angle: f64) -> f64 {
    // Below 1e-4 the next term of the series, angle^4 / 120, is under the rounding of f64.
    if angle.abs() < 1e-4 {
        1.0 - angle * angle / 6.0
    } else {
        angle.sin() / angle
    }
}
