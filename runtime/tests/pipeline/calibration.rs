//! Calibration, lost cameras and exposure skew, as the projection table shows them.

use bevrt_calibration::{Camera, NetworkCamera, Pose, ProjectionTable, Rig};
use bevrt_runtime::{
    CameraState, HealthReasons, Pipeline, RawValues, SetupError, Span, StampCorrection, crop_for,
};
use nalgebra::{UnitQuaternion, Vector3};

use crate::small_model::{self as small, NULL, milliseconds};

fn index(pipeline: &mut Pipeline) -> Vec<i32> {
    let mut found = Vec::new();
    pipeline
        .raw_inputs(|tensor| {
            if let RawValues::I32(values) = tensor.values {
                found = values.to_vec();
            }
        })
        .expect("the engine has them");
    found
}

fn geometry(pipeline: &mut Pipeline) -> Vec<f32> {
    floats(pipeline, "ground_geometry")
}

fn floats(pipeline: &mut Pipeline, name: &str) -> Vec<f32> {
    let mut found = Vec::new();
    pipeline
        .raw_inputs(|tensor| {
            if let RawValues::F32(values) = tensor.values
                && tensor.name == name
            {
                found = values.to_vec();
            }
        })
        .expect("the engine has them");
    found
}

fn network_cameras(rig: &Rig) -> Vec<NetworkCamera> {
    let manifest = small::manifest();
    let crop = crop_for(manifest.preprocess(), 64, 48);
    let cameras = rig.cameras().iter();
    cameras
        .map(|camera| NetworkCamera::new(camera, crop, 32, 16))
        .collect()
}

fn rays(rig: &Rig) -> Vec<f32> {
    let manifest = small::manifest();
    let spec = manifest.rays().expect("the small model asks for rays");
    let mut planes = vec![0.0; 2 * spec.len_per_camera()];
    spec.write_into(&network_cameras(rig), &mut planes);
    planes
}

/// The table that the calibration crate builds for a rig, with a motion for the back camera.
fn table(
    rig: &Rig,
    reference_from_back: Pose<bevrt_calibration::Ego, bevrt_calibration::Ego>,
) -> ProjectionTable {
    let manifest = small::manifest();
    let mut cameras = network_cameras(rig);
    cameras[1].ego_at_reference_from_ego_at_camera = reference_from_back;
    let spec = &manifest.lifts()[0].spec;
    let mut table = ProjectionTable::new(spec, cameras.len());
    table.rebuild(spec, &cameras);
    table
}

fn turned_rig() -> Rig {
    let cameras = small::rig()
        .cameras()
        .iter()
        .map(|camera| Camera {
            ego_from_cam: Pose::looking(*camera.ego_from_cam.translation(), 1.0, 0.1, 0.0),
            ..camera.clone()
        })
        .collect();
    Rig::new(cameras, 0).expect("the names are those of before")
}

#[test]
fn the_network_gets_the_table_of_the_rig() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 0, 100);
    let expected = table(&small::rig(), Pose::identity());
    assert_eq!(index(&mut pipeline), expected.index);
    assert_eq!(geometry(&mut pipeline), expected.geometry);
    assert_eq!(floats(&mut pipeline, "rays"), rays(&small::rig()));
}

#[test]
fn a_new_calibration_is_in_force_from_the_next_frame_on() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 0, 100);
    pipeline
        .set_calibration(turned_rig())
        .expect("two cameras as before");
    assert_eq!(
        index(&mut pipeline),
        table(&small::rig(), Pose::identity()).index
    );
    small::drive(&mut pipeline, 100, 200);
    assert_eq!(
        index(&mut pipeline),
        table(&turned_rig(), Pose::identity()).index
    );
    assert_ne!(rays(&turned_rig()), rays(&small::rig()));
    assert_eq!(floats(&mut pipeline, "rays"), rays(&turned_rig()));
    assert_eq!(pipeline.rig(), &turned_rig());
}

#[test]
fn a_rig_with_other_cameras_is_refused() {
    let mut pipeline = small::plain_pipeline();
    let single = Rig::new(small::rig().cameras()[..1].to_vec(), 0).expect("one camera");
    let refused = pipeline.set_calibration(single);
    assert!(matches!(
        refused,
        Err(SetupError::Limit {
            field: "cameras of the rig",
            ..
        })
    ));
    let other = Rig::new(small::rig().cameras().to_vec(), 1).expect("two cameras");
    assert!(pipeline.set_calibration(other).is_err());
    assert_eq!(
        small::drive(&mut pipeline, 0, 100).len(),
        1,
        "the old one stays in force"
    );
}

#[test]
fn a_disabled_camera_has_no_taps_and_nobody_waits_for_it() {
    let mut pipeline = small::plain_pipeline();
    pipeline.disable_camera(1);
    let stamp = milliseconds(100);
    small::push_image(&mut pipeline, 0, stamp).expect("the first image");
    let frame = small::step(&mut pipeline, stamp);
    let state = CameraState::try_from(frame.health.cameras()[1].state);
    assert_eq!(state, Ok(CameraState::Disabled));
    assert!(
        frame
            .health
            .reasons()
            .contains(HealthReasons::CAMERA_DISABLED)
    );
    // Rows 8 to 15 are the features of the back camera.
    assert!(
        index(&mut pipeline)
            .iter()
            .all(|&tap| tap < 8 || tap == NULL)
    );
    pipeline.enable_camera(1);
    small::drive(&mut pipeline, 200, 300);
    assert!(
        index(&mut pipeline)
            .iter()
            .any(|&tap| (8..16).contains(&tap))
    );
}

/// One set whose back camera was exposed 40 ms after the front camera, at 10 m/s.
fn skewed(correction: StampCorrection) -> Pipeline {
    let mut options = small::options();
    options.stamp_correction = correction;
    let mut pipeline = small::pipeline(options, |_| Ok(()));
    for stamp_ms in [0, 100, 200] {
        let stamp = milliseconds(stamp_ms);
        pipeline
            .push_pose(stamp, &small::pose_at(stamp))
            .expect("in order");
    }
    small::push_image(&mut pipeline, 0, milliseconds(100)).expect("in order");
    small::push_image(&mut pipeline, 1, milliseconds(140)).expect("in order");
    let frame = small::step(&mut pipeline, milliseconds(150));
    assert_eq!(frame.health.cameras()[1].skew_ns, 40_000_000);
    pipeline
}

#[test]
fn projections_follow_the_exposure_of_their_camera() {
    let mut pipeline = skewed(StampCorrection::default());
    let ahead = Pose::new(UnitQuaternion::identity(), Vector3::new(0.4, 0.0, 0.0));
    let expected = table(&small::rig(), ahead);
    assert_eq!(index(&mut pipeline), expected.index);
    let found = geometry(&mut pipeline);
    let is_near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
    assert!(found.iter().zip(&expected.geometry).all(is_near));
    assert_ne!(
        expected.geometry,
        table(&small::rig(), Pose::identity()).geometry
    );
}

#[test]
fn skew_is_left_alone_when_asked_so_or_when_it_is_small() {
    let still = table(&small::rig(), Pose::identity());
    for correction in [
        StampCorrection::Off,
        StampCorrection::From(Span::from_milliseconds(41)),
    ] {
        let mut pipeline = skewed(correction);
        assert_eq!(geometry(&mut pipeline), still.geometry);
    }
}
