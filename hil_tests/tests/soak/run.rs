//! A drive of two seconds, looped in lockstep, with a visitor that watches it.

use std::path::PathBuf;

use bevrt_calibration::rigs;
use bevrt_hil::logs::LogWriter;
use bevrt_hil::replay::{ReplayVisitor, replay};
use bevrt_hil::source::{
    DriveLimit, DriveSource, LimitedDrive, LogDrive, LogDriveOptions, LoopedDrive, PictureSize,
    SimulatedDrive, SimulatedDriveOptions, record,
};

use crate::model;

/// Steps of the run.
pub const STEPS: u64 = 400;

/// Records the drive into a file called `name` and runs it.
pub fn run(name: &str, visitor: &mut dyn ReplayVisitor) {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
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
    let summary = replay(&mut drive, &mut pipelines, visitor, None).expect("it runs");
    assert!((STEPS..=STEPS + 1).contains(&summary.frames), "{summary:?}");
}
