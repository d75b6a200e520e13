//! Drives, simulated and from logs, and what replays make of them.

mod model;
mod paced;
#[path = "../faults/stand_in.rs"]
mod stand_in;

use std::path::PathBuf;

use bevrt_calibration::rigs;
use bevrt_hil::eval::score_table;
use bevrt_hil::logs::{LogReader, LogWriter};
use bevrt_hil::metrics::ScoreTally;
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, TensorDump, VisitorError, replay};
use bevrt_hil::source::{
    DriveEvent, DriveSource, LogDrive, LogDriveOptions, PictureSize, SimulatedDrive,
    SimulatedDriveOptions, record,
};
use bevrt_hil::{
    FramePrediction, FrameTruth, PredictedArrow, PredictedCrosswalk, PredictedLane,
    PredictedObject, PredictedStopLine,
};
use bevrt_runtime::{EgoMotionSource, OutputFrame, Stamp};
use model::{manifest, pipeline};

const SEED: u64 = 950_007;

fn options() -> SimulatedDriveOptions {
    SimulatedDriveOptions {
        duration_s: 1.5,
        size: PictureSize::TimesNetwork(1),
        ..SimulatedDriveOptions::default()
    }
}

fn simulated(options: &SimulatedDriveOptions) -> SimulatedDrive {
    SimulatedDrive::new(SEED, &rigs::six_pinhole(), manifest().preprocess(), options)
}

fn log_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn recorded(name: &str) -> PathBuf {
    let file = log_file(name);
    let mut writer = LogWriter::create(&file).expect("the test folder is writable");
    record(&mut simulated(&options()), &mut writer, &mut |_| {}).expect("written");
    writer.finish().expect("written");
    file
}

/// Counts and checks what a source gives.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    images: usize,
    motion: usize,
    poses: usize,
    truths: usize,
}

fn count(source: &mut dyn DriveSource) -> Counts {
    let mut counts = Counts::default();
    let mut last = Stamp::ZERO;
    let mut check = |arrival: Stamp| {
        assert!(arrival >= last, "events come in the order of arrival");
        last = arrival;
    };
    while let Some(event) = source.next_event().expect("the drive is sound") {
        match event {
            DriveEvent::Image(image) => {
                check(image.arrival);
                assert!(image.arrival > image.stamp);
                counts.images += 1;
            }
            DriveEvent::VehicleMotion { arrival, .. } => {
                check(arrival);
                counts.motion += 1;
            }
            DriveEvent::Pose { arrival, .. } => {
                check(arrival);
                counts.poses += 1;
            }
            DriveEvent::Truth(_) => counts.truths += 1,
        }
    }
    counts
}

#[test]
fn a_simulated_drive_gives_every_event_in_order() {
    let counts = count(&mut simulated(&options()));
    assert_eq!(
        (counts.images, counts.poses, counts.truths),
        (16 * 6, 0, 16)
    );
    assert!((76..=78).contains(&counts.motion), "{counts:?}");
}

#[test]
fn cameras_out_of_step_keep_the_order_of_arrival() {
    let skewed = SimulatedDriveOptions {
        camera_skew_s: 0.02,
        ..options()
    };
    let counts = count(&mut simulated(&skewed));
    assert_eq!((counts.images, counts.truths), (16 * 6, 16));
}

#[test]
fn the_truth_of_a_frame_has_the_stamp_of_the_reference_camera() {
    let skewed = SimulatedDriveOptions {
        camera_skew_s: 0.02,
        ..options()
    };
    let mut drive = simulated(&skewed);
    let reference = drive.rig().reference();
    let (mut truths, mut images) = (Vec::new(), Vec::new());
    while let Some(event) = drive.next_event().expect("it is drawn") {
        match event {
            DriveEvent::Truth(truth) => truths.push(truth.stamp_ns),
            DriveEvent::Image(image) if image.camera == reference => {
                images.push(image.stamp.nanoseconds());
            }
            _ => {}
        }
    }
    assert_eq!(truths, images);
}

#[test]
fn a_recorded_drive_comes_back_from_its_log() {
    let file = recorded("recorded.mcap");
    let mut drive = LogDrive::open(&file, LogDriveOptions::default()).expect("we wrote it");
    let known = simulated(&options());
    assert_eq!(drive.ego_motion(), EgoMotionSource::Rates);
    assert_eq!(drive.rig().reference(), known.rig().reference());
    for (read, known) in drive.rig().cameras().iter().zip(known.rig().cameras()) {
        assert_eq!(
            (&read.name, &read.intrinsics),
            (&known.name, &known.intrinsics)
        );
        let difference = read.ego_from_cam.inverse() * known.ego_from_cam;
        assert!(difference.translation().norm() < 1e-9);
    }
    assert_eq!(count(&mut drive), count(&mut simulated(&options())));

    let poses = LogDriveOptions {
        ego_motion: Some(EgoMotionSource::Poses),
        ..LogDriveOptions::default()
    };
    let mut drive = LogDrive::open(&file, poses).expect("we wrote it");
    let counts = count(&mut drive);
    assert_eq!(counts.motion, 0);
    assert!(counts.poses > 80, "{counts:?}");
}

#[test]
fn the_truth_of_a_log_is_that_of_the_drive() {
    let file = recorded("truth.mcap");
    let truths = |source: &mut dyn DriveSource| {
        let mut truths = Vec::new();
        while let Some(event) = source.next_event().expect("the drive is sound") {
            if let DriveEvent::Truth(truth) = event {
                truths.push(truth.clone());
            }
        }
        truths
    };
    let mut drive = LogDrive::open(&file, LogDriveOptions::default()).expect("we wrote it");
    let (read, known) = (truths(&mut drive), truths(&mut simulated(&options())));
    assert!(
        read == known,
        "the log gives other ground truth than the drive"
    );
}

/// Keeps the bytes of all frames.
#[derive(Default)]
struct Keeper {
    frames: Vec<Vec<u8>>,
    with_truth: usize,
    dump: Option<TensorDump>,
}

impl ReplayVisitor for Keeper {
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.frames.push(frame.frame.as_frame_bytes().to_vec());
        self.with_truth += usize::from(frame.truth.is_some());
        if let Some(dump) = &mut self.dump {
            dump.write(frame.pipeline)?;
        }
        Ok(())
    }
}

fn replayed(source: &mut dyn DriveSource) -> Keeper {
    let mut keeper = Keeper::default();
    let mut pipelines = [pipeline(source.rig().clone(), source.ego_motion())];
    let summary = replay(source, &mut pipelines, &mut keeper, None).expect("the drive is sound");
    assert_eq!(summary.frames as usize, keeper.frames.len());
    assert_eq!((summary.refused_images, summary.refused_motion), (0, 0));
    keeper
}

#[test]
fn a_replay_gives_a_frame_for_each_set_and_the_same_bytes_again() {
    let first = replayed(&mut simulated(&options()));
    assert_eq!((first.frames.len(), first.with_truth), (16, 16));
    let frame = OutputFrame::boxed_from_frame_bytes(&first.frames[14]).expect("it is a frame");
    assert!(
        !frame.objects().is_empty(),
        "the scripted engine shows an object"
    );
    let second = replayed(&mut simulated(&options()));
    assert!(
        first.frames == second.frames,
        "the second replay gave other bytes"
    );
}

#[test]
fn a_log_replays_to_the_same_bytes_each_time() {
    let file = recorded("replayed.mcap");
    let open = || LogDrive::open(&file, LogDriveOptions::default()).expect("we wrote it");
    let first = replayed(&mut open());
    assert_eq!((first.frames.len(), first.with_truth), (16, 16));
    assert!(
        first.frames == replayed(&mut open()).frames,
        "the second replay gave other bytes"
    );
}

#[test]
fn results_can_be_written_and_read_back() {
    let keeper = replayed(&mut simulated(&options()));
    let file = log_file("results.mcap");
    let mut writer = LogWriter::create(&file).expect("the test folder is writable");
    for bytes in &keeper.frames {
        let frame = OutputFrame::boxed_from_frame_bytes(bytes).expect("it is a frame");
        writer.write_frame(&frame).expect("written");
    }
    writer.finish().expect("written");
    let reader = LogReader::open(&file).expect("we wrote it");
    let mut messages = reader
        .messages(|t| t.encoding == "bevrt-frame")
        .expect("sound");
    for bytes in &keeper.frames {
        let message = messages
            .next_message()
            .expect("sound")
            .expect("one for each frame");
        assert_eq!(message.data, bytes);
    }
}

#[test]
fn tensors_are_dumped_for_as_many_frames_as_asked() {
    let folder = log_file("tensors");
    let mut source = simulated(&options());
    let mut keeper = Keeper {
        dump: Some(TensorDump::new(&folder, 2)),
        ..Keeper::default()
    };
    let mut pipelines = [pipeline(source.rig().clone(), source.ego_motion())];
    replay(&mut source, &mut pipelines, &mut keeper, None).expect("the drive is sound");
    assert!(folder.join("frame_001/inputs/images.npy").is_file());
    assert!(folder.join("frame_001/outputs/objects.npy").is_file());
    assert!(!folder.join("frame_002").exists());
}

#[test]
fn a_log_without_cameras_is_refused_with_what_it_has() {
    let file = log_file("no_cameras.mcap");
    let mut writer = LogWriter::create(&file).expect("the test folder is writable");
    writer.write_frame(&OutputFrame::boxed()).expect("written");
    writer.finish().expect("written");
    let error = LogDrive::open(&file, LogDriveOptions::default())
        .err()
        .expect("no cameras");
    let text = error.to_string();
    assert!(
        text.contains("no_cameras.mcap") && text.contains("/bevrt/frame"),
        "{text}"
    );
}

/// The truth as a prediction, with or without what does not count.
fn oracle(truth: &FrameTruth, knows_hidden: bool) -> FramePrediction {
    let is_wanted = |counts: bool| counts || knows_hidden;
    FramePrediction {
        stamp_ns: truth.stamp_ns,
        objects: truth
            .objects
            .iter()
            .filter(|object| is_wanted(object.counts))
            .map(|object| PredictedObject {
                class: object.class,
                track_id: Some(object.track_id),
                confidence: 0.9 - 1e-3 * f64::from(object.track_id),
                position_m: object.position_m,
                size_m: object.size_m,
                yaw_rad: object.yaw_rad,
                velocity_mps: object.velocity_mps.expect("the simulated world tells"),
                sigmas: [0.1; 6],
                is_coasting: false,
            })
            .collect(),
        lanes: truth
            .lanes
            .iter()
            .map(|lane| PredictedLane {
                marking: lane.marking,
                colour: lane.colour,
                confidence: 0.9,
                sigma_lateral_m: 0.1,
                points_m: lane.points_m.clone(),
            })
            .collect(),
        arrows: truth
            .arrows
            .iter()
            .filter(|arrow| is_wanted(arrow.is_seen))
            .map(|arrow| PredictedArrow {
                directions: arrow.directions,
                confidence: 0.9,
                position_m: arrow.position_m,
                yaw_rad: arrow.yaw_rad,
                sigma_position_m: 0.1,
            })
            .collect(),
        crosswalks: truth
            .crosswalks
            .iter()
            .filter(|crosswalk| is_wanted(crosswalk.is_seen))
            .map(|crosswalk| PredictedCrosswalk {
                confidence: 0.9,
                corners_m: crosswalk.corners_m().to_vec(),
                sigma_position_m: 0.1,
            })
            .collect(),
        stop_lines: truth
            .stop_lines
            .iter()
            .filter(|stop_line| is_wanted(stop_line.is_seen))
            .map(|stop_line| PredictedStopLine {
                confidence: 0.9,
                points_m: stop_line.ends_m().to_vec(),
                sigma_position_m: 0.1,
            })
            .collect(),
    }
}

#[test]
fn who_knows_the_truth_scores_one_whether_or_not_it_tells_what_is_hidden() {
    let clip = SimulatedDriveOptions {
        duration_s: 6.0,
        frame_rate_hz: 2.0,
        ..options()
    };
    let mut drives = Vec::new();
    for seed in [950_007, 950_008, 950_009] {
        let mut truths = Vec::new();
        let rig = rigs::six_pinhole();
        let mut drive = SimulatedDrive::new(seed, &rig, manifest().preprocess(), &clip);
        while let Some(event) = drive.next_event().expect("it is drawn") {
            if let DriveEvent::Truth(truth) = event {
                truths.push(truth.clone());
            }
        }
        drives.push(truths);
    }
    for knows_hidden in [false, true] {
        let mut tally = ScoreTally::default();
        for truths in &drives {
            for truth in truths {
                tally.add(truth, &oracle(truth, knows_hidden), 0.0);
            }
            tally.end_drive();
        }
        let scores = tally.scores();
        println!("{}", score_table(&[("all", &scores)]));
        let is_one = |score: Option<f64>| score.is_none_or(|score| score > 0.999);
        assert!(is_one(Some(scores.objects.mean_average_precision)));
        assert!(is_one(Some(scores.objects.detection_score)));
        assert!(is_one(scores.occlusion.recall));
        assert!(is_one(scores.tracks.average_accuracy));
        assert!(is_one(scores.tracks.hota.map(|hota| hota.hota)));
        assert!(is_one(scores.arrows.average_precision));
        assert!(is_one(scores.crosswalks.overlap_average_precision));
        assert!(scores.crosswalks.average_precision.into_iter().all(is_one));
        assert!(scores.stop_lines.average_precision.into_iter().all(is_one));
        assert!(
            scores.lanes.chamfer_map > 0.97,
            "{}",
            scores.lanes.chamfer_map
        );
        assert!(scores.lanes.f1.f1 > 0.97, "{}", scores.lanes.f1.f1);
        assert_eq!(scores.lanes.f1.marking_accuracy, Some(1.0));
    }
}
