//! A small folder read as a drive.

use bevrt_hil::metrics::{Task, Tasks};
use bevrt_hil::nuscenes::{NuscenesDataset, NuscenesDrive, NuscenesScene};
use bevrt_hil::source::{DriveEvent, DriveSource};
use bevrt_hil::{FramePrediction, FrameTruth, LaneTruth, PredictedObject};
use bevrt_runtime::EgoMotionSource;
use serde_json::{Value, json};

use super::small_folder::{BEGIN_US, SIZE, SmallFolder, VERSION, place};

fn scene(folder: &SmallFolder, name: &str) -> NuscenesScene {
    let root = place(name);
    folder.write(&root);
    let dataset = NuscenesDataset::open(&root, VERSION).expect("the folder is sound");
    let names = dataset.scene_names();
    let mut scenes = dataset.load(&names).expect("the folder is sound");
    assert_eq!(scenes.len(), 1);
    scenes.remove(0)
}

fn truths(scene: &NuscenesScene) -> Vec<FrameTruth> {
    let frames = scene.key_frames().iter();
    frames.map(|frame| scene.truth(frame)).collect()
}

fn assert_near<const N: usize>(found: [f64; N], expected: [f64; N]) {
    for axis in 0..N {
        let error = (found[axis] - expected[axis]).abs();
        assert!(error < 1e-9, "found {found:?}, expected {expected:?}");
    }
}

#[test]
fn events_come_at_their_own_stamps_with_sweeps() {
    let mut drive = NuscenesDrive::new(scene(&SmallFolder::new(), "events"));
    assert_eq!(drive.ego_motion(), EgoMotionSource::Poses);
    let names: Vec<String> = drive
        .rig()
        .cameras()
        .iter()
        .map(|camera| camera.name.clone())
        .collect();
    assert_eq!(names, ["front", "back"]);
    let mut found = Vec::new();
    while let Some(event) = drive.next_event().expect("the folder is sound") {
        let (kind, stamp_ns) = match event {
            DriveEvent::Image(image) => {
                assert_eq!([image.image.width(), image.image.height()], SIZE);
                assert_eq!(image.rgb.len(), 3 * (SIZE[0] * SIZE[1]) as usize);
                assert_eq!(image.arrival, image.stamp);
                (names[image.camera].as_str(), image.stamp.nanoseconds())
            }
            DriveEvent::Pose {
                stamp,
                odom_from_ego,
                ..
            } => {
                assert_eq!(odom_from_ego.translation().x, 100.0);
                ("pose", stamp.nanoseconds())
            }
            DriveEvent::Truth(truth) => ("truth", truth.stamp_ns),
            DriveEvent::VehicleMotion { .. } => panic!("there are no rates"),
        };
        found.push((kind.to_owned(), (stamp_ns / 1000 - BEGIN_US) / 1000));
    }
    let expected = [
        ("pose", -20),
        ("truth", -20),
        ("front", -20),
        ("pose", 25),
        ("back", 25),
        ("pose", 230),
        ("front", 230),
        ("pose", 480),
        ("truth", 480),
        ("front", 480),
        ("pose", 525),
        ("back", 525),
    ];
    assert_eq!(
        found,
        expected.map(|(kind, ms)| (kind.to_owned(), ms)).to_vec()
    );
}

#[test]
fn boxes_lie_in_the_ego_frame_of_the_reference_camera() {
    let truths = truths(&scene(&SmallFolder::new(), "boxes"));
    let [first, second] = &truths[..] else {
        panic!("two samples");
    };
    // Neither the box without points, nor the dog, nor the bicycle in a rack, nor the rack.
    assert_eq!((first.objects.len(), second.objects.len()), (1, 1));
    let car = &first.objects[0];
    assert_near(car.position_m, [20.0, 0.0, 0.8]);
    assert_near(car.size_m, [4.5, 1.9, 1.6]);
    assert_near([car.yaw_rad], [0.0]);
    // 1 m to the left and 8 m ahead in half a second.
    assert_near(car.velocity_mps.expect("it has a neighbour"), [16.0, 2.0]);
    assert_eq!((car.class, car.visible_fraction), (0, 0.5));
    assert!(car.counts);
    let later = &second.objects[0];
    assert_near(later.position_m, [23.0, 1.0, 0.8]);
    assert_eq!(later.track_id, car.track_id);
}

#[test]
fn a_lone_box_has_no_velocity() {
    let mut folder = SmallFolder::new();
    let annotations = folder.tables.get_mut("sample_annotation").expect("a table");
    annotations[0]["next"] = json!("");
    annotations[1]["prev"] = json!("");
    let truths = truths(&scene(&folder, "lone"));
    assert_eq!(truths[0].objects[0].velocity_mps, None);
}

#[test]
fn a_predicted_bicycle_in_a_rack_is_left_out_of_the_scores() {
    let scene = scene(&SmallFolder::new(), "rack");
    let object = |class: u8, position_m| PredictedObject {
        class,
        track_id: None,
        confidence: 0.5,
        position_m,
        size_m: [1.8, 0.6, 1.2],
        yaw_rad: 0.0,
        velocity_mps: [1.0, 0.0],
        sigmas: [1.0; 6],
        is_coasting: false,
    };
    // The rack is 10.5 m to the right and 5 m ahead at the second sample.
    let prediction = FramePrediction {
        objects: vec![
            object(5, [5.0, -10.4, 0.6]),
            object(6, [5.0, -10.4, 0.6]),
            object(5, [5.0, 10.4, 0.6]),
        ],
        ..FramePrediction::default()
    };
    let (_, scored) = scene.scored(&scene.key_frames()[1], &prediction);
    let left: Vec<u8> = scored.objects.iter().map(|object| object.class).collect();
    assert_eq!(left, [6, 5]);
}

#[test]
fn the_map_becomes_lines_crosswalks_and_stop_lines() {
    let scene = scene(&SmallFolder::new(), "map");
    let truth = scene.truth(&scene.key_frames()[0]);
    let [road, solid, dashed] = &truth.lanes[..] else {
        panic!(
            "a road divider and two stretches of a lane divider: {:?}",
            truth.lanes
        );
    };
    // To the left of the vehicle, which looks to the north.
    assert_near(road.points_m[0], [-20.0, 2.0, 0.0]);
    assert_near(road.points_m[1], [40.0, 2.0, 0.0]);
    assert_eq!(road.marking, LaneTruth::UNKNOWN);
    assert_near(solid.points_m[0], [-10.0, -2.0, 0.0]);
    assert_near(solid.points_m[1], [10.0, -2.0, 0.0]);
    assert_eq!((solid.marking, dashed.marking), (0, 2));
    let [walk] = &truth.crosswalks[..] else {
        panic!("one crosswalk: {:?}", truth.crosswalks);
    };
    assert_near(walk.position_m, [23.5, 0.0, 0.0]);
    assert_near([walk.length_m, walk.width_m], [10.0, 3.0]);
    assert_near([walk.theta_rad.abs()], [std::f64::consts::FRAC_PI_2]);
    let [stop] = &truth.stop_lines[..] else {
        panic!("no line inside the junction: {:?}", truth.stop_lines);
    };
    assert_near(stop.position_m, [20.25, -2.0, 0.0]);
    assert_near([stop.length_m], [4.0]);
}

#[test]
fn tasks_without_labels_are_masked() {
    let full = scene(&SmallFolder::new(), "tasks");
    let of_map = [Task::PaintedLanes, Task::Crosswalks, Task::StopLines];
    let with_map = Tasks::of(&[Task::Objects, Task::Tracks]).union(Tasks::of(&of_map));
    assert_eq!(full.tasks(), with_map);
    let mut folder = SmallFolder::new();
    folder.map = Value::Null;
    let without_map = scene(&folder, "tasks_without_map");
    assert_eq!(
        without_map.tasks(),
        Tasks::of(&[Task::Objects, Task::Tracks])
    );
    assert!(truths(&without_map)[0].lanes.is_empty());
    folder.tables.insert("sample_annotation", json!([]));
    assert_eq!(scene(&folder, "tasks_of_test").tasks(), Tasks::NONE);
}
