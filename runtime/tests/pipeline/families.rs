//! The other families of the contract: matrices, history that the network aligns, query sets.

use bevrt_calibration::{NetworkCamera, Rig, rigs};
use bevrt_runtime::{
    CoverageState, HealthReasons, HealthState, OutputFrame, OutputRole, Pipeline, RawValues,
    SetupError, Span, crop_for,
};

use crate::matrix_model::{self as model};
use crate::small_model::{self as small, milliseconds};

fn input(pipeline: &mut Pipeline, name: &str) -> Vec<f32> {
    let mut found = Vec::new();
    pipeline
        .raw_inputs(|tensor| {
            if let (true, RawValues::F32(values)) = (tensor.name == name, tensor.values) {
                found = values.to_vec();
            }
        })
        .expect("the engine has them");
    found
}

fn network_cameras() -> Vec<NetworkCamera> {
    let crop = crop_for(model::manifest().preprocess(), small::WIDTH, small::HEIGHT);
    let rig = small::rig();
    let cameras = rig.cameras().iter();
    cameras
        .map(|camera| NetworkCamera::new(camera, crop, 32, 16))
        .collect()
}

#[test]
fn the_network_gets_the_matrices_of_the_rig() {
    let mut pipeline = model::plain_pipeline();
    small::drive(&mut pipeline, 0, 100);
    let cameras = network_cameras();
    let intrinsics: Vec<f32> = cameras
        .iter()
        .map(NetworkCamera::intrinsics)
        .flat_map(|lens| {
            [
                lens.fx(),
                0.0,
                lens.cx(),
                0.0,
                lens.fy(),
                lens.cy(),
                0.0,
                0.0,
                1.0,
            ]
        })
        .map(|value| value as f32)
        .collect();
    assert_eq!(input(&mut pipeline, "intrinsics"), intrinsics);
    let poses = input(&mut pipeline, "ego_from_cam");
    for (found, camera) in poses.chunks_exact(16).zip(&cameras) {
        let expected = camera.ego_from_cam.to_matrix();
        for (place, &found) in found.iter().enumerate() {
            assert_eq!(found, expected[(place / 4, place % 4)] as f32);
        }
    }
    assert_eq!(input(&mut pipeline, "camera_valid"), [1.0, 1.0]);
}

/// A frame with the front camera alone.
fn frame_without_back(pipeline: &mut Pipeline, stamp_ms: i64) -> Box<OutputFrame> {
    let stamp = milliseconds(stamp_ms);
    pipeline
        .push_pose(stamp, &small::pose_at(stamp))
        .expect("time goes on");
    small::push_image(pipeline, 0, stamp).expect("time goes on");
    let mut frame = OutputFrame::boxed();
    pipeline
        .step(stamp + Span::from_milliseconds(500), &mut frame)
        .expect("the engine has all tensors");
    frame
}

#[test]
fn a_lost_camera_is_told_and_comes_back() {
    let mut pipeline = model::plain_pipeline();
    frame_without_back(&mut pipeline, 0);
    assert_eq!(input(&mut pipeline, "camera_valid"), [1.0, 0.0]);
    small::push_set(&mut pipeline, milliseconds(1000));
    small::step(&mut pipeline, milliseconds(1000));
    assert_eq!(input(&mut pipeline, "camera_valid"), [1.0, 1.0]);
}

#[test]
fn coverage_without_a_table_is_what_the_cameras_see() {
    let state = |frame: &OutputFrame, sector: usize| {
        let found = &frame.coverage[sector];
        (
            CoverageState::try_from(found.state).expect("a known state"),
            found.range_m,
        )
    };
    let mut pipeline = model::plain_pipeline();
    let frames = small::drive(&mut pipeline, 0, 100);
    // The range of the object head reaches 32 m ahead; the cameras see 45 degrees to both sides.
    assert_eq!(state(&frames[0], 0), (CoverageState::SeenNow, 32.0));
    assert_eq!(state(&frames[0], 36), (CoverageState::SeenNow, 32.0));
    assert_eq!(state(&frames[0], 18), (CoverageState::Unseen, 0.0));
    let mut pipeline = model::plain_pipeline();
    let frame = frame_without_back(&mut pipeline, 0);
    assert_eq!(state(&frame, 0), (CoverageState::SeenNow, 32.0));
    assert_eq!(state(&frame, 36), (CoverageState::Unseen, 0.0));
}

#[test]
fn each_camera_stands_where_the_vehicle_was_when_it_exposed() {
    let mut pipeline = model::plain_pipeline();
    let stamp = milliseconds(200);
    let later = stamp + Span::from_milliseconds(20);
    for at in [milliseconds(0), milliseconds(100), stamp, later] {
        pipeline
            .push_pose(at, &small::pose_at(at))
            .expect("time goes on");
    }
    small::push_image(&mut pipeline, 0, stamp).expect("time goes on");
    small::push_image(&mut pipeline, 1, later).expect("time goes on");
    small::step(&mut pipeline, later);
    let poses = input(&mut pipeline, "ego_from_cam");
    // 20 ms at 10 m/s are 0.2 m.
    assert_eq!(poses[3], 1.5);
    assert!((poses[16 + 3] - 0.2).abs() < 1e-6, "{}", poses[16 + 3]);
    small::push_set(&mut pipeline, milliseconds(400));
    small::step(&mut pipeline, milliseconds(400));
    assert_eq!(input(&mut pipeline, "ego_from_cam")[16 + 3], 0.0);
}

#[test]
fn the_network_gets_raw_maps_and_the_motion_since() {
    let mut pipeline = model::plain_pipeline();
    small::drive(&mut pipeline, 0, 400);
    let history = input(&mut pipeline, "history");
    let state = input(&mut pipeline, "history_state");
    assert_eq!(state, [1.0, 0.2, 0.0, 0.0]);
    for (cell, slots) in history.chunks_exact(4).enumerate() {
        assert_eq!(slots, [0.5, cell as f32, 0.0, 0.0]);
    }
    // 200 ms at 10 m/s: what is at x now was 2 m farther ahead then.
    let motions = input(&mut pipeline, "history_from_now");
    assert_eq!(motions[..9], [1.0, 0.0, 2.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(motions[9..], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn what_the_queries_find_stands_in_the_frame() {
    let mut pipeline = model::plain_pipeline();
    let frame = small::drive(&mut pipeline, 0, 1000)
        .pop()
        .expect("ten frames");
    assert_eq!(frame.health.reasons(), HealthReasons::NONE);
    let [object] = frame.objects() else {
        panic!("one car: {:?}", frame.objects());
    };
    assert!((object.x_m - 18.0).abs() < 0.3 && (object.y_m - 2.0).abs() < 0.1);
    assert_eq!(frame.lanes().len(), 1);
    assert_eq!(frame.crosswalks().len(), 1);
    assert_eq!(frame.stop_lines().len(), 1);
    let raw = pipeline.raw_detections();
    assert_eq!(raw.crosswalks[0].length_m, 8.0);
    assert_eq!(raw.stop_lines[0].length_m, 4.0);
    assert_eq!(raw.lanes[0].points().len(), 41);
}

#[test]
fn a_set_that_is_not_finite_is_a_fault() {
    let mut pipeline = model::pipeline(small::rig(), |tensors| {
        tensors.output_mut(OutputRole::HeadValues(1))[3] = f32::NAN;
        Ok(())
    })
    .expect("it fits together");
    let frame = small::drive(&mut pipeline, 0, 100).pop().expect("a frame");
    assert!(frame.health.reasons().contains(HealthReasons::NOT_FINITE));
    assert_eq!(
        HealthState::try_from(frame.health.state),
        Ok(HealthState::Fault)
    );
    assert!(frame.objects().is_empty() && frame.lanes().is_empty());
}

#[test]
fn a_lens_that_no_matrix_describes_is_refused() {
    let fisheyes = rigs::four_fisheye();
    let error = model::pipeline(fisheyes.clone(), |_| Ok(()))
        .err()
        .expect("fisheyes are no pinholes");
    let message = error.to_string();
    let name = fisheyes.cameras()[0].name.as_str();
    assert!(
        message.contains("matrices.largest_distortion_px"),
        "{message}"
    );
    assert!(message.contains(name), "{message}");
    let mut pipeline = model::plain_pipeline();
    let two = Rig::new(fisheyes.cameras()[..2].to_vec(), 0).expect("two names");
    let refused = pipeline.set_calibration(two);
    assert!(matches!(refused, Err(SetupError::Lens { .. })));
}
