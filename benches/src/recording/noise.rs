//! Frames of ramps with noise: no drawing, no log, any number of cameras of any size.

use std::f64::consts::TAU;

use bevrt_calibration::{Camera, Intrinsics, Lens, Pose, Rig};
use bevrt_runtime::{EgoMotionSource, Span, Stamp};
use nalgebra::Vector3;

use super::Recording;
use super::events::{Event, Motion, What};
use crate::error::BenchError;

/// Time between frame sets.
const PERIOD_MS: i64 = 100;
/// Arrival of the first image of a set, and time to the next one.
const ARRIVAL_MS: i64 = 20;
const APART_MS: i64 = 2;
/// Time between samples of ego motion; a set's images come within it.
const MOTION_MS: i64 = 50;

/// Cameras all around, evenly turned, each 1.2 times as wide as its share of the circle and at least
/// 60 degrees.
///
/// # Errors
/// No camera, too many, or an impossible size.
pub fn ring_rig(cameras: usize, size: [u32; 2]) -> Result<Rig, BenchError> {
    let wrong = |error: bevrt_calibration::CalibrationError| {
        BenchError::frames(
            "a rig of 1 to 16 cameras with a sound size",
            error.to_string(),
        )
    };
    let view_rad = (1.2 * TAU / cameras.max(1) as f64).clamp(TAU / 6.0, TAU / 3.0);
    let [width, height] = size.map(f64::from);
    let focal_px = 0.5 * width / (0.5 * view_rad).tan();
    let ring = (0..cameras).map(|k| {
        let yaw_rad = TAU * k as f64 / cameras as f64;
        let centre = [0.5 * (width - 1.0), 0.5 * (height - 1.0)];
        Ok(Camera {
            name: format!("ring{k}"),
            intrinsics: Intrinsics::new([focal_px; 2], centre, size, Lens::IDEAL)?,
            ego_from_cam: Pose::looking(
                Vector3::new(1.0 + 0.5 * yaw_rad.cos(), 0.5 * yaw_rad.sin(), 1.5),
                yaw_rad,
                0.0,
                0.0,
            ),
        })
    });
    ring.collect::<Result<_, _>>()
        .and_then(|cameras| Rig::new(cameras, 0))
        .map_err(wrong)
}

impl Recording {
    /// `sets` frame sets of NV12 ramps with noise at 10 Hz for the cameras of a rig, while the vehicle turns at
    /// 8 m/s. What the pictures show changes what heads find, but no other stage's work.
    ///
    /// # Errors
    /// Fewer than two sets, or a camera of odd size.
    pub fn noise(rig: Rig, sets: usize) -> Result<Self, BenchError> {
        if sets < 2 {
            return Err(BenchError::frames("2 sets or more", sets.to_string()));
        }
        let cameras = rig.cameras().len();
        let mut images = Vec::with_capacity(sets * cameras);
        let mut state = 1_u64;
        for _ in 0..sets {
            for camera in rig.cameras() {
                let (width, height) = (camera.intrinsics.width(), camera.intrinsics.height());
                if width % 2 != 0 || height % 2 != 0 {
                    let found = format!("{width} × {height}");
                    return Err(BenchError::frames("an even size, for NV12", found));
                }
                let bytes = width as usize * height as usize * 3 / 2;
                images.push((0..bytes).map(|place| level(place, &mut state)).collect());
            }
        }
        Ok(Self {
            description: format!("noise, {sets} sets at 10 Hz"),
            ego_motion: EgoMotionSource::Rates,
            period: Span::from_milliseconds(PERIOD_MS * sets as i64),
            sets,
            lead: vec![rates(0)],
            events: events(sets, cameras),
            images,
            round: Pose::identity(),
            rig,
        })
    }
}

fn events(sets: usize, cameras: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for set in 0..sets {
        // The first sample of ego motion is the lead.
        let begin_ms = PERIOD_MS * (set as i64 + 1);
        events.push(rates(begin_ms));
        events.extend((0..cameras).map(|camera| Event {
            stamp: at(begin_ms),
            arrival: at(begin_ms + ARRIVAL_MS + APART_MS * camera as i64 / 2),
            what: What::Image {
                set,
                camera,
                completes_set: camera + 1 == cameras,
            },
        }));
        events.push(rates(begin_ms + MOTION_MS));
    }
    events
}

fn rates(at_ms: i64) -> Event {
    Event {
        stamp: at(at_ms),
        arrival: at(at_ms + 5),
        what: What::Motion(Motion::Rates {
            speed_mps: 8.0,
            yaw_rate_radps: 0.1,
        }),
    }
}

fn at(milliseconds: i64) -> Stamp {
    Stamp::ZERO + Span::from_milliseconds(milliseconds)
}

/// Ramps with a little noise: a picture of nothing but noise counts as that of a blind camera.
fn level(place: usize, state: &mut u64) -> u8 {
    let ramp = (place % 128) as u8;
    32 + ramp + noise(state) / 16
}

/// The next byte of a linear congruential generator.
fn noise(state: &mut u64) -> u8 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 56) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_as_many_images_in_order_as_cameras_and_sets() {
        for cameras in [1, 5, 12] {
            let rig = ring_rig(cameras, [64, 48]).expect("a sound rig");
            let recording = Recording::noise(rig, 3).expect("two sets and more");
            assert_eq!(recording.bytes(), 3 * cameras * 64 * 48 * 3 / 2);
            super::super::builder::check_order(&recording.events).expect("set by set");
            let arrivals: Vec<_> = recording.events.iter().map(|event| event.arrival).collect();
            assert!(arrivals.is_sorted());
            let last = *arrivals.last().expect("there are events");
            assert!(
                last < arrivals[0] + recording.period,
                "rounds do not overlap"
            );
            let mut pictures = recording.images.clone();
            pictures.sort();
            pictures.dedup();
            assert_eq!(pictures.len(), 3 * cameras, "no picture twice");
        }
    }

    #[test]
    fn impossible_noise_is_refused() {
        let odd = ring_rig(2, [63, 48]).expect("a sound rig");
        assert!(Recording::noise(odd, 3).is_err());
        let sound = ring_rig(2, [64, 48]).expect("a sound rig");
        assert!(Recording::noise(sound, 1).is_err());
        assert!(ring_rig(0, [64, 48]).is_err());
    }
}
