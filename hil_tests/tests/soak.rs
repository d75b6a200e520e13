//! A short soak: a recorded drive again and again. Alone in its process, whose memory, threads and
//! handles are watched.

#[path = "drives/model.rs"]
mod model;
#[path = "faults/stand_in.rs"]
mod stand_in;

use std::path::PathBuf;

use bevrt_calibration::rigs;
use bevrt_hil::faults::Pace;
use bevrt_hil::logs::LogWriter;
use bevrt_hil::replay::replay;
use bevrt_hil::soak::SoakWatch;
use bevrt_hil::source::{
    DriveLimit, DriveSource, LimitedDrive, LogDrive, LogDriveOptions, LoopedDrive, PictureSize,
    SimulatedDrive, SimulatedDriveOptions, record,
};

const STEPS: u64 = 400;

#[test]
fn a_drive_of_two_seconds_looped_for_400_steps_leaks_nothing_and_repeats_no_id() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("soak.mcap");
    let options = SimulatedDriveOptions {
        duration_s: 2.0,
        size: PictureSize::TimesNetwork(1),
        ..SimulatedDriveOptions::default()
    };
    let manifest = model::manifest();
    let rig = rigs::six_pinhole();
    let mut drive = SimulatedDrive::new(950_007, &rig, manifest.preprocess(), &options);
    let mut writer = LogWriter::create(&file).expect("the test folder is writable");
    record(&mut drive, &mut writer, &mut |_| {}).expect("written");
    writer.finish().expect("written");

    let open = || LogDrive::open(&file, LogDriveOptions::default());
    let looped = LoopedDrive::new(u64::MAX, open).expect("the log is sound");
    let mut drive = LimitedDrive::new(looped, DriveLimit::Sets(STEPS));
    let mut pipelines = [model::pipeline(drive.rig().clone(), drive.ego_motion())];
    let mut watch = SoakWatch::new(STEPS, Pace::Lockstep, |_| {});
    let summary = replay(&mut drive, &mut pipelines, &mut watch, None).expect("it runs");
    assert!((STEPS..=STEPS + 1).contains(&summary.frames), "{summary:?}");
    let report = watch.report("in lockstep");
    println!("{}", report.to_markdown());
    assert_eq!(report.failed().count(), 0, "{}", report.to_markdown());
}
