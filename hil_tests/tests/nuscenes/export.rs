//! A simulated drive, written as a nuScenes folder and read back.

use std::path::PathBuf;

use bevrt_calibration::{Rig, rigs};
use bevrt_hil::FrameTruth;
use bevrt_hil::metrics::ScoreClass;
use bevrt_hil::nuscenes::{
    EXPORT_VERSION, ExportOptions, NuscenesDataset, NuscenesDrive, NuscenesExport, NuscenesScene,
};
use bevrt_hil::source::{
    DriveEvent, DriveSource, PictureSize, SimulatedDrive, SimulatedDriveOptions,
};
use bevrt_runtime::{Manifest, PreprocessSection, Stamp};

use super::small_folder::place;

const SEED: u64 = 950_003;
const MANIFEST: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../models/packages/tiny/manifest.toml"
);

fn preprocess() -> PreprocessSection {
    let manifest = Manifest::from_toml_file(MANIFEST.as_ref()).expect("the fixture is sound");
    *manifest.preprocess()
}

fn options() -> SimulatedDriveOptions {
    SimulatedDriveOptions {
        duration_s: 1.0,
        frame_rate_hz: 4.0,
        size: PictureSize::TimesNetwork(1),
        camera_skew_s: 0.02,
        ..SimulatedDriveOptions::default()
    }
}

fn drive_of(rig: &Rig) -> SimulatedDrive {
    SimulatedDrive::new(SEED, rig, &preprocess(), &options())
}

fn drive() -> SimulatedDrive {
    drive_of(&rigs::six_pinhole())
}

/// A drive of one second with these cameras, written below a folder of this name and read back.
pub fn exported_with(name: &str, rig: &Rig) -> (PathBuf, NuscenesScene) {
    let root = place(name);
    let options = ExportOptions {
        frame_rate_hz: 4.0,
        quality: 90,
    };
    let mut export = NuscenesExport::create(&root, options).expect("the place is free");
    let mut pictures = 0;
    export
        .add_drive(SEED, &mut drive_of(rig), &mut || pictures += 1)
        .expect("the cameras are ideal");
    assert_eq!(pictures, 5);
    export.finish().expect("the place is writable");
    let dataset = NuscenesDataset::open(&root, EXPORT_VERSION).expect("we wrote it");
    let mut scenes = dataset.load(&["sim-950003"]).expect("we wrote it");
    (root, scenes.remove(0))
}

fn exported(name: &str) -> (PathBuf, NuscenesScene) {
    exported_with(name, &rigs::six_pinhole())
}

/// Truths at key frames, and stamps of all pictures by camera, as the simulation gives them.
fn simulated() -> (Vec<FrameTruth>, Vec<(usize, Stamp)>) {
    let (mut truths, mut pictures) = (Vec::new(), Vec::new());
    let mut drive = drive();
    while let Some(event) = drive.next_event().expect("drawing never fails") {
        match event {
            DriveEvent::Truth(truth) => truths.push(truth.clone()),
            DriveEvent::Image(image) => pictures.push((image.camera, image.stamp)),
            _ => {}
        }
    }
    (truths.into_iter().step_by(2).collect(), pictures)
}

#[test]
fn what_is_written_reads_back_as_the_simulated_truth() {
    let (_, scene) = exported("round_trip");
    let (truths, pictures) = simulated();
    assert_eq!(scene.key_frames().len(), truths.len());
    assert_eq!(scene.picture_count(), pictures.len());
    let mut compared = 0;
    for (key_frame, expected) in scene.key_frames().iter().zip(&truths) {
        let found = scene.truth(key_frame);
        let mut counting: Vec<_> = expected.objects.iter().filter(|o| o.counts).collect();
        counting.sort_by_key(|object| object.track_id);
        assert_eq!(found.objects.len(), counting.len());
        for expected in counting {
            let near = |a: [f64; 3], b: [f64; 3]| (0..3).all(|k| (a[k] - b[k]).abs() < 1e-6);
            let object = found
                .objects
                .iter()
                .find(|object| near(object.position_m, expected.position_m))
                .unwrap_or_else(|| panic!("no box like {expected:?}"));
            assert!(
                near(object.size_m, expected.size_m),
                "{object:?}, {expected:?}"
            );
            assert!(
                (object.yaw_rad - expected.yaw_rad).abs() < 1e-6,
                "{object:?}, {expected:?}"
            );
            let class = ScoreClass::of_object_class;
            assert_eq!(class(object.class), class(expected.class));
            assert!((object.visible_fraction - expected.visible_fraction).abs() <= 0.2 + 1e-6);
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared} boxes");
}

#[test]
fn poses_read_back_as_they_were() {
    let (_, scene) = exported("poses");
    let drive = drive();
    let (first_stamp, first) = scene.poses()[0];
    let begin_ns = scene.key_frames()[0].stamp.nanoseconds();
    let truth_ns = simulated().0[0].stamp_ns / 1000 * 1000;
    let at = |stamp: Stamp| {
        drive.world_from_ego(Stamp::from_nanoseconds(
            stamp.nanoseconds() - begin_ns + truth_ns,
        ))
    };
    for (stamp, pose) in scene.poses() {
        let found = first.inverse() * *pose;
        let expected = at(first_stamp).inverse() * at(*stamp);
        let error = (found.to_matrix() - expected.to_matrix()).amax();
        assert!(error < 1e-9, "{error} at {stamp:?}");
    }
}

#[test]
fn the_map_reads_back_as_the_marks_of_the_world() {
    let (_, scene) = exported("map_round_trip");
    let (truths, _) = simulated();
    let (mut lines, mut marks) = (0, 0);
    for (key_frame, expected) in scene.key_frames().iter().zip(&truths) {
        let found = scene.truth(key_frame);
        let is_near = |a: &[f64; 3], b: &[f64; 3]| (a[0] - b[0]).hypot(a[1] - b[1]) < 0.15;
        // Farther away the road climbs out of the plane that the flat map is put on.
        for lane in expected.lanes.iter().filter(|lane| lane.marking != 3) {
            for point in lane.points_m.iter().filter(|p| p[0].hypot(p[1]) < 30.0) {
                let like = found
                    .lanes
                    .iter()
                    .filter(|other| (other.marking, other.colour) == (lane.marking, lane.colour));
                let mut points = like.flat_map(|other| &other.points_m);
                assert!(points.any(|other| is_near(other, point)), "{point:?}");
                lines += 1;
            }
        }
        for walk in expected
            .crosswalks
            .iter()
            .filter(|w| w.position_m[0].abs() < 30.0)
        {
            let other = found
                .crosswalks
                .iter()
                .find(|o| is_near(&o.position_m, &walk.position_m));
            let other = other.expect("it is on the map");
            assert!(
                (other.length_m - walk.length_m).abs() < 0.1,
                "{other:?}, {walk:?}"
            );
            marks += 1;
        }
        for stop in expected
            .stop_lines
            .iter()
            .filter(|s| s.position_m[0].abs() < 30.0)
        {
            let other = found
                .stop_lines
                .iter()
                .find(|o| is_near(&o.position_m, &stop.position_m));
            let other = other.expect("it is on the map");
            assert!(
                (other.length_m - stop.length_m).abs() < 0.1,
                "{other:?}, {stop:?}"
            );
            marks += 1;
        }
    }
    assert!(lines > 50, "{lines} points of lines, {marks} marks");
}

#[test]
fn pictures_of_an_export_play_as_a_drive() {
    let (_, scene) = exported("pictures");
    let (_, pictures) = simulated();
    let mut drive = NuscenesDrive::new(scene);
    let mut found = 0;
    while let Some(event) = drive.next_event().expect("we wrote it") {
        found += usize::from(matches!(event, DriveEvent::Image(_)));
    }
    assert_eq!(found, pictures.len());
}

#[test]
fn an_export_never_writes_into_another_and_takes_no_fisheye_camera() {
    let (root, _) = exported("twice");
    let refused = NuscenesExport::create(&root, ExportOptions::default());
    let error = refused.err().expect("there is one").to_string();
    assert!(error.contains(EXPORT_VERSION), "{error}");

    let options = ExportOptions {
        frame_rate_hz: 5.0,
        quality: 90,
    };
    let refused = NuscenesExport::create(place("odd_rate"), options);
    let error = refused.err().expect("5 is odd").to_string();
    assert!(
        error.contains("multiple of 2 Hz") && error.contains("found 5 Hz"),
        "{error}"
    );

    let mut export = NuscenesExport::create(place("fisheye"), ExportOptions::default())
        .expect("the place is free");
    let mut drive = drive_of(&rigs::four_fisheye());
    let refused = export.add_drive(SEED, &mut drive, &mut || {});
    let error = refused.expect_err("nuScenes knows no fisheye").to_string();
    assert!(
        error.contains("without distortion") && error.contains("\"front\""),
        "{error}"
    );
}
