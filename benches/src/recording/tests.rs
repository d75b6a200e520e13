use std::collections::VecDeque;

use bevrt_calibration::{Camera, Ego, Intrinsics, Lens, Odom, Pose, Rig};
use bevrt_hil::source::{DriveEvent, DriveSource, ImageEvent, SourceError};
use bevrt_runtime::{EgoMotionSource, ImageView, PixelFormat, Stamp};
use nalgebra::{UnitQuaternion, Vector3};

use super::*;

const WIDTH: u32 = 16;
const HEIGHT: u32 = 8;

/// Two cameras of 16 × 8 grey pixels at 10 Hz, the second 20 ms later; motion at 50 Hz.
struct SmallDrive {
    rig: Rig,
    ego_motion: EgoMotionSource,
    waiting: VecDeque<(i64, Option<usize>)>,
    rgb: Vec<u8>,
}

impl SmallDrive {
    fn new(sets: i64, ego_motion: EgoMotionSource) -> Self {
        let camera = |name: &str| Camera {
            name: name.into(),
            intrinsics: Intrinsics::new([16.0; 2], [7.5, 3.5], [WIDTH, HEIGHT], Lens::IDEAL)
                .expect("sound numbers"),
            ego_from_cam: Pose::looking(Vector3::new(0.0, 0.0, 1.5), 0.0, 0.0, 0.0),
        };
        let rig = Rig::new(vec![camera("front"), camera("back")], 0).expect("two names");
        let mut waiting: Vec<(i64, Option<usize>)> = Vec::new();
        for set in 0..sets {
            let begin_ms = 1000 + 100 * set;
            waiting.extend((0..5).map(|k| (begin_ms + 20 * k, None)));
            waiting.push((begin_ms + 30, Some(0)));
            waiting.push((begin_ms + 50, Some(1)));
        }
        waiting.push((1000 + 100 * sets, None));
        waiting.sort();
        Self {
            rig,
            ego_motion,
            waiting: waiting.into(),
            rgb: Vec::new(),
        }
    }

    fn without(mut self, set: i64, camera: usize) -> Self {
        let arrival_ms = 1030 + 100 * set + 20 * camera as i64;
        self.waiting
            .retain(|event| *event != (arrival_ms, Some(camera)));
        self
    }
}

fn milliseconds(value: i64) -> Stamp {
    Stamp::from_nanoseconds(1_000_000 * value)
}

/// 10 m/s along x, turning slowly.
fn pose_at(stamp_ms: i64) -> Pose<Odom, Ego> {
    let s = 1e-3 * stamp_ms as f64;
    let turn = UnitQuaternion::from_euler_angles(0.0, 0.0, 0.1 * s);
    Pose::new(turn, Vector3::new(10.0 * s, 0.5 * s, 0.0))
}

impl DriveSource for SmallDrive {
    fn rig(&self) -> &Rig {
        &self.rig
    }

    fn ego_motion(&self) -> EgoMotionSource {
        self.ego_motion
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        let Some((arrival_ms, what)) = self.waiting.pop_front() else {
            return Ok(None);
        };
        let arrival = milliseconds(arrival_ms);
        Ok(Some(match (what, self.ego_motion) {
            (Some(camera), _) => {
                let stamp = milliseconds(arrival_ms - 30);
                let shade = (arrival_ms % 251) as u8;
                self.rgb = vec![shade; 3 * (WIDTH * HEIGHT) as usize];
                let image = ImageView::packed(PixelFormat::Rgb, WIDTH, HEIGHT, &self.rgb);
                DriveEvent::Image(ImageEvent {
                    camera,
                    stamp,
                    arrival,
                    image: image.expect("it fits"),
                    rgb: &self.rgb,
                    jpeg: None,
                })
            }
            (None, EgoMotionSource::Rates) => DriveEvent::VehicleMotion {
                stamp: arrival,
                arrival,
                speed_mps: 10.0,
                yaw_rate_radps: 0.1,
            },
            (None, EgoMotionSource::Poses) => DriveEvent::Pose {
                stamp: arrival,
                arrival,
                odom_from_ego: pose_at(arrival_ms),
            },
        }))
    }
}

fn recording(ego_motion: EgoMotionSource) -> Recording {
    let mut drive = SmallDrive::new(5, ego_motion);
    Recording::from_drive(&mut drive, 4, "small").expect("the drive is sound")
}

#[test]
fn the_last_set_only_ends_the_round() {
    let recording = recording(EgoMotionSource::Rates);
    assert_eq!(recording.sets(), 4);
    assert_eq!(recording.set_period(), Span::from_milliseconds(100));
    assert_eq!(recording.bytes(), 4 * 2 * 16 * 8 * 3 / 2);
    let shades: Vec<u8> = (0..4)
        .map(|set| recording.image(set, 0).planes()[0].bytes[0])
        .collect();
    assert!(
        shades.windows(2).all(|pair| pair[0] != pair[1]),
        "{shades:?}"
    );
}

#[test]
fn stamps_are_carried_on_and_skew_is_kept() {
    let recording = recording(EgoMotionSource::Rates);
    let mut feed = recording.feed();
    let (mut arrival, mut stamps, mut completed) = (Stamp::ZERO, [Vec::new(), Vec::new()], 0);
    while completed < 10 {
        let event = feed.next_event();
        assert!(event.arrival >= arrival, "{event:?}");
        arrival = event.arrival;
        if let What::Image {
            camera,
            completes_set,
            ..
        } = event.what
        {
            stamps[camera].push(event.stamp.nanoseconds() / 1_000_000);
            assert_eq!(completes_set, camera == 1);
            completed += usize::from(completes_set);
        }
    }
    let expected = |first: i64| (0..10).map(|set| first + 100 * set).collect::<Vec<_>>();
    assert_eq!(stamps[0], expected(1000));
    assert_eq!(stamps[1], expected(1020));
}

#[test]
fn poses_go_on_where_the_round_ended() {
    let recording = recording(EgoMotionSource::Poses);
    let mut feed = recording.feed();
    let mut poses: Vec<(f64, Pose<Odom, Ego>)> = Vec::new();
    while poses.len() < 60 {
        let event = feed.next_event();
        if let What::Motion(Motion::Pose(pose)) = event.what {
            poses.push((event.stamp.seconds(), pose));
        }
    }
    for pair in poses.windows(2) {
        let [(from_s, from), (to_s, to)] = [&pair[0], &pair[1]];
        let step = from.inverse() * *to;
        let turned = step.rotation().euler_angles().2;
        let moved = step.translation().norm();
        let seconds = to_s - from_s;
        assert!((turned - 0.1 * seconds).abs() < 1e-9, "{from_s}: {turned}");
        let expected = 10.0_f64.hypot(0.5) * seconds;
        assert!((moved - expected).abs() < 1e-6, "{from_s}: {moved}");
    }
}

#[test]
fn a_missing_image_is_named() {
    let mut drive = SmallDrive::new(5, EgoMotionSource::Rates).without(2, 1);
    let error = Recording::from_drive(&mut drive, 4, "small").expect_err("one is missing");
    assert!(error.to_string().contains("camera 1 in set 2"), "{error}");
    let mut drive = SmallDrive::new(2, EgoMotionSource::Rates);
    let error = Recording::from_drive(&mut drive, 4, "small").expect_err("it is too short");
    assert!(error.to_string().contains("three sets"), "{error}");
}

#[test]
fn a_folder_gives_back_the_same_feed() {
    let folder = std::env::temp_dir().join(format!("bevrt-frames-{}", std::process::id()));
    for ego_motion in [EgoMotionSource::Rates, EgoMotionSource::Poses] {
        let written = recording(ego_motion);
        written.write(&folder).expect("the folder is writable");
        let read = Recording::read(&folder).expect("it was just written");
        assert_eq!(read.description(), written.description());
        assert_eq!(read.set_period(), written.set_period());
        let (mut expected, mut found) = (written.feed(), read.feed());
        for _ in 0..100 {
            let (expected, found) = (expected.next_event(), found.next_event());
            assert_eq!(found.arrival, expected.arrival);
            match (found.what, expected.what) {
                (What::Motion(Motion::Pose(found)), What::Motion(Motion::Pose(expected))) => {
                    let apart = (found.inverse() * expected).translation().norm();
                    assert!(apart < 1e-9, "{apart}");
                }
                (found, expected) => assert_eq!(found, expected),
            }
        }
        for set in 0..written.sets() {
            let planes = |recording: &Recording| {
                recording
                    .image(set, 1)
                    .planes()
                    .iter()
                    .map(|p| p.bytes.to_vec())
                    .collect::<Vec<_>>()
            };
            assert_eq!(planes(&read), planes(&written));
        }
    }
    let events = folder.join("frames.json");
    let text = std::fs::read_to_string(&events).expect("it was written");
    std::fs::write(&events, text.replacen("\"camera\": 1", "\"camera\": 0", 1)).expect("writable");
    let error = Recording::read(&folder).expect_err("an image is doubled");
    assert!(error.to_string().contains("frames.json"), "{error}");
    std::fs::remove_dir_all(&folder).expect("it was written");
}
