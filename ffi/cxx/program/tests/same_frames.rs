//! The C++ program makes the frames of the Rust pipeline, byte by byte.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use bevrt_calibration::rigs;
use bevrt_hil::logs::DumpWriter;
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError, replay};
use bevrt_hil::source::{
    DriveEvent, DriveSource, PictureSize, SimulatedDrive, SimulatedDriveOptions,
};
use bevrt_runtime::{
    EgoMotionSpec, OnnxRuntimeLibrary, OutputFrame, Package, Pipeline, PipelineOptions,
};
use zerocopy::IntoBytes;

/// Writes a drive to a file while its frames are made.
struct Recorder {
    dump: DumpWriter<BufWriter<File>>,
    frames: Vec<u8>,
    elements: usize,
}

impl ReplayVisitor for Recorder {
    fn event(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        Ok(self.dump.write(event)?)
    }

    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.frames.extend(frame.frame.as_bytes());
        self.elements += frame.frame.objects().len() + frame.frame.lanes().len();
        Ok(())
    }
}

/// A file that is removed at the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // A file that stays behind in the system's temporary space does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_cpp_program_gets_the_frames_of_the_rust_pipeline() {
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/packages/tiny");
    let manifest = Package::open(&package)
        .expect("it ships")
        .manifest()
        .clone();
    let options = SimulatedDriveOptions {
        duration_s: 0.5,
        size: PictureSize::TimesNetwork(2),
        threads: 2,
        ..SimulatedDriveOptions::default()
    };
    let mut drive = SimulatedDrive::new(
        900_001,
        &rigs::six_pinhole(),
        manifest.preprocess(),
        &options,
    );
    let mut pipeline_options = PipelineOptions::new(&package, drive.rig().clone());
    pipeline_options.ego_motion = EgoMotionSpec::new(drive.ego_motion());
    let pipeline = Pipeline::new(pipeline_options).expect("the package serves here");

    let file = Scratch(std::env::temp_dir().join(format!("bevrt-cxx-{}", std::process::id())));
    let out = BufWriter::new(File::create(&file.0).expect("the temporary folder is writable"));
    let dump = DumpWriter::new(out, drive.rig(), drive.ego_motion()).expect("it is writable");
    let mut recorder = Recorder {
        dump,
        frames: Vec::new(),
        elements: 0,
    };
    replay(&mut drive, &mut [pipeline], &mut recorder, None).expect("the drive is sound");
    recorder.dump.finish().expect("it is writable");
    assert!(recorder.frames.len() >= 3 * size_of::<OutputFrame>());
    assert!(
        recorder.elements > 0,
        "a drive in which nothing is found proves nothing"
    );

    let (mut frames, mut text) = (Vec::new(), String::new());
    let package = package.display().to_string();
    let drive = file.0.display().to_string();
    let status = bevrt_cxx_program::replay(&package, &drive, &mut frames, &mut text);
    assert_eq!(status, 0, "{text}");
    assert_eq!(frames.len(), recorder.frames.len());
    assert!(frames == recorder.frames, "frames differ");
    assert_eq!(
        text.lines().count(),
        frames.len() / size_of::<OutputFrame>()
    );
}

#[test]
fn failures_come_back_as_a_status_with_a_text() {
    let (mut frames, mut text) = (Vec::new(), String::new());
    let status = bevrt_cxx_program::replay("package", "/no/such/drive", &mut frames, &mut text);
    // INVALID_ARGUMENT, from the program itself.
    assert_eq!((status, frames.len()), (4, 0));
}
