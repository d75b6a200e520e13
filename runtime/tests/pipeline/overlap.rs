//! Steps in two halves: images and motion of the next set come while the network runs.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use bevrt_calibration::Rig;
use bevrt_runtime::{
    BesideThread, FrameError, ImageView, OnnxRuntimeLibrary, OutputFrame, Pipeline,
    PipelineOptions, PixelFormat, Stamp, StepBegin, StepOutcome, ThreadSettings,
};

use crate::small_model::{self as small, milliseconds};

/// What comes to a pipeline, and when it is here.
struct Item {
    what: What,
    arrival: Stamp,
}

enum What {
    Image(usize, Stamp),
    Pose(Stamp),
}

/// Two seconds with skew, poses between the images, sets without the back camera, and time set back.
fn items() -> Vec<Item> {
    let mut items = Vec::new();
    for (begin_ms, end_ms) in [(0, 2_000), (700, 1_200)] {
        for stamp_ms in (begin_ms..end_ms).step_by(100) {
            let skew_ms = stamp_ms / 100 % 3 * 10;
            let mut come = |what: fn(Stamp) -> What, at_ms: i64, arrival_ms: i64| {
                items.push(Item {
                    what: what(milliseconds(stamp_ms + at_ms)),
                    arrival: milliseconds(stamp_ms + arrival_ms),
                });
            };
            come(|stamp| What::Image(0, stamp), 0, 25);
            come(What::Pose, 0, 30);
            come(What::Pose, 30, 35);
            if stamp_ms % 500 != 0 {
                come(|stamp| What::Image(1, stamp), skew_ms, 40);
            }
            come(What::Pose, 60, 65);
        }
    }
    items
}

struct Source {
    rig: Rig,
}

impl Source {
    /// Returns the item's arrival, which is the time of the step after it.
    fn push(&self, pipeline: &mut Pipeline, item: &Item) -> Result<Stamp, FrameError> {
        match item.what {
            What::Image(camera, stamp) => {
                let lens = &self.rig.cameras()[camera].intrinsics;
                let pixels = (lens.width() * lens.height()) as usize;
                let shade = stamp.nanoseconds() / 1_000_000 % 97;
                let bytes: Vec<u8> = (0..pixels)
                    .map(|pixel| (pixel as i64 * 7 + shade * 3 + camera as i64 * 31) as u8)
                    .collect();
                let image =
                    ImageView::packed(PixelFormat::Grey, lens.width(), lens.height(), &bytes)
                        .expect("it fits");
                pipeline.push_image(camera, &image, stamp, item.arrival)?;
            }
            What::Pose(stamp) => {
                // Those that are late or not later are refused, in both ways alike.
                let _ = pipeline.push_pose(stamp, &small::pose_at(stamp));
            }
        }
        Ok(item.arrival)
    }
}

fn one_after_another(mut pipeline: Pipeline) -> Vec<u8> {
    let source = Source {
        rig: pipeline.rig().clone(),
    };
    let (mut bytes, mut frame) = (Vec::new(), OutputFrame::boxed());
    for item in items() {
        let now = source.push(&mut pipeline, &item).expect("time goes on");
        while pipeline.step(now, &mut frame).expect("a sound engine") == StepOutcome::Frame {
            bytes.extend_from_slice(frame.as_frame_bytes());
        }
    }
    bytes
}

/// Finishes a step only when something else cannot go on without.
fn overlapped(mut pipeline: Pipeline) -> Vec<u8> {
    let source = Source {
        rig: pipeline.rig().clone(),
    };
    let (mut bytes, mut frame) = (Vec::new(), OutputFrame::boxed());
    let mut finish = |pipeline: &mut Pipeline| {
        pipeline.finish_step(&mut frame).expect("a step was begun");
        bytes.extend_from_slice(frame.as_frame_bytes());
    };
    for item in items() {
        let now = loop {
            match source.push(&mut pipeline, &item) {
                Ok(now) => break now,
                Err(FrameError::StepRunning) => finish(&mut pipeline),
                Err(error) => panic!("{error}"),
            }
        };
        loop {
            match pipeline.begin_step(now) {
                Ok(StepBegin::Waiting) => break,
                Ok(StepBegin::Begun | StepBegin::Ready) => assert!(pipeline.is_step_running()),
                Err(FrameError::StepRunning) => finish(&mut pipeline),
                Err(error) => panic!("{error}"),
            }
        }
    }
    if pipeline.is_step_running() {
        finish(&mut pipeline);
    }
    bytes
}

#[test]
fn overlapped_steps_give_the_bytes_of_steps_one_after_another() {
    let expected = one_after_another(small::plain_pipeline());
    assert!(expected.len() >= 20 * size_of::<OutputFrame>());
    assert!(overlapped(small::plain_pipeline()) == expected);
}

fn reduced() -> (PathBuf, Rig) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reduced");
    let rig = Rig::from_toml_file(folder.join("golden/case0/rig.toml")).expect("a sound rig");
    (folder, rig)
}

#[test]
fn a_network_on_a_thread_of_its_own_gives_the_same_bytes() {
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let pipeline = || {
        let (folder, rig) = reduced();
        Pipeline::new(PipelineOptions::new(folder, rig)).expect("the fixture is sound")
    };
    let expected = one_after_another(pipeline());
    let (tell, told) = mpsc::channel();
    let mut beside = pipeline();
    beside
        .overlap(Some(BesideThread {
            settings: ThreadSettings::default(),
            wake: Box::new(move || {
                let name = std::thread::current().name().map(str::to_owned);
                tell.send(name).expect("the test listens");
            }),
        }))
        .expect("a thread can be had");
    assert!(overlapped(beside) == expected);
    let names: Vec<_> = told.iter().collect();
    assert!(names.len() >= 15, "{} runs", names.len());
    assert!(
        names
            .iter()
            .all(|name| name.as_deref() == Some("bevrt-network"))
    );
}

#[test]
fn what_cannot_be_done_while_a_step_runs_says_so() {
    let mut pipeline = small::plain_pipeline();
    let mut frame = OutputFrame::boxed();
    assert_eq!(
        pipeline.finish_step(&mut frame),
        Err(FrameError::NoStepRunning)
    );
    small::drive(&mut pipeline, 5_000, 5_300);
    small::push_set(&mut pipeline, milliseconds(5_300));
    let now = milliseconds(5_320);
    assert_eq!(pipeline.begin_step(now), Ok(StepBegin::Ready));
    let refused = Err(FrameError::StepRunning);
    assert_eq!(pipeline.begin_step(milliseconds(100)), refused);
    assert_eq!(
        small::push_image(&mut pipeline, 0, milliseconds(100)),
        Err(FrameError::StepRunning)
    );
    assert_eq!(
        pipeline.step(now, &mut frame).err(),
        Some(FrameError::StepRunning)
    );
    assert_eq!(pipeline.run_network_again(), Err(FrameError::StepRunning));
    assert!(pipeline.set_calibration(small::rig()).is_err());
    assert!(pipeline.overlap(None).is_err());
    assert_eq!(pipeline.finish_step(&mut frame), Ok(()));
    assert_eq!(frame.stamp_ns, 5_300_000_000);
    assert!(pipeline.set_calibration(small::rig()).is_ok());
}

#[test]
fn a_reset_forgets_the_step_that_runs() {
    let mut pipeline = small::plain_pipeline();
    let mut frame = OutputFrame::boxed();
    small::push_set(&mut pipeline, milliseconds(0));
    let begun = pipeline.begin_step(milliseconds(20));
    assert_eq!(begun, Ok(StepBegin::Ready));
    pipeline.reset();
    assert!(!pipeline.is_step_running());
    assert_eq!(
        pipeline.finish_step(&mut frame),
        Err(FrameError::NoStepRunning)
    );
    assert_eq!(small::drive(&mut pipeline, 0, 100).len(), 1);
}
