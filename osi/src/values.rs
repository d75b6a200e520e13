//! Numbers of a frame on their way into messages: what is not finite is left out.

use std::f64::consts::PI;

use crate::messages::{Identifier, Orientation3d, Timestamp, Vector3d};

pub(crate) fn finite(value: f32) -> Option<f64> {
    value.is_finite().then_some(f64::from(value))
}

pub(crate) fn vector(x: f32, y: f32, z: f32) -> Vector3d {
    Vector3d {
        x: finite(x),
        y: finite(y),
        z: finite(z),
    }
}

/// Standard deviations along x and y.
pub(crate) fn planar(x: f32, y: f32) -> Vector3d {
    Vector3d {
        x: finite(x),
        y: finite(y),
        z: None,
    }
}

/// A turn about z alone; roll and pitch are not known.
pub(crate) fn turned(yaw_rad: Option<f64>) -> Orientation3d {
    Orientation3d {
        roll: None,
        pitch: None,
        yaw: yaw_rad,
    }
}

pub(crate) fn probability(confidence: f32) -> Option<f64> {
    finite(confidence).map(|value| value.clamp(0.0, 1.0))
}

/// An identity; 0 stands for none.
pub(crate) fn identity(id: u32) -> Option<Identifier> {
    (id != 0).then_some(Identifier {
        value: Some(u64::from(id)),
    })
}

pub(crate) fn seconds(nanoseconds: i64) -> f64 {
    1e-9 * nanoseconds as f64
}

pub(crate) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp {
        seconds: Some(nanoseconds.div_euclid(1_000_000_000)),
        nanos: Some(nanoseconds.rem_euclid(1_000_000_000) as u32),
    }
}

/// An angle in (−π, π].
pub(crate) fn wrapped(angle_rad: f64) -> f64 {
    let turned = angle_rad.rem_euclid(2.0 * PI);
    if turned > PI {
        turned - 2.0 * PI
    } else {
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_before_zero_count_upwards_within_their_second() {
        let split = |ns| {
            let stamp = timestamp(ns);
            (stamp.seconds, stamp.nanos)
        };
        assert_eq!(split(3_000_000_004), (Some(3), Some(4)));
        assert_eq!(split(-1), (Some(-1), Some(999_999_999)));
        assert_eq!(split(i64::MIN), (Some(-9_223_372_037), Some(145_224_192)));
    }

    #[test]
    fn angles_are_wrapped() {
        assert!((wrapped(1.5 * PI) + 0.5 * PI).abs() < 1e-12);
        assert_eq!(wrapped(PI), PI);
        assert!((wrapped(-PI) - PI).abs() < 1e-12);
        assert!((wrapped(-0.5) + 0.5).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        assert_eq!(finite(f32::NAN), None);
        assert_eq!(finite(f32::INFINITY), None);
        assert_eq!(probability(1.5), Some(1.0));
        assert_eq!(identity(0), None);
    }
}
